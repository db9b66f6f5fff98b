"""Slots, limits and events of one process."""

from flow2api.plugins.coordination_memory import MemoryCoordination, MemoryLimits, register_coordinations
from flow2api.testing.fakes.clock import FakeClock


def test_is_chosen_by_the_scheme_memory() -> None:
    (factory,) = register_coordinations()
    assert factory.schemes == ("memory",)
    assert isinstance(factory.build("memory:", {}), MemoryCoordination)


def test_nobody_else_shares_it() -> None:
    assert not MemoryCoordination().is_shared


def test_windows_that_are_over_do_not_stay() -> None:
    clock = FakeClock()
    limits = MemoryLimits(clock.monotonic)
    for number in range(3000):
        assert limits.spend_now(f"key {number}", 1, 1, 60.0) is None
        clock.advance(0.1)

    assert len(limits) < 1700
    assert limits.spend_now("key 2999", 1, 1, 60.0) is not None

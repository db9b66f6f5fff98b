"""Slots counted in memory."""

from flow2api.domain.media import MediaKind
from flow2api.plugins.coordination_memory import MemorySlots, register_coordinations

IMAGE, VIDEO = MediaKind.IMAGE, MediaKind.VIDEO


async def test_gives_no_more_than_the_limit() -> None:
    slots = MemorySlots()
    tickets = [await slots.take(1, IMAGE, 2) for _ in range(3)]
    assert tickets[2] is None
    assert len({*tickets[:2]}) == 2
    assert await slots.take(2, IMAGE, 2) is not None
    assert await slots.take(1, VIDEO, 2) is not None


async def test_without_a_limit_there_is_always_one() -> None:
    slots = MemorySlots()
    assert None not in [await slots.take(1, IMAGE, None) for _ in range(50)]
    assert await slots.take(1, IMAGE, 50) is None


async def test_giving_back_twice_frees_one() -> None:
    slots = MemorySlots()
    first = await slots.take(1, IMAGE, 1)
    assert first is not None
    await slots.give_back(first)
    await slots.give_back(first)
    assert await slots.take(1, IMAGE, 1) is not None
    assert await slots.take(1, IMAGE, 1) is None


def test_is_chosen_by_the_scheme_memory() -> None:
    (factory,) = register_coordinations()
    assert factory.schemes == ("memory",)
    assert isinstance(factory.build("memory:", {}), MemorySlots)

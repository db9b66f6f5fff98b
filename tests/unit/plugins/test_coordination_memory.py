"""Slots counted in memory."""

import pytest

from flow2api.domain.ports.coordination import Slots
from flow2api.plugins.coordination_memory import MemorySlots, register_coordinations
from flow2api.testing.contracts import SlotsContract


class TestMemorySlots(SlotsContract):
    @pytest.fixture
    def slots(self) -> Slots:
        return MemorySlots()


def test_is_chosen_by_the_scheme_memory() -> None:
    (factory,) = register_coordinations()
    assert factory.schemes == ("memory",)
    assert isinstance(factory.build("memory:", {}), MemorySlots)

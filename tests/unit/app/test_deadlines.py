"""What plugins run is ended in time, and can still do what it could."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from flow2api.app.deadlines import STORAGE, Deadlines, with_deadlines
from flow2api.domain.errors import StorageError
from flow2api.domain.ports.coordination import CountsInMemory
from flow2api.domain.ports.media import KnowsAges, TellsRoom
from flow2api.domain.ports.storage import Maintains, PeeksOptions
from flow2api.plugins.coordination_memory import MemorySlots
from flow2api.testing.fakes.media import FakeMediaStore
from flow2api.testing.fakes.storage import FakeStorage

SOON = Deadlines(StorageError, 0.01, {"slow": None, "patient": 5.0})


class Repository:
    """What a storage holds."""

    async def all(self) -> None:
        await asyncio.Event().wait()


class Hanging:
    """Answers nothing."""

    name = "hanging"

    def __init__(self) -> None:
        self.things = Repository()
        self.closed = False
        self.count = 0

    def plain(self) -> int:
        return 7

    async def quick(self, value: int) -> int:
        return value

    async def hang(self) -> None:
        await asyncio.Event().wait()

    async def slow(self) -> str:
        await asyncio.sleep(0.02)
        return "done"

    async def give_up(self) -> None:
        raise TimeoutError("its own")

    async def pieces(self) -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            self.closed = True


@pytest.fixture
def hanging() -> Hanging:
    return Hanging()


@pytest.fixture
def held(hanging: Hanging) -> Any:
    return with_deadlines(hanging, "mine", SOON)


async def test_call_that_hangs_ends_with_the_plugin_and_the_call_named(held: Any) -> None:
    with pytest.raises(StorageError, match=r"plugin 'mine', Hanging\.hang gave no answer within 0\.01 s"):
        await held.hang()


async def test_what_it_holds_is_held_to_time_as_well(held: Any) -> None:
    with pytest.raises(StorageError, match=r"Repository\.all"):
        await held.things.all()


async def test_what_holds_itself_or_leads_on_for_ever_is_no_trap() -> None:
    class Whole(Hanging):
        def __init__(self) -> None:
            super().__init__()
            self.path = Path("/somewhere/else")
            self.part = self

    held = with_deadlines(Whole(), "mine", SOON)

    assert (await held.part.quick(4), held.part.part.plain(), str(held.path.parent.name)) == (4, 7, "somewhere")
    assert held.part is held.part
    with pytest.raises(StorageError, match=r"Whole\.hang"):
        await held.part.hang()


async def test_everything_else_is_as_it_was(held: Any, hanging: Hanging) -> None:
    hanging.count = 3

    assert (held.name, held.count, held.plain(), await held.quick(4)) == ("hanging", 3, 7, 4)
    assert await held.slow() == "done"
    with pytest.raises(TimeoutError, match="its own"):
        await held.give_up()


async def test_what_comes_piece_by_piece_has_the_time_for_each(held: Any, hanging: Hanging) -> None:
    pieces = held.pieces()
    assert await anext(pieces) == 1

    with pytest.raises(StorageError, match=r"Hanging\.pieces"):
        await anext(pieces)

    assert hanging.closed


async def test_what_comes_piece_by_piece_can_be_left(held: Any, hanging: Hanging) -> None:
    async with aclosing(held.pieces()) as pieces:
        assert await anext(pieces) == 1

    assert hanging.closed


@pytest.mark.parametrize("ability", [CountsInMemory, KnowsAges, TellsRoom, Maintains, PeeksOptions])
@pytest.mark.parametrize("make", [MemorySlots, FakeMediaStore, FakeStorage])
def test_abilities_are_the_same(make: Any, ability: Any) -> None:
    target = make()

    assert isinstance(with_deadlines(target, "mine", STORAGE), ability) is isinstance(target, ability)


async def test_storage_works_through_it() -> None:
    target = FakeStorage()
    held = with_deadlines(target, "mine", STORAGE)

    await held.open()
    await held.options.write({"policy": "random"}, "me")

    assert (target.opened, await held.options.read()) == (1, {"policy": "random"})
    assert [batch async for batch in held.accounts.load()] == [batch async for batch in target.accounts.load()]

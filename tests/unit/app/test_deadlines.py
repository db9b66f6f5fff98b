"""What plugins run is ended in time, and can still do what it could."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

import pytest

from flow2api.app import deadlines
from flow2api.app.deadlines import STORAGE, Deadlines, with_deadlines
from flow2api.domain.errors import StorageError
from flow2api.domain.ports.coordination import CountsInMemory
from flow2api.domain.ports.media import KnowsAges, TellsRoom
from flow2api.domain.ports.storage import Maintains, PeeksOptions
from flow2api.plugins.coordination_memory import MemorySlots
from flow2api.testing.fakes.media import FakeMediaStore
from flow2api.testing.fakes.storage import FakeStorage

SOON = Deadlines(StorageError, 0.01, {"slow": None, "slow_leave": None, "patient": 5.0})


class Repository:
    """What a storage holds."""

    owner: object = None

    async def all(self) -> None:
        await asyncio.Event().wait()


class Hanging:
    """Answers nothing."""

    name = "hanging"

    def __init__(self) -> None:
        self.things = Repository()
        self.closed = False
        self.count = 0
        self.clung = 0
        self.released = asyncio.Event()

    @property
    def opened_at(self) -> int:
        if not self.count:
            raise RuntimeError("It is not open.")
        return 12

    async def cling(self) -> None:
        self.clung += 1
        while not self.released.is_set():
            with suppress(asyncio.CancelledError):
                await self.released.wait()

    async def wait_patiently(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.closed = True

    async def leave(self) -> None:
        sys.exit(0)

    async def slow_leave(self) -> None:
        sys.exit(0)

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


async def test_call_that_does_not_let_itself_be_cancelled_is_given_up(
    held: Any, hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadlines, "GIVEN_UP_AFTER_S", 0.01)

    with pytest.raises(StorageError, match=r"Hanging\.cling"):
        await held.cling()

    waiting = asyncio.ensure_future(held.cling())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert hanging.clung == 2
    hanging.released.set()


async def test_who_gives_up_ends_what_he_waited_for(held: Any, hanging: Hanging) -> None:
    waiting = asyncio.ensure_future(held.wait_patiently())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})

    assert (waiting.cancelled(), hanging.closed) == (True, True)


@pytest.mark.parametrize("name", ["leave", "slow_leave"])
async def test_call_that_would_end_the_program_fails_alone(held: Any, name: str) -> None:
    with pytest.raises(StorageError, match=rf"Hanging\.{name} tried to end the program"):
        await getattr(held, name)()


def test_what_leads_back_to_itself_is_held_once(hanging: Hanging) -> None:
    hanging.things.owner = hanging

    held: Any = with_deadlines(hanging, "mine", SOON)

    assert held.things.owner is held


async def test_attribute_that_is_not_there_yet_comes_when_it_is(held: Any, hanging: Hanging) -> None:
    with pytest.raises(RuntimeError, match="not open"):
        _ = held.opened_at
    hanging.count = 1

    assert held.opened_at == 12


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

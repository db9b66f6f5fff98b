"""Room for large bodies: in order, never too much, and never lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.adapters.openai_api.body_room import FREE_BYTES, BodyRoom, Place
from flow2api.adapters.openai_api.doors import Limits
from tests.fakes.use_cases import FakeDoors
from tests.unit.adapters.openai_api.listener import Listener

BIG = 10 * FREE_BYTES
IMAGES = "/v1/images/generations"


@asynccontextmanager
async def holding(room: BodyRoom, size_bytes: int) -> AsyncIterator[Place]:
    async with room.place() as place:
        await place.take(size_bytes, within_s=0.01)
        yield place


async def test_small_bodies_need_no_room() -> None:
    room = BodyRoom(BIG)
    async with holding(room, BIG), holding(room, FREE_BYTES) as small:
        assert small.size_bytes == 0


async def test_a_body_waits_until_there_is_room() -> None:
    room, order = BodyRoom(BIG), list[int]()

    async def come(number: int, size_bytes: int) -> None:
        async with room.place() as place:
            await place.take(size_bytes, within_s=5)
            order.append(number)
            await asyncio.sleep(0)

    async with holding(room, BIG):
        coming = [asyncio.create_task(come(number, BIG // (number + 1))) for number in range(3)]
        await asyncio.sleep(0.01)
        assert room.is_contended
        assert order == []
    await asyncio.gather(*coming)
    assert order == [0, 1, 2]


async def test_a_body_larger_than_the_room_is_taken_alone() -> None:
    room = BodyRoom(BIG)
    async with holding(room, 3 * BIG):
        with pytest.raises(TimeoutError):
            async with holding(room, 2 * FREE_BYTES):
                pass
    async with holding(room, 3 * BIG):
        pass


@given(st.lists(st.tuples(st.integers(FREE_BYTES + 1, 2 * BIG), st.sampled_from([0.0, 0.001, 5.0])), max_size=12))
async def test_room_is_never_lost_whoever_gives_up(visits: list[tuple[int, float]]) -> None:
    room = BodyRoom(BIG)

    async def visit(size_bytes: int, patience_s: float) -> None:
        async with room.place() as place:
            try:
                await place.take(size_bytes, within_s=patience_s)
            except TimeoutError:
                return
            assert room._taken_bytes <= max(BIG, size_bytes)
            await asyncio.sleep(0)

    await asyncio.gather(*(visit(size, patience) for size, patience in visits))
    assert room._taken_bytes == 0
    assert not room.is_contended


async def test_a_body_that_finds_no_room_is_answered_503(fakes: FakeDoors) -> None:
    room = BodyRoom(BIG)
    listener = Listener(fakes.doors(room=room, limits=Limits(room_wait_s=0.01)))
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % BIG)]
    async with holding(room, BIG), listener.requesting("POST", IMAGES, headers):
        await listener.frames(1)
    assert listener.status == 503
    assert b'"server_busy"' in listener.bodies[0]
    assert dict(listener.sent[0]["headers"])[b"retry-after"] == b"5"


async def test_an_unannounced_body_needs_room_once_it_is_large(fakes: FakeDoors) -> None:
    room = BodyRoom(BIG)
    listener = Listener(fakes.doors(room=room, limits=Limits(room_wait_s=0.01)))
    async with holding(room, BIG), listener.requesting("POST", IMAGES, [(b"content-type", b"application/json")]):
        listener.feed(b" " * (FREE_BYTES + 1), more=True)
        await listener.frames(1)
    assert listener.status == 503


async def test_a_slow_sender_gives_way_to_who_waits(fakes: FakeDoors) -> None:
    room = BodyRoom(BIG)
    listener = Listener(fakes.doors(room=room, limits=Limits(read_timeout_s=0.05)))
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % BIG)]
    async with AsyncExitStack() as stack, listener.requesting("POST", IMAGES, headers):
        listener.feed(b" " * FREE_BYTES, more=True)
        await asyncio.sleep(0.01)
        waiting = asyncio.create_task(stack.enter_async_context(room.place()))
        place = await waiting
        entering = asyncio.create_task(place.take(BIG, within_s=5))
        for _ in range(20):
            listener.feed(b" ", more=True)
            await asyncio.sleep(0.01)
        await entering
        await listener.frames(1)
    assert listener.status == 408


async def test_pictures_are_not_kept_in_memory_while_others_are_made(fakes: FakeDoors) -> None:
    room = BodyRoom(BIG)
    listener = Listener(fakes.doors(room=room))
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % (2 * FREE_BYTES))]
    async with listener.requesting("POST", IMAGES, headers):
        listener.feed(b'{"prompt":"a fox","stream":true}' + b" " * 2 * FREE_BYTES, more=False)
        await listener.frames(1)
        assert room._taken_bytes == 0

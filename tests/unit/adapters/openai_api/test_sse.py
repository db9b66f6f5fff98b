"""Event streams that live as long as somebody listens, and work that outlives them."""

import asyncio

import pytest

from flow2api.adapters.openai_api import Limits
from flow2api.adapters.openai_api.sse import data_frame, ending_with_error
from tests.fakes.use_cases import FakeDoors
from tests.unit.adapters.openai_api.listener import Listener

CHAT = {"model": "gpt-image-1", "messages": [{"role": "user", "content": "a fox"}], "stream": True}
PATH = "/v1/chat/completions"


async def settled(fakes: FakeDoors) -> int:
    """How many iterators are open once everything had its turn."""
    for _ in range(20):
        await asyncio.sleep(0)
    return fakes.generate.open


def test_a_frame_is_one_line_of_data_and_an_empty_one() -> None:
    assert data_frame({"a": "b\nc"}) == b'data: {"a":"b\\nc"}\n\n'
    assert data_frame({}, "x.y") == b"event: x.y\ndata: {}\n\n"


async def test_a_silent_stream_says_that_it_lives(fakes: FakeDoors) -> None:
    fakes.generate.gate = asyncio.Event()
    listener = Listener(fakes.doors(limits=Limits(ping_s=0.01)))
    async with listener.posting(PATH, CHAT):
        frames = await listener.frames(4)
        fakes.generate.gate.set()
        assert listener.task is not None
        await asyncio.wait_for(asyncio.shield(listener.task), 20)

    assert frames[1:] == [b": ping\n\n"] * 3
    assert listener.bodies[-1] == b"data: [DONE]\n\n"


async def test_the_head_of_a_stream_goes_out_before_there_is_anything_to_tell(fakes: FakeDoors) -> None:
    fakes.generate.gate = asyncio.Event()
    listener = Listener(fakes.doors())
    async with listener.posting("/v1/images/generations", {"prompt": "a fox", "stream": True}):
        while len(listener.sent) < 2:
            await asyncio.sleep(0)
        # A server may hold a head back until something of the body follows.
        assert [message["type"] for message in listener.sent] == ["http.response.start", "http.response.body"]
        assert (listener.sent[1]["body"], listener.sent[1]["more_body"]) == (b"", True)


async def test_nothing_is_sent_into_the_middle_of_an_event(fakes: FakeDoors) -> None:
    fakes.generate.picture += bytes(900_000)
    original = fakes.media.open

    async def slow_open(media: object) -> object:
        opened = await original(media)  # type: ignore[arg-type]

        async def read(start: int, stop: int | None) -> object:
            async for chunk in opened.read(start, stop):
                await asyncio.sleep(0.02)
                yield chunk

        return type(opened)(opened.media, opened.size_bytes, read)  # type: ignore[arg-type]

    fakes.media.open = slow_open  # type: ignore[method-assign, assignment]
    listener = Listener(fakes.doors(limits=Limits(ping_s=0.005)))
    async with listener.posting("/v1/images/generations", {"prompt": "a fox", "stream": True}):
        assert listener.task is not None
        await asyncio.wait_for(asyncio.shield(listener.task), 20)

    text = b"".join(listener.bodies)
    start = text.index(b"event:")
    assert b"ping" not in text[start:]
    assert text.endswith(b"\n\n")


async def test_a_client_that_leaves_ends_its_stream_and_nothing_else(fakes: FakeDoors) -> None:
    fakes.generate.gate = asyncio.Event()
    before = len(asyncio.all_tasks())
    listener = Listener(fakes.doors())
    async with listener.posting(PATH, CHAT):
        await listener.frames(1)
        assert fakes.generate.open == 1

    assert await settled(fakes) == 0
    assert len(asyncio.all_tasks()) == before


@pytest.mark.parametrize("steps", range(8))
async def test_leaving_at_any_point_leaks_nothing(fakes: FakeDoors, steps: int) -> None:
    fakes.generate.notes = ("one", "two")
    before = len(asyncio.all_tasks())
    listener = Listener(fakes.doors())
    async with listener.posting(PATH, CHAT):
        for _ in range(steps):
            await asyncio.sleep(0)

    assert await settled(fakes) == 0
    assert len(asyncio.all_tasks()) == before


async def test_a_client_that_takes_nothing_is_given_up(fakes: FakeDoors) -> None:
    fakes.generate.gate = asyncio.Event()
    listener = Listener(fakes.doors(limits=Limits(stall_s=0.02)))
    async with listener.posting(PATH, CHAT):
        await listener.frames(1)
        listener.is_stuck.set()
        fakes.generate.gate.set()
        assert listener.task is not None
        await asyncio.wait_for(asyncio.shield(listener.task), 20)
        assert await settled(fakes) == 0


async def test_an_error_on_the_way_becomes_the_last_frame() -> None:
    async def failing() -> object:
        yield b"one"
        raise ValueError("two")

    frames = ending_with_error(failing(), lambda error: str(error).encode())  # type: ignore[arg-type]
    assert [frame async for frame in frames] == [b"one", b"two"]

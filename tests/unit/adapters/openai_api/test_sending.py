"""Long answers: pieces worth a system call, and clients that stall or go away."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from flow2api.adapters.openai_api.sending import ClientStalledError, closing, gathered, send_within, watching


async def pieces(*sizes: int) -> AsyncIterator[bytes]:
    for number, size in enumerate(sizes):
        yield bytes([number]) * size


@pytest.mark.parametrize(
    ("sizes", "sent"),
    [((3, 3, 3, 3), [6, 6]), ((3, 3, 3), [6, 3]), ((10, 1), [10, 1]), ((1,), [1]), ((), []), ((0, 0), [])],
)
async def test_pieces_are_joined_until_they_are_worth_sending(sizes: tuple[int, ...], sent: list[int]) -> None:
    found = [piece async for piece in gathered(pieces(*sizes), size_bytes=5)]
    assert [len(piece) for piece in found if piece] == sent
    assert b"".join(found) == b"".join([piece async for piece in pieces(*sizes)])


async def test_client_that_takes_nothing_is_given_up() -> None:
    async def send(message: Any) -> None:
        await asyncio.Event().wait()

    with pytest.raises(ClientStalledError):
        await send_within(send, {"type": "http.response.body"}, 0.01)  # type: ignore[typeddict-item]


async def test_watcher_ends_when_the_client_goes_and_is_ended_with_the_block() -> None:
    messages: asyncio.Queue[Any] = asyncio.Queue()
    messages.put_nowait({"type": "http.request", "body": b"", "more_body": False})
    async with watching(messages.get) as gone:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not gone.done()
        messages.put_nowait({"type": "http.disconnect"})
        await asyncio.wait_for(asyncio.shield(gone), 20)
    async with watching(messages.get) as gone:
        pass
    assert gone.cancelled()


async def test_source_is_let_go_of_however_the_block_ends() -> None:
    closed = []

    async def source() -> AsyncIterator[bytes]:
        try:
            yield b"a"
            yield b"b"
        finally:
            closed.append(True)

    async def fail_in_the_middle() -> None:
        async with closing(source()) as chunks:
            await anext(chunks)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_in_the_middle()
    assert closed == [True]

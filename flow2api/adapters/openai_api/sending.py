"""Writing long answers to clients that may be slow, or gone."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from litestar.types import Message, Receive, Send


class ClientStalledError(Exception):
    """The client has taken nothing for too long."""


async def send_within(send: Send, message: Message, seconds: float) -> None:
    """Send, or give the client up.

    Raises:
        ClientStalledError: It took nothing for ``seconds``.
    """
    try:
        async with asyncio.timeout(seconds):
            await send(message)
    except TimeoutError as cause:
        raise ClientStalledError from cause


async def gathered(pieces: AsyncIterator[bytes], size_bytes: int = 256 * 1024) -> AsyncGenerator[bytes, None]:
    """The same bytes in fewer pieces, each of at least this size but the last: every piece costs a system call."""
    waiting: list[bytes] = []
    size = 0
    async for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= size_bytes:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


@asynccontextmanager
async def watching(receive: Receive) -> AsyncIterator["asyncio.Task[None]"]:
    """A task that ends when the client goes away."""
    gone = asyncio.create_task(until_gone(receive))
    try:
        yield gone
    finally:
        gone.cancel()
        await asyncio.wait({gone})


@asynccontextmanager
async def closing(chunks: AsyncIterator[bytes]) -> AsyncIterator[AsyncIterator[bytes]]:
    """The chunks; what feeds them (an open file, a connection) is let go of at the end."""
    try:
        yield chunks
    finally:
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()


async def until_gone(receive: Receive) -> None:
    """Wait until the client goes away."""
    while (await receive())["type"] != "http.disconnect":
        pass

"""A server that says byte by byte what a test wants, and remembers what it was told."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@dataclass
class Heard:
    """One request.

    Attributes:
        connection: Number of the connection that it came over, from 1.
    """

    connection: int
    head: bytes
    body: bytes

    @property
    def start(self) -> str:
        return self.head.partition(b"\r\n")[0].decode()

    def header(self, name: str) -> str | None:
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.strip().lower() == name.encode():
                return value.strip().decode()
        return None


Answering = Callable[[Heard, asyncio.StreamWriter], Awaitable[None]]


async def answer_ok(heard: Heard, writer: asyncio.StreamWriter) -> None:
    writer.write(OK)


@dataclass
class WireServer:
    """Listens on a free port of the loopback while its context is open.

    Attributes:
        answer: Writes the answer to a request; a closed writer ends the connection.
        closed: How many connections the other side has closed.
    """

    answer: Answering = answer_ok
    tls: ssl.SSLContext | None = None
    heard: list[Heard] = field(default_factory=list)
    connections: int = 0
    closed: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            await self._converse(self.connections, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.closed += 1
        except asyncio.CancelledError:
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _converse(self, connection: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            heard = Heard(connection, head, b"")
            heard.body = await reader.readexactly(int(heard.header("content-length") or 0))
            self.heard.append(heard)
            await self.answer(heard, writer)
            await writer.drain()
            if writer.is_closing():
                return

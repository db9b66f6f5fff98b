"""Proxies on the loopback for tests: HTTP (plain requests and tunnels) and SOCKS5, with credentials, and what they saw."""

import asyncio
import base64
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_CHUNK_BYTES = 64 * 1024


@dataclass
class LoopbackProxy:
    """What both kinds have in common.

    Attributes:
        credentials: Name and password that are wanted; None lets everybody in.
        targets: Host and port of every way that was opened.
        given: Every pair of credentials that was sent.
        refuses: Answers every wish for a way with a refusal while it is set.
        to: Leads every way there, whatever was asked for.
    """

    credentials: tuple[str, str] | None = None
    tls: ssl.SSLContext | None = None
    refuses: bool = False
    to: tuple[str, int] | None = None
    targets: list[tuple[str, int]] = field(default_factory=list)
    given: list[tuple[str, str]] = field(default_factory=list)
    port: int = 0
    scheme: str = "http"
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def url(self, user: str | None = None, password: str | None = None, *, scheme: str | None = None) -> str:
        """Its URL with these credentials, or with the right ones."""
        if user is None and self.credentials is not None:
            user, password = self.credentials
        info = "" if user is None else f"{user}:{password}@"
        return f"{scheme or self.scheme}://{info}127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.kill()

    async def start(self) -> None:
        """Listen, on the same port as before if there was one."""
        self._server = await asyncio.start_server(self._handle, "127.0.0.1", self.port, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def kill(self) -> None:
        """Close the port and every connection."""
        if self._server is not None:
            self._server.close()
            for writer in list(self._open):
                writer.transport.abort()
            await self._server.wait_closed()
            self._server = None

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, ValueError):
                await self._serve(reader, writer)
        finally:
            self._open.discard(writer)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise NotImplementedError

    async def _reach(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        self.targets.append((host, port))
        reader, writer = await asyncio.open_connection(*(self.to or (host, port)))
        self._open.add(writer)
        return reader, writer

    async def _join(
        self,
        inner: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        outer: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        """Carry bytes both ways until either side ends."""
        ways = [asyncio.ensure_future(_carry(inner[0], outer[1])), asyncio.ensure_future(_carry(outer[0], inner[1]))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.wait(ways)
            self._open.discard(outer[1])
            outer[1].close()


@dataclass
class HttpProxy(LoopbackProxy):
    """Speaks HTTP/1.1: tunnels by CONNECT, and plain requests with whole addresses."""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        start, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if not self._admits(headers.get("proxy-authorization", "")):
            writer.write(
                b'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="proxy"\r\n'
                b"Content-Length: 0\r\nConnection: close\r\n\r\n"
            )
            await writer.drain()
            return
        method, target, version = start.split(" ")
        if self.refuses:
            writer.write(b"HTTP/1.1 503 No Exit\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            outer = await self._reach(host.strip("[]"), int(port))
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            parts = urlsplit(target)
            outer = await self._reach(parts.hostname or "", parts.port or 80)
            kept = [line for line in lines if not line.lower().startswith(("proxy-", "connection:"))]
            path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
            outer[1].write(
                "\r\n".join([f"{method} {path} {version}", *kept, "Connection: close", "", ""]).encode("latin-1")
            )
        await self._join((reader, writer), outer)

    def _admits(self, given: str) -> bool:
        user = ("", "")
        if given.startswith("Basic "):
            name, _, password = base64.b64decode(given[6:]).decode().partition(":")
            user = (name, password)
            self.given.append(user)
        return self.credentials is None or user == self.credentials


@dataclass
class SocksProxy(LoopbackProxy):
    """Speaks SOCKS5 (RFC 1928) with the credentials of RFC 1929."""

    scheme: str = "socks5h"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, count = await reader.readexactly(2)
        methods = await reader.readexactly(count)
        wanted = 0 if self.credentials is None else 2
        writer.write(bytes((5, wanted if wanted in methods else 0xFF)))
        if wanted not in methods or (wanted == 2 and not await self._admits(reader, writer)):
            await writer.drain()
            return
        _, _, _, kind = await reader.readexactly(4)
        host = await _HOSTS[kind](reader)
        port = int.from_bytes(await reader.readexactly(2), "big")
        writer_says: Callable[[int], None] = lambda code: writer.write(bytes((5, code, 0, 1, 0, 0, 0, 0, 0, 0)))  # noqa: E731
        if self.refuses:
            writer_says(5)
            await writer.drain()
            return
        outer = await self._reach(host, port)
        writer_says(0)
        await self._join((reader, writer), outer)

    async def _admits(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        await reader.readexactly(1)
        user = (await _text(reader), await _text(reader))
        self.given.append(user)
        writer.write(bytes((1, 0 if user == self.credentials else 1)))
        return user == self.credentials


async def _text(reader: asyncio.StreamReader) -> str:
    (length,) = await reader.readexactly(1)
    return (await reader.readexactly(length)).decode()


async def _ipv4(reader: asyncio.StreamReader) -> str:
    return ".".join(str(part) for part in await reader.readexactly(4))


_HOSTS = {1: _ipv4, 3: _text}


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(_CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()

"""A client at the level of ASGI: it can listen for a while, be slow, and go away."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from flow2api.adapters.openai_api import Doors
from tests.fakes.use_cases import KEY
from tests.unit.adapters.openai_api.conftest import application


class Listener:
    """Sends one request and takes what comes.

    Attributes:
        is_stuck: Takes nothing while it is set, as a client does whose window is full.
        takes: How many pieces of the body it takes before it is stuck.
        sent: Every message that the application sent.
    """

    def __init__(self, doors: Doors) -> None:
        self._app = application(doors)
        self._incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._arrived = asyncio.Condition()
        self.is_stuck = asyncio.Event()
        self.takes = 1_000_000
        self.sent: list[dict[str, Any]] = []
        self.task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def posting(self, path: str, body: Any) -> AsyncIterator[None]:
        """The request as it runs; at the end of the block the client is gone."""
        await self._incoming.put({"type": "http.request", "body": json.dumps(body).encode(), "more_body": False})
        async with self.requesting("POST", path, [(b"content-type", b"application/json")]):
            yield

    @asynccontextmanager
    async def requesting(self, method: str, path: str, headers: list[tuple[bytes, bytes]]) -> AsyncIterator[None]:
        """The same with a body that the test feeds itself."""
        target, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "path": target,
            "raw_path": target.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "scheme": "http",
            "server": ("127.0.0.1", 8000),
            "client": ("127.0.0.1", 40_000),
            "headers": [(b"host", b"gw.example"), (b"authorization", f"Bearer {KEY}".encode()), *headers],
            "extensions": {},
        }
        self.task = asyncio.create_task(self._app(scope, self._incoming.get, self._take))  # type: ignore[arg-type]
        try:
            yield
        finally:
            self.leave()
            await asyncio.wait_for(self.task, 20)

    def feed(self, body: bytes, *, more: bool) -> None:
        """Send a piece of the body."""
        self._incoming.put_nowait({"type": "http.request", "body": body, "more_body": more})

    def leave(self) -> None:
        """Close the connection."""
        self._incoming.put_nowait({"type": "http.disconnect"})

    async def frames(self, count: int) -> list[bytes]:
        """The first pieces of the answer's body, once they are there."""
        async with self._arrived, asyncio.timeout(20):
            await self._arrived.wait_for(lambda: len(self.bodies) >= count)
        return self.bodies[:count]

    @property
    def bodies(self) -> list[bytes]:
        """The pieces of the body that are not empty."""
        return [message["body"] for message in self.sent if message.get("body")]

    @property
    def status(self) -> int:
        """The status that was sent."""
        return int(self.sent[0]["status"])

    async def _take(self, message: Any) -> None:
        while self.is_stuck.is_set() or len(self.bodies) >= self.takes:
            await asyncio.sleep(0.005)
        async with self._arrived:
            self.sent.append(dict(message))
            self._arrived.notify_all()

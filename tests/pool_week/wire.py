"""The way from the adapter to the simulator inside one process: no socket, but cut connections, time limits, dead proxies."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from curl_cffi import CurlECode

from flow2api.domain.errors import UpstreamError
from flow2api.domain.ports.proxies import Passage
from flow2api.domain.secret import Secret
from flow2api.libcurl.calls import Answer, Call
from flow2api.libcurl.connection_faults import connection_error
from flow2api.libcurl.proxy_faults import proxy_fault
from flow2api.simulator.accounts import Account
from flow2api.simulator.app import ABORT, SimulatorApp, session_cookie

ORIGIN = "http://127.0.0.1:9"
"""Nobody is there: a call that left the process would fail."""


class DirectTransport:
    """Hands calls to the simulator's application as a server would: once it has a call, it plays it to its end.

    Attributes:
        closed: URLs of proxies that let nothing through.
        seen: Which player's calls have left by which proxy's URL; None is the direct way.
    """

    def __init__(self, app: SimulatorApp) -> None:
        self._app = app
        self._served: set[asyncio.Task[None]] = set()
        self.closed: set[str] = set()
        self.seen: Counter[tuple[str, str | None]] = Counter()

    async def request(self, call: Call, proxy: Secret | None) -> Answer:
        account, url = self._account_of(call), None if proxy is None else proxy.reveal()
        if account is not None:
            self.seen[account.id, url] += 1
        if proxy is not None:
            await self._pass(proxy)
        exchange = _Exchange(call)
        task = asyncio.ensure_future(self._app(exchange.scope, exchange.receive, exchange.send))
        self._served.add(task)
        task.add_done_callback(self._served.discard)
        done, _ = await asyncio.wait({task}, timeout=call.timeout_s)
        if not done:
            raise connection_error(CurlECode.OPERATION_TIMEDOUT, "", was_sent=True)
        task.result()
        return exchange.answer()

    @asynccontextmanager
    async def stream(self, call: Call, proxy: Secret | None) -> AsyncIterator[tuple[Answer, AsyncIterator[bytes]]]:
        answer = await self.request(call, proxy)
        yield Answer(answer.status, answer.head, b""), _whole(answer.body)

    async def aclose(self) -> None:
        for task in list(self._served):
            task.cancel()
        await asyncio.gather(*self._served, return_exceptions=True)

    def opened_connections(self) -> int:
        return 0

    async def probe(self, url: Secret, target: str, *, timeout_s: float) -> Passage:
        """What a check of a proxy finds, without a network."""
        await self._pass(url)
        return Passage(status=204, latency_ms=50, egress=None)

    async def _pass(self, proxy: Secret) -> None:
        if proxy.reveal() in self.closed:
            await asyncio.sleep(0.05)
            raise proxy_fault(CurlECode.COULDNT_CONNECT, "", was_opened=False, proxy=proxy)

    def _account_of(self, call: Call) -> Account | None:
        book = self._app.world.book
        kind, _, value = call.headers[0].decode("latin-1").partition(": ") if call.headers else ("", "", "")
        if kind == "Authorization":
            entry = book.access(value.removeprefix("Bearer "))
            return None if entry is None else entry.account
        found = book.read_session(session_cookie(value), self._app.world.clock.now()) if kind == "Cookie" else None
        return None if found is None else found[0]


class _Exchange:
    """One call as an ASGI server shows it to its application, and what that sends."""

    def __init__(self, call: Call) -> None:
        address = urlsplit(call.url)
        lines = (line.partition(b":") for line in call.headers)
        self.scope: dict[str, Any] = {
            "type": "http",
            "method": "GET" if call.body is None else "POST",
            "path": address.path,
            "query_string": address.query.encode(),
            "headers": [(name.lower(), value.strip()) for name, _, value in lines],
            "extensions": {ABORT: self._abort},
        }
        self._body = call.body or b""
        self._was_read = False
        self._was_cut = False
        self._status = 0
        self._head: list[bytes] = []
        self._sent: list[bytes] = []

    async def receive(self) -> dict[str, Any]:
        if self._was_read:
            return {"type": "http.disconnect"}
        self._was_read = True
        return {"type": "http.request", "body": self._body, "more_body": False}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._head = [name + b": " + value + b"\r\n" for name, value in message["headers"]]
        else:
            self._sent.append(message["body"])

    def answer(self) -> Answer:
        if self._was_cut:
            raise self._broken()
        return Answer(self._status, self._head, b"".join(self._sent))

    def _abort(self, *, flush: bool = False) -> None:
        self._was_cut = True

    def _broken(self) -> UpstreamError:
        code = CurlECode.PARTIAL_FILE if self._status else CurlECode.GOT_NOTHING
        return connection_error(code, "", was_sent=True)


async def _whole(body: bytes) -> AsyncIterator[bytes]:
    yield body


if TYPE_CHECKING:
    from flow2api.libcurl.calls import Transport

    def _fits(transport: DirectTransport) -> Transport:
        return transport

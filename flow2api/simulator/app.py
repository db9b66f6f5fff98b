"""The simulator as an ASGI application: finds the call, lets faults strike, plays it, records it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from flow2api.simulator.accounts import Account
from flow2api.simulator.answer import Response
from flow2api.simulator.call import Call
from flow2api.simulator.calls_labs import COOKIE
from flow2api.simulator.control import Control
from flow2api.simulator.control_schema import Fault
from flow2api.simulator.errors import CallError
from flow2api.simulator.faults import REPLACING, disguised, inner_failure, replaced_answer
from flow2api.simulator.gemini import errors as gemini_errors
from flow2api.simulator.gemini.routes import INTERACTION_CALLS
from flow2api.simulator.openai_host import errors as host_errors
from flow2api.simulator.openai_host.routes import PREFIX as HOST_CALLS
from flow2api.simulator.routes import UNKNOWN, Route, find_route
from flow2api.simulator.world import World

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ABORT = "flow2api.abort"
"""Scope key of a function that closes the connection without an answer."""
CONTROL = "/_sim"
MAX_BODY_BYTES = 64 * 1024 * 1024
PIECE = b"x" * 65_536


class SimulatorApp:
    """The played upstream and its control API on one port.

    Args:
        world: The state that it plays.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.control = Control(world)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await read_body(receive)
        path = scope["path"]
        if path.startswith(CONTROL):
            response = await self.control.answer(
                scope["method"], path[len(CONTROL) :], scope["query_string"], body, host(scope)
            )
            await respond(send, response)
            return
        route = find_route(scope["method"], path)
        call = read_call(scope, route, body)
        await self._play(scope, call, route, receive, send)

    async def _play(self, scope: Scope, call: Call, route: Route | None, receive: Receive, send: Send) -> None:
        world, began, at = self.world, time.perf_counter(), self.world.clock.now()
        call.account = self._owner(call)
        count(world, call)
        call.faults = world.faults.strike(call.name, call.account)
        if call.faults:
            await world.faults.delay(call.faults)
        replacing = next((fault for fault in call.faults if fault.kind in REPLACING), None)
        response: Response | None = None
        if replacing is None or replacing.work_done:
            response = await self._answer(call, route)
        if replacing is not None:
            response = _replaced(replacing, call)
        status = response.status if response else 0
        try:
            if await self._send(scope, call, response, send):
                await receive()  # the disconnect, so that the server doesn't miss an answer
        finally:
            took_ms = (time.perf_counter() - began) * 1000
            world.record.add(call, status, at, took_ms, world.options.record_limit)

    async def _answer(self, call: Call, route: Route | None) -> Response:
        if route is None:
            return CallError(404, message=f"Requested entity was not found: {call.method} {call.path}").response()
        if inner := call.fault("inner_status"):
            return inner_failure(inner)
        try:
            response = await route.handler(self.world, call)
        except CallError as error:
            return error.response()
        disguise = call.fault("content_type")
        return disguised(response, disguise) if disguise else response

    async def _send(self, scope: Scope, call: Call, response: Response | None, send: Send) -> bool:
        """Sends an answer as the faults want it; returns whether it cut the connection."""
        if response is None:
            scope["extensions"][ABORT]()
            return True
        if call.fault("truncate"):
            await send_half(scope, send, response)
            return True
        if fault := call.fault("huge_body") or call.fault("padded"):
            await send_huge(send, response, fault)
        elif fault := call.fault("drip"):
            await drip(send, response, fault)
        else:
            await respond(send, response, head=call.method == "HEAD")
        return False

    def _owner(self, call: Call) -> Account | None:
        world = self.world
        if call.api_key is not None:
            return world.book.key_owner(call.api_key)
        if call.bearer is not None and (entry := world.book.access(call.bearer)) is not None:
            return entry.account
        if call.bearer is not None and (owner := world.book.key_owner(call.bearer)) is not None:
            return owner
        if call.cookie is not None and (found := world.book.read_session(call.cookie, world.clock.now())) is not None:
            return found[0]
        item = world.kept.items.get(call.target) if call.name.startswith("download") else None
        return item.account if item else None


def _replaced(fault: Fault, call: Call) -> Response | None:
    """What is sent instead of the real answer; None is a dropped connection."""
    if fault.kind == "error" and call.name.startswith(HOST_CALLS):
        return host_errors.fault_answer(fault)
    if fault.kind == "error" and call.version:
        return gemini_errors.fault_answer(fault, is_interaction=call.name in INTERACTION_CALLS)
    return replaced_answer(fault)


def count(world: World, call: Call) -> None:
    """Counts a call, in all and for its account."""
    world.record.calls[call.name] += 1
    if call.account is not None:
        calls = call.account.counters.calls
        calls[call.name] = calls.get(call.name, 0) + 1


def read_call(scope: Scope, route: Route | None, body: bytes) -> Call:
    """A request with the headers that matter."""
    name, target = (route.name, route.target) if route else (UNKNOWN, "")
    call = Call(name, scope["method"], scope["path"], scope["query_string"].decode("latin-1"), target, body=body)
    call.version = route.version if route else ""
    for key, value in scope["headers"]:
        if key == b"authorization":
            scheme, _, token = value.decode("latin-1").partition(" ")
            call.bearer = token.strip() if scheme.lower() == "bearer" and token.strip() else None
        elif key == b"cookie":
            call.cookie = session_cookie(value.decode("latin-1")) or call.cookie
        elif key == b"x-goog-api-key":
            call.api_key = value.decode("latin-1")
        elif key == b"content-type":
            call.content_type = value.decode("latin-1")
        elif key == b"idempotency-key":
            call.idempotency_key = value.decode("latin-1")
        elif key == b"x-flow2api-via":
            call.via = value.decode("latin-1")
        elif key == b"range":
            call.range = value.decode("latin-1")
    return call


def session_cookie(header: str) -> str | None:
    """The session token of a cookie header."""
    for pair in header.split(";"):
        name, _, value = pair.strip().partition("=")
        if name == COOKIE:
            return value
    return None


def host(scope: Scope) -> str:
    """The host that a request was sent to, without its port."""
    value: bytes = next((value for key, value in scope["headers"] if key == b"host"), b"")
    return value.decode("latin-1").rpartition(":")[0] or value.decode("latin-1")


async def read_body(receive: Receive) -> bytes:
    """The whole body; what is over the limit is read and thrown away, so that the answer can be sent."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return body
    parts, size = [body], len(body)
    while message.get("more_body", False):
        message = await receive()
        size += len(message.get("body", b""))
        if size <= MAX_BODY_BYTES:
            parts.append(message.get("body", b""))
    return b"".join(parts)


async def begin(send: Send, response: Response, length: int) -> None:
    """Sends status and headers."""
    headers = [
        (b"content-type", response.content_type.encode("latin-1")),
        (b"content-length", str(length).encode()),
        *response.headers,
    ]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})


async def respond(send: Send, response: Response, *, head: bool = False) -> None:
    """Sends an answer as it is; without its body to a HEAD."""
    await begin(send, response, len(response.body))
    await send({"type": "http.response.body", "body": b"" if head else response.body})


async def send_huge(send: Send, response: Response, fault: Fault) -> None:
    """Sends the start of an answer and fills it up to the length that the fault asks for."""
    left = max(0, fault.size_bytes - len(response.body))
    await begin(send, response, len(response.body) + left)
    await send({"type": "http.response.body", "body": response.body, "more_body": True})
    while left:
        piece = PIECE[:left]
        left -= len(piece)
        await send({"type": "http.response.body", "body": piece, "more_body": left > 0})


async def send_half(scope: Scope, send: Send, response: Response) -> None:
    """Sends half of an answer and closes the connection."""
    await begin(send, response, len(response.body))
    await send({"type": "http.response.body", "body": response.body[: len(response.body) // 2], "more_body": True})
    scope["extensions"][ABORT](flush=True)


async def drip(send: Send, response: Response, fault: Fault) -> None:
    """Sends an answer in small pieces with pauses."""
    await begin(send, response, len(response.body))
    size = max(1, fault.chunk_bytes)
    for start in range(0, len(response.body), size):
        await send({"type": "http.response.body", "body": response.body[start : start + size], "more_body": True})
        await asyncio.sleep(fault.interval_s)
    await send({"type": "http.response.body", "body": b""})

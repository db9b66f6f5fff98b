"""Scripted misbehaviour: which fault hits which call, and what it does to the answer."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from flow2api.simulator.accounts import Account
from flow2api.simulator.answer import HTML, JSON, Response, html_response, json_response
from flow2api.simulator.control_schema import Fault
from flow2api.simulator.errors import CallError, envelope

REPLACING = frozenset({"error", "drop", "html", "malformed", "empty_body", "huge_body"})
"""Kinds that answer instead of the call (which takes effect only with ``work_done``)."""


@dataclass(slots=True)
class FaultScript:
    """The faults in the order in which they were added."""

    faults: list[Fault] = field(default_factory=list)
    _count: int = 0
    _cleared: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, fault: Fault) -> Fault:
        """Adds a fault and numbers it."""
        self._count += 1
        fault.id, fault.seen, fault.hits = self._count, 0, 0
        self.faults.append(fault)
        return fault

    def clear(self) -> None:
        """Removes them all, and lets go whom they make wait."""
        self.faults.clear()
        self._cleared.set()
        self._cleared = asyncio.Event()

    def strike(self, call: str, account: Account | None) -> list[Fault]:
        """The faults that hit this call. Each match is counted once."""
        if not self.faults:
            return []
        return [fault for fault in self.faults if self._matches(fault, call, account) and self._hits(fault)]

    async def delay(self, faults: Sequence[Fault]) -> None:
        """Returns once these faults let the call go on: after their latency, or when all faults are removed."""
        seconds = sum(fault.latency_s for fault in faults)
        if seconds:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._cleared.wait()

    def _matches(self, fault: Fault, call: str, account: Account | None) -> bool:
        if not fnmatchcase(call, fault.call):
            return False
        return fault.account is None or (account is not None and fault.account in {account.id, account.knobs.email})

    def _hits(self, fault: Fault) -> bool:
        fault.seen += 1
        if fault.seen < fault.nth or (fault.times is not None and fault.hits >= fault.times):
            return False
        fault.hits += 1
        return True


def replaced_answer(fault: Fault) -> Response | None:
    """What is sent instead of the real answer; None is a dropped connection.

    ``huge_body`` gives the start of a JSON text; its length is filled up while it is sent.
    """
    match fault.kind:
        case "drop":
            return None
        case "html":
            return html_response("Error", fault.status)
        case "malformed":
            return Response(200, b'{"media": [{"name": "', JSON)
        case "empty_body":
            return Response(200, b"", JSON)
        case "huge_body":
            return Response(200, b'{"padding": "', JSON)
        case _:
            return error_answer(fault)


def error_answer(fault: Fault) -> Response:
    """The error envelope that a fault asks for."""
    response = CallError(fault.status, fault.reason, fault.message).response()
    if fault.retry_after_s is not None:
        response.headers.append((b"retry-after", f"{fault.retry_after_s:g}".encode()))
    return response


def inner_failure(fault: Fault) -> Response:
    """A good HTTP answer that wraps a failure in its tRPC envelope."""
    result = envelope(fault.status, fault.reason, fault.message)
    return json_response(
        {"result": {"data": {"json": {"result": result, "status": fault.status, "statusText": "Error"}}}}
    )


def disguised(response: Response, fault: Fault) -> Response:
    """The same answer with another content type; as HTML it has an HTML body too."""
    if fault.content_type.startswith("text/html"):
        return html_response("Sign in", 200)
    return Response(response.status, response.body, fault.content_type or HTML, response.headers)

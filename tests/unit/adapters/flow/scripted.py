"""A transport that answers from a script, for tests that need no network."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from flow2api.adapters.flow.caller import Caller, TimeLimits
from flow2api.domain.account import Tier
from flow2api.domain.ports.upstream import Access
from flow2api.domain.secret import Secret
from flow2api.libcurl.calls import Answer, Call
from flow2api.testing.fakes.clock import FakeClock

if TYPE_CHECKING:
    from flow2api.libcurl.calls import Transport

LABS = "https://labs.example/fx/api"
API = "https://api.example/v1"
ACCESS = Access(
    account_id=7,
    session_token=Secret("eyJ" + "s" * 300),
    access_token=Secret("ya29.a0"),
    tier=Tier.PRO,
    workspace="p1",
)

Step = Answer | Exception | Callable[[Call], Answer]


def ok(body: Any) -> Answer:
    """A success with this JSON."""
    return Answer(200, [b"content-type: application/json\r\n"], msgspec.json.encode(body))


def refused(status: int, reason: str = "", message: str = "") -> Answer:
    """A refusal in the envelope of the API base."""
    error: dict[str, Any] = {"code": status, "message": message or "No.", "status": "X"}
    if reason:
        error["details"] = [{"reason": reason}]
    return Answer(status, [b"content-type: application/json\r\n"], msgspec.json.encode({"error": error}))


@dataclass
class ScriptedTransport:
    """Answers each call with the next step, and the last one for ever.

    Attributes:
        calls: Everything that was called.
    """

    steps: list[Step]
    calls: list[Call] = field(default_factory=list)

    async def request(self, call: Call, proxy: Secret | None) -> Answer:
        self.calls.append(call)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, Exception):
            raise step
        return step if isinstance(step, Answer) else step(call)

    @asynccontextmanager
    async def stream(self, call: Call, proxy: Secret | None) -> AsyncIterator[tuple[Answer, AsyncIterator[bytes]]]:
        answer = await self.request(call, proxy)

        async def chunks() -> AsyncIterator[bytes]:
            for start in range(0, len(answer.body), 5):
                yield answer.body[start : start + 5]

        yield Answer(answer.status, answer.head, b""), chunks()

    def body(self, place: int = -1) -> Any:
        """The body of a call."""
        return msgspec.json.decode(self.calls[place].body or b"null")


def caller_over(transport: ScriptedTransport, clock: FakeClock) -> Caller:
    """A caller that speaks through the script."""
    return Caller(transport, clock, labs_base_url=LABS, api_base_url=API, limits=TimeLimits())


if TYPE_CHECKING:
    _: Transport = ScriptedTransport([])

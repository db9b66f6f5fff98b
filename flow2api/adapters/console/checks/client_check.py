"""Sends what clients send, with a key made for it, and keeps how that went."""

import asyncio
import struct
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

import structlog
from litestar.types import ASGIApp

from flow2api.adapters.console.checks.check_keys import ALL_WITHIN_S, end_left_keys, new_key
from flow2api.adapters.console.checks.client_requests import ClientCase, Setting, client_cases
from flow2api.adapters.console.checks.expectations import is_image, links_of
from flow2api.adapters.console.checks.own_server import ClientRequest, ask
from flow2api.adapters.console.checks.video_watch import watched
from flow2api.adapters.console.language import gettext
from flow2api.domain.api_key import ApiKey
from flow2api.domain.audit import Actor
from flow2api.domain.errors import ConflictError, Flow2ApiError
from flow2api.domain.ports.system import Clock
from flow2api.domain.usecases.manage_keys import ManageKeys

log = structlog.get_logger(__name__)

_AT_ONCE = 2
_CASE_WITHIN_S = 120.0
_VIDEO_WITHIN_S = 600.0


class Verdict(StrEnum):
    """How a request went."""

    WAITS = "waits"
    PASSES = "passes"
    FAILS = "fails"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How one request went.

    Attributes:
        reason: What the client would stumble over; empty when it has what it needs.
        request_id: By which the request log knows it.
    """

    verdict: Verdict = Verdict.WAITS
    reason: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckState:
    """A check, under way or ended.

    Attributes:
        model: The free model that made the pictures; empty where there was none.
        results: By client and column.
    """

    started_at: datetime
    model: str
    results: Mapping[tuple[str, str], CaseResult]
    ended_at: datetime | None = None

    def count(self, verdict: Verdict) -> int:
        """How many requests went so."""
        return sum(result.verdict is verdict for result in self.results.values())


@dataclass(slots=True)
class ClientCheck:
    """The last check of this process; one at a time."""

    state: CheckState | None = None
    _task: "asyncio.Task[None] | None" = field(default=None, repr=False)
    _is_starting: bool = False

    @property
    def is_running(self) -> bool:
        """Whether one is under way."""
        return self._is_starting or (self._task is not None and not self._task.done())

    async def start(
        self,
        app: ASGIApp,
        *,
        base_url: str,
        model: str,
        keys: ManageKeys,
        reload_keys: Callable[[], Awaitable[None]],
        clock: Clock,
        actor: Actor,
        is_alone: bool = True,
        makes_videos: bool = False,
    ) -> None:
        """Begin; `state` tells how it goes. The key opens nothing any more when the check is over.

        Args:
            is_alone: No other process has a check under way that it could disturb.
            makes_videos: Videos are made, too, which costs credits.

        Raises:
            ConflictError: One is under way.
        """
        if self.is_running:
            raise ConflictError("A check is under way; wait for its end.")
        self._is_starting = True
        try:
            await end_left_keys(keys, clock, actor, is_alone=is_alone)
            key, text = await new_key(keys, clock, actor)
            await reload_keys()
        finally:
            self._is_starting = False
        cases = client_cases(Setting(model, base_url, grey_picture(), makes_videos))
        self.state = CheckState(
            started_at=clock.now(), model=model, results={(one.client, one.column): CaseResult() for one in cases}
        )

        async def run() -> None:
            try:
                async with asyncio.timeout(ALL_WITHIN_S):
                    await self._run(app, base_url, text.reveal(), cases, clock)
            except TimeoutError:
                log.warning("connection check given up", after_s=ALL_WITHIN_S)
            finally:
                await self._end(key, keys, reload_keys, clock, actor)

        self._task = asyncio.create_task(run(), name=key.name)

    async def _run(self, app: ASGIApp, base_url: str, key: str, cases: Sequence[ClientCase], clock: Clock) -> None:
        turns = asyncio.Semaphore(_AT_ONCE)

        async def one(case: ClientCase) -> None:
            async with turns:
                self._note(case, await _result(app, base_url, key, case, clock))

        async with asyncio.TaskGroup() as group:
            for case in cases:
                group.create_task(one(case))

    def _note(self, case: ClientCase, result: CaseResult) -> None:
        if self.state is not None:
            self.state = replace(self.state, results={**self.state.results, (case.client, case.column): result})

    async def _end(
        self, key: ApiKey, keys: ManageKeys, reload_keys: Callable[[], Awaitable[None]], clock: Clock, actor: Actor
    ) -> None:
        try:
            await keys.revoke(str(key.id), actor)
            await reload_keys()
        except Flow2ApiError as error:
            log.warning("key of the connection check not revoked", reason=error.message)
        if self.state is not None:
            given_up = CaseResult(Verdict.FAILS, gettext("The check was given up before this was asked."))
            results = {
                at: given_up if result.verdict is Verdict.WAITS else result for at, result in self.state.results.items()
            }
            self.state = replace(self.state, results=results, ended_at=clock.now())


async def _result(app: ASGIApp, base_url: str, key: str, case: ClientCase, clock: Clock) -> CaseResult:
    within_s = _CASE_WITHIN_S if case.watch is None else _VIDEO_WITHIN_S
    try:
        async with asyncio.timeout(within_s):
            answer = await ask(app, base_url, key, case.request)
            reason = case.expect(answer)
            if not reason and case.opens_links:
                for link in links_of(answer):
                    opened = await ask(app, base_url, key, ClientRequest(method="GET", target=link))
                    reason = reason or is_image(opened)
            if not reason and case.watch is not None:
                reason = await watched(app, base_url, key, case.watch, answer, clock)
    except TimeoutError:
        return CaseResult(Verdict.FAILS, gettext("No answer came within %(seconds)s s.") % {"seconds": int(within_s)})
    except Exception as error:
        log.exception("connection check failed", client=case.client, about=case.column)
        return CaseResult(
            Verdict.FAILS, gettext("The server failed at it: %(error)s.") % {"error": type(error).__name__}
        )
    request_id = answer.headers.get("x-request-id", "")
    return CaseResult(Verdict.FAILS if reason else Verdict.PASSES, reason, request_id)


def grey_picture(side: int = 64) -> bytes:
    """A PNG of one grey, made of nothing but the standard library."""
    rows = zlib.compress((b"\x00" + b"\x80" * side) * side)
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

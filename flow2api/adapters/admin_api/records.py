"""What was done: figures, the request log, and the switch of the debug log."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec
from litestar import Request, delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody, QueryParameter

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.guards import FRESH, LEAST_ROLE, actor_of
from flow2api.adapters.admin_api.schemas import LARGEST_ID, Body, Done, Id
from flow2api.domain.account import Account
from flow2api.domain.errors import RecordNotFoundError
from flow2api.domain.media import MediaKind
from flow2api.domain.operator import Role
from flow2api.domain.request_log import LogFilter, LoggedRequest, LogPosition
from flow2api.domain.statistics import Counts
from flow2api.domain.usecases.read_request_log import LARGEST_PAGE
from flow2api.domain.usecases.read_statistics import ReadStatistics

HttpRequest = Request[Any, Any, Any]

_LOOKS = 3
_WELL = 200
_BADLY = 500
_NOTHING = Counts()
_OPERATIONS = {MediaKind.IMAGE.value: "generate_image", MediaKind.VIDEO.value: "generate_video"}


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of everything, and of the day that it is in the operator's time zone."""

    total_tokens: int
    active_tokens: int
    total_images: int
    total_videos: int
    total_errors: int
    today_images: int
    today_videos: int
    today_errors: int


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """A generation that has ended, or a request that was refused.

    Attributes:
        operation: ``generate_image``, ``generate_video``, or through which call it came when it began nothing.
        status_code: HTTP status that the outcome has by itself.
        duration: In seconds.
    """

    id: int
    token_id: int | None
    token_email: str | None
    token_username: str | None
    operation: str
    status_code: int
    duration: float
    created_at: datetime


class WholeLogLine(LogLine, frozen=True, kw_only=True):
    """The same with all that is known of it.

    Attributes:
        state: ``completed``, ``failed``, ``cancelled`` or ``refused``.
        code: Why it did not end well.
        error_message: The same as a sentence.
        request_body: What was sent, abridged, if the option ``log_bodies`` was on.
    """

    request_id: str
    model: str
    state: str
    code: str | None
    error_message: str | None
    generation_id: str | None
    attempts: int
    waited: float
    results: int
    prompt: str | None
    request_body: str | None


class DebugBody(Body, frozen=True):
    """On or off."""

    enabled: bool


class DebugAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the debug log is written."""

    enabled: bool
    message: str
    success: bool = True


def record_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handlers of records."""

    @get("/api/stats", tags=["records"])
    async def stats() -> Stats:
        """What was made so far, and today."""
        census = await doors.census()
        totals, today = await _totals_and_today(doors.statistics)
        return Stats(
            total_tokens=census.total,
            active_tokens=census.active,
            total_images=totals.images,
            total_videos=totals.videos,
            total_errors=totals.errors,
            today_images=today.images,
            today_videos=today.videos,
            today_errors=today.errors,
        )

    @get("/api/logs", tags=["records"])
    async def logs(
        limit: Annotated[int, QueryParameter(ge=1, le=LARGEST_ID)] = 100,
        token_id: Annotated[int | None, QueryParameter(ge=1, le=LARGEST_ID)] = None,
        before: Annotated[int | None, QueryParameter(ge=1, le=LARGEST_ID)] = None,
    ) -> list[LogLine]:
        """The request log, newest first; ``before`` takes the id of the last line of the former page. There are 500 at once at most."""
        place: LogPosition | None = None
        if before is not None:
            line = await doors.log.get(before)
            if line is None:
                raise RecordNotFoundError(before)
            place = LogPosition(line.at, line.number)
        page = await doors.log.page(LogFilter(account_id=token_id), before=place, limit=min(limit, LARGEST_PAGE))
        return [_line(line, doors.account_of) for line in page.items]

    @get("/api/logs/{log_id:int}", tags=["records"])
    async def whole_log(log_id: Id) -> WholeLogLine:
        """One line of the request log with all that is known of it."""
        line = await doors.log.get(log_id)
        if line is None:
            raise RecordNotFoundError(log_id)
        return _whole(line, doors.account_of)

    @delete("/api/logs", status_code=200, opt={LEAST_ROLE: Role.OWNER, FRESH: True}, tags=["records"])
    async def clear_logs(request: HttpRequest) -> Done:
        """Forget the request log as it is now. Figures stay, and so does what operators did."""
        until = doors.clock.now() + timedelta(microseconds=1)
        gone = await doors.clear_log(until, actor_of(doors, request.scope))
        return Done(message=f"{gone} lines of the request log were forgotten.")

    @post("/api/admin/debug", status_code=200, tags=["options"])
    async def set_debug(request: HttpRequest, data: JSONBody[DebugBody]) -> DebugAnswer:
        """Switch the debug log on or off."""
        await doors.options.change({"debug_log": data.enabled}, actor_of(doors, request.scope))
        told = "written to debug.log in the data folder" if data.enabled else "not written"
        return DebugAnswer(enabled=data.enabled, message=f"The debug log is {told}.")

    return [stats, logs, whole_log, clear_logs, set_debug]


async def _totals_and_today(statistics: ReadStatistics) -> tuple[Counts, Counts]:
    """Both as of one moment, unless something ends with every look."""
    totals = before = _NOTHING
    today = await _today(statistics)
    for _ in range(_LOOKS):
        totals, before = (await statistics.totals()).get("", _NOTHING), today
        today = await _today(statistics)
        if today == before:
            break
    return totals, before


async def _today(statistics: ReadStatistics) -> Counts:
    return (await statistics.on(statistics.today())).get("", _NOTHING)


_AccountOf = Callable[[int], Account | None]


def _fields(line: LoggedRequest, account_of: _AccountOf) -> dict[str, Any]:
    account = None if line.account_id is None else account_of(line.account_id)
    went_badly = line.code is not None
    return {
        "id": line.number,
        "token_id": line.account_id,
        "token_email": None if account is None else account.email,
        "token_username": None if account is None else account.name,
        "operation": line.door if line.kind is None else _OPERATIONS[line.kind],
        "status_code": line.status or (_BADLY if went_badly else _WELL),
        "duration": line.duration_ms / 1000,
        "created_at": line.at,
    }


def _line(line: LoggedRequest, account_of: _AccountOf) -> LogLine:
    return LogLine(**_fields(line, account_of))


def _whole(line: LoggedRequest, account_of: _AccountOf) -> WholeLogLine:
    return WholeLogLine(
        **_fields(line, account_of),
        request_id=line.request_id,
        model=line.model,
        state=line.state,
        code=line.code,
        error_message=line.message,
        generation_id=line.generation_id,
        attempts=line.attempts,
        waited=line.waited_ms / 1000,
        results=line.results,
        prompt=line.prompt,
        request_body=line.body,
    )

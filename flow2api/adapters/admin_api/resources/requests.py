"""``/api/admin/requests``: the request log, with its filters and as a file."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import msgspec
from litestar import MediaType, delete, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter
from litestar.response import Stream

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.guards import FRESH, LEAST_ROLE, actor_of
from flow2api.adapters.admin_api.resources.queries import (
    PREFIX,
    Cursor,
    HttpRequest,
    Limit,
    Moment,
    OptionalId,
    Word,
    number_in,
    refused_cursor,
    whole,
)
from flow2api.adapters.admin_api.schemas import Id
from flow2api.domain.errors import RecordNotFoundError
from flow2api.domain.operator import Role
from flow2api.domain.request_log import LogFilter, LoggedRequest, LogPosition, position_of

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LATEST = datetime.max.replace(tzinfo=UTC)
_FILES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}


class RequestView(msgspec.Struct, frozen=True, kw_only=True):
    """A generation that has ended, or a request that was refused.

    Attributes:
        state: ``completed``, ``failed``, ``cancelled`` or ``refused``.
        status: HTTP status that the outcome has by itself; null for what an older version logged.
        attempts: On how many accounts a submit was tried.
        results: How many pictures or videos came of it.
        prompt: As the option ``log_prompts`` had it kept.
    """

    number: int
    at: datetime
    request_id: str
    key_id: int | None
    door: str
    model: str
    kind: str | None
    account_id: int | None
    generation_id: str | None
    state: str
    status: int | None
    code: str | None
    message: str | None
    attempts: int
    waited_ms: int
    duration_ms: int
    results: int
    prompt: str | None


class WholeRequest(RequestView, frozen=True, kw_only=True):
    """The same with what was sent, abridged, if the option ``log_bodies`` was on."""

    body: str | None


class Requests(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the request log, newest first."""

    items: tuple[RequestView, ...]
    next_cursor: str | None


class ClearedRequests(msgspec.Struct, frozen=True, kw_only=True):
    """How many lines were forgotten."""

    forgotten: int


def request_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handlers."""
    return [*_reading(doors), _clearing(doors)]


def _reading(doors: AdminDoors) -> list[HTTPRouteHandler]:

    @get(f"{PREFIX}/requests", tags=["requests"])
    async def list_requests(
        limit: Limit = 50,
        cursor: Cursor = None,
        since: Moment = None,
        until: Moment = None,
        key_id: OptionalId = None,
        account_id: OptionalId = None,
        model: Word = None,
        standing: Annotated[str | None, QueryParameter(name="state", max_length=64)] = None,
        code: Word = None,
        id: Word = None,  # noqa: A002 - it is the name in the query
    ) -> Requests:
        """The request log; ``id`` is what a request id or generation id begins with."""
        wanted = LogFilter(
            since=whole(since, "since"),
            until=whole(until, "until"),
            key_id=key_id,
            account_id=account_id,
            model=model,
            state=standing,
            code=code,
            text=id,
        )
        page = await doors.log.page(wanted, before=_place(cursor), limit=limit)
        return Requests(
            items=tuple(_view(line) for line in page.items),
            next_cursor=_cursor(page.items[-1]) if page.has_more else None,
        )

    @get(f"{PREFIX}/requests/export", media_type=MediaType.TEXT, tags=["requests"])
    async def export_requests(
        form: Annotated[Literal["csv", "jsonl"], QueryParameter()] = "csv",
        since: Moment = None,
        until: Moment = None,
        key_id: OptionalId = None,
        account_id: OptionalId = None,
    ) -> Stream:
        """The request log as a file, newest first: ``csv`` or ``jsonl``."""
        wanted = LogFilter(
            since=whole(since, "since"), until=whole(until, "until"), key_id=key_id, account_id=account_id
        )
        await doors.log.page(wanted, limit=1)  # what cannot be asked for is refused before the answer begins
        headers = {"content-disposition": f'attachment; filename="requests.{form}"', "content-type": _FILES[form]}
        return Stream(_encoded(doors.log.export(wanted, form)), headers=headers)

    @get(f"{PREFIX}/requests/{{number:int}}", tags=["requests"])
    async def show_request(number: Id) -> WholeRequest:
        """One line of the request log with all that is known of it."""
        line = await doors.log.get(number)
        if line is None:
            raise RecordNotFoundError(number)
        return WholeRequest(**msgspec.structs.asdict(_view(line)), body=line.body)

    return [list_requests, export_requests, show_request]


def _clearing(doors: AdminDoors) -> HTTPRouteHandler:

    @delete(f"{PREFIX}/requests", status_code=200, opt={LEAST_ROLE: Role.OWNER, FRESH: True}, tags=["requests"])
    async def clear_requests(request: HttpRequest) -> ClearedRequests:
        """Forget the request log as it is now. Figures stay, and so does what operators did."""
        until = doors.clock.now() + _MICROSECOND
        return ClearedRequests(forgotten=await doors.clear_log(until, actor_of(doors, request.scope)))

    return clear_requests


async def _encoded(pieces: AsyncIterator[str]) -> AsyncIterator[bytes]:
    async for piece in pieces:
        yield piece.encode()


def _cursor(line: LoggedRequest) -> str:
    """Where a line stands, whether it is still there when the next page is asked for or not."""
    place = position_of(line)
    return f"{(place.at - _BEGINNING) // _MICROSECOND}-{place.number}"


def _place(cursor: str | None) -> LogPosition | None:
    if cursor is None:
        return None
    micros, number = (number_in(part) for part in cursor.partition("-")[::2])
    if micros is None or number is None or micros > (_LATEST - _BEGINNING) // _MICROSECOND:
        raise refused_cursor()
    return LogPosition(_BEGINNING + micros * _MICROSECOND, number)


def _view(line: LoggedRequest) -> RequestView:
    return RequestView(**{name: getattr(line, name) for name in RequestView.__struct_fields__})

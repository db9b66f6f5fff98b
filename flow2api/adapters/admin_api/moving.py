"""Accounts that come from elsewhere: many at once from another server, and one by one from the browser extension."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.params import JSONBody

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.guards import LEAST_ROLE, actor_of, require_fresh, signed_in, visitor_of
from flow2api.adapters.admin_api.row_stream import RowStream
from flow2api.adapters.admin_api.schemas import BODY, Body
from flow2api.adapters.admin_api.token_views import MASK, UPSTREAM, Slots, limit_of
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.media import MediaKind
from flow2api.domain.operator import Role
from flow2api.domain.usecases.import_accounts import ImportedAccount
from flow2api.domain.usecases.manage_connection_token import check_connection_token
from flow2api.domain.usecases.read_credential import GivenCredential

HttpRequest = Request[Any, Any, Any]

EXTENSION = "browser extension"
"""What the audit log calls whoever came by the connection token."""

MOST_ROWS = 100_000
MOST_IMPORT_BYTES = 512 * 1024 * 1024
"""Nothing of it is held: rows are stored while those behind them are still on their way."""

_ROWS_AT_ONCE = 250


class ImportBody(Body, frozen=True):
    """Accounts, at most 100,000: objects with what their upstream wants, and what else is known of each."""

    tokens: list[Any]


class ImportedToken(msgspec.Struct, frozen=True, kw_only=True):
    """One account. What is left out stays as it is, or takes the default in a new account; other fields are passed over."""

    session_token: str | None = None
    api_key: str | None = None
    base_url: str | None = None
    email: str | None = None
    name: str | None = None
    remark: str | None = None
    upstream: str = UPSTREAM
    tags: frozenset[str] | None = None
    weight: int | None = None
    priority: int | None = None
    is_active: bool | None = None
    image_enabled: bool | None = None
    video_enabled: bool | None = None
    image_concurrency: Slots | None = None
    video_concurrency: Slots | None = None


class ImportAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an import.

    Attributes:
        errors: A sentence for each row that could not be used, with its number; no secret is in it.
    """

    added: int
    updated: int
    errors: list[str]
    message: str
    success: bool = True


class PluginConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How the browser extension gets in.

    Attributes:
        connection_token: What it presents: in full in the answer that made it, else how it begins; empty when there is none.
        connection_url: Where it posts to.
        auto_enable_on_update: Whether a session token that it brings switches an account on again.
    """

    connection_token: str
    connection_url: str
    auto_enable_on_update: bool


class PluginConfigAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How the browser extension gets in."""

    config: PluginConfig
    success: bool = True


class PluginConfigBody(Body, frozen=True):
    """A new connection token (an empty one has one made, a missing or masked one stays), and the option beside it."""

    connection_token: str | None = None
    auto_enable_on_update: bool | None = None


class PushBody(Body, frozen=True):
    """The session token that the browser has just got."""

    session_token: str


class PushAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a push.

    Attributes:
        action: ``added`` or ``updated``.
    """

    action: str
    message: str
    auto_enabled: bool = False
    success: bool = True


class TokenStanding(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an account needs a new session token."""

    email: str
    needs_session_token: bool
    at_expires: datetime | None


class CheckAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How the accounts stand that the extension can help, those first that need it."""

    tokens: list[TokenStanding]
    success: bool = True


_TEXTS = ("session_token", "api_key", "base_url", "email", "name", "remark", "upstream")
_SWITCHES = ("is_active", "image_enabled", "video_enabled")
_NUMBERS = ("image_concurrency", "video_concurrency", "weight", "priority")


@dataclass
class _ImportOperation(Operation):
    """What the description says of a body that the framework does not read."""

    def __post_init__(self) -> None:
        row = Schema(
            type=OpenAPIType.OBJECT,
            properties={
                **{name: Schema(type=OpenAPIType.STRING) for name in _TEXTS},
                "tags": Schema(type=OpenAPIType.ARRAY, items=Schema(type=OpenAPIType.STRING)),
                **{name: Schema(type=OpenAPIType.BOOLEAN) for name in _SWITCHES},
                **{name: Schema(type=OpenAPIType.INTEGER) for name in _NUMBERS},
            },
        )
        rows = Schema(type=OpenAPIType.ARRAY, items=row, max_items=MOST_ROWS)
        body = Schema(type=OpenAPIType.OBJECT, required=["tokens"], properties={"tokens": rows})
        self.request_body = RequestBody(content={"application/json": OpenAPIMediaType(schema=body)}, required=True)


def moving_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handlers for operators."""

    @post(
        "/api/tokens/import",
        status_code=200,
        request_max_body_size=MOST_IMPORT_BYTES,
        operation_class=_ImportOperation,
        opt={BODY: ImportBody},
        tags=["accounts"],
    )
    async def import_tokens(request: HttpRequest) -> ImportAnswer:
        """Take in many accounts without asking the service; one bad row never stops the others.

        An account of ``flow`` has a ``session_token``; what another upstream wants is an ``api_key``, or an ``api_key`` and
        a ``base_url``.

        Rows are stored while those behind them are still on their way. Where the JSON breaks off, or beyond 100,000 rows,
        the answer is an error that says how many rows before were taken in.
        """
        stream = RowStream(request.stream(), "tokens", batch=_ROWS_AT_ONCE, most=MOST_ROWS)
        parts = ([_row(row, doors) for row in rows] async for rows in stream)
        report = await doors.import_accounts.in_parts(parts, actor=actor_of(doors, request.scope))
        told = f"Added {report.added}, updated {report.updated}, {len(report.errors)} could not be used."
        if stream.fault is not None:
            raise UnsupportedInputError(f"{stream.fault.message} Of the rows before it: {told}", param="tokens")
        errors = [f"Row {row}: {problem}" for row, problem in report.errors]
        return ImportAnswer(added=report.added, updated=report.updated, errors=errors, message=told)

    @get("/api/plugin/config", tags=["extension"])
    async def plugin_config(request: HttpRequest) -> PluginConfigAnswer:
        """How the browser extension gets in; its token is masked."""
        token = await doors.connection.current()
        return _config(doors, request, "" if token is None else f"{token.prefix}{MASK}")

    @post("/api/plugin/config", status_code=200, opt={LEAST_ROLE: Role.OWNER}, tags=["extension"])
    async def set_plugin_config(request: HttpRequest, data: JSONBody[PluginConfigBody]) -> PluginConfigAnswer:
        """Make a new connection token, which is shown this once, or set what a push may do."""
        actor, shown = actor_of(doors, request.scope), None
        wanted = None if data.connection_token is None else data.connection_token.strip()
        if wanted is not None and not wanted.endswith(MASK):
            require_fresh(doors, signed_in(request.scope))
        if wanted and not wanted.endswith(MASK):
            check_connection_token(wanted)  # before anything is changed
        if data.auto_enable_on_update is not None:
            await doors.options.change({"auto_enable_on_update": data.auto_enable_on_update}, actor)
        if wanted is not None and not wanted.endswith(MASK):
            _, text = await doors.connection.rotate(wanted or None, actor)
            shown = text.reveal()
        if shown is None:
            token = await doors.connection.current()
            shown = "" if token is None else f"{token.prefix}{MASK}"
        return _config(doors, request, shown)

    return [import_tokens, plugin_config, set_plugin_config]


def extension_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handlers for the browser extension, behind its own token."""

    @post("/api/plugin/update-token", status_code=200, tags=["extension"])
    async def update_token(request: HttpRequest, data: JSONBody[PushBody]) -> PushAnswer:
        """Take in a session token; whose it is the service tells."""
        pushed = await doors.push(data.session_token, visitor_of(doors, request.scope).acting(EXTENSION))
        action = "added" if pushed.is_new else "updated"
        told = "has this session token already" if pushed.was_known else f"was {action}"
        return PushAnswer(action=action, message=f"The account {told}.", auto_enabled=pushed.was_enabled)

    @post("/api/plugin/check-tokens", status_code=200, tags=["extension"])
    async def check_tokens() -> CheckAnswer:
        """Which accounts need a new session token."""
        tokens = [
            TokenStanding(
                email=standing.account.email or "",
                needs_session_token=standing.needs_session_token,
                at_expires=standing.access_expires_at,
            )
            async for standing in doors.push.check()
        ]
        return CheckAnswer(tokens=tokens)

    return [update_token, check_tokens]


def _config(doors: AdminDoors, request: HttpRequest, shown: str) -> PluginConfigAnswer:
    return PluginConfigAnswer(
        config=PluginConfig(
            connection_token=shown,
            connection_url=f"{doors.reached_url_of(request.scope)}/api/plugin/update-token",
            auto_enable_on_update=doors.options().auto_enable_on_update,
        )
    )


def _row(row: object, doors: AdminDoors) -> ImportedAccount | str | None:
    try:
        read = msgspec.convert(row, ImportedToken)
        if read.upstream not in doors.upstreams:
            return f"The upstream is none of {', '.join(sorted(doors.upstreams))}."
        given = GivenCredential(read.session_token, read.api_key, read.base_url)
        secret, base_url = given.read(read.upstream, doors.kinds)
        return ImportedAccount(
            session_token=secret,
            base_url=base_url,
            email=read.email or None,
            name=read.name,
            remark=read.remark,
            upstream=read.upstream,
            tags=read.tags,
            weight=read.weight,
            priority=read.priority,
            is_enabled=read.is_active,
            limits=dict(_limits(read)),
        )
    except UnsupportedInputError as error:
        return error.message
    except msgspec.ValidationError as error:
        return f"{error}."


def _limits(row: ImportedToken) -> list[tuple[MediaKind, int | None]]:
    stated = (
        (MediaKind.IMAGE, row.image_enabled, row.image_concurrency),
        (MediaKind.VIDEO, row.video_enabled, row.video_concurrency),
    )
    return [
        (kind, limit_of(enabled=enabled, concurrency=slots, before=None))
        for kind, enabled, slots in stated
        if enabled is not None or slots is not None
    ]

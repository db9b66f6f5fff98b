"""``POST /api/admin/accounts/import``: many accounts at once."""

from typing import Annotated, Any

import msgspec
from litestar import post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from msgspec import UNSET, UnsetType

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.guards import actor_of
from flow2api.adapters.admin_api.moving import MOST_IMPORT_BYTES
from flow2api.adapters.admin_api.resources.account_bodies import Slots, Tags
from flow2api.adapters.admin_api.resources.queries import PREFIX, HttpRequest
from flow2api.adapters.admin_api.schemas import Body
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.media import MediaKind
from flow2api.domain.usecases.import_accounts import ImportedAccount
from flow2api.domain.usecases.read_credential import GivenCredential

MOST_ROWS = 10_000

Rows = Annotated[list[Any], msgspec.Meta(max_length=MOST_ROWS)]


class AccountImportBody(Body, frozen=True):
    """Accounts, 10,000 at most, each with what it signs in with, what else is said when one is added, and its share.

    One that is known by its session token or key, or by its address, is changed; what is left out stays.
    """

    accounts: Rows


class ImportRow(Body, frozen=True):
    """One account. What is left out stays as it is, or takes the default in a new account."""

    session_token: str | None = None
    upstream: str = "flow"
    api_key: str | None = None
    base_url: str | None = None
    email: str | None = None
    name: str | None = None
    remark: str | None = None
    is_enabled: bool | None = None
    image_slots: Slots | UnsetType = UNSET
    video_slots: Slots | UnsetType = UNSET
    tags: Tags | None = None
    weight: int | None = None
    priority: int | None = None


class RefusedRow(msgspec.Struct, frozen=True):
    """A row that could not be used, by its place in the list, from 1. No secret is in the reason."""

    line: int
    reason: str


class AccountImport(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an import."""

    added: int
    updated: int
    unchanged: int
    refused: tuple[RefusedRow, ...]


def account_import_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handler."""

    @post(f"{PREFIX}/accounts/import", status_code=200, request_max_body_size=MOST_IMPORT_BYTES, tags=["accounts"])
    async def import_accounts(request: HttpRequest, data: JSONBody[AccountImportBody]) -> AccountImport:
        """Take in many accounts without asking the service; one bad row never stops the others."""
        rows = [_row(row, doors) for row in data.accounts]
        report = await doors.import_accounts(rows, actor=actor_of(doors, request.scope))
        return AccountImport(
            added=report.added,
            updated=report.updated,
            unchanged=report.unchanged,
            refused=tuple(RefusedRow(*one) for one in report.errors),
        )

    return [import_accounts]


def _row(row: object, doors: AdminDoors) -> ImportedAccount | str:
    try:
        read = msgspec.convert(row, ImportRow)
        if read.upstream not in doors.upstreams:
            return f"There is no such upstream; there is {', '.join(sorted(doors.upstreams))}."
        given = GivenCredential(read.session_token, read.api_key, read.base_url)
        secret, base_url = given.read(read.upstream, doors.kinds)
        slots = ((MediaKind.IMAGE, read.image_slots), (MediaKind.VIDEO, read.video_slots))
        return ImportedAccount(
            session_token=secret,
            upstream=read.upstream,
            base_url=base_url,
            email=read.email or None,
            name=read.name,
            remark=read.remark,
            is_enabled=read.is_enabled,
            limits={kind: limit for kind, limit in slots if not isinstance(limit, UnsetType)},
            tags=None if read.tags is None else frozenset(read.tags),
            weight=read.weight,
            priority=read.priority,
        )
    except UnsupportedInputError as error:
        return error.message
    except msgspec.ValidationError as error:
        return f"{error}."

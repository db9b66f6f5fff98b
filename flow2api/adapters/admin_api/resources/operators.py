"""``/api/admin/operators``: the people who may sign in."""

import msgspec
from litestar import delete, get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.guards import FRESH, LEAST_ROLE, actor_of
from flow2api.adapters.admin_api.resources.queries import PREFIX, HttpRequest
from flow2api.adapters.admin_api.schemas import Body, Id
from flow2api.documents.operators import OperatorView, operator_view
from flow2api.domain.audit import AuditAction, AuditEntry
from flow2api.domain.operator import Role
from flow2api.domain.secret import Secret

ONE = f"{PREFIX}/operators/{{operator_id:int}}"
_OWNER = {LEAST_ROLE: Role.OWNER}
_FRESH_OWNER = {**_OWNER, FRESH: True}


class Operators(msgspec.Struct, frozen=True, kw_only=True):
    """Every operator, oldest first."""

    items: tuple[OperatorView, ...]
    next_cursor: str | None = None


class NewOperatorBody(Body, frozen=True):
    """Somebody who is to sign in. The passphrase has 12 to 128 characters."""

    name: str
    passphrase: str
    role: Role = Role.OPERATOR


class RoleBody(Body, frozen=True):
    """What an operator may do from now on."""

    role: Role


class PassphraseBody(Body, frozen=True):
    """A new passphrase."""

    passphrase: str


def operator_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handlers."""
    return [*_routes_of_many(doors), *_routes_of_one(doors)]


def _routes_of_many(doors: AdminDoors) -> list[HTTPRouteHandler]:

    @get(f"{PREFIX}/operators", tags=["operators"])
    async def list_operators() -> Operators:
        """The operators."""
        return Operators(items=tuple(operator_view(one) for one in await doors.operators.all()))

    @post(f"{PREFIX}/operators", opt=_FRESH_OWNER, tags=["operators"])
    async def create_operator(request: HttpRequest, data: JSONBody[NewOperatorBody]) -> OperatorView:
        """Let somebody sign in."""
        made = await doors.operators.create(
            data.name, Secret(data.passphrase), data.role, _entry(doors, request, AuditAction.OPERATOR_CREATED)
        )
        return operator_view(made)

    return [list_operators, create_operator]


def _routes_of_one(doors: AdminDoors) -> list[HTTPRouteHandler]:

    @get(ONE, tags=["operators"])
    async def show_operator(operator_id: Id) -> OperatorView:
        """One operator."""
        return operator_view(await doors.operators.named(str(operator_id)))

    @patch(ONE, opt=_FRESH_OWNER, tags=["operators"])
    async def change_operator(request: HttpRequest, operator_id: Id, data: JSONBody[RoleBody]) -> OperatorView:
        """Give an operator another role; it holds from his next request on. The last owner stays one."""
        changed = await doors.operators.set_role(
            str(operator_id), data.role, _entry(doors, request, AuditAction.ROLE_CHANGED)
        )
        return operator_view(changed)

    @post(f"{ONE}/reset-passphrase", status_code=200, opt=_FRESH_OWNER, tags=["operators"])
    async def reset_passphrase(request: HttpRequest, operator_id: Id, data: JSONBody[PassphraseBody]) -> OperatorView:
        """Give an operator a new passphrase, and end every session that was begun with the old one."""
        audit = _entry(doors, request, AuditAction.PASSPHRASE_CHANGED, str(operator_id))
        return operator_view(await doors.operators.reset(str(operator_id), Secret(data.passphrase), audit))

    @post(f"{ONE}/sign-out", status_code=200, opt=_OWNER, tags=["operators"])
    async def sign_out_operator(request: HttpRequest, operator_id: Id) -> OperatorView:
        """End every session of an operator; the passphrase stays."""
        return operator_view(
            await doors.operators.sign_out(str(operator_id), _entry(doors, request, AuditAction.SESSIONS_ENDED))
        )

    @post(f"{ONE}/drop-second-factor", status_code=200, opt=_FRESH_OWNER, tags=["operators"])
    async def drop_second_factor(request: HttpRequest, operator_id: Id) -> OperatorView:
        """Let an operator sign in without a code, as when the phone is lost. Sessions and passphrase stay."""
        audit = _entry(doors, request, AuditAction.SECOND_FACTOR_REMOVED)
        changed, _ = await doors.drop_second_factor(str(operator_id), audit)
        return operator_view(changed)

    @delete(ONE, opt=_FRESH_OWNER, tags=["operators"])
    async def remove_operator(request: HttpRequest, operator_id: Id) -> None:
        """Let an operator sign in no more, and end his sessions. The last owner stays."""
        await doors.operators.remove(str(operator_id), _entry(doors, request, AuditAction.OPERATOR_REMOVED))

    return [show_operator, change_operator, reset_passphrase, sign_out_operator, drop_second_factor, remove_operator]


def _entry(doors: AdminDoors, request: HttpRequest, action: AuditAction, subject: str | None = None) -> AuditEntry:
    return AuditEntry(at=doors.clock.now(), actor=actor_of(doors, request.scope), action=action, subject=subject)

"""Who may sign in: made, given roles and passphrases, signed out, removed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from flow2api.adapters.console.errors import status_of
from flow2api.adapters.console.forms import Form, read_button, read_form
from flow2api.adapters.console.guards import LEAST_ROLE
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.passphrase import confirm
from flow2api.adapters.console.passphrases import new_passphrase
from flow2api.adapters.console.refusals import refuse
from flow2api.adapters.console.settings.views import Tab, tabs
from flow2api.adapters.console.visit import Visit
from flow2api.domain.audit import AuditAction, AuditEntry
from flow2api.domain.errors import ChangedMeanwhileError, Flow2ApiError
from flow2api.domain.operator import Operator, Role

PAGE = "/console/settings/operators"

_ADD = frozenset({"name", "role", "passphrase", "again", "own"})
_RESET = frozenset({"passphrase", "again", "own"})
_ROLE = frozenset({"role", "was_role", "role_own"})
_FACTOR = frozenset({"factor_own"})
_REMOVE = frozenset({"confirm", "remove_own"})


@dataclass(frozen=True, slots=True)
class OperatorRow:
    """Somebody who may sign in."""

    id: int
    name: str
    role: str
    role_words: str
    is_you: bool
    has_factor: bool
    sessions: int
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class OperatorsPage:
    """Everybody who may sign in.

    Attributes:
        one: The operator whose own page this is; None on the page of all.
    """

    tabs: Sequence[Tab]
    rows: Sequence[OperatorRow]
    roles: Sequence[tuple[str, str]]
    may_own: bool
    one: OperatorRow | None = None


class OperatorsController(Controller):
    """Everybody sees who there is; owners change it."""

    path = PAGE
    opt: Mapping[str, Any] = {}

    @get()
    async def show(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """The page of all."""
        return await _page(visit, Form())


class OperatorActionsController(Controller):
    """What owners do with operators."""

    path = "/console/operators"
    opt: Mapping[str, Any] = {LEAST_ROLE: Role.OWNER}

    @post("/add", status_code=303)
    async def add(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Let somebody sign in."""
        form = await read_form(visit.request, _ADD)
        name, passphrase = form.text("name", is_needed=True), new_passphrase(form)
        role = form.choice("role", list(Role), Role.OPERATOR.value)
        status = await confirm(form, visit, "own")
        if form.errors:
            return await _page(visit, form, status=status)
        try:
            entry = _entry(visit, AuditAction.OPERATOR_CREATED)
            await visit.doors.operators.create(name, passphrase, Role(role), entry)
        except Flow2ApiError as error:
            refuse(form, error, _ADD, at="name")
            return await _page(visit, form, status=status_of(error))
        return visit.see(PAGE, gettext("%(name)s may sign in now.") % {"name": name})

    @get("/{operator_id:int}")
    async def show(self, visit: NamedDependency[Visit], operator_id: FromPath[int]) -> Response[Any]:
        """One operator, with everything that can be done."""
        return await _page(visit, Form(), one=operator_id)

    @post("/{operator_id:int}/role", status_code=303)
    async def set_role(self, visit: NamedDependency[Visit], operator_id: FromPath[int]) -> Response[Any]:
        """Give one another role; it holds from the next request on."""
        form = await read_form(visit.request, _ROLE)
        role, was = form.choice("role", list(Role), ""), form.choice("was_role", list(Role), "")
        if not role:
            form.refuse("role", gettext("Choose one of those that are offered."))
        status = await confirm(form, visit, "role_own")
        if form.errors:
            return await _page(visit, form, one=operator_id, status=status)
        try:
            entry = _entry(visit, AuditAction.ROLE_CHANGED)
            operators, which = visit.doors.operators, str(operator_id)
            changed = await operators.set_role(which, Role(role), entry, former=Role(was) if was else None)
        except ChangedMeanwhileError:
            await _tell_of_role(visit, form, operator_id)
            return await _page(visit, form, one=operator_id, status=409)
        except Flow2ApiError as error:
            refuse(form, error, _ROLE, at="role")
            return await _page(visit, form, one=operator_id, status=status_of(error))
        return visit.see(PAGE, gettext("The role of %(name)s was changed.") % {"name": changed.name})

    @post("/{operator_id:int}/reset", status_code=303)
    async def reset(self, visit: NamedDependency[Visit], operator_id: FromPath[int]) -> Response[Any]:
        """Give one a new passphrase; every session of his ends."""
        form = await read_form(visit.request, _RESET)
        passphrase = new_passphrase(form)
        status = await confirm(form, visit, "own")
        if form.errors:
            return await _page(visit, form, one=operator_id, status=status)
        try:
            entry = _entry(visit, AuditAction.PASSPHRASE_CHANGED, operator_id)
            changed = await visit.doors.operators.reset(str(operator_id), passphrase, entry)
        except Flow2ApiError as error:
            refuse(form, error, _RESET, at="passphrase")
            return await _page(visit, form, one=operator_id, status=status_of(error))
        return visit.see(PAGE, gettext("%(name)s has a new passphrase.") % {"name": changed.name})

    @post("/{operator_id:int}/sign-out", status_code=303)
    async def sign_out(self, visit: NamedDependency[Visit], operator_id: FromPath[int]) -> Response[Any]:
        """End every session of one; the passphrase stays."""
        await read_button(visit.request)
        changed = await visit.doors.operators.sign_out(str(operator_id), _entry(visit, AuditAction.SESSIONS_ENDED))
        return visit.see(PAGE, gettext("Every session of %(name)s has ended.") % {"name": changed.name})

    @post("/{operator_id:int}/drop-second-factor", status_code=303)
    async def drop_second_factor(self, visit: NamedDependency[Visit], operator_id: FromPath[int]) -> Response[Any]:
        """Let one sign in without a code, as when the phone is lost; it takes the passphrase of who says so."""
        form = await read_form(visit.request, _FACTOR)
        status = await confirm(form, visit, "factor_own")
        if form.errors:
            return await _page(visit, form, one=operator_id, status=status)
        entry = _entry(visit, AuditAction.SECOND_FACTOR_REMOVED)
        changed, _ = await visit.doors.drop_second_factor(str(operator_id), entry)
        return visit.see(PAGE, gettext("%(name)s is asked for no code any more.") % {"name": changed.name})

    @post("/{operator_id:int}/remove", status_code=303)
    async def remove(self, visit: NamedDependency[Visit], operator_id: FromPath[int]) -> Response[Any]:
        """Let one sign in no more; who it is has to be typed."""
        form = await read_form(visit.request, _REMOVE)
        operator = await visit.doors.operators.named(str(operator_id))
        if form.text("confirm") != operator.name:
            form.refuse("confirm", gettext("Type the name exactly as it stands above."))
        status = await confirm(form, visit, "remove_own")
        if form.errors:
            return await _page(visit, form, one=operator_id, status=status)
        try:
            await visit.doors.operators.remove(str(operator_id), _entry(visit, AuditAction.OPERATOR_REMOVED))
        except Flow2ApiError as error:
            refuse(form, error, _REMOVE, at="confirm")
            return await _page(visit, form, one=operator_id, status=status_of(error))
        return visit.see(PAGE, gettext("%(name)s may sign in no more.") % {"name": operator.name})


async def _tell_of_role(visit: Visit, form: Form, operator_id: int) -> None:
    """Note the role that somebody else has given meanwhile beside the one that was chosen here."""
    now = (await visit.doors.operators.named(str(operator_id))).role.value
    value = {"value": _roles()[now]}
    form.refuse("role", gettext("Somebody has changed this to “%(value)s” meanwhile.") % value)
    form.values["was_role"] = now


async def _page(visit: Visit, form: Form, *, one: int | None = None, status: int = 200) -> Response[Any]:
    rows = [await _row(visit, operator) for operator in await visit.doors.operators.all()]
    chosen = next((row for row in rows if row.id == one), None)
    if one is not None and chosen is None:
        raise NotFoundException
    view = OperatorsPage(tabs("operators"), rows, list(_roles().items()), visit.is_owner(), chosen)
    template = "settings/operators.html" if one is None else "settings/operator.html"
    return await visit.page(template, view, area="settings", status=status, form=form)


async def _row(visit: Visit, operator: Operator) -> OperatorRow:
    doors = visit.doors
    return OperatorRow(
        id=operator.id,
        name=operator.name,
        role=operator.role.value,
        role_words=_roles()[operator.role.value],
        is_you=operator.id == visit.here.operator.id,
        has_factor=(await doors.second_factor.standing(operator)).since is not None,
        sessions=len(await doors.sign_in.sessions_of(operator)),
        created_at=operator.created_at,
        changed_at=operator.passphrase_changed_at,
    )


def _roles() -> dict[str, str]:
    return {
        Role.OWNER.value: gettext("Owner: may do everything"),
        Role.OPERATOR.value: gettext("Operator: runs the pool"),
        Role.VIEWER.value: gettext("Viewer: looks only"),
    }


def _entry(visit: Visit, action: AuditAction, subject: int | None = None) -> AuditEntry:
    about = None if subject is None else str(subject)
    return AuditEntry(at=visit.doors.clock.now(), actor=visit.actor, action=action, subject=about)

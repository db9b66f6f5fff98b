"""Adding one account, which is tried before anything is stored."""

from dataclasses import dataclass
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency

from flow2api.adapters.console.errors import sentence_of, status_of
from flow2api.adapters.console.forms import Form, read_form
from flow2api.adapters.console.guards import LEAST_ROLE
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.visit import HttpRequest, Visit
from flow2api.adapters.console.wording import number
from flow2api.domain.account import Account, Capacity, CredentialKind
from flow2api.domain.errors import ConflictError, CredentialError, Flow2ApiError, RequestError
from flow2api.domain.operator import Role
from flow2api.domain.usecases.manage_accounts import MOST_SLOTS, NewAccount
from flow2api.domain.usecases.read_credential import GivenCredential

PATH = "/console/accounts/add"

_LONGEST_SECRET = 16_384
_FIELDS = frozenset(
    {
        "upstream", "session_token", "api_key", "base_url", "name", "email", "remark", "tags", "image_slots",
        "video_slots", "is_paused",
    }
)  # fmt: skip
_LIMITS = {"image_concurrency": "image_slots", "video_concurrency": "video_slots"}


@dataclass(frozen=True, slots=True)
class AddView:
    """The page.

    Attributes:
        upstreams: What accounts can be of.
        upstream: What the new one is of.
        is_first: Whether there is no account yet.
    """

    upstreams: tuple[str, ...]
    upstream: str
    kind: CredentialKind
    is_first: bool


class AddAccountController(Controller):
    """One account."""

    path = PATH

    @get(opt={LEAST_ROLE: Role.OPERATOR})
    async def show(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """The form, for the upstream that the query names."""
        return await _page(visit, visit.query("upstream"), Form())

    @post(status_code=303)
    async def add(self, visit: NamedDependency[Visit], request: HttpRequest) -> Response[Any]:
        """Try the account and store it, or say what is wrong with it."""
        form = await read_form(request, _FIELDS)
        upstream = form.value("upstream")
        is_first = len(visit.doors.pool) == 0
        try:
            new = _read(form, visit)
            account = None if new is None else await visit.doors.take_in(new, visit.actor)
        except Flow2ApiError as error:
            _refuse(form, error, visit)
            return await _page(visit, upstream, form, status=status_of(error))
        if account is None:
            return await _page(visit, upstream, form, status=422)
        if is_first:
            told = gettext("The first account is there: %(account)s. Now make a key for your programs.")
            return visit.see("/console/keys", told % {"account": _named(account)})
        return visit.see(f"/console/accounts/{account.id}", _told(account))


def _read(form: Form, visit: Visit) -> NewAccount | None:
    """The account that was typed in; None when a field is wrong.

    Raises:
        UnsupportedInputError: What it signs in with cannot be used.
    """
    upstream = form.choice("upstream", visit.doors.upstreams)
    kind = visit.doors.kinds.of(upstream)
    secret = form.secret(kind.field, is_needed=True, most=_LONGEST_SECRET)
    base_url = form.text("base_url", is_needed=kind.has_base_url) if kind.has_base_url else ""
    name, email, remark = form.text("name"), form.text("email"), form.text("remark")
    tags = frozenset(form.text("tags").replace(",", " ").split())
    capacity = Capacity(form.whole("image_slots", most=MOST_SLOTS), form.whole("video_slots", most=MOST_SLOTS))
    if not upstream:
        form.refuse("", gettext("Choose what the account is of."))
    if form.errors:
        return None
    given = GivenCredential(None if kind.has_key else secret, secret if kind.has_key else None, base_url or None)
    token, address = given.read(upstream, visit.doors.kinds)
    return NewAccount(
        session_token=token,
        upstream=upstream,
        base_url=address,
        name=name,
        email=email or None,
        remark=remark,
        capacity=capacity,
        is_enabled=not form.is_on("is_paused"),
        tags=tags,
    )


def _refuse(form: Form, error: Flow2ApiError, visit: Visit) -> None:
    """Put what went wrong beside the field that it is about."""
    param = getattr(error, "param", None) or ""
    field = _LIMITS.get(param, param)
    secret = visit.doors.kinds.of(form.value("upstream")).field
    if isinstance(error, CredentialError) or (isinstance(error, ConflictError) and not field):
        field = secret
    if not isinstance(error, RequestError | CredentialError) or field not in _FIELDS:
        field = ""
    sentence = sentence_of(error)
    form.refuse(field, sentence if field else gettext("Nothing was stored. %(why)s") % {"why": sentence})


def _told(account: Account) -> str:
    name = _named(account)
    if account.credits is None or account.tier is None:
        return gettext("%(account)s works and is in the pool.") % {"account": name}
    told = gettext("%(account)s works and is in the pool: plan %(plan)s, %(credits)s credits.")
    return told % {"account": name, "plan": account.tier.name.title(), "credits": number(account.credits)}


def _named(account: Account) -> str:
    return account.name or account.email or f"{account.upstream} {account.id}"


async def _page(visit: Visit, upstream: str, form: Form, *, status: int = 200) -> Response[Any]:
    doors = visit.doors
    names = tuple(sorted(doors.upstreams))
    chosen = upstream if upstream in names else "flow" if "flow" in names else next(iter(names), "")
    form.values.pop(doors.kinds.of(chosen).field, None)
    view = AddView(names, chosen, doors.kinds.of(chosen), len(doors.pool) == 0)
    return await visit.page("account_moves/add.html", view, area="accounts", form=form, status=status)

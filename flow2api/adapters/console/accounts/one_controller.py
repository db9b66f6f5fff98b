"""The handlers of the page of an account."""

from dataclasses import dataclass
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency

from flow2api.adapters.console.account_states import name_of
from flow2api.adapters.console.accounts.deleted import DELETED_PATH
from flow2api.adapters.console.accounts.narrowing import PATH
from flow2api.adapters.console.accounts.one_forms import (
    CREDENTIAL_FIELDS,
    SETTINGS_FIELDS,
    proxy_choices,
    read_credential,
    read_settings,
    show_both,
)
from flow2api.adapters.console.accounts.one_views import LiveAccount, account_in, look_live, look_whole
from flow2api.adapters.console.errors import sentence_of, status_of
from flow2api.adapters.console.forms import Form, read_button, read_form
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.links import Id
from flow2api.adapters.console.live import LiveView
from flow2api.adapters.console.panels import panels_of
from flow2api.adapters.console.visit import Visit
from flow2api.domain.errors import AccountNotFoundError, ChangedMeanwhileError, Flow2ApiError, StorageError
from flow2api.domain.panels import PanelPlace

_PARTS = {
    "account-state": "accounts/_state.html",
    "account-health": "accounts/_health.html",
    "account-jobs": "accounts/_jobs.html",
    "account-probe": "accounts/_probe.html",
    "account-tokens": "accounts/_tokens.html",
}
_ONE = "/{account_id:int}"
_FIELD_OF = {
    "session_token": "credential",
    "api_key": "credential",
    "image_concurrency": "image",
    "video_concurrency": "video",
}


class AccountController(Controller):
    """One account."""

    path = PATH

    @get(_ONE)
    async def show(self, visit: NamedDependency[Visit], account_id: Id) -> Response[Any]:
        """The page."""
        return await _page(visit, account_id)

    @get([f"{_ONE}/settings", f"{_ONE}/credential", f"{_ONE}/delete"])
    async def back(self, visit: NamedDependency[Visit], account_id: Id) -> Response[Any]:
        """Whoever reloads the page that a form has answered with is led to the page of the account."""
        return visit.see(_path(account_id))

    @post(f"{_ONE}/test")
    async def test(self, visit: NamedDependency[Visit], account_id: Id) -> Response[Any]:
        """Begin a test; its steps appear on the page."""
        await read_button(visit.request)
        await visit.doors.probes.begin(account_id, visit.actor)
        return visit.see(f"{_path(account_id)}#account-probe")

    @post(f"{_ONE}/refresh")
    async def refresh(self, visit: NamedDependency[Visit], account_id: Id) -> Response[Any]:
        """Ask the service now."""
        await read_button(visit.request)
        try:
            await visit.doors.refresh(account_id, visit.actor)
        except (AccountNotFoundError, StorageError):
            raise
        except Flow2ApiError as error:
            return visit.see(_path(account_id), sentence_of(error), kind="err")
        return visit.see(_path(account_id), gettext("The service was asked: token, plan and credits are fresh."))

    @post(f"{_ONE}/pause")
    async def pause(self, visit: NamedDependency[Visit], account_id: Id) -> Response[Any]:
        """Give it nothing new."""
        await read_button(visit.request)
        account = await visit.doors.accounts.set_enabled(account_id, enabled=False, actor=visit.actor)
        told = gettext("%(name)s is paused; what it has begun goes on.")
        return visit.see(_path(account_id), told % {"name": name_of(account)}, undo=f"{_path(account_id)}/enable")

    @post(f"{_ONE}/enable")
    async def enable(self, visit: NamedDependency[Visit], account_id: Id) -> Response[Any]:
        """Let it work again."""
        await read_button(visit.request)
        account = await visit.doors.accounts.set_enabled(account_id, enabled=True, actor=visit.actor)
        return visit.see(_path(account_id), gettext("%(name)s is enabled.") % {"name": name_of(account)})

    @post(f"{_ONE}/end-cooldown")
    async def end_cooldown(self, visit: NamedDependency[Visit], account_id: Id) -> Response[Any]:
        """Let it work before its pause is over."""
        await read_button(visit.request)
        account = await visit.doors.accounts.end_cooldown(account_id, visit.actor)
        return visit.see(_path(account_id), gettext("%(name)s no longer cools down.") % {"name": name_of(account)})

    @post(f"{_ONE}/settings", status_code=200)
    async def settings(self, visit: NamedDependency[Visit], account_id: Id) -> Response[Any]:
        """Change what the form says, unless somebody else has changed the same meanwhile."""
        form = await read_form(visit.request, SETTINGS_FIELDS)
        account = account_in(visit.doors, account_id)
        change, seen = read_settings(form, proxy_choices(await visit.doors.proxies.all(), account.proxy))
        if form.errors:
            return await _page(visit, account_id, 422, settings=form)
        try:
            await visit.doors.accounts.change(account_id, change, visit.actor, seen=seen)
        except ChangedMeanwhileError as error:
            show_both(form, await visit.doors.accounts.get(account_id), error.fields)
            return await _page(visit, account_id, 409, settings=form)
        except (AccountNotFoundError, StorageError):
            raise
        except Flow2ApiError as error:
            _refuse(form, error, SETTINGS_FIELDS)
            return await _page(visit, account_id, status_of(error), settings=form)
        return visit.see(_path(account_id), gettext("The settings are saved, and act at once."))

    @post(f"{_ONE}/credential", status_code=200)
    async def credential(self, visit: NamedDependency[Visit], account_id: Id) -> Response[Any]:
        """Prove a new session token or key, then store it."""
        form = await read_form(visit.request, CREDENTIAL_FIELDS)
        account = account_in(visit.doors, account_id)
        change = read_credential(form, account, visit.doors.kinds)
        if change is None or form.errors:
            return await _page(visit, account_id, 422, credential=form)
        try:
            await visit.doors.accounts.change(account_id, change, visit.actor)
        except (AccountNotFoundError, StorageError):
            raise
        except Flow2ApiError as error:
            _refuse(form, error, CREDENTIAL_FIELDS, "credential")
            return await _page(visit, account_id, status_of(error), credential=form)
        return visit.see(
            _path(account_id), gettext("It was tried, it works, and it has taken the place of the old one.")
        )

    @post(f"{_ONE}/delete", status_code=200)
    async def delete(self, visit: NamedDependency[Visit], account_id: Id) -> Response[Any]:
        """Forget the account, when its name was typed."""
        form = await read_button(visit.request, ("confirm",))
        name = name_of(account_in(visit.doors, account_id))
        if form.text("confirm") != name:
            form.refuse("confirm", gettext("Type %(words)s to confirm.") % {"words": name})
        if form.errors:
            return await _page(visit, account_id, 422, removal=form)
        await visit.doors.accounts.remove(account_id, visit.actor)
        told = gettext("%(name)s is deleted; what it made stays.") % {"name": name}
        return visit.see(PATH, told, undo=DELETED_PATH if visit.doors.restore.keeps_deleted else "")


async def _page(
    visit: Visit,
    account_id: int,
    status: int = 200,
    *,
    settings: Form | None = None,
    credential: Form | None = None,
    removal: Form | None = None,
) -> Response[Any]:
    before = visit.query("before")
    return await visit.page(
        "accounts/one.html",
        await look_whole(visit.doors, account_id, before),
        area="accounts",
        live="" if before else "account",
        live_of=str(account_id),
        status=status,
        settings=settings or Form(),
        credential=credential or Form(),
        removal=removal or Form(),
        panels=await panels_of(visit, PanelPlace.ACCOUNT, visit.doors.account_of(account_id)),
    )


def _refuse(form: Form, error: Flow2ApiError, fields: tuple[str, ...], otherwise: str = "") -> None:
    param = getattr(error, "param", None) or ""
    field = _FIELD_OF.get(param, param)
    form.refuse(field if field in fields else otherwise, sentence_of(error))


def _path(account_id: int) -> str:
    return f"{PATH}/{account_id}"


@dataclass(frozen=True, slots=True)
class _Live:
    """The live parts as the page's own partials find them."""

    live: LiveAccount


async def _live(visit: Visit) -> _Live:
    asked = visit.query("of")
    return _Live(await look_live(visit.doors, int(asked) if asked.isdecimal() and len(asked) < 16 else 0))


LIVE_ACCOUNT = LiveView("account", "accounts", _PARTS, _live)

"""The handlers of the list, and of what is done to many accounts."""

from collections.abc import Sequence
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency

from flow2api.adapters.console.account_states import name_of
from flow2api.adapters.console.accounts.bulk import (
    ASKED,
    AT_ONCE,
    BULK_FIELDS,
    LIMIT_FIELDS,
    TAG_FIELDS,
    Question,
    action_of,
    back_to,
    change_of,
    report_of,
    undo_path,
)
from flow2api.adapters.console.accounts.narrowing import PATH, Narrowing, narrowing
from flow2api.adapters.console.accounts.views import AccountsPage, look
from flow2api.adapters.console.errors import sentence_of, status_of
from flow2api.adapters.console.forms import Form, read_button
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.links import Id
from flow2api.adapters.console.live import LiveView
from flow2api.adapters.console.passphrase import FIELD as PASSPHRASE
from flow2api.adapters.console.passphrase import confirm
from flow2api.adapters.console.visit import Visit
from flow2api.domain.errors import ConflictError, Flow2ApiError, StorageError
from flow2api.domain.usecases.act_on_accounts import BulkRun
from flow2api.domain.usecases.change_account import AccountChange

_PARTS = {
    "account-head": "accounts/_head.html",
    "account-facets": "accounts/_facets.html",
    "account-rows": "accounts/_rows.html",
    "account-run": "accounts/_run.html",
}
_WAITED_S = 1.5
_NAMED = 8
_MOST_CHOSEN = 500


class AccountsController(Controller):
    """Accounts in the plural."""

    path = PATH

    @get()
    async def show(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """The page."""
        view = await look(visit.doors, narrowing(visit.query), visit.query("run"))
        # Counts may be a moment old; the first account is there at once.
        template = "accounts/index.html" if len(visit.doors.pool) else "accounts/none.html"
        return await visit.page(template, view, area="accounts", live="accounts")

    @get("/bulk")
    async def back(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Whoever reloads the page that asks is led to the list."""
        return visit.see(PATH)

    @post("/bulk", status_code=200)
    async def act(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Begin what was chosen, or ask first; then the list tells what came of it."""
        form = await read_button(visit.request, {*BULK_FIELDS, *LIMIT_FIELDS, *TAG_FIELDS, PASSPHRASE})
        asked = narrowing(form.value)
        do = form.choice("do", (*AT_ONCE, *ASKED))
        ids = [int(one) for one in form.every("id") if one.isdecimal() and len(one) < 16][:_MOST_CHOSEN]
        if form.is_on("all"):
            ids = list(await visit.doors.browse.matching(asked.wanted))
        if not do or not ids:
            return visit.see(asked.link(), gettext("Choose accounts first; nothing was done."), kind="warn")
        if do in AT_ONCE:
            return await _begin(visit, asked, ids, do, AccountChange())
        return await _ask(visit, asked, form, ids, do)

    @post("/bulk/{number:int}/undo")
    async def undo(self, visit: NamedDependency[Visit], number: Id) -> Response[Any]:
        """Take back what was done to many."""
        await read_button(visit.request)
        asked = narrowing(visit.query)
        try:
            run = visit.doors.act_on_accounts.undo(number, visit.actor)
        except ConflictError as error:
            return visit.see(asked.link(), sentence_of(error), kind="err")
        return await _follow(visit, asked, run)


async def _ask(visit: Visit, asked: Narrowing, form: Form, ids: Sequence[int], do: str) -> Response[Any]:
    question = _question(visit, asked, form, ids, do)
    if not form.is_on("asked"):
        form.errors.clear()
        return await visit.page("accounts/ask.html", question, area="accounts", form=form)
    change = change_of(do, form)
    status = 422
    if do == "delete":
        if form.text("confirm") != question.confirm:
            form.refuse("confirm", gettext("Type %(words)s to confirm.") % {"words": question.confirm})
        status = await confirm(form, visit)
    if not form.errors:
        try:
            return await _begin(visit, asked, ids, do, change)
        except StorageError:
            raise
        except Flow2ApiError as error:
            form.refuse(getattr(error, "param", None) or "", sentence_of(error))
            return await visit.page("accounts/ask.html", question, area="accounts", form=form, status=status_of(error))
    return await visit.page("accounts/ask.html", question, area="accounts", form=form, status=status)


async def _begin(visit: Visit, asked: Narrowing, ids: Sequence[int], do: str, change: AccountChange) -> Response[Any]:
    run = visit.doors.act_on_accounts.begin(ids, action_of(do), visit.actor, change)
    return await _follow(visit, asked, run)


async def _follow(visit: Visit, asked: Narrowing, run: BulkRun) -> Response[Any]:
    await visit.doors.act_on_accounts.wait(run, _WAITED_S)
    if not run.is_over or run.failed:
        return visit.see(back_to(asked, run))
    undo = undo_path(asked, run.number) if run.can_be_undone else ""
    report = report_of(run)
    told = gettext("%(title)s. %(sentence)s") % {"title": report.title, "sentence": report.sentence}
    return visit.see(back_to(asked), told, undo=undo)


def _question(visit: Visit, asked: Narrowing, form: Form, ids: Sequence[int], do: str) -> Question:
    known = [account for one in ids[:_NAMED] if (account := visit.doors.account_of(one)) is not None]
    is_all = form.is_on("all")
    return Question(
        do=do,
        count=len(ids),
        ids=() if is_all else ids,
        is_all=is_all,
        names=[name_of(account) for account in known],
        confirm=gettext("delete %(count)s") % {"count": len(ids)},
        fields=asked.fields(),
        back=asked.link(),
        keeps_deleted=visit.doors.restore.keeps_deleted,
    )


async def _live(visit: Visit) -> AccountsPage:
    return await look(visit.doors, narrowing(visit.query), visit.query("run"), has_chips=False)


LIVE_ACCOUNTS = LiveView("accounts", "accounts", _PARTS, _live)

"""Giving away all accounts with what they sign in with."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.response import Stream

from flow2api.adapters.console.accounts.narrowing import FIELDS, PATH, narrowing
from flow2api.adapters.console.doors import WritesAccounts
from flow2api.adapters.console.forms import Form, read_button, read_form
from flow2api.adapters.console.guards import LEAST_ROLE
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.passphrase import FIELD as PASSPHRASE
from flow2api.adapters.console.passphrase import confirm
from flow2api.adapters.console.policy import PAGE_HEADERS
from flow2api.adapters.console.visit import HttpRequest, Visit
from flow2api.domain.account import Account, Credentials
from flow2api.domain.operator import Role
from flow2api.domain.secret import Secret

LEAST_KEY = 12
"""In letters: what encrypts a file can be tried without end by whoever has it."""

_CHOSEN = frozenset({"id", "all", *FIELDS})
_FIELDS = frozenset({"form", "sealing", "key", "again", PASSPHRASE, "part", *_CHOSEN})
_MOST_CHOSEN = 500
_TYPES = {"json": "application/json", "csv": "text/csv; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class ExportView:
    """The page.

    Attributes:
        accounts: How many leave.
        is_part: Only those leave that were chosen.
        ids: Those that were chosen one by one; none when all leave that pass the filter.
        fields: The filter.
    """

    accounts: int
    is_part: bool = False
    ids: Sequence[int] = ()
    fields: Mapping[str, str] = field(default_factory=dict)


class ExportController(Controller):
    """All accounts as a file."""

    path = "/console/accounts/export"

    @get(opt={LEAST_ROLE: Role.OWNER})
    async def show(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """The form."""
        return await _page(visit, Form())

    @get("/chosen", opt={LEAST_ROLE: Role.OWNER})
    async def back(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Whoever reloads the page with a selection is led to the list."""
        return visit.see(PATH)

    @post("/chosen", status_code=200, opt={LEAST_ROLE: Role.OWNER})
    async def choose(self, visit: NamedDependency[Visit], request: HttpRequest) -> Response[Any]:
        """The form, for the accounts that were chosen in the list."""
        form = await read_button(request, {"do", "part", *_CHOSEN})
        asked, only = narrowing(form.value), await _chosen(visit, form)
        if not only:
            return visit.see(asked.link(), gettext("Choose accounts first; nothing was done."), kind="warn")
        return await _page(visit, form, only)

    @post(status_code=200, opt={LEAST_ROLE: Role.OWNER})
    async def export(self, visit: NamedDependency[Visit], request: HttpRequest) -> Response[Any] | Stream:
        """The file, once the passphrase of who is signed in was given again."""
        form = await read_form(request, _FIELDS, saves=False)
        kind = form.choice("form", _TYPES, "json")
        is_plain = form.choice("sealing", ("sealed", "plain"), "sealed") == "plain"
        key, again = form.secret("key"), form.secret("again")
        if not is_plain and len(key) < LEAST_KEY:
            form.refuse("key", gettext("This has to have at least %(least)s letters.") % {"least": LEAST_KEY})
        elif not is_plain and key != again:
            form.refuse("again", gettext("This is not the same."))
        status = await confirm(form, visit)
        only = await _chosen(visit, form) if form.is_on("part") else None
        if only is not None and not only:
            return visit.see(PATH, gettext("None of the chosen accounts is there any more."), kind="warn")
        if form.errors:
            return await _page(visit, form, only, status=status)
        total = len(visit.doors.pool) if only is None else len(only)
        writer = await asyncio.to_thread(visit.doors.account_files.writer, kind, None if is_plain else Secret(key))
        parts = await visit.doors.export.begin(visit.actor, is_plain=is_plain, accounts=total, only=only)
        name = f"accounts-{visit.doors.clock.now():%Y-%m-%d}.{kind if is_plain else 'sealed'}"
        headers = dict(PAGE_HEADERS) | {"content-disposition": f'attachment; filename="{name}"'}
        media_type = _TYPES[kind] if is_plain else _TYPES["json"]
        return Stream(_file(writer, parts), headers=headers, media_type=media_type)


async def _file(
    writer: WritesAccounts, parts: AsyncIterator[Sequence[tuple[Account, Credentials]]]
) -> AsyncIterator[bytes]:
    yield writer.begin()
    async for part in parts:
        yield writer.part(part)
    yield writer.end()


async def _chosen(visit: Visit, form: Form) -> Sequence[int]:
    """The accounts that are meant, as far as they are there."""
    if form.is_on("all"):
        return list(await visit.doors.browse.matching(narrowing(form.value).wanted))
    ids = [int(one) for one in form.every("id") if one.isdecimal() and len(one) < 16][:_MOST_CHOSEN]
    return [one for one in ids if visit.doors.account_of(one) is not None]


async def _page(visit: Visit, form: Form, only: Sequence[int] | None = None, *, status: int = 200) -> Response[Any]:
    is_all = form.is_on("all")
    view = ExportView(
        len(visit.doors.pool) if only is None else len(only),
        only is not None,
        () if is_all or only is None else only,
        narrowing(form.value).fields() if is_all else {},
    )
    return await visit.page("account_moves/export.html", view, area="accounts", form=form, status=status)

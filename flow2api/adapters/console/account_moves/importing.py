"""Taking in many accounts: given, looked at, stored, told."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from flow2api.adapters.console.account_moves.views import IMPORT_PATH, RunView, report, run_path, view_of
from flow2api.adapters.console.errors import sentence_of, status_of
from flow2api.adapters.console.forms import Form, read_button, read_form
from flow2api.adapters.console.guards import LEAST_ROLE
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.live import LiveView
from flow2api.adapters.console.policy import PAGE_HEADERS
from flow2api.adapters.console.visit import HttpRequest, Visit
from flow2api.domain.errors import ConflictError, Flow2ApiError, ShuttingDownError
from flow2api.domain.operator import Role
from flow2api.domain.proxy import DIRECT, GLOBAL
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.import_accounts import ImportedAccount
from flow2api.domain.usecases.run_imports import AccountImport, GivenRows

MOST_UPLOAD_BYTES = 384 * 1024 * 1024
"""A file of the largest size, encrypted, which makes it larger by a third. What is large is on disk, not in memory."""

FORMS = ("auto", "json", "csv", "lines")

_WAIT_S = 1.5
"""So long a small file is waited for, so that its preview is the next page."""

_FIELDS = frozenset({"file", "text", "form", "key", "proxy"})
_PARTS = {"import-run": "account_moves/_run.html"}


@dataclass(frozen=True, slots=True)
class GiveView:
    """The page where accounts are given.

    Attributes:
        proxies: The names of proxies and pools that they may use.
        runs: Imports of this operator that are still here, newest first.
    """

    proxies: tuple[str, ...]
    runs: tuple[AccountImport, ...]


class ImportController(Controller):
    """Many accounts at once."""

    path = IMPORT_PATH

    @get(opt={LEAST_ROLE: Role.OPERATOR})
    async def show(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """The form, or the import that the query names."""
        if not visit.query("run"):
            return await _give(visit, Form())
        view = await _run(visit)
        live = "import" if view.is_at_work else ""
        return await visit.page("account_moves/run.html", view, area="accounts", live=live, parts=_PARTS)

    @post(status_code=303, request_max_body_size=MOST_UPLOAD_BYTES)
    async def give(self, visit: NamedDependency[Visit], request: HttpRequest) -> Response[Any]:
        """Read what was given and show what would become of it."""
        form = await read_form(request, _FIELDS)
        read, source = await _reader(form, visit)
        if form.errors:
            return await _give(visit, form, status=422)
        imports = visit.doors.imports
        try:
            one = imports.begin(read, visit.here.operator.id, source)
        except ConflictError as error:
            form.refuse("", sentence_of(error))
            return await _give(visit, form, status=status_of(error))
        await imports.settled(one, _WAIT_S)
        if one.fault is None:
            return visit.see(run_path(one.id))
        imports.discard(one)
        field = "key" if getattr(one.fault, "param", None) == "key" else "file" if source else "text"
        form.refuse(field, sentence_of(one.fault))
        return await _give(visit, form, status=status_of(one.fault))

    @post("/{import_id:str}/start", status_code=303)
    async def start(self, visit: NamedDependency[Visit], import_id: FromPath[str]) -> Response[Any]:
        """Store the rows."""
        await read_button(visit.request)
        if visit.doors.server.is_draining():
            raise ShuttingDownError("The server is being stopped; import the accounts when it is back.")
        one = visit.doors.imports.get(import_id, visit.here.operator.id)
        visit.doors.imports.start(one, visit.actor)
        await visit.doors.imports.settled(one, _WAIT_S)
        return visit.see(run_path(one.id))

    @post("/{import_id:str}/discard", status_code=303)
    async def discard(self, visit: NamedDependency[Visit], import_id: FromPath[str]) -> Response[Any]:
        """Forget what was given; nothing of it was stored."""
        await read_button(visit.request)
        visit.doors.imports.discard(visit.doors.imports.get(import_id, visit.here.operator.id))
        return visit.see(IMPORT_PATH, gettext("Nothing was stored."))

    @get("/{import_id:str}/report", opt={LEAST_ROLE: Role.OPERATOR})
    async def report(self, visit: NamedDependency[Visit], import_id: FromPath[str]) -> Stream:
        """What becomes of each row, as CSV."""
        one = visit.doors.imports.get(import_id, visit.here.operator.id)
        headers = dict(PAGE_HEADERS) | {"content-disposition": f'attachment; filename="{one.id}.csv"'}
        rows = report(list(one.outcomes), view_of(one, visit.query("show"), 0, 0, "").show)
        return Stream(rows, headers=headers, media_type="text/csv; charset=utf-8")


async def _reader(form: Form, visit: Visit) -> tuple[Callable[[], GivenRows], str]:
    """What reads the rows in a thread, and the name of the file; what is wrong is noted in the form."""
    kind, key, proxy = (
        form.choice("form", FORMS, "auto"),
        form.secret("key"),
        form.choice("proxy", await _proxies(visit)),
    )
    text = form.values.pop("text", "")
    files = form.files("file")
    if files and text.strip():
        form.refuse("file", gettext("Choose a file or paste lines, not both."))
    if not files and not text.strip():
        form.refuse("text", gettext("Choose a file, or paste lines here."))
    data = await files[0].read() if files and not form.errors else b""
    doors = visit.doors

    def read() -> GivenRows:
        given = doors.account_files.read(data or text.encode(), kind, Secret(key) if key else None)
        if not proxy:
            return given
        rows = [replace(row, proxy=proxy) if isinstance(row, ImportedAccount) else row for row in given.rows]
        return GivenRows(rows, given.unit)

    return read, files[0].filename[:120] if files else ""


async def _proxies(visit: Visit) -> tuple[str, ...]:
    proxies = await visit.doors.proxies.all()
    pools = {one.pool for one in proxies if one.pool}
    return (GLOBAL, DIRECT, *sorted(pools | {one.name for one in proxies}))


async def _give(visit: Visit, form: Form, *, status: int = 200) -> Response[Any]:
    view = GiveView(await _proxies(visit), tuple(visit.doors.imports.of(visit.here.operator.id)))
    return await visit.page("account_moves/give.html", view, area="accounts", form=form, status=status)


async def _run(visit: Visit) -> RunView:
    one = visit.doors.imports.get(visit.query("run"), visit.here.operator.id)
    fault: Flow2ApiError | None = one.fault
    return view_of(
        one,
        visit.query("show"),
        _number(visit.query("after")),
        _number(visit.query("before")),
        "" if fault is None else sentence_of(fault),
    )


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0


LIVE_IMPORT = LiveView("import", "accounts", _PARTS, _run)

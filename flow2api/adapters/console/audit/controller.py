"""The handlers of the page. Nothing here changes anything, for nothing may."""

from typing import Any

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.response import Stream

from flow2api.adapters.console.audit.views import PATH, audit_page, filter_of, query_of
from flow2api.adapters.console.files import file_of, form_of
from flow2api.adapters.console.visit import Visit


class AuditController(Controller):
    """What operators did, and who tried to sign in."""

    path = PATH

    @get()
    async def list_entries(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """The log, newest first."""
        view = await audit_page(visit.doors, query_of(visit), visit.query("before"))
        return await visit.page("audit/index.html", view, area="audit")

    @get("/export")
    async def export(self, visit: NamedDependency[Visit]) -> Stream:
        """What the filter of the page lets pass, as a file."""
        form, wanted = form_of(visit.query("form")), await filter_of(query_of(visit), visit.doors)
        await visit.doors.audit_log.page(
            wanted, limit=1
        )  # what cannot be asked for is refused before the answer begins
        return file_of(visit.doors.audit_log.export(wanted, form), "audit", form)

"""The handlers of the pages."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.response import Stream

from flow2api.adapters.console.files import file_of, form_of
from flow2api.adapters.console.forms import Form, read_form
from flow2api.adapters.console.guards import LEAST_ROLE
from flow2api.adapters.console.language import gettext, ngettext
from flow2api.adapters.console.links import Id
from flow2api.adapters.console.live import LiveView
from flow2api.adapters.console.passphrase import FIELD as PASSPHRASE
from flow2api.adapters.console.passphrase import confirm
from flow2api.adapters.console.requests.filters import PATH, asked
from flow2api.adapters.console.requests.lines import Facts, facts
from flow2api.adapters.console.requests.views import Tail, log_page, tail
from flow2api.adapters.console.visit import Visit
from flow2api.domain.errors import RecordNotFoundError
from flow2api.domain.operator import Role

_MICROSECOND = timedelta(microseconds=1)
_PARTS = {"request-rows": "requests/_rows.html"}
_OWNER = {LEAST_ROLE: Role.OWNER}


@dataclass(frozen=True, slots=True)
class OnePage:
    """The page of one line."""

    opened: Facts
    closed: str


class RequestsController(Controller):
    """The request log: looked through, followed, taken away as a file; emptied by owners."""

    path = PATH

    @get()
    async def list_requests(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """The log, newest first."""
        view = await log_page(visit.doors, asked(visit))
        live = LIVE_REQUESTS.name if view.is_live else ""
        return await visit.page("requests/index.html", view, area="requests", live=live, parts=_PARTS)

    @get("/export")
    async def export(self, visit: NamedDependency[Visit]) -> Stream:
        """What the filter of the page lets pass, as a file."""
        form, wanted = form_of(visit.query("form")), asked(visit).wanted
        await visit.doors.log.page(wanted, limit=1)  # what cannot be asked for is refused before the answer begins
        return file_of(visit.doors.log.export(wanted, form), "requests", form)

    @get("/clear", opt=_OWNER)
    async def ask_to_clear(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """What emptying it means."""
        return await visit.page("requests/clear.html", None, area="requests", form=Form())

    @post("/clear", opt=_OWNER)
    async def clear(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Forget the log as it is now, once the passphrase was given."""
        form = await read_form(visit.request, ("sure", PASSPHRASE))
        if not form.is_on("sure"):
            form.refuse("sure", gettext("Tick this to say that you mean it."))
        status = await confirm(form, visit)
        if form.errors:
            return await visit.page("requests/clear.html", None, area="requests", status=status, form=form)
        gone = await visit.doors.clear_log(visit.doors.clock.now() + _MICROSECOND, visit.actor)
        told = ngettext("%(num)s line was forgotten.", "%(num)s lines were forgotten.", gone) % {"num": gone}
        return visit.see(PATH, told)

    @get("/{number:int}")
    async def show(self, visit: NamedDependency[Visit], number: Id) -> Response[Any]:
        """One line with all that is known of it."""
        line = await visit.doors.log.get(number)
        if line is None:
            raise RecordNotFoundError(number)
        here = asked(visit)
        view = OnePage(await facts(visit.doors, line, here), here.address())
        return await visit.page("requests/show.html", view, area="requests")


async def _tail(visit: Visit) -> Tail:
    return await tail(visit.doors, asked(visit))


LIVE_REQUESTS = LiveView("requests", "requests", _PARTS, _tail)

"""How each selection policy would have done with the requests of a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency

from flow2api.adapters.console.errors import sentence_of, status_of
from flow2api.adapters.console.forms import Form, read_form
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.settings.views import Tab, tabs
from flow2api.adapters.console.visit import Visit
from flow2api.domain.errors import Flow2ApiError
from flow2api.domain.replay import Replay


@dataclass(frozen=True, slots=True)
class ReplayPage:
    """The policies side by side.

    Attributes:
        used: The policy in force.
        day: The day that was replayed; None before.
        replays: None for a day on which nothing was asked for.
    """

    tabs: Sequence[Tab]
    used: str
    day: date | None = None
    replays: Sequence[Replay] = ()


class ReplayController(Controller):
    """Replays stored requests; nothing is sent and nothing is written."""

    path = "/console/replay"

    @get()
    async def show(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """The page, before anything was replayed."""
        return await _page(visit, Form(), ReplayPage(tabs("balancing"), visit.doors.options().policy))

    @post(status_code=200)
    async def replay(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Replay a day."""
        form, used = await read_form(visit.request, {"day"}, saves=False), visit.doors.options().policy
        plain = ReplayPage(tabs("balancing"), used)
        try:
            day: date | None = date.fromisoformat(form.text("day")) if form.text("day") else None
        except ValueError:
            form.refuse("day", gettext("A day is written as year, month and day: 2026-01-31."))
        if form.errors:
            return await _page(visit, form, plain, 422)
        try:
            day, replays = await visit.doors.simulate(day)
        except Flow2ApiError as error:
            form.refuse("day", sentence_of(error))
            return await _page(visit, form, plain, status_of(error))
        shown = [one for one in replays if one.requests]
        return await _page(visit, form, ReplayPage(tabs("balancing"), used, day, shown))


async def _page(visit: Visit, form: Form, view: ReplayPage, status: int = 200) -> Response[Any]:
    return await visit.page("settings/replay.html", view, area="settings", status=status, form=form)

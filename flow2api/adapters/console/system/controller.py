"""The handlers of the page."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
from litestar import Controller, MediaType, Response, get, post
from litestar.di import NamedDependency

from flow2api.adapters.console.errors import sentence_of, status_of
from flow2api.adapters.console.forms import Form, read_button
from flow2api.adapters.console.guards import LEAST_ROLE
from flow2api.adapters.console.language import gettext, ngettext
from flow2api.adapters.console.live import LiveView
from flow2api.adapters.console.panels import panels_of
from flow2api.adapters.console.policy import PAGE_HEADERS
from flow2api.adapters.console.system.views import PATH, SystemNow, SystemPage, drain, load, look
from flow2api.adapters.console.visit import Visit
from flow2api.adapters.console.wording import size
from flow2api.domain.errors import Flow2ApiError
from flow2api.domain.operator import Role
from flow2api.domain.panels import PanelPlace

AREA = "system"
_PARTS = {"load": "system/_load.html", "drain-state": "system/_drain_state.html"}
_OWNER: Mapping[str, Any] = {LEAST_ROLE: Role.OWNER}


class SystemController(Controller):
    """How the server itself is."""

    path = PATH

    @get()
    async def show(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """The page."""
        return await _page(visit)

    @post("/checks", status_code=303)
    async def check(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Have the checks run now."""
        await read_button(visit.request)
        found = await visit.doors.server.diagnosis()
        count = len(found.diagnoses)
        told = ngettext("%(count)s check has run.", "%(count)s checks have run.", count) % {"count": count}
        return visit.see(PATH, told)

    @post("/bundle", status_code=200)
    async def bundle(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """What somebody who helps needs to know, as a file that can be read before it is given away."""
        await read_button(visit.request)
        doors = visit.doors
        content = msgspec.json.format(msgspec.json.encode(await doors.server.support_bundle(visit.actor)), indent=2)
        name = f"flow2api-support-{doors.clock.now():%Y%m%d-%H%M%S}.json"
        headers = dict(PAGE_HEADERS) | {"content-disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type=MediaType.JSON, headers=headers)

    @post("/backup", status_code=200)
    async def backup(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Make a copy of the database now."""
        form = await read_button(visit.request)
        try:
            made = await visit.doors.server.backups(visit.actor)
        except Flow2ApiError as error:
            form.refuse("", sentence_of(error))
            return await _page(visit, status_of(error), backup=form)
        told = gettext("The backup %(name)s is made: %(size)s.")
        return visit.see(PATH, told % {"name": made.file.name, "size": size(made.size_bytes)})

    @post("/drain", status_code=200, opt=_OWNER)
    async def drain(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Take nothing new, once that was confirmed by a word that was typed."""
        form = await read_button(visit.request, ("confirm",))
        word = gettext("drain")
        if form.text("confirm").casefold() != word.casefold():
            form.refuse("confirm", gettext("Type %(word)s to confirm.") % {"word": word})
        if form.errors:
            return await _page(visit, 422, draining=form)
        await visit.doors.server.drain.begin(visit.actor)
        return visit.see(
            PATH, gettext("This server takes nothing new; what it has begun comes to its end."), kind="warn"
        )

    @post("/reopen", status_code=303, opt=_OWNER)
    async def reopen(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Take new work again."""
        await read_button(visit.request)
        await visit.doors.server.drain.end(visit.actor)
        return visit.see(PATH, gettext("This server takes new work again."))

    @post("/updates", status_code=303, opt={LEAST_ROLE: Role.VIEWER})
    async def updates(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Have the visitor's pages follow what happens, or stand still."""
        form = await read_button(visit.request, ("live",))
        is_live = form.choice("live", ("on", "off"), "on") == "on"
        preferences = replace(visit.here.operator.preferences, is_live=is_live)
        await visit.doors.preferences(visit.here, preferences, visit.visitor)
        told = (
            gettext("Pages follow what happens.")
            if is_live
            else gettext("Pages stand still until they are opened again.")
        )
        return visit.see(PATH, told)


async def _page(
    visit: Visit, status: int = 200, *, backup: Form | None = None, draining: Form | None = None
) -> Response[Any]:
    return await visit.page(
        "system/index.html",
        await _view(visit),
        area=AREA,
        live=AREA,
        status=status,
        panels=await panels_of(visit, PanelPlace.SYSTEM),
        backup=backup or Form(),
        draining=draining or Form(),
    )


async def _view(visit: Visit) -> SystemPage:
    me = visit.here.operator
    return await look(
        visit.doors, visit.query("result"), is_owner=me.role.includes(Role.OWNER), is_live=me.preferences.is_live
    )


async def _now(visit: Visit) -> SystemNow:
    return SystemNow(load(visit.doors), drain(visit.doors))


LIVE_SYSTEM = LiveView(AREA, AREA, _PARTS, _now)
"""The load, and what is still under way."""

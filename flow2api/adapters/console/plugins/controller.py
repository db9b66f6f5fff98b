"""The handlers of the page."""

import asyncio
from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency

from flow2api.adapters.console.doors import PluginFacts, PluginSection
from flow2api.adapters.console.errors import sentence_of, status_of
from flow2api.adapters.console.forms import Form, read_button, read_form
from flow2api.adapters.console.guards import LEAST_ROLE
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.plugins.section_form import Sent, known_fields, read_section_form
from flow2api.adapters.console.plugins.section_views import (
    OPTION,
    Lines,
    found_section,
    lines_of,
    section_page,
    section_path,
    section_that_lacks,
)
from flow2api.adapters.console.plugins.views import PATH, can_be_enabled, look, wanted_plugins
from flow2api.adapters.console.visit import Visit
from flow2api.domain.errors import Flow2ApiError, NotKnownError
from flow2api.domain.operator import Role


class PluginsController(Controller):
    """What was found, and what is wanted."""

    path = PATH

    @get()
    async def show(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """The page."""
        return await _page(visit)

    @post("/choose", status_code=200, opt={LEAST_ROLE: Role.OWNER})
    async def choose(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Have one loaded, or left out, from the next start on."""
        form = await read_button(visit.request, ("enable", "disable"))
        name, is_wanted = (form.text("enable"), True) if form.text("enable") else (form.text("disable"), False)
        plugin = next((one for one in visit.doors.plugins if one.name == name and not one.is_built_in), None)
        if plugin is None:
            form.refuse("", gettext("There is no such plugin here; open the page again."))
            return await _page(visit, 422, form)
        if is_wanted and (missing := await _missing(visit, plugin)) is not None:
            told = gettext(
                "%(name)s needs settings before it can be loaded. Fill them in here; it is enabled with them."
            )
            return visit.see(section_path(plugin, missing), told % {"name": name})
        try:
            now = visit.doors.options()
            choice = await _choice(visit, name, is_wanted=is_wanted)
            await visit.doors.options.change(choice, visit.actor, seen={one: getattr(now, one) for one in choice})
        except Flow2ApiError as error:
            form.refuse("", sentence_of(error))
            return await _page(visit, status_of(error), form)
        told = (
            gettext("%(name)s will be loaded at the next start of the server.")
            if is_wanted
            else gettext("%(name)s will be left out from the next start of the server on.")
        )
        return visit.see(PATH, told % {"name": name})

    @get("/settings")
    async def settings(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """The settings of a section, with what they are now."""
        await _look_again(visit)
        return await _section(visit, visit.query("section"), Sent(Form()))

    @post("/settings", status_code=200, opt={LEAST_ROLE: Role.OWNER})
    async def save(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Save them for the next start, or show the lines that set them elsewhere."""
        name = visit.query("section")
        await _look_again(visit)
        try:
            plugin, section = found_section(visit.doors, name)
        except NotKnownError:
            await read_button(visit.request, ("step",))
            raise
        form = await read_form(visit.request, known_fields(section))
        sent = await read_section_form(visit.doors, section, form)
        if form.errors:
            return await _section(visit, name, sent, 409 if sent.is_stale else 422)
        if form.value("step") == "lines" or not section.is_savable:
            return await _section(visit, name, sent, lines=lines_of(section, sent.texts))
        enables = await can_be_enabled(visit.doors, plugin)
        try:
            now = visit.doors.options()
            more = await _choice(visit, plugin.name, is_wanted=True) if enables else {}
            values = {OPTION: sent.saved(now.plugin_settings, section), **more}
            await visit.doors.options.change(values, visit.actor, seen={one: getattr(now, one) for one in values})
        except Flow2ApiError as error:
            form.refuse("", sentence_of(error))
            return await _section(visit, name, sent, status_of(error))
        return visit.see(section_path(plugin, section), gettext("Saved for the next start."))


async def _missing(visit: Visit, plugin: PluginFacts) -> PluginSection | None:
    """The section that has to be filled in before a plugin can be loaded, once it was looked at."""
    await asyncio.to_thread(visit.doors.plugin_settings.look_at, plugin.name)
    return section_that_lacks(visit.doors, plugin)


async def _look_again(visit: Visit) -> None:
    """Have a plugin known that another process has looked at; its code runs for nobody but an owner."""
    name = visit.query("plugin")
    if name and visit.is_owner() and any(one.name == name for one in visit.doors.plugins):
        await asyncio.to_thread(visit.doors.plugin_settings.look_at, name)


async def _choice(visit: Visit, name: str, *, is_wanted: bool) -> Mapping[str, object]:
    """The option that names the wanted plugins, with this one or without it."""
    wanted, _ = await wanted_plugins(visit.doors)
    others = [one for one in wanted if one != name]
    return {"plugins": [*others, name] if is_wanted else others}


async def _section(visit: Visit, name: str, sent: Sent, status: int = 200, lines: Lines | None = None) -> Response[Any]:
    plugin, _ = found_section(visit.doors, name)
    view = await section_page(visit.doors, name, sent, lines, enables=await can_be_enabled(visit.doors, plugin))
    return await visit.page(
        "plugins/section.html", view, area="plugins", status=status, form=sent.form, is_owner=visit.is_owner()
    )


async def _page(visit: Visit, status: int = 200, form: Form | None = None) -> Response[Any]:
    is_owner = visit.here.operator.role.includes(Role.OWNER)
    view = await look(visit.doors)
    return await visit.page(
        "plugins/index.html", view, area="plugins", status=status, form=form or Form(), is_owner=is_owner
    )

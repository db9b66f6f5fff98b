"""The handlers of the page."""

from typing import Any
from urllib.parse import urlencode

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency

from flow2api.adapters.console.errors import sentence_of, status_of
from flow2api.adapters.console.forms import Form, read_button, read_form
from flow2api.adapters.console.guards import LEAST_ROLE
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.plugins.section_form import Sent, known_fields, read_section_form
from flow2api.adapters.console.plugins.section_views import (
    OPTION,
    SECTION_PATH,
    Lines,
    found_section,
    lines_of,
    section_page,
)
from flow2api.adapters.console.plugins.views import PATH, look, wanted_plugins
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
        wanted, _ = await wanted_plugins(visit.doors)
        others = [one for one in wanted if one != name]
        try:
            await visit.doors.options.change({"plugins": [*others, name] if is_wanted else others}, visit.actor)
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
        return await _section(visit, visit.query("section"), Sent(Form()))

    @post("/settings", status_code=200, opt={LEAST_ROLE: Role.OWNER})
    async def save(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Save them for the next start, or show the lines that set them elsewhere."""
        name = visit.query("section")
        try:
            _, section = found_section(visit.doors, name)
        except NotKnownError:
            await read_button(visit.request, ("step",))
            raise
        form = await read_form(visit.request, known_fields(section))
        sent = await read_section_form(visit.doors, section, form)
        if form.errors:
            return await _section(visit, name, sent, 409 if sent.is_stale else 422)
        if form.value("step") == "lines" or not section.is_savable:
            return await _section(visit, name, sent, lines=lines_of(section, sent.texts))
        try:
            await visit.doors.options.change({OPTION: sent.saved(visit.doors, section)}, visit.actor)
        except Flow2ApiError as error:
            form.refuse("", sentence_of(error))
            return await _section(visit, name, sent, status_of(error))
        return visit.see(f"{SECTION_PATH}?{urlencode({'section': name})}", gettext("Saved for the next start."))


async def _section(visit: Visit, name: str, sent: Sent, status: int = 200, lines: Lines | None = None) -> Response[Any]:
    view = await section_page(visit.doors, name, sent, lines)
    return await visit.page(
        "plugins/section.html", view, area="plugins", status=status, form=sent.form, is_owner=visit.is_owner()
    )


async def _page(visit: Visit, status: int = 200, form: Form | None = None) -> Response[Any]:
    is_owner = visit.here.operator.role.includes(Role.OWNER)
    view = await look(visit.doors)
    return await visit.page(
        "plugins/index.html", view, area="plugins", status=status, form=form or Form(), is_owner=is_owner
    )

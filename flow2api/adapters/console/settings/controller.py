"""Options: shown in groups, checked while they are typed, looked at once more, saved, taken back."""

from typing import Any

from litestar import Controller, MediaType, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from flow2api.adapters.console.forms import read_button, read_form
from flow2api.adapters.console.htmx import is_htmx
from flow2api.adapters.console.language import gettext, ngettext
from flow2api.adapters.console.policy import PAGE_HEADERS
from flow2api.adapters.console.settings.drafts import Draft, draft_of, known_fields, may_set
from flow2api.adapters.console.settings.export import as_toml
from flow2api.adapters.console.settings.groups import group_of
from flow2api.adapters.console.settings.last_change import before_and_after, is_in_force, last_entry
from flow2api.adapters.console.settings.pages import PATH, group_named, group_page, standing_of
from flow2api.adapters.console.visit import Visit
from flow2api.domain.errors import ChangedMeanwhileError, ConflictError, NotAllowedError
from flow2api.domain.options import OptionStanding


class SettingsController(Controller):
    """The groups of options."""

    path = PATH

    @get()
    async def first(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Leads to the group of an option that is looked for, else to the first one."""
        name = visit.query("option")
        group = group_of(name)
        is_there = any(one.name == name for one in group_named(group).options)
        return visit.see(f"{PATH}/{group}#row-{name}" if is_there else f"{PATH}/{group}")

    @get("/export")
    async def export(self, visit: NamedDependency[Visit]) -> Response[str]:
        """Every option as a file."""
        headers = dict(PAGE_HEADERS) | {"content-disposition": 'attachment; filename="flow2api-options.toml"'}
        text = as_toml(await visit.doors.options.standing())
        return Response(text, media_type=MediaType.TEXT, headers=headers)

    @get("/{group_name:str}")
    async def show(self, visit: NamedDependency[Visit], group_name: FromPath[str]) -> Response[Any]:
        """One group."""
        return await group_page(visit, group_named(group_name))

    @post("/{group_name:str}", status_code=303)
    async def save(self, visit: NamedDependency[Visit], group_name: FromPath[str]) -> Response[Any]:
        """Look at what was typed, and save it when that is asked for."""
        group = group_named(group_name)
        form = await read_form(visit.request, known_fields(group))
        standing = await standing_of(visit)
        draft = await draft_of(visit, group, form, standing)
        step = form.value("step")
        if step == "check" and is_htmx(visit.request):
            return await group_page(visit, group, draft, template="settings/checked.html")
        if step == "save" and not draft.changes and not draft.form.errors:
            return visit.see(f"{PATH}/{group.name}", gettext("Nothing was changed."), kind="info")
        if step != "save" or not draft.is_good:
            return await group_page(visit, group, draft, status=_status(draft, step))
        try:
            seen = {name: standing[name].value for name in draft.changes}
            await visit.doors.options.change(draft.changes, visit.actor, seen=seen)
        except ChangedMeanwhileError:  # at another server, of which this one had not heard
            draft = await draft_of(visit, group, form, await standing_of(visit))
            return await group_page(visit, group, draft, status=_status(draft, step))
        count = len(draft.changes)
        told = ngettext("%(count)s option was changed.", "%(count)s options were changed.", count) % {"count": count}
        return visit.see(f"{PATH}/{group.name}", told)

    @post("/{group_name:str}/undo", status_code=303)
    async def undo(self, visit: NamedDependency[Visit], group_name: FromPath[str]) -> Response[Any]:
        """Take the last change of a group back, as long as everything stands as it left it."""
        group = group_named(group_name)
        form = await read_button(visit.request, {"number"})
        entry, standing = await last_entry(visit.doors, group), await standing_of(visit)
        if entry is None or str(entry.number) != form.value("number"):
            raise ConflictError("These options were changed again meanwhile; look at the page once more.")
        before, after = before_and_after(entry)
        if not is_in_force(after, standing):
            raise ConflictError("These options were changed again meanwhile; look at the page once more.")
        if not all(may_set(visit, standing[name]) for name in after):
            raise NotAllowedError("Only an owner takes this change back.")
        await visit.doors.options.change(
            {name: _former(before.get(name), standing[name]) for name in after},
            visit.actor,
            seen={name: standing[name].value for name in after},
        )
        return visit.see(f"{PATH}/{group.name}", gettext("The change was taken back."))


def _status(draft: Draft, step: str) -> int:
    if draft.form.errors:
        return 422
    return 409 if draft.stale and step == "save" else 200


def _former(value: Any, one: OptionStanding) -> Any:
    if isinstance(value, list):
        value = tuple(value)
    return None if value == one.default else value

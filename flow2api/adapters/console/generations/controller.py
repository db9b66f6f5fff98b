"""The handlers of the pages."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from flow2api.adapters.console.errors import sentence_of
from flow2api.adapters.console.forms import Form, read_button
from flow2api.adapters.console.generations import detail, gallery, listing
from flow2api.adapters.console.generations.filters import GALLERY, LIVE
from flow2api.adapters.console.generations.media import files_as_one
from flow2api.adapters.console.guards import LEAST_ROLE
from flow2api.adapters.console.language import gettext, ngettext
from flow2api.adapters.console.live import LiveView
from flow2api.adapters.console.visit import Visit, own_path
from flow2api.domain.errors import Flow2ApiError
from flow2api.domain.media import MediaRole
from flow2api.domain.operator import Role

AREA = "generations"
MOST_AT_ONCE = 200

_LIST_PARTS = {
    "generations-head": "generations/_head.html",
    "facets": "generations/_facets.html",
    "jobs": "generations/_jobs.html",
    "finished": "generations/_finished.html",
}
_DETAIL_PARTS = {"generation": "generations/_detail.html"}
_ACT_FIELDS = {"one", "act", "cancel", "repeat", "elsewhere", "next"}


class GenerationsController(Controller):
    """The list, the gallery, and all that is known of one."""

    path = LIVE

    @get()
    async def show_list(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """What is under way, or what has ended in some way."""
        view = await listing.look(visit)
        live = "generations" if view.is_live and visit.query("tail") != "off" else ""
        return await visit.page("generations/index.html", view, area=AREA, live=live, parts=_LIST_PARTS)

    @post("/act", status_code=303)
    async def act(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Cancel or repeat one, or all that were selected."""
        form = await read_button(visit.request, _ACT_FIELDS)
        back = own_path(form.value("next"), LIVE)
        for name in ("repeat", "elsewhere"):
            if form.value(name):
                return await _repeat_one(visit, form.value(name), back, elsewhere=name == "elsewhere")
        if form.value("cancel"):
            return await _each(visit, back, [form.value("cancel")], _cancel(visit), _cancelled)
        chosen = _chosen(form, "one")
        if form.value("act") == "repeat":
            return await _each(visit, back, chosen, _repeat(visit), _repeated)
        return await _each(visit, back, chosen, _cancel(visit), _cancelled)

    @get("/gallery")
    async def show_gallery(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """What was made and is still kept."""
        view = await gallery.look(visit)
        return await visit.page("generations/gallery.html", view, area=AREA, parts={"more": "generations/_tiles.html"})

    @post("/gallery/download", status_code=200, opt={LEAST_ROLE: Role.VIEWER})
    async def download(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """The selected files as one."""
        form = await read_button(visit.request, {"media", "next"})
        found = [await visit.doors.follow.medium(one) for one in _chosen(form, "media")]
        media = [one for one in found if one is not None and one.role is MediaRole.RESULT]
        if not media:
            return visit.see(own_path(form.value("next"), GALLERY), gettext("Nothing was selected."), kind="warn")
        return files_as_one(visit.doors, media)

    @post("/gallery/delete", status_code=303)
    async def delete(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Let go of the selected files."""
        form = await read_button(visit.request, {"media", "next"})
        back = own_path(form.value("next"), GALLERY)
        count = await visit.doors.operate_generations.delete_results(_chosen(form, "media"), visit.actor)
        if not count:
            return visit.see(back, gettext("Nothing was selected."), kind="warn")
        return visit.see(
            back, ngettext("%(count)s file deleted.", "%(count)s files deleted.", count) % {"count": count}
        )

    @get("/gallery/{media_id:str}")
    async def show_medium(self, visit: NamedDependency[Visit], media_id: FromPath[str]) -> Response[Any]:
        """One result, large."""
        view = await gallery.show(visit, media_id)
        return await visit.page(
            "generations/medium.html", view, area=AREA, parts={"viewer-body": "generations/_viewer.html"}
        )

    @get("/{generation_id:str}")
    async def show_one(self, visit: NamedDependency[Visit], generation_id: FromPath[str]) -> Response[Any]:
        """All that is known of one."""
        view = await detail.look(visit, generation_id)
        return await visit.page(
            "generations/one.html",
            view,
            area=AREA,
            live="" if view.row.is_final else "generation",
            parts=_DETAIL_PARTS,
            about={"generation": generation_id},
        )


def _chosen(form: Form, name: str) -> Sequence[str]:
    return list(dict.fromkeys(form.every(name)))[:MOST_AT_ONCE]


def _cancel(visit: Visit) -> Callable[[str], Awaitable[object]]:
    return lambda one: visit.doors.operate_generations.cancel(one, visit.actor)


def _repeat(visit: Visit) -> Callable[[str], Awaitable[object]]:
    return lambda one: visit.doors.operate_generations.repeat(one, visit.actor)


def _cancelled(count: int) -> str:
    return ngettext("%(count)s generation cancelled.", "%(count)s generations cancelled.", count) % {"count": count}


def _repeated(count: int) -> str:
    return ngettext("%(count)s generation repeated.", "%(count)s generations repeated.", count) % {"count": count}


async def _repeat_one(visit: Visit, generation_id: str, back: str, *, elsewhere: bool) -> Response[Any]:
    try:
        made = await visit.doors.operate_generations.repeat(generation_id, visit.actor, elsewhere=elsewhere)
    except Flow2ApiError as error:
        return visit.see(back, sentence_of(error), kind="err")
    return visit.see(f"{LIVE}/{made.id}", gettext("Asked for once more."))


async def _each(
    visit: Visit, back: str, ids: Collection[str], do: Callable[[str], Awaitable[object]], told: Callable[[int], str]
) -> Response[Any]:
    """Do it with each, and tell how many it worked with, and why not with the others."""
    if not ids:
        return visit.see(back, gettext("Nothing was selected."), kind="warn")
    done, refused = 0, ""
    for one in ids:
        try:
            await do(one)
            done += 1
        except Flow2ApiError as error:
            refused = refused or sentence_of(error)
    if not refused:
        return visit.see(back, told(done))
    if not done:
        return visit.see(back, refused, kind="err")
    values = {"told": told(done), "others": len(ids) - done, "reason": refused}
    return visit.see(back, gettext("%(told)s Not possible with %(others)s: %(reason)s") % values, kind="warn")


async def _one(visit: Visit) -> object:
    return await detail.look(visit, visit.query("generation"))


LIVE_GENERATIONS = LiveView("generations", AREA, _LIST_PARTS, listing.look)
LIVE_GENERATION = LiveView("generation", AREA, _DETAIL_PARTS, _one)

"""The handlers of the pages about models."""

from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency

from flow2api.adapters.console.forms import read_button
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.links import address
from flow2api.adapters.console.models.views import OFF, PATH, model_list, one_model
from flow2api.adapters.console.visit import Visit


class ModelsController(Controller):
    """What is offered, to whom, and who could make it now."""

    path = PATH

    @get()
    async def list_models(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """All models."""
        view = await model_list(
            visit.doors,
            text=visit.query("q").strip(),
            kind=visit.query("kind"),
            upstream=visit.query("upstream"),
            fixed=visit.query("fixed") == "1",
            after=visit.query("after"),
        )
        return await visit.page("models/index.html", view, area="models")

    @get("/one")
    async def show(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """One model; its name stands in the query, for names may have slashes."""
        return await visit.page("models/show.html", await one_model(visit.doors, visit.query("name")), area="models")

    @post("/offer")
    async def offer(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Offer a model, or have it not offered."""
        form = await read_button(visit.request, ("name", "offered"))
        name = form.text("name", is_needed=True)
        await one_model(visit.doors, name)
        now = visit.doors.options().models_off
        off = [one for one in now if one != name]
        is_offered = form.is_on("offered")
        await visit.doors.options.change({OFF: off if is_offered else [*off, name]}, visit.actor, seen={OFF: now})
        told = gettext("%(name)s is offered.") if is_offered else gettext("%(name)s is not offered any more.")
        return visit.see(address(f"{PATH}/one", {"name": name}), told % {"name": name})

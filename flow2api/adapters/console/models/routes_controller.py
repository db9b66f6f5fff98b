"""The handlers of the page about the operator's own names and routes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency

from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.errors import sentence_of
from flow2api.adapters.console.forms import Form, read_button, read_form
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.models.views import PATH, ROUTES, is_fixed
from flow2api.adapters.console.visit import Visit
from flow2api.domain.errors import ChangedMeanwhileError, UnsupportedInputError

ROUTES_PATH = f"{PATH}/routes"
_FIELDS = ("name", "targets", "was")


@dataclass(frozen=True, slots=True)
class RouteRow:
    """A name and the models that it leads to, in order."""

    name: str
    targets: Sequence[str]
    is_own: bool


@dataclass(frozen=True, slots=True)
class RoutesPage:
    """The page.

    Attributes:
        edited: The route in the form; None for a new one.
        names: Names of models to lead to.
    """

    routes: Sequence[RouteRow]
    edited: RouteRow | None
    is_fixed: bool
    names: Sequence[str]


class ModelRoutesController(Controller):
    """Names of the operator's own, and what stands in when no account is free."""

    path = ROUTES_PATH

    @get()
    async def show(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """The routes, with a form for one of them."""
        view = await _page(visit.doors, visit.query("name"))
        return await visit.page("models/routes.html", view, area="models", form=Form())

    @post()
    async def save(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Set a route; what somebody else has changed meanwhile is shown instead."""
        form = await read_form(visit.request, _FIELDS)
        name, typed = form.text("name", is_needed=True, most=128), form.text("targets", is_needed=True)
        targets = tuple(line.strip() for line in typed.splitlines() if line.strip())
        now, status = visit.doors.options().model_routes, 422
        written = "\n".join(now.get(name, ()))
        if form.text("was") != written:
            told = gettext("Somebody has set this name to lead to %(targets)s meanwhile.")
            form.refuse("targets", told % {"targets": ", ".join(now.get(name, ())) or gettext("nothing")})
            form.values["was"] = written
            status = 409
        if not form.errors:
            try:
                routes = {**_lists(now), name: list(targets)}
                await visit.doors.options.change({ROUTES: routes}, visit.actor, seen={ROUTES: now})
            except ChangedMeanwhileError as error:  # at another server, of which this one had not heard
                form.refuse("targets", sentence_of(error))
                form.values["was"], status = "\n".join(visit.doors.options().model_routes.get(name, ())), 409
            except UnsupportedInputError as error:
                form.refuse("targets", sentence_of(error))
            else:
                return visit.see(
                    ROUTES_PATH, gettext("%(name)s leads there from the next request on.") % {"name": name}
                )
        view = await _page(visit.doors, name)
        return await visit.page("models/routes.html", view, area="models", status=status, form=form)

    @post("/remove")
    async def remove(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Forget a route."""
        form = await read_button(visit.request, ("name",))
        name = form.text("name")
        now = visit.doors.options().model_routes
        left = {one: targets for one, targets in _lists(now).items() if one != name}
        await visit.doors.options.change({ROUTES: left}, visit.actor, seen={ROUTES: now})
        return visit.see(ROUTES_PATH, gettext("The route %(name)s is gone.") % {"name": name})


def _lists(routes: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    return {name: list(targets) for name, targets in routes.items()}


async def _page(doors: ConsoleDoors, edited: str) -> RoutesPage:
    rows = [
        RouteRow(name, targets, doors.catalog.describe(name) is None)
        for name, targets in doors.options().model_routes.items()
    ]
    return RoutesPage(
        rows,
        next((row for row in rows if row.name == edited), None),
        await is_fixed(doors, ROUTES),
        [one.id for one in doors.catalog.listed()],
    )

"""What the pages show of models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.links import address
from flow2api.adapters.console.models.rows import (
    PATH,
    ModelRow,
    every_model,
    lines_of,
    mode_words,
    plan_words,
    price_words,
    rows_of,
)
from flow2api.adapters.console.models.standing import Standings, state_of
from flow2api.adapters.console.slices import slice_behind
from flow2api.domain.catalog import ModelDescription
from flow2api.domain.errors import UnknownModelError
from flow2api.domain.options import OptionSource

__all__ = ["OFF", "PATH", "ROUTES", "ModelList", "OneModel", "RetiredUse", "is_fixed", "model_list", "one_model"]

OFF, ROUTES = "models_off", "model_routes"


@dataclass(frozen=True, slots=True)
class RetiredUse:
    """Calls by withdrawn names, all together and the most frequent of them."""

    calls: int
    name: str
    key: str
    key_id: int | None
    count: int
    successor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelList:
    """The page with all models.

    Attributes:
        facets: Name, words, symbol, address and count of each.
        hidden: How many names of single models are left out, for their line has one.
        shows_fixed: Whether those are shown.
        every: The address of the same list the other way round.
    """

    models: Sequence[ModelRow]
    offered: int
    unserved: int
    names: int
    text: str
    kind: str
    upstream: str
    upstreams: Sequence[str]
    facets: Sequence[tuple[str, str, str, str, int]]
    retired: RetiredUse | None
    hidden: int
    shows_fixed: bool
    every: str
    found: int
    before: str
    behind: str

    @property
    def is_filtered(self) -> bool:
        """Whether something is left out."""
        return bool(self.text or self.kind or self.upstream)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneModel:
    """The page of a model.

    Attributes:
        belongs_to_off: It is off because something that it belongs to is.
        is_fixed: The settings say what is off, so that nobody can change it here.
        route: Where the operator's own route leads, if there is one.
        retired: Calls by withdrawn names that it serves, by key.
        members: The models of the line that it is the name of; empty for a single model.
    """

    row: ModelRow
    about: ModelDescription
    modes: str
    prices: Sequence[tuple[str, str]]
    aliases: Sequence[str]
    belongs_to_off: bool
    is_fixed: bool
    route: Sequence[str]
    retired: Sequence[RetiredUse]
    members: Sequence[ModelRow]


async def model_list(doors: ConsoleDoors, *, text: str, kind: str, upstream: str, fixed: bool, after: str) -> ModelList:
    """Models by name, those that the filter lets pass."""
    every, standings = every_model(doors), Standings(doors.pool)
    single = {member for base, members in lines_of(doors).items() for member in members if member != base}
    states = {one.id: state_of(standings.of(one), is_off=doors.routes.is_off(one.id)).name for one in every}
    matching = [one for one in every if _has(one, text.casefold()) and upstream in ("", one.upstream)]
    near = matching if fixed or text else [one for one in matching if one.id not in single]
    found = sorted((one for one in near if _passes(one, states, kind)), key=lambda one: one.id.casefold())
    page = slice_behind(found, after, lambda one: one.id)
    query = {"q": text, "kind": kind, "upstream": upstream, "fixed": "1" if fixed else ""}
    counts = {name: sum(_passes(one, states, name) for one in near) for name, _, _ in _facets()}
    return ModelList(
        models=await rows_of(doors, page.items),
        offered=sum(state != "off" for state in states.values()),
        unserved=sum(state == "none" for state in states.values()),
        names=sum(len(one.aliases) for one in every),
        text=text,
        kind=kind,
        upstream=upstream,
        upstreams=sorted({one.upstream for one in every}),
        facets=[(name, words, icon, address(PATH, query, kind=name), counts[name]) for name, words, icon in _facets()],
        retired=next(iter(await _retired(doors)), None),
        hidden=len(matching) - len(near),
        shows_fixed=fixed,
        every=address(PATH, query, fixed="" if fixed else "1"),
        found=page.total,
        before=address(PATH, query, after=page.before) if page.has_before else "",
        behind=address(PATH, query, after=page.behind) if page.behind else "",
    )


async def one_model(doors: ConsoleDoors, name: str) -> OneModel:
    """A model with everything that is known of it; an alias is shown as what it leads to.

    Raises:
        UnknownModelError: There is none of this name.
    """
    about = next((one for one in every_model(doors) if one.id == name), None) or doors.catalog.describe(name)
    if about is None:
        raise UnknownModelError(name)
    (row,) = await rows_of(doors, [about])
    members = lines_of(doors).get(name, ())
    calls = await _retired(doors)
    return OneModel(
        row=row,
        about=about,
        modes=", ".join(mode_words()[mode] for mode in about.modes),
        prices=[
            (plan_words()[tier], price_words(price, about.cost_unit)) for tier, price in sorted(about.costs.items())
        ],
        aliases=about.aliases,
        belongs_to_off=row.state.name == "off" and name not in doors.options().models_off,
        is_fixed=await is_fixed(doors, OFF),
        route=doors.options().model_routes.get(name, ()),
        retired=[call for call in calls if call.successor in (name, *members)],
        members=await rows_of(
            doors, [one for member in members if (one := doors.catalog.describe(member)) is not None]
        ),
    )


async def is_fixed(doors: ConsoleDoors, option: str) -> bool:
    """Whether the settings fix an option."""
    standing = await doors.options.standing()
    return any(one.name == option and one.source is OptionSource.SETTINGS for one in standing)


def _has(one: ModelDescription, text: str) -> bool:
    """Whether one of its names has the text."""
    return not text or any(text in name.casefold() for name in (one.id, *one.aliases))


def _passes(one: ModelDescription, states: Mapping[str, str], kind: str) -> bool:
    """Whether it is of the kind, or in the state, that is asked for."""
    return kind in (one.kind.value, states[one.id], "") or kind not in _KINDS


def _facets() -> Sequence[tuple[str, str, str]]:
    return (
        ("", gettext("All"), ""),
        ("image", gettext("Pictures"), "image"),
        ("video", gettext("Videos"), "video"),
        ("waits", gettext("Has to wait"), "clock"),
        ("none", gettext("No account able"), "triangle-alert"),
        ("off", gettext("Switched off"), "minus"),
    )


_KINDS = ("image", "video", "waits", "none", "off")


async def _retired(doors: ConsoleDoors) -> list[RetiredUse]:
    found = await doors.retired_names()
    names = {key.id: key.name for key in await doors.keys.all()}
    total = sum(call.count for call in found.calls)
    return [
        RetiredUse(
            total,
            call.name,
            gettext("the console") if call.key_id is None else names.get(call.key_id, str(call.key_id)),
            call.key_id,
            call.count,
            found.successors.get(call.name, ""),
        )
        for call in found.calls
    ]

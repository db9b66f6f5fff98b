"""What the pages show of models."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.language import gettext, ngettext
from flow2api.adapters.console.links import address
from flow2api.adapters.console.models.standing import ModelState, Standing, Standings, state_of
from flow2api.adapters.console.slices import slice_behind
from flow2api.adapters.console.wording import number
from flow2api.domain.account import Tier
from flow2api.domain.catalog import BaseName, CostUnit, Mode, ModelDescription
from flow2api.domain.errors import UnknownModelError
from flow2api.domain.media import MediaKind
from flow2api.domain.options import OptionSource
from flow2api.domain.statistics import Counts, Dimension

PATH = "/console/models"
OFF, ROUTES = "models_off", "model_routes"

_SHOWN_ALIASES = 2
_SHOWN_RATIOS = 3
_MILLIS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRow:
    """A model of the list.

    Attributes:
        also: The first of its other names.
        more_names: How many further ones it has.
        does: What it makes its results from, in words.
        sizes: Ratios and resolutions.
        plan: The least plan that may use it.
        cost: Of one generation when nothing special is asked for.
        source: The plugin, or the setting, that the name comes from.
        is_route: The operator has a route for it.
        is_fixed: It is one model of a line that has a name of its own, with shape and length fixed.
    """

    name: str
    href: str
    kind: str
    also: Sequence[str]
    more_names: int
    does: str
    sizes: str
    plan: str
    cost: str
    upstream: str
    source: str
    is_route: bool
    is_fixed: bool
    state: ModelState
    accounts: Standing
    today: Counts


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
    rows = await _rows(doors, every_model(doors))
    sought = text.casefold()
    by_text = {row.name for row in rows if not sought or sought in row.name.casefold()}
    by_text |= {one.id for one in every_model(doors) if any(sought in alias.casefold() for alias in one.aliases)}
    matching = [row for row in rows if row.name in by_text and upstream in ("", row.upstream)]
    near = matching if fixed or text else [row for row in matching if not row.is_fixed]
    counts = {name: sum(map(test, near)) for name, test in _TESTS.items()}
    found = sorted((row for row in near if _TESTS.get(kind, _TESTS[""])(row)), key=lambda row: row.name.casefold())
    page = slice_behind(found, after, lambda row: row.name)
    query = {"q": text, "kind": kind, "upstream": upstream, "fixed": "1" if fixed else ""}
    return ModelList(
        models=page.items,
        offered=sum(row.state.name != "off" for row in rows),
        unserved=sum(row.state.name == "none" for row in rows),
        names=sum(len(one.aliases) for one in every_model(doors)),
        text=text,
        kind=kind,
        upstream=upstream,
        upstreams=sorted({row.upstream for row in rows}),
        facets=[(name, words, icon, address(PATH, query, kind=name), counts[name]) for name, words, icon in _facets()],
        retired=await _most_retired(doors),
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
    (row,) = await _rows(doors, [about])
    members = _members(doors, name)
    calls = await _retired(doors)
    return OneModel(
        row=row,
        about=about,
        modes=", ".join(_modes()[mode] for mode in about.modes),
        prices=[
            (plan_words()[tier], price_words(price, about.cost_unit)) for tier, price in sorted(about.costs.items())
        ],
        aliases=about.aliases,
        belongs_to_off=row.state.name == "off" and name not in doors.options().models_off,
        is_fixed=await is_fixed(doors, OFF),
        route=doors.options().model_routes.get(name, ()),
        retired=[call for call in calls if call.successor in (name, *members)],
        members=await _rows(doors, [one for member in members if (one := doors.catalog.describe(member)) is not None]),
    )


def every_model(doors: ConsoleDoors) -> Sequence[ModelDescription]:
    """Everything that is offered or could be: the catalog's names, then those that only routes have."""
    known = {one.id: one for one in (*doors.catalog.listed(), *doors.routes.listed())}
    return tuple(known.values())


async def is_fixed(doors: ConsoleDoors, option: str) -> bool:
    """Whether the settings fix an option."""
    standing = await doors.options.standing()
    return any(one.name == option and one.source is OptionSource.SETTINGS for one in standing)


def plan_words() -> Mapping[Tier, str]:
    """What plans are called."""
    return {Tier.FREE: gettext("any"), Tier.PRO: gettext("Pro"), Tier.ULTRA: gettext("Ultra")}


def price_words(price: int, unit: CostUnit) -> str:
    """A price: dollars with their sign, credits as a number."""
    if unit is CostUnit.USD_MILLIS:
        return f"${price / _MILLIS:.3f}".removesuffix("0")
    return number(price)


async def _rows(doors: ConsoleDoors, models: Iterable[ModelDescription]) -> list[ModelRow]:
    today = await doors.statistics.on(doors.statistics.today(), Dimension.MODEL)
    standings, routes = Standings(doors.pool), doors.options().model_routes
    lines = _lines(doors)
    fixed = {member for base, members in lines.items() for member in members if member != base}
    rows = []
    for one in models:
        counted = [today[name] for name in {one.id, *lines.get(one.id, ())} if name in today]
        row = _row(doors, one, standings.of(one), sum(counted, Counts()))
        rows.append(replace(row, is_route=one.id in routes, is_fixed=one.id in fixed))
    return rows


def _lines(doors: ConsoleDoors) -> Mapping[str, Sequence[str]]:
    """The models behind the name of each line; figures are counted by them."""
    by_line: dict[str, list[str]] = {}
    for spec in doors.catalog.specs():
        by_line.setdefault(spec.line, []).append(spec.name)
    entries = [doors.catalog.get(one.id) for one in doors.catalog.listed()]
    return {entry.name: by_line.get(entry.line, ()) for entry in entries if isinstance(entry, BaseName)}


def _members(doors: ConsoleDoors, name: str) -> Sequence[str]:
    return _lines(doors).get(name, ())


def _row(doors: ConsoleDoors, one: ModelDescription, accounts: Standing, today: Counts) -> ModelRow:
    is_own = doors.catalog.describe(one.id) is None
    resolutions = one.resolutions if len(one.resolutions) > 1 else ()
    return ModelRow(
        name=one.id,
        href=address(f"{PATH}/one", {"name": one.id}),
        kind=one.kind.value,
        also=one.aliases[:_SHOWN_ALIASES],
        more_names=max(0, len(one.aliases) - _SHOWN_ALIASES),
        does=_does(one),
        sizes=", ".join((*map(str, one.aspect_ratios[:_SHOWN_RATIOS]), *resolutions)),
        plan=plan_words()[one.min_tier],
        cost=_cost(one),
        upstream=one.upstream,
        source=gettext("your route") if is_own else doors.model_sources.get(one.id, ""),
        is_route=False,
        is_fixed=False,
        state=state_of(accounts, is_off=doors.routes.is_off(one.id)),
        accounts=accounts,
        today=today,
    )


def _does(one: ModelDescription) -> str:
    words = [_modes()[mode] for mode in one.modes if mode is not Mode.REFERENCES]
    if Mode.REFERENCES in one.modes:
        words.append(
            ngettext("up to %(count)s picture", "up to %(count)s pictures", one.max_images) % {"count": one.max_images}
        )
    if one.seconds:
        words.append(gettext("%(seconds)s s") % {"seconds": ", ".join(map(str, one.seconds))})
    return ", ".join(words)


def _cost(one: ModelDescription) -> str:
    prices = set(one.costs.values())
    if not any(prices):
        return gettext("none")
    texts = [price_words(price, one.cost_unit) for price in (min(prices), max(prices))]
    return (
        texts[0] if texts[0] == texts[1] else gettext("%(least)s to %(most)s") % {"least": texts[0], "most": texts[1]}
    )


def _modes() -> Mapping[Mode, str]:
    return {
        Mode.TEXT: gettext("from text"),
        Mode.FRAMES: gettext("first and last frame"),
        Mode.REFERENCES: gettext("reference pictures"),
        Mode.EXTEND: gettext("goes on from a video"),
    }


_TESTS: Mapping[str, Callable[[ModelRow], bool]] = {
    "": lambda row: True,
    "image": lambda row: row.kind == MediaKind.IMAGE,
    "video": lambda row: row.kind == MediaKind.VIDEO,
    "waits": lambda row: row.state.name == "waits",
    "none": lambda row: row.state.name == "none",
    "off": lambda row: row.state.name == "off",
}


def _facets() -> Sequence[tuple[str, str, str]]:
    return (
        ("", gettext("All"), ""),
        ("image", gettext("Pictures"), "image"),
        ("video", gettext("Videos"), "video"),
        ("waits", gettext("Has to wait"), "clock"),
        ("none", gettext("No account able"), "triangle-alert"),
        ("off", gettext("Switched off"), "minus"),
    )


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


async def _most_retired(doors: ConsoleDoors) -> RetiredUse | None:
    return next(iter(await _retired(doors)), None)

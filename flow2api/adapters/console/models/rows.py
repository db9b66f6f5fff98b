"""Rows of models: what one can do, what it costs, who could make it now, and what was made of it today."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.language import gettext, ngettext
from flow2api.adapters.console.links import address
from flow2api.adapters.console.models.standing import ModelState, Standing, Standings, state_of
from flow2api.adapters.console.wording import number
from flow2api.domain.account import Tier
from flow2api.domain.catalog import BaseName, CostUnit, Mode, ModelDescription
from flow2api.domain.statistics import Counts, Dimension

PATH = "/console/models"

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
    state: ModelState
    accounts: Standing
    today: Counts


def every_model(doors: ConsoleDoors) -> Sequence[ModelDescription]:
    """Everything that is offered or could be: the catalog's names, then those that only routes have."""
    known = {one.id: one for one in (*doors.catalog.listed(), *doors.routes.listed())}
    return tuple(known.values())


def plan_words() -> Mapping[Tier, str]:
    """What plans are called."""
    return {Tier.FREE: gettext("any"), Tier.PRO: gettext("Pro"), Tier.ULTRA: gettext("Ultra")}


def price_words(price: int, unit: CostUnit) -> str:
    """A price: dollars with their sign, credits as a number."""
    if unit is CostUnit.USD_MILLIS:
        return f"${price / _MILLIS:.3f}".removesuffix("0")
    return number(price)


async def rows_of(doors: ConsoleDoors, models: Iterable[ModelDescription]) -> list[ModelRow]:
    """The rows of these models. Figures are counted by single models; those of a line are added up."""
    today = await doors.glance.today(Dimension.MODEL)
    standings, lines = Standings(doors.pool), lines_of(doors)
    rows = []
    for one in models:
        counted = [today[name] for name in {one.id, *lines.get(one.id, ())} if name in today]
        rows.append(_row(doors, one, standings.of(one), sum(counted, Counts())))
    return rows


def lines_of(doors: ConsoleDoors) -> Mapping[str, Sequence[str]]:
    """The models behind the name of each line; figures are counted by them."""
    by_line: dict[str, list[str]] = {}
    for spec in doors.catalog.specs():
        by_line.setdefault(spec.line, []).append(spec.name)
    entries = [doors.catalog.get(one.id) for one in doors.catalog.listed()]
    return {entry.name: by_line.get(entry.line, ()) for entry in entries if isinstance(entry, BaseName)}


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
        state=state_of(accounts, is_off=doors.routes.is_off(one.id)),
        accounts=accounts,
        today=today,
    )


def _does(one: ModelDescription) -> str:
    words = [mode_words()[mode] for mode in one.modes if mode is not Mode.REFERENCES]
    if Mode.REFERENCES in one.modes:
        words.append(
            ngettext("up to %(count)s picture", "up to %(count)s pictures", one.max_images) % {"count": one.max_images}
        )
    if one.seconds:
        words.append(seconds_words(one.seconds))
    return ", ".join(words)


def _cost(one: ModelDescription) -> str:
    prices = set(one.costs.values())
    if not any(prices):
        return gettext("none")
    texts = [price_words(price, one.cost_unit) for price in (min(prices), max(prices))]
    return (
        texts[0] if texts[0] == texts[1] else gettext("%(least)s to %(most)s") % {"least": texts[0], "most": texts[1]}
    )


def seconds_words(seconds: Sequence[int]) -> str:
    """Lengths of clips, ascending; several in a row as from and to."""
    first, last = seconds[0], seconds[-1]
    if len(seconds) > 2 and last - first == len(seconds) - 1:
        return gettext("%(first)s to %(last)s s") % {"first": first, "last": last}
    return gettext("%(seconds)s s") % {"seconds": ", ".join(map(str, seconds))}


def mode_words() -> Mapping[Mode, str]:
    """What models make their results from."""
    return {
        Mode.TEXT: gettext("from text"),
        Mode.FRAMES: gettext("first and last frame"),
        Mode.REFERENCES: gettext("reference pictures"),
        Mode.EXTEND: gettext("goes on from a video"),
        Mode.EDIT: gettext("changes a video"),
        Mode.ENLARGE: gettext("enlarges what was made"),
    }

"""The list: what is under way from memory, what has ended from the database."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.generations.filters import (
    ENDED,
    LIVE,
    SPANS,
    UNDER_WAY,
    Chip,
    Filters,
    filters_of,
    kind_words,
    span_words,
)
from flow2api.adapters.console.generations.names import Names, names_of
from flow2api.adapters.console.generations.rows import Row, row_of
from flow2api.adapters.console.generations.states import StateWords, state_name, state_words
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.visit import Visit
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.storage import GenerationFilter
from flow2api.domain.prompt_search import FoundGenerations
from flow2api.domain.statistics import Counts
from flow2api.domain.usecases.follow_generations import UnderWay

PAGE = 50
_JUST_FINISHED = 8


@dataclass(frozen=True, slots=True)
class Facet:
    """A state with the number of its generations; None where nobody counts them."""

    state: StateWords
    path: str
    is_chosen: bool
    count: int | None
    is_today: bool = False


@dataclass(frozen=True, slots=True)
class Choices:
    """What the fields of the filter offer, as pairs of value and words."""

    kinds: Sequence[tuple[str, str]]
    spans: Sequence[tuple[str, str]]
    keys: Sequence[tuple[str, str]]
    models: Sequence[str]
    accounts: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The page.

    Attributes:
        is_live: Whether it shows what is under way, and keeps itself true.
        rows: Oldest first under way, newest first of what has ended; of a search in all states, first these, then those.
        finished: What ended last; only where nothing is filtered.
        behind: The address of the next page; empty when there is none.
        total: How many there are on all pages; None when nobody counts them.
        looked_to: How far back the look for words of prompts came, where it came to an end before all was looked at.
        is_empty_server: Nothing was ever made here.
    """

    filters: Filters
    is_live: bool
    facets: Sequence[Facet]
    chips: Sequence[Chip]
    choices: Choices
    rows: Sequence[Row]
    finished: Sequence[Row]
    under_way: int
    total: int | None
    looked_to: datetime | None
    before: str
    behind: str
    is_empty_server: bool


async def look(visit: Visit) -> Listing:
    """The list as the page's address asks for it."""
    doors = visit.doors
    names = await names_of(doors)
    filters = filters_of(visit, LIVE, names)
    now = doors.clock.now()
    under_way = await doors.follow.under_way()
    mine = [one for one in under_way if filters.passes(one.generation, now)]
    is_live = filters.state in UNDER_WAY and not filters.is_search
    wanted = [one for one in mine if filters.state in ("", state_name(one.generation))]
    if wanted:
        await doors.foresee_ends.learn()
    if is_live:
        cut = _cut(wanted, filters)
    else:
        cut = await _ended(doors, filters)
        if filters.is_search and not (filters.after or filters.before):
            cut = replace(cut, shown=[*wanted, *cut.shown])
    last = await doors.generations.page(GenerationFilter(), limit=_JUST_FINISHED * 2) if is_live else None
    ended = [one for one in last.items if one.state.is_final][:_JUST_FINISHED] if last else []
    return Listing(
        filters=filters,
        is_live=is_live,
        facets=await _facets(doors, filters, mine),
        chips=filters.chips(names),
        choices=choices_of(doors, names),
        rows=[row_of(one, names, now, doors.foresee_ends.left(one.generation)) for one in cut.shown],
        finished=[] if filters.is_narrowed else [row_of(UnderWay(one), names, now) for one in ended],
        under_way=len(under_way),
        total=len(wanted) if is_live else None,
        looked_to=cut.looked_to,
        before=cut.before,
        behind=cut.behind,
        is_empty_server=not under_way and last is not None and not last.items,
    )


def choices_of(doors: ConsoleDoors, names: Names) -> Choices:
    """What there is to filter by."""
    return Choices(
        kinds=[(kind.value, kind_words(kind.value)) for kind in MediaKind],
        spans=[(span, span_words(span)) for span in SPANS],
        keys=[("0", names.key(None).words), *((str(number), name) for number, name in names.keys.items())],
        models=[one.id for one in doors.catalog.listed()],
        accounts=[] if len(doors.pool) > PAGE else [one.name or one.email or str(one.id) for one in doors.pool],
    )


@dataclass(frozen=True, slots=True)
class _Cut:
    """One page, and the addresses of those before and behind it; empty where there is none."""

    shown: Sequence[UnderWay] = ()
    before: str = ""
    behind: str = ""
    looked_to: datetime | None = None


def _cut(wanted: Sequence[UnderWay], filters: Filters) -> _Cut:
    ids = [one.generation.id for one in wanted]
    if filters.before in ids:
        end = ids.index(filters.before)
        start = max(0, end - PAGE)
    else:
        start = ids.index(filters.after) + 1 if filters.after in ids else 0
        end = start + PAGE
    shown = wanted[start:end]
    before = filters.path(before=shown[0].generation.id) if start and shown else ""
    behind = filters.path(after=shown[-1].generation.id) if len(wanted) > end else ""
    return _Cut(shown, before, behind)


async def _ended(doors: ConsoleDoors, filters: Filters) -> _Cut:
    wanted = filters.wanted(doors.clock.now(), ENDED.get(filters.state))
    after, before = filters.after or None, filters.before or None
    if filters.q:
        return _found(await doors.find_prompts(filters.q, wanted, after=after, before=before, limit=PAGE), filters)
    page = await doors.generations.page(wanted, after=after, before=before, limit=PAGE)
    if not page.items:
        return _Cut()
    has_before = page.has_more if before else bool(after)
    has_behind = True if before else page.has_more
    return _Cut(
        [UnderWay(one) for one in page.items],
        filters.path(before=page.items[0].id) if has_before else "",
        filters.path(after=page.items[-1].id) if has_behind else "",
    )


def _found(found: FoundGenerations, filters: Filters) -> _Cut:
    """What was found; what has not ended stands in front of it already, as it is now."""
    shown = [UnderWay(one) for one in found.items if one.state.is_final]
    first, last = (found.items[0].id, found.items[-1].id) if found.items else ("", "")
    if filters.before:
        newer = filters.path(before=found.further) if found.further else filters.path()
        older = filters.path(after=last) if last else filters.path()
    else:
        newer = (filters.path(before=first) if first else filters.path()) if filters.after else ""
        older = filters.path(after=found.further) if found.further else ""
    is_cut = found.further is not None and len(found.items) < PAGE
    return _Cut(shown, newer, older, found.looked_to if is_cut else None)


async def _facets(doors: ConsoleDoors, filters: Filters, under_way: Sequence[UnderWay]) -> Sequence[Facet]:
    counted = Counter(state_name(one.generation) for one in under_way)
    figures = await doors.glance.today()
    today = figures.get("", Counts())
    ended = {"failed": today.errors, "completed": today.succeeded, "cancelled": today.cancelled, "unknown": None}
    if filters.is_narrowed:
        ended = dict.fromkeys(ended)
    counts = {name: counted[name] if name else len(under_way) for name in UNDER_WAY} | ended
    words = {name: state_words(name) for name in counts}
    if filters.q:  # a search goes through all states, until one of them is chosen
        words[""], counts[""] = StateWords("", "list", gettext("All")), None
    return [
        Facet(words[name], filters.path(state=name), name == filters.state, count, name in ended)
        for name, count in counts.items()
    ]

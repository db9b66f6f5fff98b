"""The list of keys: narrowed, sorted, page by page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flow2api.adapters.console.checks.check_keys import is_of_check
from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.keys.views import PATH, KeyView, view_of
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.links import address
from flow2api.adapters.console.slices import slice_behind
from flow2api.domain.statistics import Dimension

STATES = ("active", "soon", "expired", "revoked")
CHECKS = "checks"
"""Stands in the place of a state for the keys that connection checks made for themselves; no other list has these."""

_ORDER = {"active": 0, "soon": 0, "expired": 1, "revoked": 2}
_LATEST = datetime.max.replace(tzinfo=UTC)
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_SORTS: Mapping[str, Callable[[KeyView], Any]] = {
    "name": lambda key: _ORDER[key.state],
    "-used": lambda key: -key.counted_today,
    "used": lambda key: key.counted_today,
    "-failed": lambda key: -key.failed_today,
    "failed": lambda key: key.failed_today,
    "-last": lambda key: _EARLIEST - (key.facts.last_used_at or _EARLIEST),
    "last": lambda key: key.facts.last_used_at or _EARLIEST,
    "expires": lambda key: (not key.opens, key.facts.rules.expires_at or _LATEST),
    "-expires": lambda key: (not key.opens, _EARLIEST - (key.facts.rules.expires_at or _LATEST)),
}
"""What each order goes by; among equals by name."""


@dataclass(frozen=True, slots=True)
class Heading:
    """The head of a column by which the list can be sorted.

    Attributes:
        link: The address where it is; where it is already, the other way round.
        sorted: Which way round it is, as a browser calls it; empty when it is not.
    """

    words: str
    link: str
    sorted: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyList:
    """A page of keys.

    Attributes:
        total: How many there are, whatever the filter; those of connection checks count only where these are shown.
        sort: A name of an order; empty for the usual one.
        counts: How many there are in each state, whatever the filter for states. What expires soon is active as well.
        facets: The address for each state.
        headings: The columns that the list can be sorted by.
        first: The place of the first key, from 1.
        found: How many pass the filter.
        before: The address of the page in front of this one; empty for none.
        behind: The address of the page behind it.
    """

    keys: Sequence[KeyView]
    total: int
    active: int
    used_today: int
    text: str
    state: str
    sort: str
    counts: Mapping[str, int]
    facets: Mapping[str, str]
    headings: Mapping[str, Heading]
    first: int
    found: int
    before: str
    behind: str
    clear: str
    zone: str

    @property
    def is_filtered(self) -> bool:
        """Whether something is left out."""
        return bool(self.text or self.state)


async def key_list(doors: ConsoleDoors, *, text: str, state: str, sort: str, after: str) -> KeyList:
    """Keys by name, those that open something first, or in another order that was asked for."""
    today = await doors.glance.today(Dimension.KEY)
    every = [view_of(doors, key, today.get(key.id)) for key in await doors.keys.all()]
    known, checks = _parted(every)
    named, of_checks = ([key for key in some if _has(key, text)] for some in (known, checks))
    state, sort = state if state in (*STATES, CHECKS) else "", sort if sort in _SORTS else ""
    by_name = sorted(
        of_checks if state == CHECKS else (key for key in named if not state or _is(key, state)),
        key=lambda key: (key.facts.name.casefold(), key.facts.id),
    )
    page = slice_behind(sorted(by_name, key=_SORTS[sort or "name"]), after, lambda key: str(key.facts.id))
    query = {"q": text, "state": state, "sort": sort}
    return KeyList(
        keys=page.items,
        total=len(every if state == CHECKS else known),
        active=sum(key.opens for key in known),
        used_today=sum(bool(key.made_today or key.failed_today) for key in known),
        text=text,
        state=state,
        sort=sort,
        counts={"": len(named)}
        | {one: sum(_is(key, one) for key in named) for one in STATES}
        | {CHECKS: len(of_checks)},
        facets={one: address(PATH, query, state=one) for one in ("", *STATES, CHECKS)},
        headings=_headings(query, sort),
        first=page.first,
        found=page.total,
        before=address(PATH, query, after=page.before) if page.has_before else "",
        behind=address(PATH, query, after=page.behind) if page.behind else "",
        clear=address(PATH, {"sort": sort}),
        zone=str(doors.statistics.zone).removeprefix("Etc/"),
    )


def _parted(every: Sequence[KeyView]) -> tuple[Sequence[KeyView], Sequence[KeyView]]:
    """The keys that people made, and those of connection checks."""
    of_checks = [key for key in every if is_of_check(key.facts)]
    return [key for key in every if key not in of_checks] if of_checks else every, of_checks


def _has(key: KeyView, text: str) -> bool:
    facts, sought = key.facts, text.casefold()
    return sought in facts.name.casefold() or facts.prefix.startswith(text) or sought == (facts.tag or "").casefold()


def _is(key: KeyView, state: str) -> bool:
    return key.opens if state == "active" else key.state == state


def _headings(query: Mapping[str, str], sort: str) -> Mapping[str, Heading]:
    def heading(words: str, once: str, again: str) -> Heading:
        ways = {one: "descending" if one.startswith("-") else "ascending" for one in (once, again)}
        return Heading(words, address(PATH, query, sort=again if sort == once else once), ways.get(sort, ""))

    return {
        "name": Heading(gettext("Name"), address(PATH, query, sort=""), "" if sort else "ascending"),
        "used": heading(gettext("Used today"), "-used", "used"),
        "failed": heading(gettext("Failed today"), "-failed", "failed"),
        "last": heading(gettext("Last used"), "-last", "last"),
        "expires": heading(gettext("Expires"), "expires", "-expires"),
    }

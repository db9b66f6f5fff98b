"""The accounts of the pool as operators look through them: counted by state, narrowed, sorted, page by page."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from flow2api.domain.account_list import (
    STATES,
    AccountListPage,
    AccountOrder,
    Entry,
    ListedAccount,
    ListPlace,
    PoolFilter,
    in_any_state,
    in_state,
    value_by,
)
from flow2api.domain.account_state import Standing
from flow2api.domain.errors import AccountNotFoundError
from flow2api.domain.usecases.judge_accounts import JudgeAccounts

LARGEST_PAGE = 200
_AT_ONCE = 1000
_STATE = attrgetter("state")

Keyed = tuple[Any, int, Entry]


@dataclass(frozen=True, slots=True)
class FilterValues:
    """What accounts can be narrowed by, as far as there are such accounts; sorted."""

    upstreams: Sequence[str]
    tags: Sequence[str]
    proxies: Sequence[str]


class BrowseAccounts:
    """Looks through all accounts in memory, without the database, and in steps that hold up nobody."""

    def __init__(self, register: JudgeAccounts) -> None:
        self._register = register

    async def page(
        self,
        wanted: PoolFilter,
        order: AccountOrder = AccountOrder.NAME,
        *,
        descending: bool = False,
        after: ListPlace | None = None,
        before: ListPlace | None = None,
        limit: int = 50,
    ) -> AccountListPage:
        """Accounts that pass the filter, sorted: the first ones, those behind a place, or those right before one.

        Args:
            limit: How many, 200 at most.
        """
        limit = min(max(limit, 1), LARGEST_PAGE)
        place = after or before
        is_back = after is None and before is not None
        found = _Found(order, place, limit, is_rising=descending is is_back)
        async for some in self._some():
            found.take(in_any_state(some, wanted), wanted)
        return self._told(found, descending=descending, is_back=is_back)

    async def matching(self, wanted: PoolFilter) -> Sequence[int]:
        """The numbers of all accounts that pass the filter."""
        chosen: list[int] = []
        async for some in self._some():
            chosen += [entry.id for entry in in_state(in_any_state(some, wanted), wanted.state)]
        return chosen

    async def filter_values(self) -> FilterValues:
        """What there is to narrow by."""
        common = await self._register.common()
        return FilterValues(sorted(+common.upstreams), sorted(+common.tags), sorted(+common.proxies))

    def standing(self, account_id: int) -> Standing:
        """How one account stands now.

        Raises:
            AccountNotFoundError: It is not there.
        """
        candidate = self._register.candidate(account_id)
        if candidate is None:
            raise AccountNotFoundError(account_id)
        return self._register.standing(candidate)

    async def _some(self) -> AsyncIterator[Sequence[Entry]]:
        entries = await self._register.entries()
        for start in range(0, len(entries), _AT_ONCE):
            yield entries[start : start + _AT_ONCE]
            await asyncio.sleep(0)

    def _told(self, found: "_Found", *, descending: bool, is_back: bool) -> AccountListPage:
        shown = found.best[::-1] if is_back else found.best
        first = found.beyond - len(shown) + 1 if is_back else found.total - found.beyond + 1
        is_last = first + len(shown) > found.total
        return AccountListPage(
            accounts=[self._listed(keyed[2]) for keyed in shown],
            total=found.total,
            first=first if shown else 0,
            earlier=_place_of(shown[0]) if shown and first > 1 else None,
            later=None if is_last or not shown else _place_of(shown[-1]),
            counts={state: found.counts[number] for number, state in enumerate(STATES)},
        )

    def _listed(self, entry: Entry) -> ListedAccount:
        candidate = entry.candidate
        return ListedAccount(candidate.account, self._register.standing(candidate), candidate.images, candidate.videos)


class _Found:
    """The accounts nearest to a place among all that were looked at so far."""

    def __init__(self, order: AccountOrder, place: ListPlace | None, limit: int, *, is_rising: bool) -> None:
        self.best: list[Keyed] = []
        self.total = self.beyond = 0
        self.counts = Counter[int]()
        self._value = value_by(order)
        self._limit = limit
        self._is_rising = is_rising
        # Numbers of accounts are whole, so that this stands right behind the account of the place, or before it.
        step = 0.5 if is_rising else -0.5
        self._edge = None if place is None else (place.value, place.account_id + step)

    def take(self, entries: Sequence[Entry], wanted: PoolFilter) -> None:
        self.counts.update(map(_STATE, entries))
        found = in_state(entries, wanted.state)
        values = list(map(self._value, found))
        self.total += len(found)
        worst = self.best[-1] if len(self.best) == self._limit else None
        if self._edge is not None:
            keyed = _beyond(
                _from(self._edge, values, found, is_rising=self._is_rising), self._edge, is_rising=self._is_rising
            )
            self.beyond += len(keyed)
            if worst is not None:
                keyed = _beyond(keyed, worst, is_rising=not self._is_rising)
        else:
            self.beyond += len(found)
            keyed = _from(worst, values, found, is_rising=not self._is_rising)
        if keyed:
            self.best = sorted([*self.best, *keyed], reverse=not self._is_rising)[: self._limit]


def _from(
    edge: tuple[Any, ...] | None, values: Sequence[Any], found: Sequence[Entry], *, is_rising: bool
) -> list[Keyed]:
    """Those that are not clearly on the other side of the edge: a look at the value alone spares most of them a key."""
    pairs = zip(values, found, strict=True)
    if edge is None:
        return [(value, entry.id, entry) for value, entry in pairs]
    bound = edge[0]
    if is_rising:
        return [(value, entry.id, entry) for value, entry in pairs if value >= bound]
    return [(value, entry.id, entry) for value, entry in pairs if value <= bound]


def _beyond(keyed: list[Keyed], edge: tuple[Any, ...], *, is_rising: bool) -> list[Keyed]:
    return [one for one in keyed if one > edge] if is_rising else [one for one in keyed if one < edge]


def _place_of(keyed: Keyed) -> ListPlace:
    return ListPlace(keyed[0], keyed[1])

"""The state of every account of the pool, kept for lists: judged anew now and again, in steps that hold up nobody."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from flow2api.domain.account import Account
from flow2api.domain.account_list import Entry, entry_of, number_of
from flow2api.domain.account_state import Standing, standing_of, state_of
from flow2api.domain.lease import AccountPool
from flow2api.domain.ports.system import Clock
from flow2api.domain.selection import Candidate
from flow2api.domain.usecases.recount import Recount

T = TypeVar("T")

AT_ONCE = 500


@dataclass(slots=True)
class Common:
    """What accounts can be told apart by, each with how many accounts have it."""

    upstreams: Counter[str] = field(default_factory=Counter)
    tags: Counter[str] = field(default_factory=Counter)
    proxies: Counter[str] = field(default_factory=Counter)

    def change(self, before: Account | None, after: Account | None) -> None:
        """Count an account that is new, has changed or is gone."""
        if before is not None and after is not None and _is_common(before) == _is_common(after):
            return
        for account, step in ((before, -1), (after, 1)):
            if account is None:
                continue
            self.upstreams[account.upstream] += step
            for tag in account.tags:
                self.tags[tag] += step
            if account.proxy is not None:
                self.proxies[account.proxy] += step


class JudgeAccounts:
    """What changes by an operator's or the keeper's hand shows at once; load and time show at the next judgement.

    Args:
        testing: The accounts whose test is under way.
        renews: Whether access tokens are renewed ahead of their end.
    """

    def __init__(
        self,
        pool: AccountPool,
        clock: Clock,
        testing: Callable[[], Collection[int]] = frozenset,
        renews: Callable[[], bool] = lambda: True,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._testing = testing
        self._renews = renews
        self._entries: dict[int, Entry] = {}
        self._common = Common()
        self._changed: set[int] = set()
        self._notes_changes = False
        self._recount = Recount(pool, clock, self._judge, "judge accounts")
        pool.subscribe(self._note)

    async def entries(self) -> Sequence[Entry]:
        """Every account; those of a large pool as they were a while ago, while they are judged anew."""
        await self._settle()
        return list(self._entries.values())

    async def common(self) -> Common:
        """What accounts can be told apart by, as of now."""
        await self._settle()
        return self._common

    async def judge(self) -> None:
        """Judge all of them anew now, whether anybody looks or not."""
        await self._recount.at_once()

    def standing(self, candidate: Candidate) -> Standing:
        """The state of an account now, with its reasons."""
        is_testing = candidate.account.id in self._testing()
        return standing_of(candidate, self._clock.now(), is_testing=is_testing, is_renewed=self._renews())

    def candidate(self, account_id: int) -> Candidate | None:
        """The account as the pool sees it; None when it is not there."""
        return self._pool.candidates.get(account_id)

    def _note(self, account: Account) -> None:
        if self._notes_changes:
            self._changed.add(account.id)

    async def _settle(self) -> None:
        """Have the entries good enough, with what has changed since they were judged."""
        await self._recount.settle()
        changed, self._changed = self._changed, set()
        changed.update(self._testing())
        for some in _in_slices(tuple(changed)):
            self._renew([found for one in some if (found := self._pool.candidates.get(one)) is not None])
            if len(some) == AT_ONCE:
                await asyncio.sleep(0)
        if len(self._entries) != len(self._pool):
            for account_id in self._entries.keys() - self._pool.candidates.keys():
                self._common.change(self._entries.pop(account_id).account, None)

    async def _judge(self) -> None:
        self._notes_changes = True
        for some in _in_slices(list(self._pool.candidates.values())):
            self._renew(some)
            await asyncio.sleep(0)

    def _renew(self, candidates: Collection[Candidate]) -> None:
        """Judge these. What does not follow from the moment is only made anew when the account is another one."""
        now, testing, is_renewed = self._clock.now(), self._testing(), self._renews()
        for candidate in candidates:
            account = candidate.account
            known = self._entries.get(account.id)
            state = state_of(candidate, now, is_testing=account.id in testing, is_renewed=is_renewed)
            if known is not None and known.account is account and known.candidate is candidate:
                known.state = number_of(state)
            else:
                self._common.change(None if known is None else known.account, account)
                self._entries[account.id] = entry_of(candidate, state)


def _is_common(account: Account) -> tuple[object, ...]:
    return account.upstream, account.tags, account.proxy


def _in_slices(these: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(these), AT_ONCE):
        yield these[start : start + AT_ONCE]

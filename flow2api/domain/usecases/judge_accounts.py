"""The state of every account of the pool, kept for lists: judged anew now and again, in steps that hold up nobody."""

import asyncio
from collections.abc import Callable, Collection, Sequence

from flow2api.domain.account import Account
from flow2api.domain.account_list import Entry, entry_of
from flow2api.domain.account_state import Standing, standing_of, state_of
from flow2api.domain.lease import AccountPool
from flow2api.domain.ports.system import Clock
from flow2api.domain.selection import Candidate

AT_ONCE = 500
_FRESH_S = 1.0
_SHARE = 50
"""What took so long to judge is used so many times as long, so that looking all the time costs 2 % at most."""


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
        self._entries: dict[int, Entry] | None = None
        self._changed: set[int] = set()
        self._changed_meanwhile: set[int] = set()
        self._fresh_until = self._good_until = 0.0
        self._judging: asyncio.Task[None] | None = None
        pool.subscribe(self._note)

    async def entries(self) -> Sequence[Entry]:
        """Every account; those of a large pool as they were a moment ago, while they are judged anew."""
        now = self._clock.monotonic()
        if self._entries is None or now >= self._fresh_until:
            if self._judging is None or self._judging.done():
                self._judging = asyncio.create_task(self._judge(), name="judge accounts")
            if self._entries is None or now >= self._good_until:
                await asyncio.shield(self._judging)
        return self._current(self._entries or {})

    def standing(self, candidate: Candidate) -> Standing:
        """The state of an account now, with its reasons."""
        is_testing = candidate.account.id in self._testing()
        return standing_of(candidate, self._clock.now(), is_testing=is_testing, is_renewed=self._renews())

    def candidate(self, account_id: int) -> Candidate | None:
        """The account as the pool sees it; None when it is not there."""
        return self._pool.candidates.get(account_id)

    def _note(self, account: Account) -> None:
        if self._entries is not None:
            self._changed.add(account.id)
        if self._judging is not None and not self._judging.done():
            self._changed_meanwhile.add(account.id)

    def _current(self, entries: dict[int, Entry]) -> Sequence[Entry]:
        changed, self._changed = self._changed, set()
        changed.update(self._testing())
        for account_id in changed:
            candidate = self._pool.candidates.get(account_id)
            if candidate is not None:
                entries[account_id] = self._entry(candidate)
        if len(entries) != len(self._pool):
            for account_id in entries.keys() - self._pool.candidates.keys():
                del entries[account_id]
        return list(entries.values())

    async def _judge(self) -> None:
        began, judged = self._clock.monotonic(), dict[int, Entry]()
        self._changed_meanwhile = set()
        for number, candidate in enumerate(list(self._pool.candidates.values()), 1):
            judged[candidate.account.id] = self._entry(candidate)
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        self._entries, self._changed, ended = judged, self._changed_meanwhile, self._clock.monotonic()
        self._fresh_until = ended + _FRESH_S + _SHARE * (ended - began)
        self._good_until = self._fresh_until + _SHARE * (ended - began)

    def _entry(self, candidate: Candidate) -> Entry:
        is_testing = candidate.account.id in self._testing()
        state = state_of(candidate, self._clock.now(), is_testing=is_testing, is_renewed=self._renews())
        return entry_of(candidate, state)

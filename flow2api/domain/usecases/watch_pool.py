"""Notices what operators ought to know of the pool, and the ends of generations."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime

from flow2api.domain import notices
from flow2api.domain.account import Account, AccountStatus, CallKind, Tier
from flow2api.domain.errors import StorageFullError
from flow2api.domain.generation import Generation, State
from flow2api.domain.lease import AccountPool
from flow2api.domain.notices import Notice, NoticeKind
from flow2api.domain.options import Options
from flow2api.domain.ports.system import Clock

LOOK_EVERY_S = 60.0

_AT_ONCE = 500


class WatchPool:
    """Tells only what changes while it watches: what was so at the start is taken as known.

    It is made before the pool is filled, and notes each account when it comes: to go through all of them at the start
    would hold everybody up.

    Args:
        pool: An empty one.
        tell: Takes what there is to tell.
        is_wanted: Whether anybody has a use for such a notice now; asked for what occurs with every request.
    """

    def __init__(
        self,
        pool: AccountPool,
        clock: Clock,
        options: Callable[[], Options],
        tell: Callable[[Notice], None],
        is_wanted: Callable[[NoticeKind], bool] = lambda kind: True,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._options = options
        self._tell = tell
        self._is_wanted = is_wanted
        self._in_need: dict[int, tuple[str, ...]] = {}
        self._poor: set[int] = set()
        self._lacking: dict[Tier, frozenset[CallKind]] = {}
        self._disk_is_full = False
        self._has_begun = False
        pool.subscribe(self._take)

    def begin(self) -> None:
        """Take the pool as it is for known, and watch it from now on."""
        self._has_begun = True

    def ended(self, generation: Generation) -> None:
        """A generation has come to its end. Costs microseconds, for a request may wait for it."""
        now = self._clock.now()
        if self._is_wanted(notices.kind_of_end(generation)):
            self._tell(notices.generation_ended(generation, now))
        is_full = generation.fault is not None and generation.fault.code == StorageFullError.code
        if is_full != self._disk_is_full and (is_full or generation.state is State.COMPLETED):
            self._disk_is_full = is_full
            self._tell(notices.disk_full(now) if is_full else notices.disk_freed(now))

    async def run(self) -> None:
        """Look at the plans once a minute, for ever: time alone changes how accounts stand."""
        while True:
            await self.look()
            await self._clock.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Tell which plans have nobody left for some kind of media, and which have somebody for each again."""
        now = self._clock.now()
        total: defaultdict[Tier, int] = defaultdict(int)
        active: defaultdict[Tier, int] = defaultdict(int)
        wanted: defaultdict[Tier, set[CallKind]] = defaultdict(set)
        able: defaultdict[Tier, set[CallKind]] = defaultdict(set)
        for number, account in enumerate(list(self._pool), 1):
            status = account.status(now) if account.rests else AccountStatus.ACTIVE
            if account.tier is not None and status is not AccountStatus.DISABLED:
                total[account.tier] += 1
                active[account.tier] += status is AccountStatus.ACTIVE
                wanted[account.tier].update(account.makes)
                able[account.tier].update(_able(account, now))
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
        before, self._lacking = self._lacking, {tier: frozenset(wanted[tier] - able[tier]) for tier in total}
        for tier, lacking in self._lacking.items():
            if lacking == before.get(tier, lacking):
                continue
            if lacking:
                self._tell(notices.tier_empty(tier, now, total[tier], lacking, active[tier]))
            else:
                self._tell(notices.tier_served(tier, now, total[tier], active[tier]))

    def _take(self, account: Account) -> None:
        in_need, poor = self._in_need.get(account.id, ()), account.id in self._poor
        self._note(account)
        if not self._has_begun:
            return
        need = self._in_need.get(account.id, ())
        if need != in_need:
            now = self._clock.now()
            self._tell(notices.account_needs_care(account, now) if need else notices.account_recovered(account, now))
        if (account.id in self._poor) != poor:
            now, least = self._clock.now(), self._options().low_credits
            self._tell(notices.credits_back(account, now) if poor else notices.credits_low(account, now, least))

    def _note(self, account: Account) -> None:
        need = notices.needs_care(account) if account.rests else ()
        if need:
            self._in_need[account.id] = need
        else:
            self._in_need.pop(account.id, None)
        if account.credits is not None and account.credits < self._options().low_credits:
            self._poor.add(account.id)
        else:
            self._poor.discard(account.id)


def _able(account: Account, now: datetime) -> Sequence[CallKind]:
    """What it can make now of what it is to make."""
    if not account.rests:
        return account.makes
    return [call for call in account.makes if account.blocking_rest(now, call) is None]

"""How the pool stands as a whole, counted in memory."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from flow2api.domain.account import Account, AccountStatus, RestReason
from flow2api.domain.lease import AccountPool
from flow2api.domain.ports.system import Clock
from flow2api.domain.usecases.keep_accounts_counted import MANY
from flow2api.domain.usecases.recount import Recount

SOON = timedelta(hours=1)

_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """How many accounts there are, of what kind.

    Attributes:
        by_status: By how they stand; what there is none of is 0.
        resting: By the gravest reason that keeps the whole account from work now.
        warming: Never exchanged yet.
        expired: The access token has ended.
        expiring: The access token ends within an hour.
        rate_limited: Resting for a rate limit now.
        credits: What all of them were last said to have left.
    """

    total: int
    by_status: Mapping[AccountStatus, int]
    resting: Mapping[RestReason, int]
    warming: int
    expired: int
    expiring: int
    rate_limited: int
    credits: int

    @property
    def active(self) -> int:
        """How many may work."""
        return self.by_status[AccountStatus.ACTIVE]


class CountAccounts:
    """Counts the accounts of this process, without the database, and in steps that hold up nobody."""

    def __init__(self, pool: AccountPool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._counted = _Tally().census()
        self._recount = Recount(pool, clock, self._count, "count accounts")

    async def __call__(self) -> Census:
        """The figures of a moment ago; who asks while they are counted gets the same ones.

        In a large pool whoever asks now and again does not wait: he gets those of before, and the next one newer ones.
        In a small one an account that came or went counts at once.
        """
        await self._recount.settle(is_of_use=self._is_of_all())
        if not self._is_of_all():
            await self._recount.at_once()
        return self._counted

    async def count(self) -> None:
        """Count them anew now, whether anybody asks or not."""
        await self._recount.at_once()

    def _is_of_all(self) -> bool:
        return len(self._pool) >= MANY or self._counted.total == len(self._pool)

    async def _count(self) -> None:
        now, tally = self._clock.now(), _Tally()
        soon = now + SOON
        for number, account in enumerate(list(self._pool), 1):
            tally.take(account, now, soon)
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
        self._counted = tally.census()


class _Tally:
    def __init__(self) -> None:
        self.total = self.warming = self.expired = self.expiring = self.rate_limited = self.credits = 0
        self.by_status = dict.fromkeys(AccountStatus, 0)
        self.resting: dict[RestReason, int] = {}

    def take(self, account: Account, now: datetime, soon: datetime) -> None:
        self.total += 1
        self.credits += account.credits or 0
        if account.access_expires_at is None:
            self.warming += 1
        elif account.access_expires_at <= now:
            self.expired += 1
        elif account.access_expires_at <= soon:
            self.expiring += 1
        rest = account.blocking_rest(now) if account.rests else None
        if rest is None:
            self.by_status[AccountStatus.ACTIVE] += 1
            return
        self.by_status[rest.status] += 1
        self.resting[rest.reason] = self.resting.get(rest.reason, 0) + 1
        limited = account.rest_of(RestReason.RATE_LIMITED)
        self.rate_limited += limited is not None and limited.holds(now)

    def census(self) -> Census:
        return Census(
            total=self.total,
            by_status=self.by_status,
            resting=self.resting,
            warming=self.warming,
            expired=self.expired,
            expiring=self.expiring,
            rate_limited=self.rate_limited,
            credits=self.credits,
        )

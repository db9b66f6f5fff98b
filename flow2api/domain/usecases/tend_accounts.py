"""Keeps the record of each account's health, in memory and in storage."""

from collections import defaultdict
from collections.abc import Callable

from flow2api.domain.account import Account
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.failover import after_error, judge
from flow2api.domain.lease import AccountPool
from flow2api.domain.options import Options
from flow2api.domain.ports.storage import Accounts
from flow2api.domain.ports.system import Clock
from flow2api.domain.weather import Weather


class TendAccounts:
    """Books what accounts go through: what was learned is in the pool at once and in the database right after."""

    def __init__(self, pool: AccountPool, accounts: Accounts, clock: Clock, options: Callable[[], Options]) -> None:
        self._pool = pool
        self._accounts = accounts
        self._clock = clock
        self._options = options
        self._weather: defaultdict[str, Weather] = defaultdict(Weather)

    async def change(self, account_id: int, change: Callable[[Account], Account]) -> Account | None:
        """Apply a change to an account; what stays as it was is not written.

        Returns:
            The account as it is now, or None when it is not in the pool any more.
        """
        before = self._pool.get(account_id)
        if before is None:
            return None
        after = change(before)
        if after != before:
            self._pool.put(after)
            await self._accounts.save(after)
        return after

    async def went_well(self, account_id: int, spec: ModelSpec | None = None) -> None:
        """The account did what it was asked."""
        account = self._pool.get(account_id)
        if account is None:
            return
        self._weather[account.upstream].note(account_id, self._clock.monotonic(), went_well=True)
        name = None if spec is None else spec.name
        await self.change(account_id, lambda one: one.succeeded(self._clock.now(), name))

    async def went_wrong(self, account_id: int, error: Exception, spec: ModelSpec | None = None) -> None:
        """The account met an error. A caller's fault, and one that others show too, leave its health as it was."""
        account = self._pool.get(account_id)
        if account is None:
            return
        if judge(error).is_own_fault:
            weather, at = self._weather[account.upstream], self._clock.monotonic()
            is_own = weather.is_own_fault(account_id, at)
            weather.note(account_id, at, went_well=False)
            if not is_own:
                return
        threshold = self._options().error_threshold
        await self.change(account_id, lambda one: after_error(one, error, spec, self._clock.now(), threshold=threshold))

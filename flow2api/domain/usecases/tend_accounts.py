"""Keeps the record of each account's health, in memory and in storage."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import partial, reduce
from weakref import WeakValueDictionary

from flow2api.domain.account import Account, CallKind, Place
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.errors import CredentialRevokedError, StorageError
from flow2api.domain.failover import after_error, cause_of, doubted, is_doubted_in_vain, judge, reinstated
from flow2api.domain.health import HealthEvent, changes, lifted_by_time
from flow2api.domain.lease import AccountPool
from flow2api.domain.options import Options
from flow2api.domain.ports.storage import Accounts, Changed, HealthLog
from flow2api.domain.ports.system import Clock
from flow2api.domain.token_refusals import TokenRefusals
from flow2api.domain.uncut import uncut
from flow2api.domain.unjudged_faults import UnjudgedFaults
from flow2api.domain.weather import Weather

log = logging.getLogger(__name__)

_UNWRITTEN_HELD = 64

Change = Callable[[Account], Account]


class TendAccounts:
    """Books what accounts go through: what was learned is in the pool at once and in the database right after.

    A change is applied to the account as the database has it, so that what an operator or another process has written
    meanwhile stays. A database that refuses fails nothing: the change is in memory, and is written with the next one.
    """

    def __init__(
        self,
        pool: AccountPool,
        accounts: Accounts,
        clock: Clock,
        options: Callable[[], Options],
        health: HealthLog | None = None,
        is_left_alone: Callable[[Place], bool] = lambda place: False,
    ) -> None:
        """Begin knowing nothing of how accounts fare.

        Args:
            is_left_alone: Whether a place is known to fail for most of its accounts now.
        """
        self._pool = pool
        self._accounts = accounts
        self._clock = clock
        self._options = options
        self._health = health
        self._is_left_alone = is_left_alone
        pool.subscribe_to_lifts(self._lifted)
        self._weather: defaultdict[tuple[Place, CallKind | None], Weather] = defaultdict(Weather)
        self._unjudged: defaultdict[tuple[Place, CallKind | None], UnjudgedFaults] = defaultdict(UnjudgedFaults)
        self._refusals: defaultdict[Place, TokenRefusals] = defaultdict(TokenRefusals)
        self._unwritten: dict[int, list[Change]] = {}
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def change(self, account_id: int, change: Change) -> Account | None:
        """Apply a change to an account; what stays as it was is not written.

        Returns:
            The account as it is now, or None when it is not there any more.
        """
        before = self._pool.get(account_id)
        if before is None:
            return None
        after = change(before)
        if after == before and account_id not in self._unwritten:
            return after
        if after != before:
            self._tell(before, after)
            self._pool.put(after)
            self._unwritten.setdefault(account_id, []).append(change)
        await uncut(self._write(account_id))
        return self._pool.get(account_id)

    async def went_well(self, account_id: int, spec: ModelSpec | None = None, *, call: CallKind | None = None) -> None:
        """The account did what it was asked.

        Args:
            call: The kind of call that went well; None stands for the one that makes what was asked.
        """
        account = self._pool.get(account_id)
        if account is None:
            return
        call, at = _kind_of(call, spec), self._clock.monotonic()
        for weather in self._weathers(account, call):
            weather.note(account_id, at, went_well=True)
        self._refusals[account.place].accepted(at)
        name, now = None if spec is None else spec.rests_as, self._clock.now()
        await self.change(account_id, lambda one: one.succeeded(now, name, call))
        await self._judge_again(account, call)

    async def went_wrong(
        self, account_id: int, error: Exception, spec: ModelSpec | None = None, *, call: CallKind | None = None
    ) -> None:
        """The account met an error. A caller's fault, and one that others show too, leave its health as it was.

        Args:
            call: The kind of call that met it; None stands for the one that makes what was asked.
        """
        account = self._pool.get(account_id)
        if account is None:
            return
        call = _kind_of(call, spec)
        now, threshold = self._clock.now(), self._options().error_threshold
        if judge(error).is_own_fault:
            if call is CallKind.DOWNLOAD or not self._is_own(account, call, error):
                return
        elif isinstance(error, CredentialRevokedError) and error.after_renewal and account.is_warm:
            await self._refused(account, error, now)
            return
        await self.change(account_id, lambda one: after_error(one, error, spec, now, threshold=threshold, call=call))

    def failed_like_others(self, account_id: int, call: CallKind) -> None:
        """The account failed at what others failed at as well: it is not to blame, but service or request may be ill."""
        account = self._pool.get(account_id)
        if account is not None:
            for weather in self._weathers(account, call):
                weather.note(account_id, self._clock.monotonic(), went_well=False)

    def accepted(self, account_id: int) -> None:
        """The upstream has taken the account's access token."""
        account = self._pool.get(account_id)
        if account is not None:
            self._refusals[account.place].accepted(self._clock.monotonic())

    def _is_own(self, account: Account, call: CallKind | None, error: Exception) -> bool:
        """Note a fault; whether it is the account's own, as far as can be told now."""
        weathers, at = self._weathers(account, call), self._clock.monotonic()
        told = next((one for one in weathers if one.knows_others(account.id, at)), None)
        is_own = told is not None and told.is_own_fault(account.id, at)
        for weather in weathers:
            weather.note(account.id, at, went_well=False)
        if told is None:
            self._unjudged[account.place, call].note(account.id, at, cause_of(error))
        return is_own

    async def _judge_again(self, account: Account, call: CallKind | None) -> None:
        """This account did well what others failed at while nobody else was seen: what they met may be their own."""
        unjudged = self._unjudged.get((account.place, call))
        if unjudged is None:
            return
        unjudged.forget(account.id)
        weather, at = self._weather[account.place, call], self._clock.monotonic()
        threshold, now = self._options().error_threshold, self._clock.now()
        for account_id in unjudged.accounts(at):
            if weather.is_own_fault(account_id, at) and (why := unjudged.forget(account_id)) is not None:
                await self.change(
                    account_id, partial(Account.faulted, now=now, threshold=threshold, why=why, call=call)
                )

    async def _refused(self, account: Account, error: CredentialRevokedError, now: datetime) -> None:
        """Its fresh access token is of no use: its session has ended, or it is the service that fails everybody."""
        refusals = self._refusals[account.place]
        if not self._is_doubtful(account, refusals, now):
            refusals.believe(account.id, account.access_expires_at)
            await self.change(account.id, lambda one: after_error(one, error, None, now, threshold=1))
            return
        await self.change(account.id, partial(doubted, now=now))
        for believed, expires_at in refusals.doubt_all().items():
            await self.change(believed, partial(reinstated, expires_at=expires_at, now=now))

    def _is_doubtful(self, account: Account, refusals: TokenRefusals, now: datetime) -> bool:
        at = self._clock.monotonic()
        others_speak_for_it = refusals.is_doubtful(account.id, at)
        if self._is_left_alone(account.place):
            return True
        others_fare_well = self._weather[account.place, None].is_own_fault(account.id, at)
        return others_speak_for_it and not (others_fare_well and is_doubted_in_vain(account, now))

    def note(self, event: HealthEvent) -> None:
        """One more event of an account's timeline."""
        if self._health is not None:
            self._health.note(event)

    def _lifted(self, account: Account, since: datetime) -> None:
        for event in lifted_by_time(account, since, self._clock.now()):
            self.note(event)

    def _weathers(self, account: Account, call: CallKind | None) -> Sequence[Weather]:
        """How others fare at such calls, and at all calls: the first one that knows of others is asked.

        Others are those of the same host; who is alone at one is compared to those of other hosts.
        """
        place = account.place
        at_all = self._weather[place, None]
        if place[1] is None:
            return (at_all,) if call is None else (self._weather[place, call], at_all)
        elsewhere = self._weather[(place[0], None), None]
        return (at_all, elsewhere) if call is None else (self._weather[place, call], at_all, elsewhere)

    def _tell(self, before: Account, after: Account) -> None:
        """An operator who reads the log sees why an account rests, and when it is back."""
        now = self._clock.now()
        for event in changes(before, after, now):
            self.note(event)
        if after.status(now) is not before.status(now) or len(after.rests) != len(before.rests):
            reasons = [f"{rest.reason} ({rest.why})" if rest.why else rest.reason.value for rest in after.rests]
            log.info(
                "account is now %s", after.status(now), extra={"account_id": after.id, "reasons": ", ".join(reasons)}
            )

    async def _know_again(self, account_id: int) -> None:
        """What was read elsewhere while the write was on its way knew nothing of the changes."""
        with suppress(StorageError):
            stored = await self._accounts.get(account_id)
            if stored is not None and self._pool.get(account_id) is not None:
                self._pool.put(self.with_unwritten(stored))

    def with_unwritten(self, stored: Account) -> Account:
        """An account as the database has it, with the changes that could not be written yet."""
        return _all_of(self._unwritten.get(stored.id, ()), stored)

    @asynccontextmanager
    async def holding(self, account_id: int) -> AsyncIterator[Account | None]:
        """Let nobody else of this process write the account meanwhile; what was not written yet has been before.

        Other processes write it all the same: what is to be written says how, and not what this one has seen.

        Yields:
            The account as the database has it, to look at; None when it is not there any more.

        Raises:
            StorageError: The database did not tell, or does not take what was not written.
        """
        async with self._lock(account_id):
            await self._write_changes(account_id)
            yield await self._accounts.get(account_id)

    async def store(self, account_id: int, write: Callable[[], Awaitable[Changed | None]]) -> Changed | None:
        """Carry out a write of an account while nobody else of this process writes it, and know what it left.

        Raises:
            StorageError: The database refused.
        """
        return await uncut(self._store(account_id, write))

    async def _store(self, account_id: int, write: Callable[[], Awaitable[Changed | None]]) -> Changed | None:
        async with self._lock(account_id):
            await self._write_changes(account_id)
            return await self.written(account_id, write())

    async def written(self, account_id: int, write: Awaitable[Changed | None]) -> Changed | None:
        """Wait for a write of an account that is held, and have in the pool what is stored by then."""
        seen = self._pool.get(account_id)
        changed = await write
        if changed is not None:
            await self._know(seen, changed.after)
        return changed

    async def _know(self, seen: Account | None, left: Account) -> None:
        """Have in the pool what a write has left, or what others have written over that.

        Args:
            seen: What was in the pool when the write began. What has come in since may be of after it, and is read again.
        """
        stored: Account | None = left
        while stored is not None and (known := self._pool.get(left.id)) is not seen:
            seen = known
            try:
                stored = await self._accounts.get(left.id)
            except StorageError:
                return
        if stored is not None:
            self._pool.confirm(self.with_unwritten(stored))

    def _lock(self, account_id: int) -> asyncio.Lock:
        lock = self._locks.get(account_id)
        if lock is None:
            lock = self._locks[account_id] = asyncio.Lock()
        return lock

    async def _write(self, account_id: int) -> None:
        try:
            async with self._lock(account_id):
                await self._write_changes(account_id)
        except StorageError:
            log.warning("account not written", extra={"account_id": account_id}, exc_info=True)

    async def _write_changes(self, account_id: int) -> None:
        # Taken out before they are written: a change that is written twice would count a fault twice.
        changes = self._unwritten.pop(account_id, None)
        if not changes:
            return
        write = uncut(self._accounts.change(account_id, partial(_all_of, changes)))
        try:
            changed = await self.written(account_id, write)
        except StorageError:
            since = self._unwritten.get(account_id, [])
            self._unwritten[account_id] = [*changes, *since][-_UNWRITTEN_HELD:]
            await self._know_again(account_id)
            raise
        if changed is None:
            self._pool.remove(account_id)


def _kind_of(call: CallKind | None, spec: ModelSpec | None) -> CallKind | None:
    return CallKind.making(spec.kind) if call is None and spec is not None else call


def _all_of(changes: Sequence[Change], account: Account) -> Account:
    return reduce(lambda one, change: change(one), changes, account)

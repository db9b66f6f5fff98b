"""The pool: every account in memory, who is ready for what, and leases on them."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime, timedelta
from random import Random
from types import TracebackType

from flow2api.domain.account import Account
from flow2api.domain.errors import NoEligibleAccountError, PoolBusyError, PoolError
from flow2api.domain.lifts import Lifts
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.coordination import Slots
from flow2api.domain.ports.system import Clock
from flow2api.domain.ready_sets import ReadySets
from flow2api.domain.selection import (
    BUSY,
    NO_TAG,
    NO_TIER,
    OCCUPIED,
    PASSING,
    SWITCHED_OFF,
    WARMING,
    Candidate,
    Need,
    SelectionPolicy,
    Signature,
    refusal,
    refusal_for,
)
from flow2api.domain.uncut import uncut
from flow2api.domain.waiting_line import WaitingLine

log = logging.getLogger(__name__)

_BUSY_RETRY_S = 5.0

_FULL_ELSEWHERE = timedelta(seconds=1)
"""How long an account counts as busy whose slots other processes hold."""

_LOOK_AGAIN_S = 5.0
"""How long who waits trusts to be served in turn before it asks whether it still can be."""


_HOPEFUL = OCCUPIED | {WARMING}
"""Refusals of accounts that may come free for who waits."""


class Lease:
    """The right to use one account once. An async context manager; releasing twice does no harm."""

    __slots__ = ("_candidate", "_kind", "_pool", "_ticket", "account_id")

    def __init__(self, pool: "AccountPool", candidate: Candidate, kind: MediaKind, ticket: str | None) -> None:
        self._pool: AccountPool | None = pool
        self._candidate = candidate
        self._kind = kind
        self._ticket = ticket
        self.account_id = candidate.account.id

    async def release(self) -> None:
        """Give the slot back."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool._give_back(self._candidate, self._kind, self._ticket)

    async def __aenter__(self) -> "Lease":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.release()


class AccountPool:
    """All accounts of all upstreams as this process sees them.

    It decides in memory alone and does no I/O but through the slots port. Choosing costs the same for ten accounts and
    for a hundred thousand. Whenever an account becomes ready, it goes to who has waited longest for it; so whatever is
    ready is free for who comes next.
    """

    def __init__(self, slots: Slots, clock: Clock, random: Random | None = None) -> None:
        self._slots = slots
        self._clock = clock
        self._random = random or Random()  # noqa: S311  # spreads load, guards nothing
        self._candidates: dict[int, Candidate] = {}
        self._ready = ReadySets(self._candidates)
        self._lifts = Lifts()
        self._warming: dict[int, None] = {}
        self._line = WaitingLine()
        self._listeners: list[Callable[[Account], None]] = []
        self._returning: set[asyncio.Task[None]] = set()

    def subscribe(self, listener: Callable[[Account], None]) -> None:
        """Call this with every account that is put in from now on; it must be quick and must not raise."""
        self._listeners.append(listener)

    def __len__(self) -> int:
        return len(self._candidates)

    def __iter__(self) -> Iterator[Account]:
        return (candidate.account for candidate in self._candidates.values())

    def get(self, account_id: int) -> Account | None:
        """The account as this process knows it."""
        candidate = self._candidates.get(account_id)
        return None if candidate is None else candidate.account

    def load_of(self, account_id: int, kind: MediaKind) -> int:
        """How many generations of this kind the account carries for this process."""
        return self._candidates[account_id].load(kind)

    def prepare(self, signatures: Iterable[Signature]) -> None:
        """Make the ready sets of these signatures now, so that no request has to."""
        for signature in signatures:
            self._ready.of(signature, self._clock.now())

    def put(self, account: Account) -> None:
        """Take in a new account, or what is new about a known one. Its leases are not touched."""
        candidate = self._candidates.get(account.id)
        if candidate is None:
            self._ready.exclude(None, account)
            candidate = self._candidates[account.id] = Candidate(account)
        else:
            self._ready.exclude(candidate.account, account)
            candidate.account = account
        self._settle(candidate)
        self._wake_the_hopeless()
        for listener in self._listeners:
            listener(account)

    def reach(self, account_id: int, *, has_way: bool) -> None:
        """Note whether there is a way to upstream for an account; without one it is not chosen, whatever its health."""
        candidate = self._candidates.get(account_id)
        if candidate is not None and candidate.has_way is not has_way:
            candidate.has_way = has_way
            self._settle(candidate)

    def remove(self, account_id: int) -> None:
        """Forget an account; leases on it can still be released."""
        candidate = self._candidates.pop(account_id, None)
        if candidate is None:
            return
        self._ready.exclude(candidate.account, None)
        self._warming.pop(account_id, None)
        self._lifts.forget(account_id)
        self._ready.forget(account_id)
        self._wake_the_hopeless()

    def warming(self, signature: Signature, avoid: Collection[int] = ()) -> int | None:
        """An account that could serve this signature once it is warmed, if there is one."""
        now = self._clock.now()
        return next(
            (i for i in self._warming if i not in avoid and refusal(self._candidates[i], signature, now) == WARMING),
            None,
        )

    async def acquire(self, need: Need, policy: SelectionPolicy, avoid: Collection[int] = ()) -> Lease:
        """Choose an account and take a slot on it.

        Args:
            avoid: Accounts that must not be chosen (they were tried before).

        Raises:
            PoolBusyError: Accounts that could serve are busy or rate limited.
            NoEligibleAccountError: There is no account of the kind, or all rest for other reasons.
        """
        lease = await self._acquire(need, policy, avoid)
        if lease is None:
            raise self._why_not(need, avoid)
        return lease

    async def wait(self, need: Need, policy: SelectionPolicy, avoid: Collection[int] = ()) -> Lease:
        """Like `acquire`, but while all that could serve are busy, wait for one in the order of coming.

        Raises:
            PoolError: None of them will come free any more.
        """
        avoid = frozenset(avoid)
        while (lease := await self._acquire(need, policy, avoid)) is None:
            candidate = await self._in_line(need, avoid)
            lease = await self._fill(candidate, need.spec.kind)
            if lease is not None:
                break
        return lease

    async def take(self, account_id: int, kind: MediaKind) -> Lease:
        """Hold one more slot of a given account, whatever its limit: for work that was begun before a restart.

        Raises:
            NoEligibleAccountError: The account was removed.
        """
        candidate = self._candidates.get(account_id)
        if candidate is None:
            raise NoEligibleAccountError({"removed": 1})
        self._carry(candidate, kind, 1)
        return Lease(self, candidate, kind, None)

    def waiting(self, signature: Signature) -> int:
        """How many wait in line for this signature."""
        return self._line.waiting(signature)

    def next_lift_s(self) -> float | None:
        """Seconds until the next rest ends by itself; None when none will."""
        return self._lifts.next_s(self._clock.now())

    def lift_rests(self) -> None:
        """Let accounts whose rest is over come back; choosing does so by itself."""
        for account_id in self._lifts.due(self._clock.now()):
            candidate = self._candidates[account_id]
            candidate.full = frozenset()
            self._settle(candidate)

    def has_any_for(self, signature: Signature) -> bool:
        """Whether some account has the plan and the tag for this signature, be it ready, busy or resting."""
        ready = self._ready.of(signature, self._clock.now())
        return bool(len(ready)) or bool(ready.refusals().keys() - {NO_TIER, NO_TAG, SWITCHED_OFF})

    def refusals(self, signature: Signature) -> dict[str, int]:
        """How many accounts could not serve this signature now, by reason."""
        self.lift_rests()
        return self._ready.of(signature, self._clock.now()).refusals()

    # --- choosing -----------------------------------------------------------------------------------------------------

    async def _acquire(self, need: Need, policy: SelectionPolicy, avoid: Collection[int]) -> Lease | None:
        self.lift_rests()
        while (candidate := self._choose(need, policy, avoid)) is not None:
            kind = need.spec.kind
            self._carry(candidate, kind, 1)
            lease = await self._fill(candidate, kind)
            if lease is not None:
                return lease
        return None

    def _choose(self, need: Need, policy: SelectionPolicy, avoid: Collection[int]) -> Candidate | None:
        now = self._clock.now()
        if need.only is None:
            return self._ready.choose(need, policy, avoid, self._random, now)
        candidate = None if need.only in avoid else self._candidates.get(need.only)
        if candidate is None or refusal_for(candidate, need.spec, need.signature, now) is not None:
            return None
        return candidate

    async def _in_line(self, need: Need, avoid: Collection[int]) -> Candidate:
        """The account that is handed over when it is one's turn; a slot on it is counted already."""
        waiter = self._line.join(need, avoid)
        try:
            while waiter.given is None:
                self._check_hope(need, avoid)
                await waiter.woken(min(self.next_lift_s() or _LOOK_AGAIN_S, _LOOK_AGAIN_S))
                self.lift_rests()
            return waiter.given
        except BaseException:
            if waiter.given is not None:
                self._carry(waiter.given, need.spec.kind, -1)
            raise
        finally:
            self._line.leave(waiter)

    def _check_hope(self, need: Need, avoid: Collection[int]) -> None:
        error = self._why_not(need, avoid)
        if not _HOPEFUL & error.reasons.keys():
            raise error

    def _wake_the_hopeless(self) -> None:
        """Those who wait for what no account can serve any more learn it now, and not only when they look again."""
        for signature in self._line.signatures() if self._line else ():
            if not _HOPEFUL & self._ready.of(signature, self._clock.now()).refusals().keys():
                self._line.wake(signature)

    async def _fill(self, candidate: Candidate, kind: MediaKind) -> Lease | None:
        """Back the slot that is counted already by one of the port's; None when other processes hold them all."""
        limit = candidate.account.capacity.of(kind)
        if limit is None:
            return Lease(self, candidate, kind, None)
        taking = asyncio.ensure_future(self._slots.take(candidate.account.id, kind, limit))
        try:
            ticket = await asyncio.shield(taking)
        except BaseException:
            self._carry(candidate, kind, -1)
            taking.add_done_callback(self._return_unwanted)
            raise
        if ticket is None:
            self._full_elsewhere(candidate, kind)
            return None
        return Lease(self, candidate, kind, ticket)

    def _return_unwanted(self, taking: "asyncio.Future[str | None]") -> None:
        """Give back what was taken for somebody who had gone meanwhile."""
        if not taking.cancelled() and taking.exception() is None and (ticket := taking.result()) is not None:
            self._returning.add(task := asyncio.ensure_future(self._return(ticket)))
            task.add_done_callback(self._returning.discard)

    async def _return(self, ticket: str) -> None:
        try:
            await self._slots.give_back(ticket)
        except Exception:
            log.exception("slot not given back; it ends with its time limit")

    async def _give_back(self, candidate: Candidate, kind: MediaKind, ticket: str | None) -> None:
        try:
            if ticket is not None:
                await uncut(self._return(ticket))
        finally:
            self._carry(candidate, kind, -1, candidate.full - {kind})

    # --- standing -----------------------------------------------------------------------------------------------------

    def _carry(
        self, candidate: Candidate, kind: MediaKind, change: int, full: frozenset[MediaKind] | None = None
    ) -> None:
        had_room = candidate.has_free_slot(kind)
        if full is not None:
            candidate.full = full
        if kind is MediaKind.IMAGE:
            candidate.images += change
        else:
            candidate.videos += change
        if change > 0:
            candidate.last_used = self._clock.monotonic()
        if candidate.has_free_slot(kind) is not had_room and self._is_here(candidate):
            now = self._clock.now()
            self._ready.restand(candidate, now, kind)
            self._hand_out(candidate, now)

    def _full_elsewhere(self, candidate: Candidate, kind: MediaKind) -> None:
        """Other processes hold all its slots: it is busy for a moment, then it is asked again."""
        self._carry(candidate, kind, -1, candidate.full | {kind})
        if self._is_here(candidate):
            self._lifts.schedule(candidate.account.id, self._clock.now() + _FULL_ELSEWHERE)

    def _settle(self, candidate: Candidate) -> None:
        """Note everywhere how the account stands, and when that changes by itself; give it to who waits for it."""
        account, now = candidate.account, self._clock.now()
        ends = [rest.until for rest in account.rests if rest.until is not None and rest.until > now]
        if ends:
            self._lifts.schedule(account.id, min(ends))
        if not account.is_warm and account.blocking_rest(now) is None:
            self._warming[account.id] = None
        else:
            self._warming.pop(account.id, None)
        self._ready.restand(candidate, now)
        self._hand_out(candidate, now)

    def _hand_out(self, candidate: Candidate, now: datetime) -> None:
        while self._line and (waiter := self._line.first_for(candidate, now)) is not None:
            self._line.leave(waiter)
            self._carry(candidate, waiter.need.spec.kind, 1)
            waiter.give(candidate)

    def _is_here(self, candidate: Candidate) -> bool:
        return self._candidates.get(candidate.account.id) is candidate

    # --- refusing -----------------------------------------------------------------------------------------------------

    def _why_not(self, need: Need, avoid: Collection[int]) -> PoolError:
        """The error that tells why nobody could be chosen; only made when that has happened."""
        reasons = self._reasons(need, avoid)
        if OCCUPIED & reasons.keys():
            return PoolBusyError(reasons, retry_after_s=self._retry_after_s(reasons))
        waiting_helps = bool(PASSING & reasons.keys())
        return NoEligibleAccountError(reasons, waiting_helps=waiting_helps)

    def _reasons(self, need: Need, avoid: Collection[int]) -> dict[str, int]:
        """How many are refused for what. Of the accounts to avoid, those with nothing lasting against them were tried."""
        reasons, now = self._reasons_of_all(need), self._clock.now()
        known = [one for account_id in avoid if (one := self._candidates.get(account_id)) is not None]
        against = Counter(refusal_for(one, need.spec, need.signature, now) for one in known)
        tried = Counter(reasons)
        tried[BUSY] -= against[BUSY]
        tried["tried"] = against[BUSY] + against[None]
        return dict(+tried)

    def _reasons_of_all(self, need: Need) -> dict[str, int]:
        now = self._clock.now()
        if need.only is None:
            return self._ready.refusals(need, now)
        candidate = self._candidates.get(need.only)
        if candidate is None:
            return {"removed": 1}
        why = refusal_for(candidate, need.spec, need.signature, now)
        return {} if why is None else {why: 1}

    def _retry_after_s(self, reasons: dict[str, int]) -> float:
        """A few seconds while one is busy; else until the next rest of any account ends."""
        lift_s = None if reasons.get(BUSY) else self.next_lift_s()
        return _BUSY_RETRY_S if lift_s is None else lift_s

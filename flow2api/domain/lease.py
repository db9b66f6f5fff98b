"""The pool: every account in memory, who is ready for what, and leases on them."""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from flow2api.domain.account import Account, CallKind
from flow2api.domain.call_rests import CallRests
from flow2api.domain.choice import Choice
from flow2api.domain.chooser import Chooser
from flow2api.domain.errors import NoEligibleAccountError, PoolError
from flow2api.domain.held_leases import HeldLeases, Lease
from flow2api.domain.lifts import Lifts
from flow2api.domain.media import MediaKind
from flow2api.domain.pace import Pace
from flow2api.domain.pool_refusals import PoolRefusals
from flow2api.domain.ports.coordination import Slots
from flow2api.domain.ports.system import Clock
from flow2api.domain.ready_sets import ReadySets
from flow2api.domain.selection import (
    OCCUPIED,
    UNFIT,
    WARMING,
    Candidate,
    Need,
    SelectionPolicy,
    Signature,
    refusal,
)
from flow2api.domain.slot_tickets import SlotTickets
from flow2api.domain.waiting_line import Turn, Waiter, WaitingLine

__all__ = ["AccountPool", "Lease"]

log = logging.getLogger(__name__)

_FULL_ELSEWHERE = timedelta(seconds=1)
"""How long an account counts as busy whose slots other processes hold."""

_LOOK_AGAIN_S = 5.0
"""How long who waits trusts to be served in turn before it asks whether it still can be."""


_CAME_FREE = "it came free when it was this request's turn"

_HOPEFUL = OCCUPIED | {WARMING}
"""Refusals of accounts that may come free for who waits."""


_NO_PROBATION = frozenset[MediaKind]()


class AccountPool:
    """All accounts of all upstreams as this process sees them.

    It decides in memory alone and does no I/O but through the slots port. Choosing costs the same for ten accounts and
    for a hundred thousand. Whenever an account becomes ready, it goes to whose turn it is in the waiting line; so whatever
    is ready is free for who comes next.
    """

    def __init__(
        self, slots: Slots, clock: Clock, random: Random | None = None, most_running: Callable[[], int] = lambda: 0
    ) -> None:
        """Make an empty one.

        Args:
            most_running: How many leases may be held at once, over all accounts; 0 for any number.
        """
        self._tickets = SlotTickets(slots)
        self._clock = clock
        self._most_running = most_running
        self._running = 0
        self._heeded = 0
        self._held = HeldLeases()
        self._pace = Pace()
        self._candidates: dict[int, Candidate] = {}
        self._ready = ReadySets(self._candidates)
        self._failing = CallRests()
        self._lifts = Lifts()
        self._lifted_at: datetime | None = None
        self._chooser = Chooser(
            self._candidates,
            self._ready,
            self._failing,
            random or Random(),  # noqa: S311  # spreads load, guards nothing
        )
        self._refusals = PoolRefusals(self._candidates, self._ready, self._lifts)
        self._warming: dict[int, None] = {}
        self._line = WaitingLine()
        self._listeners: list[Callable[[Account], None]] = []
        self._lift_listeners: list[Callable[[Account, datetime], None]] = []

    def subscribe(self, listener: Callable[[Account], None]) -> None:
        """Call this with every account that is put in from now on; it must be quick and must not raise."""
        self._listeners.append(listener)

    def subscribe_to_lifts(self, listener: Callable[[Account, datetime], None]) -> None:
        """Call this with every account of which a rest has ended by time, and the moment since which it has."""
        self._lift_listeners.append(listener)

    def __len__(self) -> int:
        return len(self._candidates)

    def __iter__(self) -> Iterator[Account]:
        return (candidate.account for candidate in self._candidates.values())

    def get(self, account_id: int) -> Account | None:
        """The account as this process knows it."""
        candidate = self._candidates.get(account_id)
        return None if candidate is None else candidate.account

    @property
    def running(self) -> int:
        """How many leases are held, over all accounts."""
        return self._running

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
        self._failing.change(None if candidate is None else candidate.account, account)
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
        self._failing.change(candidate.account, None)
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

    async def wait(
        self,
        need: Need,
        policy: SelectionPolicy,
        avoid: Collection[int] = (),
        told: Callable[[Turn], None] = lambda turn: None,
    ) -> Lease:
        """Like `acquire`, but while all that could serve are busy, wait for one: fair between keys, else in the order of coming.

        Args:
            told: Hears where the request stands, at once and every few seconds; must be quick and must not raise.

        Raises:
            PoolError: None of them will come free any more.
        """
        avoid, began = frozenset(avoid), self._clock.monotonic()
        while (lease := await self._acquire(need, policy, avoid)) is None:
            choice = self._choice(need, policy, None)
            candidate, position = await self._in_line(need, policy, avoid, told)
            waited_ms = round((self._clock.monotonic() - began) * 1000)
            choice = replace(choice, why=_CAME_FREE, position=position, waited_ms=waited_ms)
            lease = await self._fill(candidate, need, choice)
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
        return Lease(self._give_back, candidate, kind, None, self._clock.monotonic())

    async def reclaim(self) -> int:
        """Give back the leases that are held past their limit; whoever held them is told by the log alone.

        Returns:
            How many those were.
        """
        now = self._clock.monotonic()
        overdue = self._held.overdue(now)
        for lease in overdue:
            about = {"account_id": lease.account_id, "kind": lease.kind.value, "held_s": round(now - lease.since)}
            log.warning("lease held past its limit is given back", extra=about)
            await lease.release()
        return len(overdue)

    def can_serve(self, need: Need) -> bool:
        """Whether an account could serve this request at once."""
        self.lift_rests()
        return not self._is_full() and self._ready.has_one_for(need, self._clock.now())

    def waiting(self, signature: Signature) -> int:
        """How many wait in line for this signature."""
        return self._line.waiting(signature)

    def next_lift_s(self) -> float | None:
        """Seconds until the next rest ends by itself; None when none will."""
        return self._lifts.next_s(self._clock.now())

    def lift_rests(self) -> None:
        """Let accounts whose rest is over come back; choosing does so by itself."""
        now = self._clock.now()
        due = self._lifts.due(now)
        since = self._lifted_at or now
        self._lifted_at = now if due else self._lifted_at
        for account_id in due:
            candidate = self._candidates[account_id]
            candidate.full = frozenset()
            self._settle(candidate)
            for listener in self._lift_listeners:
                listener(candidate.account, since)

    def failing_at(self, upstream: str, call: CallKind, model: str) -> frozenset[int]:
        """The accounts that rest from such calls now, for every model or for this one."""
        now = self._clock.now()
        known = (self._candidates[account_id].account for account_id in self._failing.of(upstream, call))
        held = ((one.id, rest) for one in known for rest in one.rests if rest.call is call and rest.holds(now))
        return frozenset(account_id for account_id, rest in held if rest.model in (None, model))

    def has_any_for(self, signature: Signature) -> bool:
        """Whether some account has the plan and the tag for this signature, be it ready, busy or resting."""
        ready = self._ready.of(signature, self._clock.now())
        return bool(len(ready)) or bool(ready.refusals().keys() - UNFIT)

    def refusals(self, signature: Signature) -> dict[str, int]:
        """How many accounts could not serve this signature now, by reason."""
        self.lift_rests()
        return self._ready.of(signature, self._clock.now()).refusals()

    # --- choosing -----------------------------------------------------------------------------------------------------

    async def _acquire(self, need: Need, policy: SelectionPolicy, avoid: Collection[int]) -> Lease | None:
        self.lift_rests()
        while (candidate := self._choose(need, policy, avoid)) is not None:
            choice = self._choice(need, policy, candidate)
            self._carry(candidate, need.spec.kind, 1)
            lease = await self._fill(candidate, need, choice)
            if lease is not None:
                return lease
        return None

    def _choose(self, need: Need, policy: SelectionPolicy, avoid: Collection[int]) -> Candidate | None:
        if self._is_full():
            return None
        return self._chooser.choose(need, policy, avoid, self._clock.now())

    def _choice(self, need: Need, policy: SelectionPolicy, winner: Candidate | None) -> Choice:
        return self._chooser.explained(need, policy, winner, self._clock.now())

    def _why_not(self, need: Need, avoid: Collection[int]) -> PoolError:
        return self._refusals.why_not(need, avoid, self._clock.now(), is_full=self._is_full())

    def _is_full(self) -> bool:
        return 0 < self._most_running() <= self._running

    async def _in_line(
        self, need: Need, policy: SelectionPolicy, avoid: Collection[int], told: Callable[[Turn], None]
    ) -> tuple[Candidate, int]:
        """The account that is handed over when it is one's turn, a slot on it counted already; and where one began."""
        self._heed_limit()  # what keeps this one out is not what those before were kept out by
        waiter = self._line.join(need, avoid, policy)
        position = self._line.position(waiter)
        try:
            while waiter.given is None:
                self._check_hope(need, avoid)
                told(self._turn(waiter))
                await waiter.woken(min(self.next_lift_s() or _LOOK_AGAIN_S, _LOOK_AGAIN_S))
                self.lift_rests()
                self._heed_limit()
            return waiter.given, position
        except BaseException:
            if waiter.given is not None:
                self._carry(waiter.given, need.spec.kind, -1)
            raise
        finally:
            self._line.leave(waiter)

    def _turn(self, waiter: Waiter) -> Turn:
        position, signature = self._line.position(waiter), waiter.signature
        now = self._clock.monotonic()
        return Turn(position, self._pace.seconds_for(signature.upstream, signature.kind, position, now))

    def _check_hope(self, need: Need, avoid: Collection[int]) -> None:
        error = self._why_not(need, avoid)
        if not _HOPEFUL & error.reasons.keys():
            raise error

    def _wake_the_hopeless(self) -> None:
        """Those who wait for what no account can serve any more learn it now, and not only when they look again."""
        for signature in self._line.signatures() if self._line else ():
            ready = self._ready.of(signature, self._clock.now())
            if not len(ready) and not _HOPEFUL & ready.refusals().keys():
                self._line.wake(signature)

    async def _fill(self, candidate: Candidate, need: Need, choice: Choice) -> Lease | None:
        """Back the slot that is counted already by one of the port's; None when other processes hold them all."""
        kind, ticket = need.spec.kind, None
        limit = candidate.limit(kind)
        if limit is not None:
            try:
                ticket = await self._tickets.take(candidate.account, kind, limit)
            except BaseException:
                self._carry(candidate, kind, -1)
                raise
            if ticket is None:
                self._full_elsewhere(candidate, kind)
                return None
        lease = Lease(self._give_back, candidate, kind, ticket, self._clock.monotonic(), need.limit_s)
        lease.choice = choice
        self._held.add(lease)
        return lease

    async def _give_back(self, lease: Lease) -> None:
        candidate, kind = lease.candidate, lease.kind
        self._held.discard(lease)
        self._pace.note(candidate.account.upstream, kind, self._clock.monotonic())
        try:
            if lease.ticket is not None:
                await self._tickets.give_back(lease.ticket)
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
        self._running += change
        if change > 0:
            candidate.last_used = self._clock.monotonic()
        if candidate.has_free_slot(kind) is not had_room and self._is_here(candidate):
            now = self._clock.now()
            self._ready.restand(candidate, now, kind)
            self._hand_out(candidate, now)
        if change < 0 and self._line and self._most_running() > 0:
            self._serve_line()

    def _full_elsewhere(self, candidate: Candidate, kind: MediaKind) -> None:
        """Other processes hold all its slots: it is busy for a moment, then it is asked again."""
        self._carry(candidate, kind, -1, candidate.full | {kind})
        if self._is_here(candidate):
            self._lifts.schedule(candidate.account.id, self._clock.now() + _FULL_ELSEWHERE)

    def _settle(self, candidate: Candidate) -> None:
        """Note everywhere how the account stands, and when that changes by itself; give it to who waits for it."""
        account, now = candidate.account, self._clock.now()
        self._lifted_at = self._lifted_at or now
        ends = [rest.until for rest in account.rests if rest.until is not None and rest.until > now]
        if ends:
            self._lifts.schedule(account.id, min(ends))
        candidate.on_probation = _probation(account, now) if account.rests else _NO_PROBATION
        if not account.is_warm and not any(rest.holds(now) for rest in account.rests if rest.is_whole):
            self._warming[account.id] = None
        else:
            self._warming.pop(account.id, None)
        self._ready.restand(candidate, now)
        self._hand_out(candidate, now)

    def _hand_out(self, candidate: Candidate, now: datetime) -> None:
        while self._line and not self._is_full() and (waiter := self._line.first_for(candidate, now)) is not None:
            self._hand(candidate, waiter)

    def _heed_limit(self) -> None:
        """Let in whom a limit that the operator has changed keeps out no more."""
        most = self._most_running()
        if most != self._heeded:
            self._heeded = most
            self._serve_line()

    def _serve_line(self) -> None:
        """With a limit on all that runs, accounts may be ready while requests wait: these have what room there is now."""
        in_vain: set[tuple[Signature, str]] = set()
        for waiter in self._line.in_turn():
            if self._is_full():
                return
            need = waiter.need
            wanted, is_plain = (waiter.signature, need.spec.name), need.only is None and not waiter.avoid
            # Who is handed an account may leave it room for another kind, which goes to the next one there and then.
            if waiter.given is not None or waiter.policy is None or (is_plain and wanted in in_vain):
                continue
            candidate = self._choose(need, waiter.policy, waiter.avoid)
            if candidate is not None:
                self._hand(candidate, waiter)
            elif is_plain:
                in_vain.add(wanted)

    def _hand(self, candidate: Candidate, waiter: Waiter) -> None:
        self._line.serve(waiter, candidate)
        self._carry(candidate, waiter.need.spec.kind, 1)

    def _is_here(self, candidate: Candidate) -> bool:
        return self._candidates.get(candidate.account.id) is candidate


def _probation(account: Account, now: datetime) -> frozenset[MediaKind]:
    return frozenset(kind for kind in MediaKind if account.probation(CallKind.making(kind), now) is not None)

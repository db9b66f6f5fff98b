"""Every account in memory: how it stands, how much it carries, and who could serve what."""

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Protocol

from flow2api.domain.account import Account, CallKind
from flow2api.domain.account_hosts import AccountHosts
from flow2api.domain.call_rests import CallRests
from flow2api.domain.choice import Choice
from flow2api.domain.chooser import Chooser
from flow2api.domain.errors import PoolError
from flow2api.domain.held_leases import HeldLeases
from flow2api.domain.lifts import Lifts
from flow2api.domain.media import MediaKind
from flow2api.domain.pace import Pace
from flow2api.domain.pool_refusals import PoolRefusals
from flow2api.domain.ports.system import Clock
from flow2api.domain.ready_sets import ReadySets
from flow2api.domain.selection import UNFIT, WARMING, Candidate, Need, SelectionPolicy, Signature, refusal

_FULL_ELSEWHERE = timedelta(seconds=1)
"""How long an account counts as busy whose slots other processes hold."""

_NO_PROBATION = frozenset[MediaKind]()


class Waiters(Protocol):
    """Who is told when an account may serve somebody; at once, and without an error."""

    def has_room(self, candidate: Candidate, now: datetime) -> None:
        """This account can take on more than before, or other work."""
        ...

    def has_less_to_do(self) -> None:
        """One generation less runs, of all that may under a common limit."""
        ...

    def has_changed(self) -> None:
        """An account has come, changed or gone."""
        ...


class _Nobody:
    def has_room(self, candidate: Candidate, now: datetime) -> None: ...

    def has_less_to_do(self) -> None: ...

    def has_changed(self) -> None: ...


class Roster:
    """All accounts of all upstreams as this process sees them. It decides in memory alone.

    Attributes:
        candidates: The accounts by number.
        ready_sets: Who could serve what.
        most_running: How many leases may be held at once, over all accounts; 0 for any number.
        running: How many leases are held, over all accounts.
        held: The leases that have a time limit.
        pace: How fast slots come free.
        hosts: Which accounts are served at which host.
    """

    def __init__(self, clock: Clock, random: Random | None, most_running: Callable[[], int]) -> None:
        self.clock = clock
        self.most_running = most_running
        self.running = 0
        self.held = HeldLeases()
        self.pace = Pace()
        self.hosts = AccountHosts()
        self.candidates: dict[int, Candidate] = {}
        self.ready_sets = ReadySets(self.candidates)
        self._failing = CallRests()
        self._lifts = Lifts()
        self._lifted_at: datetime | None = None
        self._chooser = Chooser(
            self.candidates,
            self.ready_sets,
            self._failing,
            random or Random(),  # noqa: S311  # spreads load, guards nothing
        )
        self._refusals = PoolRefusals(self.candidates, self.ready_sets, self._lifts)
        self._warming: dict[int, None] = {}
        self._waiters: Waiters = _Nobody()
        self._listeners: list[Callable[[Account], None]] = []
        self._lift_listeners: list[Callable[[Account, datetime], None]] = []

    def attend(self, waiters: Waiters) -> None:
        """Tell these from now on."""
        self._waiters = waiters

    def subscribe(self, listener: Callable[[Account], None]) -> None:
        """Call this with every account that is put in from now on; it must be quick and must not raise."""
        self._listeners.append(listener)

    def subscribe_to_lifts(self, listener: Callable[[Account, datetime], None]) -> None:
        """Call this with every account of which a rest has ended by time, and the moment since which it has."""
        self._lift_listeners.append(listener)

    def __len__(self) -> int:
        return len(self.candidates)

    def __iter__(self) -> Iterator[Account]:
        return (candidate.account for candidate in self.candidates.values())

    def get(self, account_id: int) -> Account | None:
        """The account as this process knows it."""
        candidate = self.candidates.get(account_id)
        return None if candidate is None else candidate.account

    def load_of(self, account_id: int, kind: MediaKind) -> int:
        """How many generations of this kind the account carries for this process."""
        return self.candidates[account_id].load(kind)

    def prepare(self, signatures: Iterable[Signature]) -> None:
        """Make the ready sets of these signatures now, so that no request has to."""
        for signature in signatures:
            self.ready_sets.of(signature, self.clock.now())

    def put(self, account: Account) -> None:
        """Take in a new account, or what is new about a known one. Its leases are not touched."""
        candidate = self.candidates.get(account.id)
        before = None if candidate is None else candidate.account
        self._failing.change(before, account)
        self.hosts.change(before, account)
        if candidate is None:
            self.ready_sets.exclude(None, account)
            candidate = self.candidates[account.id] = Candidate(account)
        else:
            self.ready_sets.exclude(candidate.account, account)
            candidate.account = account
        self._settle(candidate)
        self._waiters.has_changed()
        for listener in self._listeners:
            listener(account)

    def confirm(self, account: Account) -> None:
        """Have what is stored of an account; one that is as it was is another object from now on, and nobody is told.

        So whoever has read the account meanwhile, and compares the objects, sees that his reading may be older.
        """
        candidate = self.candidates.get(account.id)
        if candidate is not None and candidate.account == account:
            candidate.account = account
        else:
            self.put(account)

    def reach(self, account_id: int, *, has_way: bool) -> None:
        """Note whether there is a way to upstream for an account; without one it is not chosen, whatever its health."""
        candidate = self.candidates.get(account_id)
        if candidate is not None and candidate.has_way is not has_way:
            candidate.has_way = has_way
            self._settle(candidate)

    def remove(self, account_id: int) -> None:
        """Forget an account; leases on it can still be released."""
        candidate = self.candidates.pop(account_id, None)
        if candidate is None:
            return
        self.ready_sets.exclude(candidate.account, None)
        self._failing.change(candidate.account, None)
        self.hosts.change(candidate.account, None)
        self._warming.pop(account_id, None)
        self._lifts.forget(account_id)
        self.ready_sets.forget(account_id)
        self._waiters.has_changed()

    def warming(self, signature: Signature, avoid: Collection[int] = ()) -> int | None:
        """An account that could serve this signature once it is warmed, if there is one."""
        now = self.clock.now()
        return next(
            (i for i in self._warming if i not in avoid and refusal(self.candidates[i], signature, now) == WARMING),
            None,
        )

    def can_serve(self, need: Need, avoid: Collection[int] = frozenset()) -> bool:
        """Whether an account other than these could serve this request at once."""
        self.lift_rests()
        return not self.is_full() and self.ready_sets.has_one_for(need, self.clock.now(), avoid)

    def next_lift_s(self) -> float | None:
        """Seconds until the next rest ends by itself; None when none will."""
        return self._lifts.next_s(self.clock.now())

    def lift_rests(self) -> None:
        """Let accounts whose rest is over come back; choosing does so by itself."""
        now = self.clock.now()
        due = self._lifts.due(now)
        since = self._lifted_at or now
        self._lifted_at = now if due else self._lifted_at
        for account_id in due:
            candidate = self.candidates[account_id]
            candidate.full = frozenset()
            self._settle(candidate)
            for listener in self._lift_listeners:
                listener(candidate.account, since)

    def failing_at(self, upstream: str, call: CallKind, model: str) -> frozenset[int]:
        """The accounts that rest from such calls now, for every model or for this one."""
        now = self.clock.now()
        known = (self.candidates[account_id].account for account_id in self._failing.of(upstream, call))
        held = ((one.id, rest) for one in known for rest in one.rests if rest.call is call and rest.holds(now))
        return frozenset(account_id for account_id, rest in held if rest.model in (None, model))

    def has_any_for(self, signature: Signature) -> bool:
        """Whether some account has the plan and the tag for this signature, be it ready, busy or resting."""
        ready = self.ready_sets.of(signature, self.clock.now())
        return bool(len(ready)) or bool(ready.refusals().keys() - UNFIT)

    def refusals(self, signature: Signature) -> dict[str, int]:
        """How many accounts could not serve this signature now, by reason."""
        self.lift_rests()
        return self.ready_sets.of(signature, self.clock.now()).refusals()

    def foresee(self, need: Need, policy: SelectionPolicy, count: int) -> list[Account]:
        """The accounts that a policy would choose now, one after the other, each once; nothing is held or counted.

        Args:
            policy: One of its own for this question, because some policies remember what they chose.
        """
        self.lift_rests()
        now, chosen = self.clock.now(), list[Account]()
        while len(chosen) < count:
            found = self._chooser.choose(need, policy, [one.id for one in chosen], now)
            if found is None:
                break
            chosen.append(found.account)
        return chosen

    def ready_for(self, signature: Signature) -> int:
        """How many accounts could serve this signature now."""
        self.lift_rests()
        return self.ready_sets.of(signature, self.clock.now()).ready

    # --- choosing -----------------------------------------------------------------------------------------------------

    def choose(self, need: Need, policy: SelectionPolicy, avoid: Collection[int]) -> Candidate | None:
        """An account that could serve this now; None when there is none, or no room for it."""
        if self.is_full():
            return None
        return self._chooser.choose(need, policy, avoid, self.clock.now())

    def explained(self, need: Need, policy: SelectionPolicy, winner: Candidate | None) -> Choice:
        """What is to be written down of a choice; without a winner, of the wait for one."""
        return self._chooser.explained(need, policy, winner, self.clock.now())

    def why_not(self, need: Need, avoid: Collection[int]) -> PoolError:
        """The error for a request that got no account."""
        return self._refusals.why_not(need, avoid, self.clock.now(), is_full=self.is_full())

    def is_full(self) -> bool:
        """Whether as many run as may."""
        return 0 < self.most_running() <= self.running

    # --- standing -----------------------------------------------------------------------------------------------------

    def carry(
        self, candidate: Candidate, kind: MediaKind, change: int, full: frozenset[MediaKind] | None = None
    ) -> None:
        """Count one more or less on an account.

        Args:
            full: The kinds of which other processes hold every slot; None for no change.
        """
        had_room = candidate.has_free_slot(kind)
        if full is not None:
            candidate.full = full
        if kind is MediaKind.IMAGE:
            candidate.images += change
        else:
            candidate.videos += change
        self.running += change
        if change > 0:
            candidate.last_used = self.clock.monotonic()
        # With a limit on all that runs others may be ready, too: then whose turn it is comes before who fits this account.
        by_turn = change < 0 and self.most_running() > 0
        if candidate.has_free_slot(kind) is not had_room and self.is_here(candidate):
            now = self.clock.now()
            self.ready_sets.restand(candidate, now, kind)
            if not by_turn:
                self._waiters.has_room(candidate, now)
        if by_turn:
            self._waiters.has_less_to_do()

    def full_elsewhere(self, candidate: Candidate, kind: MediaKind) -> None:
        """Other processes hold all its slots: it is busy for a moment, then it is asked again."""
        self.carry(candidate, kind, -1, candidate.full | {kind})
        if self.is_here(candidate):
            self._lifts.schedule(candidate.account.id, self.clock.now() + _FULL_ELSEWHERE)

    def _settle(self, candidate: Candidate) -> None:
        """Note everywhere how the account stands, and when that changes by itself; give it to who waits for it."""
        account, now = candidate.account, self.clock.now()
        self._lifted_at = self._lifted_at or now
        ends = [rest.until for rest in account.rests if rest.until is not None and rest.until > now]
        if ends:
            self._lifts.schedule(account.id, min(ends))
        candidate.on_probation = _probation(account, now) if account.rests else _NO_PROBATION
        if not account.is_warm and not any(rest.holds(now) for rest in account.rests if rest.is_whole):
            self._warming[account.id] = None
        else:
            self._warming.pop(account.id, None)
        self.ready_sets.restand(candidate, now)
        self._waiters.has_room(candidate, now)

    def is_here(self, candidate: Candidate) -> bool:
        """Whether it is still one of them."""
        return self.candidates.get(candidate.account.id) is candidate


def _probation(account: Account, now: datetime) -> frozenset[MediaKind]:
    return frozenset(kind for kind in MediaKind if account.probation(CallKind.making(kind), now) is not None)

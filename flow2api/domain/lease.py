"""The pool: leases on accounts, taken at once or waited for."""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from random import Random

from flow2api.domain.choice import Choice
from flow2api.domain.errors import NoEligibleAccountError
from flow2api.domain.held_leases import Lease
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.coordination import Slots
from flow2api.domain.ports.system import Clock
from flow2api.domain.roster import Roster
from flow2api.domain.selection import Candidate, Need, SelectionPolicy, Signature
from flow2api.domain.slot_tickets import SlotTickets
from flow2api.domain.turns import Turns
from flow2api.domain.waiting_line import Turn

__all__ = ["AccountPool", "Lease"]

log = logging.getLogger(__name__)

_CAME_FREE = "it came free when it was this request's turn"


class AccountPool(Roster):
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
        super().__init__(clock, random, most_running)
        self._tickets = SlotTickets(slots)
        self._turns = Turns(self)
        self.attend(self._turns)

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
            raise self.why_not(need, avoid)
        return lease

    async def wait(
        self,
        need: Need,
        policy: SelectionPolicy,
        avoid: Collection[int] = (),
        told: Callable[[Turn], None] = lambda turn: None,
        others: Sequence[Need] = (),
        stands: Callable[[Callable[[], Turn | None]], None] = lambda where: None,
    ) -> Lease:
        """Like `acquire`, but while all that could serve are busy, wait for one: fair between keys, else in the order of coming.

        Args:
            told: Hears where the request stands, at once and every few seconds; must be quick and must not raise.
            others: What would serve as well, while no account is free for the need itself; of the same key and kind.
            stands: Is given, when the wait begins, what tells at any moment where the request stands; None when it does not
                wait (any more).

        Raises:
            PoolError: None of them will come free any more.
        """
        avoid, began, needs = frozenset(avoid), self.clock.monotonic(), (need, *others)
        for one in needs:
            if (lease := await self._acquire(one, policy, avoid)) is not None:
                return lease
        self._turns.heed_limit()  # what keeps this one out is not what those before were kept out by
        choices = [self.explained(one, policy, None) for one in needs]
        waiter = self._turns.line.join(need, avoid, policy, others)
        position = self._turns.line.position(waiter)
        stands(lambda: self._turns.turn(waiter) if waiter in self._turns.line else None)
        try:
            while True:
                candidate = await self._turns.account_for(waiter, told)
                waited_ms = round((self.clock.monotonic() - began) * 1000)
                choice = choices[waiter.index]
                choice = replace(choice, why=_CAME_FREE, position=position, waited_ms=waited_ms)
                lease = await self._fill(candidate, waiter.need, choice)
                if lease is not None:
                    return lease
                self._turns.line.rejoin(waiter)
                self._turns.serve(waiter)
        finally:
            self._turns.line.leave(waiter)

    async def take(self, account_id: int, kind: MediaKind) -> Lease:
        """Hold one more slot of a given account, whatever its limit: for work that was begun before a restart.

        Raises:
            NoEligibleAccountError: The account was removed.
        """
        candidate = self.candidates.get(account_id)
        if candidate is None:
            raise NoEligibleAccountError({"removed": 1})
        self.carry(candidate, kind, 1)
        return Lease(self._give_back, candidate, kind, None, self.clock.monotonic())

    async def reclaim(self) -> int:
        """Give back the leases that are held past their limit; whoever held them is told by the log alone.

        Returns:
            How many those were.
        """
        now = self.clock.monotonic()
        overdue = self.held.overdue(now)
        for lease in overdue:
            about = {"account_id": lease.account_id, "kind": lease.kind.value, "held_s": round(now - lease.since)}
            log.warning("lease held past its limit is given back", extra=about)
            await lease.release()
        return len(overdue)

    def waiting(self, signature: Signature) -> int:
        """How many wait in line for this signature."""
        return self._turns.line.waiting(signature)

    # --- choosing -----------------------------------------------------------------------------------------------------

    async def _acquire(self, need: Need, policy: SelectionPolicy, avoid: Collection[int]) -> Lease | None:
        self.lift_rests()
        while (candidate := self.choose(need, policy, avoid)) is not None:
            choice = self.explained(need, policy, candidate)
            self.carry(candidate, need.spec.kind, 1)
            lease = await self._fill(candidate, need, choice)
            if lease is not None:
                return lease
        return None

    async def _fill(self, candidate: Candidate, need: Need, choice: Choice) -> Lease | None:
        """Back the slot that is counted already by one of the port's; None when other processes hold them all."""
        kind, ticket = need.spec.kind, None
        limit = candidate.limit(kind)
        if limit is not None:
            try:
                ticket = await self._tickets.take(candidate.account, kind, limit)
            except BaseException:
                self.carry(candidate, kind, -1)
                raise
            if ticket is None:
                self.full_elsewhere(candidate, kind)
                return None
        lease = Lease(self._give_back, candidate, kind, ticket, self.clock.monotonic(), need.limit_s)
        lease.choice, lease.need = choice, need
        self.held.add(lease)
        return lease

    async def _give_back(self, lease: Lease) -> None:
        candidate, kind = lease.candidate, lease.kind
        self.held.discard(lease)
        now = self.clock.monotonic()
        self.pace.returned(candidate.account.upstream, kind, now, now - lease.since)
        try:
            if lease.ticket is not None:
                await self._tickets.give_back(lease.ticket)
        finally:
            self.carry(candidate, kind, -1, candidate.full - {kind})

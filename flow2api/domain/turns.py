"""Whose turn it is when accounts come free, and what those hear who wait."""

from collections.abc import Callable
from datetime import datetime

from flow2api.domain.media import MediaKind
from flow2api.domain.roster import Roster
from flow2api.domain.selection import OCCUPIED, WARMING, Candidate, Need, Signature
from flow2api.domain.waiting_line import Turn, Waiter, WaitingLine

_LOOK_AGAIN_S = 5.0
"""How long who waits trusts to be served in turn before it asks whether it still can be."""

_HOPEFUL = OCCUPIED | {WARMING}
"""Refusals of accounts that may come free for who waits."""


class Turns:
    """Hands accounts that come free to those who wait in the line.

    Whatever is ready goes to whose turn it is at once; so what is ready when somebody comes is free for him.
    """

    def __init__(self, roster: Roster) -> None:
        self.line = WaitingLine()
        self._roster = roster
        self._lookout: Waiter | None = None
        self._heeded = 0

    async def account_for(self, waiter: Waiter, told: Callable[[Turn], None]) -> Candidate:
        """The account that is handed over when it is his turn, a slot on it counted already."""
        try:
            while waiter.given is None:
                self._check_hope(waiter)
                if waiter.given is None:
                    told(self.turn(waiter))
                    await waiter.woken(self._patience_s(waiter))
                    self._roster.lift_rests()
                    self.heed_limit()
            return waiter.given
        except BaseException:
            if waiter.given is not None:
                self._roster.carry(waiter.given, waiter.need.spec.kind, -1)
            raise
        finally:
            self._relieve(waiter)

    def _patience_s(self, waiter: Waiter) -> float:
        """How long one waits before one looks again: at different times, and only one of all looks out for ends of rests."""
        patience_s = _LOOK_AGAIN_S * (1 - waiter.number % 32 / 64)
        if self._lookout is None:
            self._lookout = waiter
        return min(self._roster.next_lift_s() or patience_s, patience_s) if self._lookout is waiter else patience_s

    def _relieve(self, waiter: Waiter) -> None:
        """Somebody else looks out from now on."""
        if self._lookout is waiter:
            self._lookout = None
            self.line.leave(waiter)
            if (other := self.line.anyone()) is not None:
                other.wake()

    def turn(self, waiter: Waiter) -> Turn:
        """The best of its turns, for it may stand in the lines of several upstreams."""
        now = self._roster.clock.monotonic()
        if self._roster.is_full():
            ahead = self.line.position_among_all(waiter)
            return Turn(ahead, self._roster.pace.seconds_for(ahead, now, held=self._roster.running))
        places = self.line.positions(waiter)
        turns = [Turn(ahead, self._seconds_for(place, ahead, now)) for place, ahead in places.items()]
        return min(turns, key=lambda turn: (turn.starts_in_s is None, turn.starts_in_s or 0.0, turn.position))

    def _seconds_for(self, place: tuple[str, MediaKind], ahead: int, now: float) -> float | None:
        held = self._roster.held
        return self._roster.pace.seconds_for(
            ahead, now, held=held.count(*place), latest=held.latest(*place), place=place
        )

    def _check_hope(self, waiter: Waiter) -> None:
        """Raise when no account will come free any more; where most fail, the least bad serves those who wait as well."""
        errors = [self._roster.why_not(need, waiter.avoid) for need in waiter.needs]
        if not any(_HOPEFUL & error.reasons.keys() for error in errors) and not self.serve(waiter):
            raise errors[0]

    def serve(self, waiter: Waiter) -> bool:
        """Give him an account if one is ready; whether one was."""
        for need in waiter.needs:
            if (candidate := self._roster.choose(need, waiter.policy, waiter.avoid)) is not None:
                self._hand(candidate, waiter, need)
                return True
        return False

    def has_changed(self) -> None:
        """Those who wait for what no account can serve any more learn it now, and not only when they look again."""
        for signature in self.line.signatures() if self.line else ():
            ready = self._roster.ready_sets.of(signature, self._roster.clock.now())
            if not len(ready) and not _HOPEFUL & ready.refusals().keys():
                self.line.wake(signature)

    def has_room(self, candidate: Candidate, now: datetime) -> None:
        """It goes to whose turn it is of those whom it can serve."""
        while self.line and not self._roster.is_full() and (first := self.line.first_for(candidate, now)) is not None:
            self._hand(candidate, *first)

    def heed_limit(self) -> None:
        """Let in whom a limit that the operator has changed keeps out no more."""
        most = self._roster.most_running()
        if most != self._heeded:
            self._heeded = most
            self.has_less_to_do()

    def has_less_to_do(self) -> None:
        """With a limit on all that runs, accounts may be ready while requests wait: these have what room there is now."""
        if not self.line:
            return
        in_vain: set[tuple[Signature, str]] = set()
        for waiter in self.line.in_turn():
            if self._roster.is_full():
                return
            wanted = {
                (signature, need.spec.name) for signature, need in zip(waiter.signatures, waiter.needs, strict=True)
            }
            is_plain = waiter.need.only is None and not waiter.avoid
            if (is_plain and wanted <= in_vain) or self.serve(waiter):
                continue
            if is_plain:
                in_vain |= wanted

    def _hand(self, candidate: Candidate, waiter: Waiter, need: Need) -> None:
        self.line.serve(waiter, candidate, need)
        self._roster.carry(candidate, need.spec.kind, 1)

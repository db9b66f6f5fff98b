"""Why no account could be chosen."""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime

from flow2api.domain.errors import NoEligibleAccountError, PoolBusyError, PoolError
from flow2api.domain.lifts import Lifts
from flow2api.domain.ready_sets import ReadySets
from flow2api.domain.selection import BUSY, FULL, MAX_RUNNING, OCCUPIED, PASSING, Candidate, Need, refusal_for

_BUSY_RETRY_S = 5.0


class PoolRefusals:
    """Makes the errors that tell it; only when that has happened."""

    def __init__(self, candidates: Mapping[int, Candidate], ready: ReadySets, lifts: Lifts) -> None:
        self._candidates = candidates
        self._ready = ready
        self._lifts = lifts

    def why_not(self, need: Need, avoid: Collection[int], now: datetime, *, is_full: bool) -> PoolError:
        """The error for a request that got no account.

        Args:
            is_full: As many generations run as the operator allows.
        """
        reasons = self._reasons(need, avoid, now, is_full=is_full)
        if OCCUPIED & reasons.keys():
            return PoolBusyError(reasons, retry_after_s=self._retry_after_s(reasons, now))
        waiting_helps = bool(PASSING & reasons.keys())
        return NoEligibleAccountError(reasons, waiting_helps=waiting_helps)

    def _reasons(self, need: Need, avoid: Collection[int], now: datetime, *, is_full: bool) -> dict[str, int]:
        """How many are refused for what. Of the accounts to avoid, those with nothing lasting against them were tried."""
        known = [one for account_id in avoid if (one := self._candidates.get(account_id)) is not None]
        against = Counter(refusal_for(one, need.spec, need.signature, now) for one in known)
        tried = Counter(self._reasons_of_all(need, now))
        tried[BUSY] -= against[BUSY]
        tried["tried"] = against[BUSY] + against[None]
        if is_full:
            tried[MAX_RUNNING] = self._ready_for(need, now) - against[None]
        return dict(+tried)

    def _reasons_of_all(self, need: Need, now: datetime) -> dict[str, int]:
        if need.only is None:
            return self._ready.refusals(need, now)
        candidate = self._candidates.get(need.only)
        if candidate is None:
            return {"removed": 1}
        why = refusal_for(candidate, need.spec, need.signature, now)
        return {} if why is None else {why: 1}

    def _ready_for(self, need: Need, now: datetime) -> int:
        """How many accounts only wait for room under the limit on all that runs."""
        if need.only is None:
            return self._ready.counts(need, now)[0]
        candidate = self._candidates.get(need.only)
        return int(candidate is not None and refusal_for(candidate, need.spec, need.signature, now) is None)

    def _retry_after_s(self, reasons: dict[str, int], now: datetime) -> float:
        """A few seconds while one is busy; else until the next rest of any account ends."""
        lift_s = None if FULL & reasons.keys() else self._lifts.next_s(now)
        return _BUSY_RETRY_S if lift_s is None else lift_s

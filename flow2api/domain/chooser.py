"""Picks an account for a request, and says why."""

from collections.abc import Collection, Mapping
from datetime import datetime
from random import Random

from flow2api.domain.account import CallKind
from flow2api.domain.call_rests import CallRests
from flow2api.domain.choice import Choice
from flow2api.domain.guarded_policy import GuardedPolicy
from flow2api.domain.least_bad import LOOKED_AT, is_in_need, least_bad
from flow2api.domain.ready_sets import ReadySets
from flow2api.domain.selection import Candidate, Need, SelectionPolicy, refusal_for


class Chooser:
    """Asks the policy among the ready accounts; beyond it stand requests that only one account can serve, and bad times."""

    def __init__(
        self, candidates: Mapping[int, Candidate], ready: ReadySets, failing: CallRests, random: Random
    ) -> None:
        self._candidates = candidates
        self._ready = ready
        self._failing = failing
        self._random = random

    def choose(self, need: Need, policy: SelectionPolicy, avoid: Collection[int], now: datetime) -> Candidate | None:
        """An account that can serve now; None when there is none."""
        if need.only is None:
            return self._ready.choose(need, policy, avoid, self._random, now) or self._least_bad(need, avoid, now)
        candidate = None if need.only in avoid else self._candidates.get(need.only)
        if candidate is None or refusal_for(candidate, need.spec, need.signature, now) is not None:
            return None
        return candidate

    def explained(self, need: Need, policy: SelectionPolicy, winner: Candidate | None, now: datetime) -> Choice:
        """What is to be written down, before the winner is given anything to do; without a winner, of the wait for one."""
        ready, refused = self._ready.counts(need, now)
        name = policy.name if isinstance(policy, GuardedPolicy) else type(policy).__name__
        return Choice(name, ready, refused, "" if winner is None else self._why(need, policy, winner, ready))

    def _why(self, need: Need, policy: SelectionPolicy, winner: Candidate, ready: int) -> str:
        if need.only is not None:
            return "only it has what the request builds on"
        if not ready:
            return "most accounts fail, and of these it is the least bad"
        return policy.explain(winner, need) if isinstance(policy, GuardedPolicy) else ""

    def _least_bad(self, need: Need, avoid: Collection[int], now: datetime) -> Candidate | None:
        if not is_in_need(self._ready.of(need.signature, now)):
            return None
        upstream, call = need.spec.upstream, CallKind.making(need.spec.kind)
        some = self._failing.sample(upstream, call, self._random, LOOKED_AT)
        return least_bad([self._candidates[i] for i in some if i not in avoid], need, now)

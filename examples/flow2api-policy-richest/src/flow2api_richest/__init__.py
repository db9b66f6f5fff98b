"""A selection policy: the account with the most credits first, so that all of them run dry at about the same time."""

from collections.abc import Iterable
from random import Random

from flow2api.domain.selection import Candidate, Need, ReadySet
from flow2api.hookspecs import NamedPolicy, hookimpl

SAMPLES = 8
"""How many accounts are compared at most: a choice costs the same among ten and among a hundred thousand."""


class Richest:
    """Of eight drawn by chance, the one with the most credits; of equals, the one that carries least."""

    def select(self, ready: ReadySet, need: Need, random: Random) -> Candidate:
        """The account to use."""
        drawn = list(ready) if len(ready) <= SAMPLES else [ready.sample(random) for _ in range(SAMPLES)]
        return max(drawn, key=lambda one: (_credits(one), -one.load(need.spec.kind), -one.account.id))

    def explain(self, candidate: Candidate, need: Need) -> str:
        """Why it was chosen."""
        known = candidate.account.credits
        return "its credits are not known" if known is None else f"the most credits of those drawn: {known}"


def _credits(candidate: Candidate) -> int:
    # An account that does not tell comes after those that do.
    return -1 if candidate.account.credits is None else candidate.account.credits


@hookimpl
def register_selection_policies() -> Iterable[NamedPolicy]:
    """The policy ``richest``."""
    return [NamedPolicy("richest", Richest, "the account with the most credits among eight drawn by chance")]

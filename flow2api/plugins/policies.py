"""The built-in selection policies."""

from collections.abc import Iterable
from random import Random

from flow2api.domain.selection import Candidate, Need, ReadySet, Signature
from flow2api.hookspecs import NamedPolicy, hookimpl

_SAMPLES = 8


class RandomChoice:
    """Any ready account, each with the same chance."""

    def select(self, ready: ReadySet, need: Need, random: Random) -> Candidate:
        """One draw."""
        return ready.sample(random)


class Weighted:
    """Any ready account, each with a chance in proportion to its weight."""

    def select(self, ready: ReadySet, need: Need, random: Random) -> Candidate:
        """One draw by weight."""
        return ready.sample_by_weight(random)


class RoundRobin:
    """One after the other."""

    def __init__(self) -> None:
        self._cursors: dict[Signature, int] = {}

    def select(self, ready: ReadySet, need: Need, random: Random) -> Candidate:
        """The next one behind the cursor; kinds of requests that take turns do not push each other's on."""
        signature = need.signature
        cursor = self._cursors[signature] = (self._cursors.get(signature, -1) + 1) % len(ready)
        return ready.at(cursor)


class LeastBusy:
    """The less loaded of two drawn by weight: nearly as even as looking at all of them, at a fraction of the cost."""

    def select(self, ready: ReadySet, need: Need, random: Random) -> Candidate:
        """Two draws; the one that carries less, relative to its weight."""
        one = ready.sample_by_weight(random)
        other = ready.sample_by_weight(random)
        kind = need.spec.kind
        one_load = one.load(kind) / one.account.weight
        other_load = other.load(kind) / other.account.weight
        return other if other_load < one_load else one


class LeastRecentlyUsed:
    """Among eight drawn, the one that has rested longest."""

    def select(self, ready: ReadySet, need: Need, random: Random) -> Candidate:
        """Eight draws; the oldest last use."""
        return min(_drawn(ready, random), key=lambda one: one.last_used)


class MostCredits:
    """Among eight drawn, the one with the most credits left; unknown counts as none."""

    def select(self, ready: ReadySet, need: Need, random: Random) -> Candidate:
        """Eight draws; the richest."""
        return max(_drawn(ready, random), key=lambda one: one.account.credits or 0)


class FillFirst:
    """The same account as long as it has room, then the next one."""

    def select(self, ready: ReadySet, need: Need, random: Random) -> Candidate:
        """The first place; a full account leaves it by itself."""
        return ready.at(0)


def _drawn(ready: ReadySet, random: Random) -> list[Candidate]:
    """Eight, each with the same chance; the set is looked at once."""
    at, draw, size = ready.at, random.random, len(ready)
    return [at(int(draw() * size)) for _ in range(_SAMPLES)]


@hookimpl
def register_selection_policies() -> Iterable[NamedPolicy]:
    """The policies every installation has."""
    return [
        NamedPolicy("random", RandomChoice, "any ready account"),
        NamedPolicy("weighted", Weighted, "any ready account, in proportion to weight"),
        NamedPolicy("round_robin", RoundRobin, "one after the other"),
        NamedPolicy("least_busy", LeastBusy, "the less loaded of two"),
        NamedPolicy("least_recently_used", LeastRecentlyUsed, "the one that rested longest, of eight"),
        NamedPolicy("most_credits", MostCredits, "the one with the most credits, of eight"),
        NamedPolicy("fill_first", FillFirst, "one account as long as it has room"),
    ]

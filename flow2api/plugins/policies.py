"""The built-in selection policies."""

from collections import OrderedDict
from collections.abc import Iterable
from random import Random

from flow2api.domain.media import MediaKind
from flow2api.domain.selection import Candidate, Need, ReadySet, Signature
from flow2api.domain.spread_dict import SpreadDict
from flow2api.hookspecs import NamedPolicy, hookimpl

_SAMPLES = 8


class RandomChoice:
    """Any ready account, each with the same chance."""

    def select(self, ready: ReadySet, need: Need, random: Random) -> Candidate:
        """One draw."""
        return ready.sample(random)

    def explain(self, candidate: Candidate, need: Need) -> str:
        """The same for everybody."""
        return "drawn, each with the same chance"


class Weighted:
    """Any ready account, each with a chance in proportion to its weight."""

    def select(self, ready: ReadySet, need: Need, random: Random) -> Candidate:
        """One draw by weight."""
        return ready.sample_by_weight(random)

    def explain(self, candidate: Candidate, need: Need) -> str:
        """Its weight."""
        return f"drawn by weight, its own being {candidate.account.weight}"


class RoundRobin:
    """One after the other, the kinds of requests each for themselves.

    Accounts that are busy leave the ready ones and come back to another place, so places alone tell no turns: of the next
    few places that account is taken whose turn was longest ago.
    """

    def __init__(self) -> None:
        self._rounds: dict[Signature, _Round] = {}

    def select(self, ready: ReadySet, need: Need, random: Random) -> Candidate:
        """Of eight places from the cursor on, the account that has gone without a turn for longest."""
        signature = need.signature
        known = self._rounds.get(signature)
        if known is None:
            known = self._rounds[signature] = _Round()
        return known.next(ready)

    def explain(self, candidate: Candidate, need: Need) -> str:
        """The same for everybody."""
        return "its turn came"


class _Round:
    """The turns of one kind of requests."""

    __slots__ = ("_cursor", "_number", "_turns")

    def __init__(self) -> None:
        self._cursor = -1
        self._number = 0
        self._turns: SpreadDict[int] = SpreadDict()

    def next(self, ready: ReadySet) -> Candidate:
        at, size, turns = ready.at, len(ready), self._turns.get
        begin = self._cursor = (self._cursor + 1) % size
        looked_at = [at((begin + step) % size) for step in range(min(_SAMPLES, size))]
        chosen = min(looked_at, key=lambda one: turns(one.account.id) or 0)
        self._number += 1
        self._turns[chosen.account.id] = self._number
        return chosen


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

    def explain(self, candidate: Candidate, need: Need) -> str:
        """What it carries."""
        load, weight = candidate.load(need.spec.kind), candidate.account.weight
        return f"the less busy of two drawn by weight: it carried {load}, its weight is {weight}"


class LeastRecentlyUsed:
    """Among eight drawn, the one that has rested longest."""

    def select(self, ready: ReadySet, need: Need, random: Random) -> Candidate:
        """Eight draws; the oldest last use."""
        return min(_drawn(ready, random), key=lambda one: one.last_used)

    def explain(self, candidate: Candidate, need: Need) -> str:
        """Whether it was used at all."""
        return "used longest ago of eight drawn" if candidate.last_used else "not used yet, of eight drawn"


class MostCredits:
    """Among eight drawn, the one with the most credits left; unknown counts as none."""

    def select(self, ready: ReadySet, need: Need, random: Random) -> Candidate:
        """Eight draws; the richest."""
        return max(_drawn(ready, random), key=lambda one: one.account.credits or 0)

    def explain(self, candidate: Candidate, need: Need) -> str:
        """Its credits."""
        left = candidate.account.credits
        return f"the most credits of eight drawn: {'unknown' if left is None else left}"


class FillFirst:
    """The same account as long as it has room, then another; so as few are at work as can carry it, or one more."""

    def __init__(self) -> None:
        self._current: dict[Signature, int] = {}

    def select(self, ready: ReadySet, need: Need, random: Random) -> Candidate:
        """The one that was chosen last, unless it is full or has just failed; else the first place.

        An account that leaves a place lets the last one take it, which came back last.
        """
        signature = need.signature
        current = self._current.get(signature)
        known = None if current is None else ready.find(current)
        if known is not None and need.spec.kind not in known.on_probation:
            return known
        chosen = ready.at(0)
        self._current[signature] = chosen.account.id
        return chosen

    def explain(self, candidate: Candidate, need: Need) -> str:
        """The same for everybody."""
        return "the first that has room"


class Sticky:
    """What belongs together stays on one account while that is ready; what is new goes to the less busy of two.

    Its memory is bounded: of very many callers and media, those not seen for longest are forgotten.
    """

    looks_home = True

    def __init__(self, kept: int = 10_000) -> None:
        self._kept = kept
        self._places: OrderedDict[tuple[str, MediaKind], int] = OrderedDict()
        self._fresh = LeastBusy()
        self._why = ""

    def select(self, ready: ReadySet, need: Need, random: Random) -> Candidate:
        """The account that made what the request builds on, else the one that served before, else a new one."""
        if need.home is not None and (home := ready.find(need.home)) is not None:
            self._why = "it made what the request builds on"
            return home
        if need.sticky is None:
            return self._anew(ready, need, random)
        place = (need.sticky, need.spec.kind)
        known = self._places.get(place)
        if known is not None and (former := ready.find(known)) is not None:
            self._places.move_to_end(place)
            self._why = "it has served what this belongs to before"
            return former
        chosen = self._anew(ready, need, random)
        self._places[place] = chosen.account.id
        self._places.move_to_end(place)
        if len(self._places) > self._kept:
            self._places.popitem(last=False)
        return chosen

    def explain(self, candidate: Candidate, need: Need) -> str:
        """Whether it was known."""
        return self._why or f"new here; {self._fresh.explain(candidate, need)}"

    def _anew(self, ready: ReadySet, need: Need, random: Random) -> Candidate:
        self._why = ""
        return self._fresh.select(ready, need, random)


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
        NamedPolicy("sticky", Sticky, "the same account for the same caller or picture, else the less loaded of two"),
    ]

"""The ready accounts of one signature, against a plain list of them."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from flow2api.domain.ready_set import ReadyAccounts
from flow2api.domain.selection import Candidate
from flow2api.testing.factories import AccountFactory

MODEL = AccountFactory.build(id=0)
IDS = st.integers(1, 12)


def candidate(account_id: int, *, priority: int = 0, weight: int = 1) -> Candidate:
    return Candidate(replace(MODEL, id=account_id, priority=priority, weight=weight))


def ready_of(*candidates: Candidate) -> ReadyAccounts:
    ready = ReadyAccounts()
    for one in candidates:
        ready.stand(one, None)
    return ready


class Standing(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.ready = ReadyAccounts()
        self.candidates: dict[int, Candidate] = {}
        self.standing: dict[int, str | None] = {}

    @rule(
        account_id=IDS,
        refusal=st.none() | st.sampled_from(["busy", "no_tier"]),
        priority=st.integers(-1, 1),
        weight=st.integers(1, 3),
    )
    def stand(self, account_id: int, refusal: str | None, priority: int, weight: int) -> None:
        known = self.candidates.setdefault(account_id, candidate(account_id))
        known.account = replace(known.account, priority=priority, weight=weight)
        became_ready = refusal is None and self.standing.get(account_id, "new") is not None
        self.standing[account_id] = refusal
        assert self.ready.stand(known, refusal) is became_ready

    @rule(account_id=IDS)
    def forget(self, account_id: int) -> None:
        self.ready.forget(account_id)
        self.candidates.pop(account_id, None)
        self.standing.pop(account_id, None)

    @rule(account_id=IDS)
    def come_back_as_another(self, account_id: int) -> None:
        if self.standing.get(account_id, "busy") is None:
            self.candidates[account_id] = candidate(account_id)
            self.ready.stand(self.candidates[account_id], None)

    @invariant()
    def agrees_with_a_scan(self) -> None:
        ready = [self.candidates[i] for i, refusal in self.standing.items() if refusal is None]
        best = min((one.account.priority for one in ready), default=0)
        first = {one.account.id for one in ready if one.account.priority == best}
        assert {one.account.id for one in self.ready} == first
        assert len(self.ready) == len(first)
        assert {self.ready.at(index).account.id for index in range(len(first))} == first
        everyone = [one.account.priority for one in self.ready.everyone()]
        assert everyone == sorted(one.account.priority for one in ready)
        assert self.ready.refusals() == Counter(refusal for refusal in self.standing.values() if refusal)

    @invariant()
    def knows_who_is_in(self) -> None:
        for account_id, one in self.candidates.items():
            assert (one in self.ready) is (self.standing[account_id] is None)
            assert candidate(account_id) not in self.ready

    @invariant()
    def draws_only_ready_ones_of_the_best_priority(self) -> None:
        if len(self.ready):
            random = Random(1)
            shown = {one.account.id for one in self.ready}
            for _ in range(5):
                assert self.ready.sample(random).account.id in shown
                assert self.ready.sample_by_weight(random).account.id in shown


TestStanding = Standing.TestCase
TestStanding.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_there_is_nothing_beyond_the_end() -> None:
    with pytest.raises(IndexError):
        ready_of(candidate(1)).at(1)


def test_samples_evenly() -> None:
    ready, random = ready_of(*(candidate(i, weight=i) for i in range(1, 5))), Random(1)
    drawn = Counter(ready.sample(random).account.id for _ in range(4000))
    assert all(850 < count < 1150 for count in drawn.values())


def test_samples_in_proportion_to_weight() -> None:
    ready, random = ready_of(*(candidate(i, weight=i) for i in range(1, 5))), Random(1)
    drawn = Counter(ready.sample_by_weight(random).account.id for _ in range(10_000))
    assert all(abs(drawn[i] - 1000 * i) < 150 for i in range(1, 5))


class Edge(Random):
    """Always draws the largest number below one."""

    def random(self) -> float:
        return 1.0 - 2.0**-53


@pytest.mark.parametrize("weight", [1, 3, 7, 49, 100])
@pytest.mark.parametrize("count", [1, 3, 1000])
def test_the_last_draw_stays_inside(weight: int, count: int) -> None:
    ready = ready_of(*(candidate(i, weight=weight) for i in range(count)))
    assert ready.sample_by_weight(Edge()).account.id == count - 1
    assert ready.sample(Edge()).account.id == count - 1


class Beyond(Random):
    def random(self) -> float:
        return 1.0


def test_what_rounding_left_over_goes_to_the_last() -> None:
    assert ready_of(candidate(1), candidate(2)).sample_by_weight(Beyond()).account.id == 2


def test_finds_those_alone_that_are_ready_and_of_the_best_priority() -> None:
    first, later = candidate(1), candidate(2, priority=5)
    ready = ready_of(first, later)
    assert (ready.find(1), ready.find(2), ready.find(3)) == (first, None, None)

"""A policy that fails takes nobody with it."""

import logging
from random import Random
from typing import Any

import pytest

from flow2api.domain.guarded_policy import GuardedPolicy
from flow2api.domain.ready_set import ReadyAccounts
from flow2api.domain.selection import Candidate, Need, ReadySet, SelectionPolicy
from flow2api.plugins.policies import FillFirst, Sticky
from flow2api.testing.factories import AccountFactory, picture_spec
from flow2api.testing.fakes.clock import FakeClock

PAINT = Need(picture_spec())


class Broken:
    """A plugin's policy in which everything goes wrong that can."""

    def __init__(self, result: Any = None) -> None:
        self.result = result

    def select(self, ready: ReadySet, need: Need, random: Random) -> Candidate:
        if isinstance(self.result, BaseException):
            raise self.result
        if self.result is None:
            raise LookupError("a plugin's mistake")
        chosen: Candidate = self.result
        return chosen

    def explain(self, candidate: Candidate, need: Need) -> str:
        raise LookupError("another one")


def ready() -> ReadyAccounts:
    accounts = ReadyAccounts()
    for number in (1, 2):
        accounts.stand(Candidate(AccountFactory.build(id=number)), None)
    return accounts


@pytest.mark.parametrize("result", [None, "no candidate", 7, SystemExit(0)])
def test_fault_falls_back_to_any_ready_account_and_is_told_once_a_minute(
    result: object, caplog: pytest.LogCaptureFixture
) -> None:
    clock = FakeClock()
    policy = GuardedPolicy("broken", lambda: Broken(result), clock.monotonic)
    with caplog.at_level(logging.ERROR):
        seen = {policy.select(ready(), PAINT, Random(n)).account.id for n in range(50)}
        assert (seen, len(caplog.records)) == ({1, 2}, 1)
        clock.advance(61)
        chosen = policy.select(ready(), PAINT, Random(1))
    assert len(caplog.records) == 2
    assert policy.explain(chosen, PAINT) == "drawn at random, for the policy failed"


def test_policy_that_cannot_be_made_is_none_of_the_requests_matter(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> SelectionPolicy:
        raise RuntimeError("no licence")

    policy = GuardedPolicy("unmade", fail, FakeClock().monotonic)
    assert policy.select(ready(), PAINT, Random(1)).account.id in {1, 2}
    assert len(caplog.records) == 1


def test_explanation_that_fails_costs_only_itself(caplog: pytest.LogCaptureFixture) -> None:
    candidate = Candidate(AccountFactory.build(id=1))
    policy = GuardedPolicy("mute", lambda: Broken(candidate), FakeClock().monotonic)
    assert policy.select(ready(), PAINT, Random(1)) is candidate
    assert policy.explain(candidate, PAINT) == "the policy chose it"
    assert len(caplog.records) == 1


def test_policy_speaks_for_itself() -> None:
    policy = GuardedPolicy("fill_first", FillFirst, FakeClock().monotonic)
    chosen = policy.select(ready(), PAINT, Random(1))
    assert policy.explain(chosen, PAINT) == "the first that has room"
    assert not policy.looks_home
    assert GuardedPolicy("sticky", Sticky, FakeClock().monotonic).looks_home


def test_another_winner_than_the_policys_own_is_told_as_such() -> None:
    policy = GuardedPolicy("fill_first", FillFirst, FakeClock().monotonic)
    policy.select(ready(), PAINT, Random(1))
    other = Candidate(AccountFactory.build(id=9))
    assert policy.explain(other, PAINT) == "the first that could serve, for the policy's own choice could not"


def test_policy_without_a_word_for_its_choice_has_chosen_all_the_same() -> None:
    class Silent:
        def select(self, ready: ReadySet, need: Need, random: Random) -> Candidate:
            return ready.at(0)

    silent: SelectionPolicy = Silent()
    guarded, accounts = GuardedPolicy("silent", lambda: silent, FakeClock().monotonic), ready()
    assert guarded.explain(guarded.select(accounts, PAINT, Random(1)), PAINT) == "the policy chose it"


def test_policy_whose_attributes_fail_counts_as_one_that_cannot_be_made(caplog: pytest.LogCaptureFixture) -> None:
    class Prickly(FillFirst):
        @property
        def looks_home(self) -> bool:
            raise LookupError

    policy = GuardedPolicy("prickly", Prickly, FakeClock().monotonic)

    assert policy.looks_home is False
    assert policy.explain(policy.select(ready(), PAINT, Random(1)), PAINT) == "drawn at random, for the policy failed"
    assert len(caplog.records) == 1

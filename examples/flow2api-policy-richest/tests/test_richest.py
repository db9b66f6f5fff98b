"""The policy keeps what every policy promises, and does what its name says."""

from dataclasses import replace
from random import Random

import pytest
from flow2api_richest import Richest, register_selection_policies

from flow2api.domain.selection import Candidate, SelectionPolicy
from flow2api.testing.contracts import SelectionPolicyContract
from flow2api.testing.factories import AccountFactory
from flow2api.testing.ready import PAINT, candidates, picks, ready_of


class TestRichest(SelectionPolicyContract):
    @pytest.fixture
    def policy(self) -> SelectionPolicy:
        return Richest()


def with_credits(*amounts: int | None) -> list[Candidate]:
    return [Candidate(AccountFactory.build(id=at, credits=amount)) for at, amount in enumerate(amounts, 1)]


def test_takes_the_one_with_the_most_credits() -> None:
    assert picks(Richest(), ready_of(*with_credits(5, 900, 20)), 3) == [2, 2, 2]


def test_one_that_does_not_tell_comes_last() -> None:
    assert picks(Richest(), ready_of(*with_credits(None, 0)), 1) == [2]


def test_of_equals_the_one_that_carries_least_serves() -> None:
    busy, idle = candidates(2)
    busy.images = 3

    assert picks(Richest(), ready_of(busy, idle), 1) == [2]


def test_among_many_it_looks_at_a_few() -> None:
    everybody = candidates(500)
    everybody[77] = Candidate(replace(everybody[77].account, credits=10**6))

    chosen = picks(Richest(), ready_of(*everybody), 50)

    assert len(set(chosen)) > 20


def test_says_why() -> None:
    policy = Richest()
    rich, silent = with_credits(70, None)

    assert policy.explain(policy.select(ready_of(rich), PAINT, Random(1)), PAINT).endswith("70")
    assert policy.explain(silent, PAINT) == "its credits are not known"


def test_is_registered_by_its_name() -> None:
    (named,) = register_selection_policies()

    assert named.name == "richest"
    assert isinstance(named.build(), Richest)
    assert named.summary

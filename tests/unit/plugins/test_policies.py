"""Each built-in policy does what its name says."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from flow2api.domain.media import MediaKind
from flow2api.domain.selection import Candidate, Explains, Need, SelectionPolicy
from flow2api.plugins.policies import Sticky, register_selection_policies
from flow2api.testing.contracts import SelectionPolicyContract
from flow2api.testing.factories import AccountFactory, picture_spec, video_spec
from flow2api.testing.ready import candidates, picks, ready_of

PAINT, FILM = Need(picture_spec()), Need(video_spec())
POLICIES = {named.name: named for named in register_selection_policies()}


def made(name: str) -> SelectionPolicy:
    return POLICIES[name].build()


@pytest.fixture
def policy(request: pytest.FixtureRequest) -> SelectionPolicy:
    return made(request.param)


@pytest.mark.parametrize("policy", POLICIES, indirect=True)
class TestEveryPolicy(SelectionPolicyContract):
    """What a policy promises, asked of each built-in one."""


def test_each_says_in_a_sentence_what_it_does() -> None:
    assert all(named.summary for named in POLICIES.values())


def test_round_robin_takes_each_once_before_any_twice() -> None:
    ready, policy = ready_of(*candidates(7)), made("round_robin")
    for _ in range(3):
        assert sorted(picks(policy, ready, 7)) == list(range(1, 8))


def test_round_robin_keeps_kinds_of_requests_apart() -> None:
    ready, policy = ready_of(*candidates(4)), made("round_robin")
    seen = Counter[int]()
    for _ in range(8):
        seen.update(picks(policy, ready, 1, PAINT))
        picks(policy, ready, 1, FILM)
    assert set(seen.values()) == {2}


def test_round_robin_goes_on_when_the_set_has_shrunk() -> None:
    all_of, policy = candidates(5), made("round_robin")
    picks(policy, ready_of(*all_of), 4)
    assert set(picks(policy, ready_of(*all_of[:2]), 2)) == {1, 2}


@pytest.mark.parametrize("count", [2, 5, 8, 20])
def test_round_robin_is_not_led_astray_by_accounts_that_leave_and_come_back(count: int) -> None:
    """With one slot each, an account leaves the ready ones when it is chosen, and comes back to another place."""
    everybody, policy, taken = candidates(count), made("round_robin"), list[int]()
    ready, random = ready_of(*everybody), Random(1)
    for _ in range(20 * count):
        chosen = policy.select(ready, PAINT, random)
        taken.append(chosen.account.id)
        ready.stand(chosen, "busy")
        ready.stand(chosen, None)
    assert set(Counter(taken).values()) == {20}
    for turn in range(len(taken) - 1):
        lately = taken[turn + 1 : turn + min(count, 8)]
        assert taken[turn] not in lately


def test_weighted_and_random_differ_in_what_weight_does() -> None:
    one, other = candidates(2)
    heavy = Candidate(AccountFactory.build(id=3, weight=8))
    ready = ready_of(one, other, heavy)
    assert Counter(picks(made("weighted"), ready, 1000))[3] > 700
    assert Counter(picks(made("random"), ready, 1000))[3] < 400


def test_least_busy_prefers_less_load_for_its_weight() -> None:
    busy, idle = candidates(2)
    busy.images = 6
    assert Counter(picks(made("least_busy"), ready_of(busy, idle), 100))[2] > 65
    assert Counter(picks(made("least_busy"), ready_of(busy, idle), 100, FILM))[2] < 65


def test_best_of_eight_finds_the_oldest_and_the_richest_of_a_few() -> None:
    several = candidates(3)
    for number, one in enumerate(several):
        one.last_used = 10.0 - number
    assert Counter(picks(made("least_recently_used"), ready_of(*several), 100))[3] > 90
    purses = [
        Candidate(AccountFactory.build(id=number, credits=left)) for number, left in ((1, None), (2, 5), (3, 900))
    ]
    assert Counter(picks(made("most_credits"), ready_of(*purses), 100))[3] > 90


def test_fill_first_stays_with_one_as_long_as_it_is_ready() -> None:
    several = candidates(3)
    ready = ready_of(*several)
    assert set(picks(made("fill_first"), ready, 5)) == {1}
    ready.stand(several[0], "busy")
    assert len(set(picks(made("fill_first"), ready, 5))) == 1


@pytest.mark.parametrize(("at_once", "most"), [(1, 1), (3, 4)])
def test_fill_first_stays_with_few_that_have_one_slot_each(at_once: int, most: int) -> None:
    ready, policy, random = ready_of(*candidates(20)), made("fill_first"), Random(1)
    held, used = list[Candidate](), set[int]()
    for _ in range(200):
        held.append(policy.select(ready, PAINT, random))
        used.add(held[-1].account.id)
        ready.stand(held[-1], "busy")
        if len(held) == at_once:
            ready.stand(held.pop(random.randrange(at_once)), None)
    assert len(used) <= most


def test_fill_first_leaves_an_account_that_has_failed() -> None:
    several, policy = candidates(3), made("fill_first")
    ready = ready_of(*several)
    assert picks(policy, ready, 1) == [1]
    ready.stand(several[0], "error_streak")
    several[0].on_probation = frozenset({MediaKind.IMAGE})
    ready.stand(several[0], None)
    assert 1 not in picks(policy, ready, 5)


# --- sticky -----------------------------------------------------------------------------------------------------------


def test_sticky_keeps_a_caller_on_its_account_while_that_is_ready() -> None:
    everybody = candidates(50)
    ready, policy = ready_of(*everybody), made("sticky")
    (first,) = set(picks(policy, ready, 20, replace(PAINT, sticky="key 1")))
    random = Random(1)
    others = {policy.select(ready, replace(PAINT, sticky=f"key {n}"), random).account.id for n in range(100)}
    assert len(others) > 10
    ready.stand(everybody[first - 1], "busy")
    (second,) = set(picks(policy, ready, 20, replace(PAINT, sticky="key 1")))
    assert second != first


def test_sticky_begins_where_the_picture_was_made() -> None:
    ready, policy = ready_of(*candidates(50)), made("sticky")
    assert set(picks(policy, ready, 20, replace(PAINT, sticky="media m", home=33))) == {33}
    gone = replace(PAINT, sticky="media m", home=99)
    assert len(set(picks(policy, ready, 20, gone))) == 1


def test_sticky_keeps_kinds_apart_and_heeds_priorities() -> None:
    best, backup = candidates(1, priority=0), [Candidate(AccountFactory.build(id=9, priority=5))]
    ready, policy = ready_of(*backup), made("sticky")
    mine = replace(PAINT, sticky="key 1")
    assert picks(policy, ready, 1, mine) == [9]
    ready.stand(best[0], None)
    assert picks(policy, ready, 1, mine) == [1]


def test_sticky_remembers_only_so_many() -> None:
    ready, policy = ready_of(*candidates(50)), Sticky(kept=10)
    for number in range(1000):
        picks(policy, ready, 1, replace(PAINT, sticky=f"key {number}"))
    assert len(policy._places) == 10


def test_sticky_goes_to_anybody_who_belongs_nowhere() -> None:
    assert len(set(picks(made("sticky"), ready_of(*candidates(50)), 100))) > 20


# --- explained --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("random", "drawn, each with the same chance"),
        ("weighted", "drawn by weight, its own being 1"),
        ("round_robin", "its turn came"),
        ("least_busy", "the less busy of two drawn by weight: it carried 0, its weight is 1"),
        ("least_recently_used", "not used yet, of eight drawn"),
        ("most_credits", "the most credits of eight drawn: 1000"),
        ("fill_first", "the first that has room"),
        ("sticky", "new here; the less busy of two drawn by weight: it carried 0, its weight is 1"),
    ],
)
def test_every_policy_says_why(name: str, why: str) -> None:
    policy = made(name)
    chosen = policy.select(ready_of(*candidates(3)), PAINT, Random(1))
    assert isinstance(policy, Explains)
    assert policy.explain(chosen, PAINT) == why


def test_sticky_says_that_it_knows_the_caller() -> None:
    policy, ready, mine = Sticky(), ready_of(*candidates(3)), replace(PAINT, sticky="key 1")
    policy.select(ready, mine, Random(1))
    chosen = policy.select(ready, mine, Random(2))
    assert policy.explain(chosen, mine) == "it has served what this belongs to before"
    home = policy.select(ready, replace(mine, home=2), Random(2))
    assert policy.explain(home, mine) == "it made what the request builds on"

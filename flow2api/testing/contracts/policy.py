"""What a selection policy promises."""

from random import Random
from time import thread_time

import pytest

from flow2api.domain.selection import Explains, Need, SelectionPolicy
from flow2api.testing.factories import picture_spec, video_spec
from flow2api.testing.ready import candidates, picks, ready_of

NEEDS = (
    Need(picture_spec()),
    Need(video_spec(), tag="lent", key_id=7, limit_s=60.0),
    Need(picture_spec(), sticky="key-1", home=2),
    Need(picture_spec(), sticky="key-1", home=999),
)
LONGEST_S = 0.001
"""How much time of the processor one choice among a thousand accounts may take: everybody else waits meanwhile."""


class SelectionPolicyContract:
    """Everything that a policy promises: subclass it, and define the fixture ``policy``, one that was just built."""

    @pytest.mark.parametrize("need", NEEDS)
    @pytest.mark.parametrize("count", [1, 2, 100])
    def test_chooses_one_of_the_ready(self, policy: SelectionPolicy, need: Need, count: int) -> None:
        ready = ready_of(*candidates(count))

        assert set(picks(policy, ready, 50, need)) <= set(range(1, count + 1))

    def test_leaves_the_ready_as_they_are(self, policy: SelectionPolicy) -> None:
        ready = ready_of(*candidates(5))
        before = sorted((one.account.id, one.images, one.videos, one.last_used) for one in ready)

        picks(policy, ready, 20)

        assert sorted((one.account.id, one.images, one.videos, one.last_used) for one in ready) == before

    def test_never_chooses_one_that_is_gone(self, policy: SelectionPolicy) -> None:
        everybody = candidates(6)
        ready = ready_of(*everybody)
        for left in range(5, 0, -1):
            picks(policy, ready, 3)
            ready.stand(everybody[left], "busy")

            assert set(picks(policy, ready, 10)) <= set(range(1, left + 1))

    def test_chooses_newcomers_too(self, policy: SelectionPolicy) -> None:
        first, second = candidates(2)
        ready = ready_of(first)
        picks(policy, ready, 3)
        ready.stand(second, None)
        ready.stand(first, "busy")

        assert picks(policy, ready, 3) == [2, 2, 2]

    def test_is_quick_among_many(self, policy: SelectionPolicy) -> None:
        ready, random = ready_of(*candidates(1000)), Random(1)
        policy.select(ready, NEEDS[0], random)
        spent = []
        for _ in range(3):
            started = thread_time()
            for _ in range(20):
                policy.select(ready, NEEDS[0], random)
            spent.append(thread_time() - started)

        assert min(spent) / 20 < LONGEST_S

    def test_explanation_is_a_short_clause(self, policy: SelectionPolicy) -> None:
        if not isinstance(policy, Explains):
            pytest.skip("it does not explain itself")
        chosen = policy.select(ready_of(*candidates(3)), NEEDS[0], Random(1))

        why = policy.explain(chosen, NEEDS[0])

        assert 0 < len(why) <= 200
        assert "\n" not in why

"""Who could make a model, and what keeps the others from it."""

import pytest

from flow2api.adapters.console.models.standing import reason_words, standing, state_of
from flow2api.domain.rest import RestReason
from flow2api.domain.selection import BUSY, MAX_RUNNING, NO_PROXY, NO_TAG, NO_TIER, SWITCHED_OFF, WARMING


def test_accounts_of_a_lesser_plan_are_not_able_and_reasons_come_by_their_number() -> None:
    one = standing(2, {NO_TIER: 5, BUSY: 1, "quota": 3})

    assert (one.ready, one.able) == (2, 6)
    assert [count for _, count in one.reasons] == [5, 3, 1]


@pytest.mark.parametrize(
    ("ready", "refusals", "is_off", "state"),
    [
        (1, {BUSY: 1}, False, "served"),
        (0, {BUSY: 1}, False, "waits"),
        (0, {NO_TIER: 9, SWITCHED_OFF: 1}, False, "none"),
        (0, {}, False, "none"),
        (4, {}, True, "off"),
    ],
)
def test_state_follows_from_who_could_serve(ready: int, refusals: dict[str, int], is_off: bool, state: str) -> None:
    assert state_of(standing(ready, refusals), is_off=is_off).name == state


def test_every_reason_has_words() -> None:
    known = {BUSY, MAX_RUNNING, NO_TIER, NO_TAG, SWITCHED_OFF, WARMING, NO_PROXY, *(one.value for one in RestReason)}

    assert known <= set(reason_words())

"""What becomes an event of an account's timeline, and what does not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from flow2api.domain.account import Account, CallKind, Cure, RestReason, Tier
from flow2api.domain.health import HealthEvent, HealthKind, changes, lifted_by_time
from flow2api.testing.factories import AccountFactory
from flow2api.testing.fakes.clock import START

LATER = START + timedelta(minutes=10)
HEALTHY = AccountFactory.build(id=7)


def told(before: Account, after: Account, by: str = "server") -> list[HealthEvent]:
    return list(changes(before, after, LATER, by=by))


def kinds(before: Account, after: Account) -> list[HealthKind]:
    return [event.kind for event in told(before, after)]


def streak(account: Account = HEALTHY, at: timedelta = timedelta()) -> Account:
    return account.faulted(START + at, threshold=1, why="500", call=CallKind.PICTURE)


def test_nothing_is_told_of_what_stays() -> None:
    resting = streak().rate_limited(LATER, retry_after_s=60)
    assert told(resting, resting) == []
    assert told(HEALTHY, replace(HEALTHY, remark="x", credits=999, streaks=streak().streaks)) == []


def test_rest_that_begins_is_told_whole() -> None:
    after = HEALTHY.rate_limited(LATER, retry_after_s=60, model="film", why="QUOTA", reason=RestReason.QUOTA)
    (event,) = told(HEALTHY, after, by="ada")
    assert event == HealthEvent(
        7,
        LATER,
        HealthKind.REST_BEGUN,
        RestReason.QUOTA,
        "film",
        None,
        LATER + timedelta(seconds=60),
        "QUOTA",
        "ada",
    )


def test_rest_that_is_prolonged_is_told_and_a_repeat_is_not() -> None:
    before = HEALTHY.rate_limited(LATER, retry_after_s=60)
    assert kinds(before, before.rate_limited(LATER, retry_after_s=600)) == [HealthKind.REST_PROLONGED]
    assert kinds(before, before.rate_limited(LATER, retry_after_s=5)) == []


@pytest.mark.parametrize(
    ("reason", "cure"),
    [
        (RestReason.MANUAL, Cure.OPERATOR),
        (RestReason.AUTH_EXPIRED, Cure.NEW_CREDENTIAL),
        (RestReason.UNUSABLE, Cure.SEEN_USABLE),
        (RestReason.QUOTA, Cure.CREDITS_SEEN),
        (RestReason.NO_ACCESS, Cure.TIER_CHANGED),
    ],
)
def test_cure_is_told_with_its_cause(reason: RestReason, cure: Cure) -> None:
    before = HEALTHY.resting(reason, START)
    (event,) = told(before, before.cured(cure))
    assert (event.kind, event.reason, event.until) == (HealthKind.REST_LIFTED, reason, None)
    assert event.cause not in ("", "it was lifted")


def test_probation_is_told_from_its_beginning_to_its_end() -> None:
    rested = streak()
    ended = rested.rests[0].until
    assert ended is not None
    (begun,) = lifted_by_time(rested, START, ended)
    assert (begun.kind, begun.at, begun.by, begun.call) == (
        HealthKind.PROBATION_BEGUN,
        ended,
        "time",
        CallKind.PICTURE,
    )
    assert kinds(rested, rested.succeeded(LATER, call=CallKind.PICTURE)) == [HealthKind.PROBATION_PASSED]
    (failed,) = told(rested, streak(rested, timedelta(minutes=10)))
    assert (failed.kind, failed.until) == (HealthKind.PROBATION_FAILED, LATER + timedelta(minutes=5))


def test_success_while_it_rests_begins_probation() -> None:
    rested = HEALTHY.faulted(LATER, threshold=1, call=CallKind.VIDEO)
    assert kinds(rested, rested.succeeded(LATER, call=CallKind.VIDEO)) == [HealthKind.PROBATION_BEGUN]


def test_step_that_is_forgotten_is_no_event() -> None:
    before = HEALTHY.rate_limited(START, retry_after_s=1)
    assert told(before, before.succeeded(LATER)) == []


def test_only_rests_that_ended_since_the_last_look_are_lifted_by_time() -> None:
    account = HEALTHY.rate_limited(START, retry_after_s=60).rate_limited(START, retry_after_s=300, model="film")
    account = account.resting(RestReason.MANUAL, START)
    (event,) = lifted_by_time(account, START + timedelta(seconds=60), LATER)
    assert (event.kind, event.model, event.at) == (HealthKind.REST_LIFTED, "film", START + timedelta(seconds=300))


def test_other_plan_is_told() -> None:
    (event,) = told(HEALTHY, replace(HEALTHY, tier=Tier.ULTRA))
    assert (event.kind, event.cause) == (HealthKind.TIER_CHANGED, "pro → ultra")


@pytest.mark.parametrize(
    ("before", "after", "is_told"),
    [(100, 80, False), (100, 0, True), (0, 0, False), (100, 500, True), (None, 5, False), (5, None, False)],
)
def test_credits_are_told_when_they_come_back_or_are_gone(before: int | None, after: int | None, is_told: bool) -> None:
    found = kinds(replace(HEALTHY, credits=before), replace(HEALTHY, credits=after))
    assert found == ([HealthKind.CREDITS_CHANGED] if is_told else [])


def test_account_that_becomes_warm_is_told_once() -> None:
    cold = replace(HEALTHY, tier=None, workspace=None)
    half = replace(HEALTHY, workspace=None)
    assert kinds(cold, half) == []
    assert kinds(half, HEALTHY) == [HealthKind.WARMED]
    assert kinds(HEALTHY, half) == []

"""What one reason for rest says: whom it stops, until when, and what comes next."""

from dataclasses import replace
from datetime import timedelta

import pytest

from flow2api.domain.account import CallKind, Rest, RestReason
from flow2api.domain.media import MediaKind
from flow2api.domain.rest import CURES, FORGOTTEN_BY_SUCCESS, RATE_LIMIT_STEPS, SEVERITY, STATUS, asked_pause
from flow2api.testing.fakes.clock import START

REST = Rest(RestReason.RATE_LIMITED, START, START + timedelta(minutes=1))


@pytest.mark.parametrize("reason", RestReason)
def test_every_reason_has_its_cures_and_its_status(reason: RestReason) -> None:
    assert reason in CURES
    assert STATUS[reason] in SEVERITY


def test_reasons_that_only_a_cure_lifts_are_not_forgotten_by_a_success() -> None:
    assert {RestReason.MANUAL, RestReason.AUTH_EXPIRED, RestReason.UNUSABLE, RestReason.NO_ACCESS}.isdisjoint(
        FORGOTTEN_BY_SUCCESS
    )


def test_holds_until_its_end_and_without_one_for_ever() -> None:
    assert REST.holds(START)
    assert not REST.holds(START + timedelta(minutes=1))
    assert replace(REST, until=None).holds(START + timedelta(days=10_000))


@pytest.mark.parametrize("call", CallKind)
def test_stops_every_call_or_the_one_that_it_is_limited_to(call: CallKind) -> None:
    assert REST.stops(call)
    limited = replace(REST, call=CallKind.UPLOAD)
    assert limited.stops(call) is (call is CallKind.UPLOAD)


def test_next_step_comes_after_it_is_over_and_the_last_one_stays() -> None:
    over = START + timedelta(minutes=1)
    assert REST.next_step(RATE_LIMIT_STEPS, START) == 0
    assert REST.next_step(RATE_LIMIT_STEPS, over) == 1
    assert replace(REST, step=3).next_step(RATE_LIMIT_STEPS, over) == 3


def test_pause_is_a_second_at_least_and_half_a_day_at_most() -> None:
    assert asked_pause(None) is None
    assert asked_pause(0.0) == timedelta(seconds=1)
    assert asked_pause(1e9) == timedelta(hours=12)


@pytest.mark.parametrize(("kind", "call"), [(MediaKind.IMAGE, CallKind.PICTURE), (MediaKind.VIDEO, CallKind.VIDEO)])
def test_kind_of_media_tells_the_call_that_makes_it(kind: MediaKind, call: CallKind) -> None:
    assert CallKind.making(kind) is call

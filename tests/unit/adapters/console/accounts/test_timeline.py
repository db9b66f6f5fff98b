"""Events are told in the page's language: what happened, for what, and by whom."""

import pytest

from flow2api.adapters.console.accounts.timeline import by_words, event_line, scope_words
from flow2api.domain.account import CallKind, RestReason
from flow2api.domain.health import HealthEvent, HealthKind
from flow2api.testing.fakes.clock import START


@pytest.mark.parametrize("kind", list(HealthKind))
def test_every_kind_has_a_title_without_gaps(kind: HealthKind) -> None:
    line = event_line(HealthEvent(1, START, kind, RestReason.QUOTA, cause="100 % <b>", by="ada"))

    assert line.title
    assert "%" not in line.title
    assert (line.cause, line.by) == ("100 % <b>", "by ada")


def test_event_about_no_rest_says_that_no_reason_was_told() -> None:
    assert event_line(HealthEvent(1, START, HealthKind.REST_BEGUN)).title == "Rest begun: no reason told"


@pytest.mark.parametrize(("by", "words"), [("server", ""), ("time", ""), ("", ""), ("operator", "by an operator")])
def test_server_and_time_are_nobody(by: str, words: str) -> None:
    assert by_words(by) == words


def test_scope_is_a_model_a_kind_of_call_or_everything() -> None:
    assert scope_words("veo", CallKind.VIDEO) == "for veo only"
    assert scope_words(None, None) == ""
    assert len({scope_words(None, call) for call in CallKind}) == len(CallKind)


def test_key_is_proved_where_others_get_an_access_token() -> None:
    event = HealthEvent(1, START, HealthKind.ACCESS_RENEWED)

    assert event_line(event, has_key=True).title == "API key accepted"
    assert event_line(event).title == "Access token renewed"

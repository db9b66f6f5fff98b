"""How far back pages of records look."""

from datetime import timedelta

from flow2api.adapters.console.spans import EVER, SPANS, begins, known_span, span_choices
from flow2api.testing.fakes.clock import START


def test_span_begins_that_long_ago_and_all_at_the_beginning() -> None:
    assert begins("24h", START) == START - timedelta(days=1)
    assert begins(EVER, START) is None


def test_unknown_span_is_the_default_and_each_has_words() -> None:
    assert known_span("2 weeks", "24h") == "24h"
    assert known_span("7d", "24h") == "7d"
    assert [name for name, _ in span_choices()] == list(SPANS)

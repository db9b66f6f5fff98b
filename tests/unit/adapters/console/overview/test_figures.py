"""The numbers of a span in words, and what is drawn of it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from flow2api.adapters.console.overview.figures import charts, kpis, shares
from flow2api.domain.forecast import CreditsDay, Forecast
from flow2api.domain.statistics import CLASSES, Counts
from flow2api.domain.usecases.read_credits import CreditsOutlook
from flow2api.domain.usecases.read_spans import ByKind, Span, SpanFigures, SpanStep

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def counts(succeeded: int = 0, errors: int = 0, saved: int = 0, *, slow: int = 3) -> Counts:
    took = tuple(succeeded if place == slow else 0 for place in range(CLASSES))
    return Counts(succeeded=succeeded, errors=errors, saved=saved, took=took, waited_ms=500 * succeeded)


def figures(
    span: Span = Span.DAY, *, images: Counts | None = None, before: int = 0, steps: Sequence[ByKind] = ()
) -> SpanFigures:
    total = ByKind(images=images or Counts())
    return SpanFigures(
        span=span,
        steps=[SpanStep(NOON + timedelta(hours=at), kinds) for at, kinds in enumerate(steps)],
        total=total,
        compared=total,
        before=ByKind(images=counts(before)),
    )


@pytest.mark.parametrize(
    ("span", "now", "before", "words"),
    [
        (Span.DAY, 108, 100, "+8 % on the day before"),
        (Span.HOUR, 50, 100, "-50 % on the hour before"),
        (Span.WEEK, 100, 100, "0 % on the week before, today apart"),
        (Span.MONTH, 200, 100, "+100 % on the month before, today apart"),
        (Span.DAY, 5, 0, "nothing to compare with yet"),
    ],
)
def test_what_was_finished_is_compared_with_the_span_before(span: Span, now: int, before: int, words: str) -> None:
    finished = kpis(figures(span, images=counts(now), before=before))[0]
    assert (finished.value, finished.words) == (str(now), words)


def test_success_and_speed_are_told_with_what_stands_behind_them() -> None:
    _, success, image, video = kpis(figures(images=counts(991, errors=9, saved=40)))
    assert (success.value, success.words) == ("99.1 %", "9 failed, 40 saved by another account")
    assert image.value == "3.5 s"
    assert image.words == "95 % within 4.8 s, waited 500 ms"
    assert (video.value, video.words) == ("\N{EN DASH}", "none made in this time")


def test_nothing_at_all_is_told_without_a_percentage() -> None:
    finished, success, *_ = kpis(figures(steps=[ByKind(), ByKind()]))
    assert (finished.value, finished.line) == ("0", None)
    assert (success.value, success.words, success.line) == ("\N{EN DASH}", "0 failed", None)


@pytest.mark.parametrize(
    ("span", "label"), [(Span.HOUR, "12:00"), (Span.DAY, "12:00"), (Span.WEEK, "Nov 23 12:00"), (Span.MONTH, "Nov 23")]
)
def test_steps_are_named_as_fine_as_they_are(span: Span, label: str) -> None:
    drawn = charts(figures(span, images=counts(1), steps=[ByKind(images=counts(1))]), None, UTC)
    assert drawn.jobs.table.rows[0].label == label
    assert drawn.credits is None
    assert drawn.latency_videos.is_empty


def test_bars_have_a_part_for_each_kind_and_one_for_failures() -> None:
    step = ByKind(images=counts(3, errors=1), videos=counts(2), others=counts(1))
    (row,) = charts(figures(steps=[step]), None, UTC).jobs.table.rows
    assert row.cells == ("3", "3", "1")


def test_credits_tell_when_they_run_out_as_far_as_that_is_known() -> None:
    days = [CreditsDay(date(2026, 11, 22), 300), CreditsDay(date(2026, 11, 23), 200)]
    known = charts(figures(), CreditsOutlook(days, Forecast(100.0, date(2026, 11, 25))), UTC).credits
    unknown = charts(figures(), CreditsOutlook(days, None), UTC).credits
    assert known is not None
    assert unknown is not None
    assert known.summary == "At 100 a day, nothing is left on Nov 25."
    assert known.forecast
    assert unknown.summary == "When they run out cannot be told yet."
    assert unknown.forecast is None


def test_keys_and_models_stand_by_how_much_they_did() -> None:
    apart: dict[str | int, Counts] = {1: counts(5), 2: counts(50, errors=50), 3: Counts(refused=9), 0: counts(7)}
    rows = shares(apart, lambda who: (f"key {who}", ""))
    assert [(row.name, row.finished, row.failed, row.success) for row in rows] == [
        ("key 2", 50, 50, "50 %"),
        ("key 0", 7, 0, "100 %"),
        ("key 1", 5, 0, "100 %"),
    ]

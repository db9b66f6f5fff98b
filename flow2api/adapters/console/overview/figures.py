"""The four numbers, and the charts of a span."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from flow2api.adapters.console.charts import (
    BarChart,
    Column,
    CreditsChart,
    CreditsWords,
    LineChart,
    LinePoint,
    Series,
    Sparkline,
    band_chart,
    credits_chart,
    sparkline,
    stacked_bars,
)
from flow2api.adapters.console.language import gettext, ngettext
from flow2api.adapters.console.wording import day, duration, number, percent
from flow2api.domain.statistics import Counts
from flow2api.domain.usecases.read_credits import CreditsOutlook
from flow2api.domain.usecases.read_spans import ByKind, Span, SpanFigures, SpanStep

Named = Callable[[str | int], tuple[str, str]]
"""The name of a key or a model, and where more is told of it."""

MEDIAN, MOST = 0.5, 0.95
_AHEAD_DAYS = 10
_SHOWN_APART = 8


@dataclass(frozen=True, slots=True)
class Kpi:
    """One number, with what it says beside it."""

    name: str
    value: str
    words: str
    line: Sparkline | None


@dataclass(frozen=True, slots=True)
class Share:
    """A key or a model with what was counted for it.

    Attributes:
        path: Where more is told of it; empty for nowhere.
    """

    name: str
    path: str
    finished: int
    failed: int
    success: str
    median: str
    credits: int


@dataclass(frozen=True, slots=True)
class Charts:
    """What is drawn of a span."""

    jobs: BarChart
    latency: LineChart
    latency_videos: LineChart
    credits: CreditsChart | None


def span_words(span: Span) -> str:
    """A span, short."""
    return {
        Span.HOUR: gettext("1 h"),
        Span.DAY: gettext("24 h"),
        Span.WEEK: gettext("7 d"),
        Span.MONTH: gettext("30 d"),
    }[span]


def span_long(span: Span) -> str:
    """A span, and how fine it is shown."""
    return {
        Span.HOUR: gettext("last hour, by quarter hours"),
        Span.DAY: gettext("last 24 hours, by half hours"),
        Span.WEEK: gettext("last 7 days, by 6 hours"),
        Span.MONTH: gettext("last 30 days, by days"),
    }[span]


def span_plain(span: Span) -> str:
    """A span as a phrase."""
    return {
        Span.HOUR: gettext("last hour"),
        Span.DAY: gettext("last 24 hours"),
        Span.WEEK: gettext("last 7 days"),
        Span.MONTH: gettext("last 30 days"),
    }[span]


def kpis(figures: SpanFigures) -> Sequence[Kpi]:
    """The numbers of a span; comparisons are with the span before."""
    total, steps = figures.total.all, figures.steps
    return (
        Kpi(
            gettext("Finished, %(span)s") % {"span": span_words(figures.span)},
            number(total.succeeded),
            _compared(figures),
            sparkline([step.counts.all.succeeded for step in steps]) if total.succeeded else None,
        ),
        Kpi(
            gettext("Success rate"),
            percent(total.success_rate),
            _failures(total),
            sparkline([step.counts.all.success_rate for step in steps]),
        ),
        _speed(gettext("Image, median"), figures.total.images, [step.counts.images for step in steps]),
        _speed(gettext("Video, median"), figures.total.videos, [step.counts.videos for step in steps]),
    )


def charts(figures: SpanFigures, outlook: CreditsOutlook | None, zone: tzinfo) -> Charts:
    """What is drawn."""
    labels = [_label(figures.span, step.begins, zone) for step in figures.steps]
    return Charts(
        jobs=_jobs(figures, labels),
        latency=_latency(gettext("How long images took"), figures.steps, labels, lambda kinds: kinds.images),
        latency_videos=_latency(gettext("How long videos took"), figures.steps, labels, lambda kinds: kinds.videos),
        credits=None if outlook is None else _credits(outlook),
    )


def shares(apart: Mapping[str | int, Counts], named: Named) -> Sequence[Share]:
    """Those with most work first, a few of them.

    Args:
        named: The name of one, and where more is told of it.
    """
    busiest = sorted(apart.items(), key=lambda one: (-(one[1].succeeded + one[1].errors), str(one[0])))
    return tuple(
        Share(
            *named(who),
            finished=counts.succeeded,
            failed=counts.errors,
            success=percent(counts.success_rate),
            median=duration(counts.percentile_s(MEDIAN)),
            credits=counts.credits,
        )
        for who, counts in busiest[:_SHOWN_APART]
        if counts.succeeded or counts.errors
    )


def _compared(figures: SpanFigures) -> str:
    now, before = figures.compared.all.succeeded, figures.before.all.succeeded
    if not before:
        return gettext("nothing to compare with yet")
    change = round((now - before) / before * 100)
    values = {"change": f"+{number(change)}" if change > 0 else number(change)}
    match figures.span:
        case Span.HOUR:
            return gettext("%(change)s %% on the hour before") % values
        case Span.DAY:
            return gettext("%(change)s %% on the day before") % values
        case Span.WEEK:
            return gettext("%(change)s %% on the week before, today apart") % values
        case Span.MONTH:
            return gettext("%(change)s %% on the month before, today apart") % values


def _failures(total: Counts) -> str:
    failed = ngettext("%(count)s failed", "%(count)s failed", total.errors) % {"count": number(total.errors)}
    if not total.saved:
        return failed
    return gettext("%(failed)s, %(saved)s saved by another account") % {"failed": failed, "saved": number(total.saved)}


def _speed(name: str, total: Counts, steps: Sequence[Counts]) -> Kpi:
    median = total.percentile_s(MEDIAN)
    words = gettext("none made in this time")
    if median is not None:
        values = {"most": duration(total.percentile_s(MOST)), "wait": duration(total.mean_wait_s)}
        words = gettext("95 %% within %(most)s, waited %(wait)s") % values
    return Kpi(name, duration(median), words, sparkline([step.percentile_s(MEDIAN) for step in steps]))


def _jobs(figures: SpanFigures, labels: Sequence[str]) -> BarChart:
    total = figures.total
    values = {
        "images": number(total.images.succeeded),
        "videos": number(total.videos.succeeded),
        "failed": number(total.all.errors),
    }
    return stacked_bars(
        gettext("Generations that ended"),
        gettext("%(images)s of images, %(videos)s of videos, %(failed)s failed.") % values,
        (Series(gettext("Images"), "1"), Series(gettext("Videos"), "2"), Series(gettext("Failed"), "e")),
        [Column(label, _parts(step.counts)) for label, step in zip(labels, figures.steps, strict=True)],
        time_word=gettext("From"),
        number=number,
    )


def _parts(counts: ByKind) -> tuple[float, ...]:
    return (counts.images.succeeded, counts.videos.succeeded + counts.others.succeeded, counts.all.errors)


def _latency(title: str, steps: Sequence[SpanStep], labels: Sequence[str], of: Callable[[ByKind], Counts]) -> LineChart:
    return band_chart(
        title,
        gettext("The median, and what 95 of 100 kept to, waiting included."),
        (gettext("Median"), gettext("95 of 100")),
        [
            LinePoint(label, of(step.counts).percentile_s(MEDIAN), of(step.counts).percentile_s(MOST))
            for label, step in zip(labels, steps, strict=True)
        ],
        time_word=gettext("From"),
        unknown_word=gettext("none"),
        number=duration,
    )


def _credits(outlook: CreditsOutlook) -> CreditsChart:
    ahead = outlook.forecast
    expected = [] if ahead is None else ahead.expected(outlook.days[-1], _AHEAD_DAYS)
    if ahead is None:
        summary = gettext("When they run out cannot be told yet.")
    else:
        values = {"day": day(ahead.dry_on), "pace": number(round(ahead.pace))}
        summary = gettext("At %(pace)s a day, nothing is left on %(day)s.") % values
    return credits_chart(
        gettext("Credits of all accounts"),
        summary,
        [(day(one.day), one.left) for one in outlook.days],
        [(day(at), left) for at, left in expected],
        CreditsWords(gettext("Day"), gettext("Left"), gettext("forecast"), gettext("not known")),
        number=number,
    )


def _label(span: Span, begins: datetime, zone: tzinfo) -> str:
    there = begins.astimezone(zone)
    if span is Span.MONTH:
        return day(there.date())
    return f"{day(there.date())} {there:%H:%M}" if span is Span.WEEK else f"{there:%H:%M}"

"""The page of the request log: the list, what it is narrowed by, how much there was when, and one line's facts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from flow2api.adapters.console.charts import BarChart, histogram
from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.requests.filters import PATH, Asked
from flow2api.adapters.console.requests.lines import (
    Facts,
    Lines,
    account_name,
    facts,
    key_name,
    lines,
    outcome_of,
    state_words,
)
from flow2api.adapters.console.spans import EVER, span_choices
from flow2api.adapters.console.wording import day, duration, number
from flow2api.domain.usecases.count_requests import RequestCounts

Choices = Sequence[tuple[str, str]]

__all__ = ["Facts", "LogPage", "Tail", "log_page", "outcome_of", "tail"]

_DAY = timedelta(hours=25)
_COUNTED = timedelta(days=10)
"""So far back requests are counted at most."""


@dataclass(frozen=True, slots=True)
class Tail:
    """What is kept true on the page."""

    lines: Lines


@dataclass(frozen=True, slots=True)
class Choice:
    """What the list can be narrowed by: the name in the query, its words, its values."""

    name: str
    words: str
    chosen: str
    among: Choices


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """The page.

    Attributes:
        is_cut: Whether there are so many that only the newest were counted.
        is_clipped: Whether the list goes further back than what was counted.
        kept_days: How long lines are kept; 0 is for ever.
        told: The filter in words, each with the address that leaves it out.
        opened: The facts of the line that was opened; None when none was, or it is not there any more.
        pause: The address of the same page with the tail held, or running again; empty where there is none.
    """

    lines: Lines
    chart: BarChart
    is_cut: bool
    is_clipped: bool
    asked: Asked
    choices: Sequence[Choice]
    told: Choices
    opened: Facts | None
    kept_days: float
    total: int
    wrong: int
    pause: str
    closed: str
    csv: str
    jsonl: str
    cleared: str = f"{PATH}/clear"

    @property
    def is_live(self) -> bool:
        """Whether new lines come in by themselves."""
        return self.asked.before is None and not self.asked.is_paused


async def tail(doors: ConsoleDoors, asked: Asked) -> Tail:
    """The lines alone, for the stream of news."""
    return Tail(await lines(doors, asked))


async def log_page(doors: ConsoleDoors, asked: Asked) -> LogPage:
    """Everything that the page shows."""
    since = asked.wanted.since or doors.clock.now() - _COUNTED
    counts = await doors.log_counts.by_time(replace(asked.wanted, since=since))
    opened = None if asked.opened is None else await doors.log.get(asked.opened)
    choices = await _choices(doors, asked)
    place = {"before": asked.place}
    is_first = asked.before is None
    return LogPage(
        lines=await lines(doors, asked),
        chart=_chart(counts),
        is_cut=counts.is_cut,
        is_clipped=asked.query["span"] in ("30d", EVER),
        asked=asked,
        choices=choices,
        told=_told(asked, choices),
        opened=None if opened is None else await facts(doors, opened, asked),
        kept_days=doors.options().log_days,
        total=sum(step.total for step in counts.steps),
        wrong=sum(step.wrong for step in counts.steps),
        pause=asked.address(tail="" if asked.is_paused else "off") if is_first else "",
        closed=asked.address(**place, tail="off" if asked.is_paused else ""),
        csv=asked.address(f"{PATH}/export", form="csv"),
        jsonl=asked.address(f"{PATH}/export", form="jsonl"),
    )


def _chart(counts: RequestCounts) -> BarChart:
    total, wrong = sum(step.total for step in counts.steps), sum(step.wrong for step in counts.steps)
    is_long = counts.step * len(counts.steps) > _DAY
    return histogram(
        gettext("Requests per %(step)s") % {"step": duration(counts.step.total_seconds())},
        gettext("%(total)s in all, %(wrong)s of them failed or were refused.")
        % {"total": number(total), "wrong": number(wrong)},
        (gettext("Went well"), gettext("Failed or refused")),
        [(_label(step.begins, is_long=is_long), step.total - step.wrong, step.wrong) for step in counts.steps],
        time_word=gettext("From (UTC)"),
        number=number,
    )


def _label(begins: datetime, *, is_long: bool) -> str:
    time = begins.astimezone(UTC).strftime("%H:%M")
    return f"{day(begins)} {time}" if is_long else time


async def _choices(doors: ConsoleDoors, asked: Asked) -> Sequence[Choice]:
    values = await doors.log_counts.values()
    names = {key.id: key.name for key in await doors.keys.all()}
    keys = [(str(one), key_name(names, one)) for one in values.key_ids]
    accounts = [(str(one), account_name(doors, one)) for one in values.account_ids]
    states = state_words()
    among = {
        "span": (gettext("Time"), span_choices()),
        "state": (gettext("State"), [(one, states[one]) for one in values.states]),
        "key": (gettext("Key"), keys),
        "model": (gettext("Model"), [(one, one) for one in values.models if one]),
        "account": (gettext("Account"), accounts),
        "code": (gettext("Error"), [(one, one) for one in values.codes]),
    }
    return [
        Choice(
            name,
            words,
            asked.query[name],
            _with(asked.query[name], sorted(some, key=_words) if name in _BY_NAME else some),
        )
        for name, (words, some) in among.items()
    ]


_BY_NAME = frozenset({"key", "account"})


def _words(choice: tuple[str, str]) -> str:
    return choice[1].casefold()


def _with(chosen: str, among: Choices) -> Choices:
    """The values, what was chosen among them even if no line has it."""
    return among if not chosen or chosen in dict(among) else [*among, (chosen, chosen)]


def _told(asked: Asked, choices: Sequence[Choice]) -> Choices:
    """The filter in words, each part with the address without it."""
    told = [
        (
            gettext("%(what)s: %(value)s") % {"what": one.words, "value": dict(one.among)[one.chosen]},
            asked.address(**{one.name: ""}),
        )
        for one in choices
        if one.chosen and one.name != "span"
    ]
    if text := asked.query["q"]:
        told.append((gettext("Id begins with %(text)s") % {"text": text}, asked.address(q="")))
    return told

"""What the page shows."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flow2api.adapters.console.account_states import IN_ORDER, StatePill, state_pill
from flow2api.adapters.console.accounts.views import AccountRow, row_of
from flow2api.adapters.console.charts import Part, StackBar, stack_bar
from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.overview import figures as drawn
from flow2api.adapters.console.overview.attention import Care, cares
from flow2api.adapters.console.overview.figures import Charts, Kpi, Share
from flow2api.adapters.console.overview.work import Result, Running, results, under_way
from flow2api.adapters.console.wording import number
from flow2api.domain.account import Tier
from flow2api.domain.account_state import AccountState
from flow2api.domain.api_key import ApiKey
from flow2api.domain.errors import StorageError
from flow2api.domain.generation import Generation
from flow2api.domain.statistics import Dimension
from flow2api.domain.usecases.glance_at_pool import BusyAccounts
from flow2api.domain.usecases.read_credits import CreditsOutlook
from flow2api.domain.usecases.read_spans import Span, SpanFigures

CREDITS_DAYS = 30

_COLOURS = {"ok": "1", "warn": "2", "err": "e", "run": "r", "": "o"}


@dataclass(frozen=True, slots=True)
class SpanLink:
    """A span that can be chosen."""

    words: str
    path: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many accounts are in a state."""

    pill: StatePill
    count: int

    @property
    def path(self) -> str:
        """The accounts themselves."""
        return f"/console/accounts?state={self.pill.name}"


@dataclass(frozen=True, slots=True)
class FirstStep:
    """Something to do before there is anything to look at."""

    is_done: bool
    done: str
    words: str
    path: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """What changes by itself.

    Attributes:
        kpis: None when the database did not tell.
        latest: None when the database did not tell.
    """

    span: Span
    spans: tuple[SpanLink, ...]
    accounts: int
    ready: int
    running: int
    waiting: int
    cares: Sequence[Care]
    is_checked: bool
    kpis: Sequence[Kpi] | None
    jobs: Sequence[Running]
    states: Sequence[StateCount]
    pool: StackBar
    rows: Sequence[AccountRow]
    latest: Sequence[Result] | None
    here: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The whole page.

    Attributes:
        span_long: The span, and how fine it is shown; ``span_plain`` without that.
        charts: None when the database did not tell.
        steps: What a newcomer does first; none when all is done.
    """

    now: Now
    span_long: str
    span_plain: str
    charts: Charts | None
    keys: Sequence[Share]
    models: Sequence[Share]
    steps: Sequence[FirstStep]


async def look_now(doors: ConsoleDoors, asked: str) -> Now:
    """What changes by itself, as it is.

    Args:
        asked: The span that the address names; what cannot be is a day.
    """
    span = span_of(asked)
    accounts, outlook, figures, made = await asyncio.gather(
        doors.glance.accounts(), _outlook(doors), _figures(doors, span), _latest(doors)
    )
    census, (count, jobs) = await doors.census(), await under_way(doors)
    states = _states(accounts)
    return Now(
        span=span,
        spans=tuple(SpanLink(drawn.span_words(one), _path(one), one is span) for one in Span),
        accounts=census.total,
        ready=sum(accounts.page.counts.get(state, 0) for state in (AccountState.READY, AccountState.BUSY)),
        running=count - doors.server.drain.waiting(),
        waiting=doors.server.drain.waiting(),
        cares=cares(doors, accounts, outlook, await _keys(doors)),
        is_checked=doors.server.diagnosis.latest is not None,
        kpis=None if figures is None else drawn.kpis(figures),
        jobs=jobs,
        states=states,
        pool=_pool(states),
        rows=_rows(doors, accounts),
        latest=None if made is None else results(doors, made),
        here=_path(span),
    )


async def look(doors: ConsoleDoors, asked: str) -> Overview:
    """The page as it is now."""
    span = span_of(asked)
    now, keys, models = await asyncio.gather(look_now(doors, asked), _by_key(doors, span), _by_model(doors, span))
    figures, outlook = await _figures(doors, span), await _outlook(doors)
    return Overview(
        now=now,
        span_long=drawn.span_long(span),
        span_plain=drawn.span_plain(span),
        charts=None if figures is None else drawn.charts(figures, outlook, doors.statistics.zone),
        keys=keys,
        models=models,
        steps=await first_steps(doors, now),
    )


def span_of(asked: str) -> Span:
    """The span of this name; a day when there is none."""
    return Span(asked) if asked in [*Span] else Span.DAY


async def first_steps(doors: ConsoleDoors, now: Now) -> Sequence[FirstStep]:
    """What is to be done before the server is of use to anybody; none when all of it is."""
    keys = [key for key in await doors.keys.all() if key.is_active]
    has_made = bool(now.latest) or any(counts.succeeded for counts in (await doors.statistics.totals()).values())
    is_called = any(key.last_used_at is not None for key in keys)
    steps = (
        FirstStep(
            now.accounts > 0,
            gettext("Accounts added"),
            gettext("Add your first account"),
            "/console/accounts/add",
            gettext("with its session token, or an API key"),
        ),
        FirstStep(
            bool(keys),
            gettext("API key created"),
            gettext("Create an API key"),
            "/console/keys",
            gettext("for each client, so that you see who asks for what"),
        ),
        FirstStep(
            has_made,
            gettext("First result made"),
            gettext("Try a prompt"),
            "/console/playground",
            gettext("in the playground, without any client"),
        ),
        FirstStep(
            is_called,
            gettext("A client calls"),
            gettext("Connect a client"),
            "/console/connect",
            gettext("ready settings for Open WebUI, n8n and others"),
        ),
    )
    return () if all(step.is_done for step in steps) else steps


def _path(span: Span) -> str:
    return "/console" if span is Span.DAY else f"/console?span={span.value}"


def _states(accounts: BusyAccounts) -> Sequence[StateCount]:
    counts = accounts.page.counts
    return tuple(StateCount(state_pill(state), counts[state]) for state in IN_ORDER if counts.get(state))


def _pool(states: Sequence[StateCount]) -> StackBar:
    told = [f"{one.pill.words} {number(one.count)}" for one in states]
    parts = [Part(one.pill.words, _COLOURS[one.pill.kind], one.count) for one in states]
    return stack_bar(gettext("Accounts by state: %(states)s") % {"states": ", ".join(told)}, parts, told)


def _rows(doors: ConsoleDoors, accounts: BusyAccounts) -> Sequence[AccountRow]:
    most: dict[Tier | None, int] = {}
    for one in accounts.page.accounts:
        most[one.account.tier] = max(most.get(one.account.tier, 1), one.account.credits or 0)
    now = doors.clock.now()
    return tuple(
        row_of(one, accounts.checks.get(one.account.id, ()), most[one.account.tier], now)
        for one in accounts.page.accounts
    )


async def _by_key(doors: ConsoleDoors, span: Span) -> Sequence[Share]:
    names: Mapping[str | int, str] = {key.id: key.name for key in await doors.keys.all()}

    def named(who: str | int) -> tuple[str, str]:
        if who == 0:
            return gettext("operators"), ""
        return names.get(who, gettext("key %(id)s") % {"id": who}), f"/console/requests?key={who}"

    return await _apart(doors, span, Dimension.KEY, named)


async def _by_model(doors: ConsoleDoors, span: Span) -> Sequence[Share]:
    return await _apart(doors, span, Dimension.MODEL, lambda who: (str(who), f"/console/requests?model={who}"))


async def _apart(doors: ConsoleDoors, span: Span, by: Dimension, named: drawn.Named) -> Sequence[Share]:
    try:
        return drawn.shares(await doors.glance.apart(span, by), named)
    except StorageError:
        return ()


async def _figures(doors: ConsoleDoors, span: Span) -> SpanFigures | None:
    try:
        return await doors.glance.figures(span)
    except StorageError:
        return None


async def _outlook(doors: ConsoleDoors) -> CreditsOutlook | None:
    try:
        return await doors.glance.credits(CREDITS_DAYS)
    except StorageError:
        return None


async def _keys(doors: ConsoleDoors) -> Sequence[ApiKey]:
    try:
        return await doors.keys.all()
    except StorageError:
        return ()


async def _latest(doors: ConsoleDoors) -> Sequence[Generation] | None:
    try:
        return await doors.glance.latest()
    except StorageError:
        return None

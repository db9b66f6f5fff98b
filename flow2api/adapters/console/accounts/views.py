"""What the list of accounts shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flow2api.adapters.console.account_states import (
    IN_ORDER,
    StatePill,
    name_of,
    standing_pill,
    state_pill,
    state_words,
    tier_words,
)
from flow2api.adapters.console.accounts.bulk import BulkReport, report_of, undo_path
from flow2api.adapters.console.accounts.narrowing import COLUMNS, OWN_PROXY_NONE, Narrowing
from flow2api.adapters.console.charts import Beat, Beats, Slots, beats_strip, slots_row
from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.language import gettext, ngettext, retold
from flow2api.adapters.console.wording import number
from flow2api.domain.account import Account, Tier
from flow2api.domain.account_list import AccountListPage, ListedAccount
from flow2api.domain.account_state import AccountState
from flow2api.domain.checks import Check, CheckOutcome
from flow2api.domain.proxy import DIRECT
from flow2api.domain.usecases.browse_accounts import FilterValues

PAGE = 50
_MOST_VALUES = 40

_BEATS = {CheckOutcome.FINE: Beat.FINE, CheckOutcome.SLOW: Beat.SLOW, CheckOutcome.FAILED: Beat.FAILED}


@dataclass(frozen=True, slots=True)
class Facet:
    """A state with the number of accounts in it; None stands for all."""

    pill: StatePill | None
    count: int
    link: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to narrow by, and the address that does."""

    words: str
    link: str


@dataclass(frozen=True, slots=True)
class Chip:
    """By what can be narrowed, or is.

    Attributes:
        value: What it is narrowed to; empty for not at all, and then there are choices.
        clear: The address without it.
    """

    name: str
    value: str
    clear: str
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """One account of the list.

    Attributes:
        most_credits: What a full meter stands for: the most that an account of the same plan here has.
        fault: The latest reason that keeps it from something; empty for none.
    """

    id: int
    name: str
    upstream: str
    plan: str
    state: StatePill
    checks: Beats
    images: Slots
    videos: Slots
    credits: int | None
    most_credits: int
    access_until: datetime | None
    access_left_s: float | None
    is_renewed_late: bool
    proxy: str
    tags: tuple[str, ...]
    fault: str
    fault_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """The head of a column that can be sorted by."""

    words: str
    link: str
    sorted: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column that can be hidden.

    Attributes:
        link: The address where it is the other way round.
    """

    words: str
    is_shown: bool
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountsPage:
    """The list.

    Attributes:
        all: How many accounts there are, whatever the filter.
        total: How many pass it.
        narrowed: The filter in words; empty without one.
        run: What was last done to many of them, when the page is asked for its report.
        undo: Where that is taken back.
        deleted: How many deleted ones can be brought back.
    """

    all: int
    ready: int
    total: int
    first: int
    rows: tuple[AccountRow, ...]
    facets: tuple[Facet, ...]
    chips: tuple[Chip, ...]
    columns: tuple[Column, ...]
    headings: Mapping[str, Heading]
    sorts: tuple[tuple[str, str], ...]
    narrowing: Narrowing
    narrowed: str
    earlier: str
    later: str
    clear: str
    run: BulkReport | None
    undo: str
    deleted: int

    @property
    def last(self) -> int:
        """The number of the last one here."""
        return self.first + len(self.rows) - 1


async def look(doors: ConsoleDoors, asked: Narrowing, run_number: str = "", *, has_chips: bool = True) -> AccountsPage:
    """The list as it is now.

    Args:
        has_chips: Whether to look through the pool for what it can be narrowed by.
    """
    order, descending = asked.order
    after, before = asked.place
    page = await doors.browse.page(asked.wanted, order, descending=descending, after=after, before=before, limit=PAGE)
    checks = await doors.checks([one.account.id for one in page.accounts])
    values = await doors.browse.filter_values() if has_chips else None
    every = await doors.census()
    run = doors.act_on_accounts.get(int(run_number)) if run_number.isdecimal() and len(run_number) < 10 else None
    return AccountsPage(
        all=every.total,
        ready=page.counts.get(AccountState.READY, 0),
        total=page.total,
        first=page.first,
        rows=_rows(page, checks, doors),
        facets=_facets(page, asked),
        chips=() if values is None else _chips(values, asked),
        columns=_columns(asked),
        headings=_headings(asked),
        sorts=_sorts(),
        narrowing=asked,
        narrowed=_narrowed(asked),
        earlier=asked.link(before=str(page.earlier)) if page.earlier else "",
        later=asked.link(after=str(page.later)) if page.later else "",
        clear=Narrowing(sort=asked.sort, hide=asked.hide).link(),
        run=None if run is None else report_of(run),
        undo="" if run is None else undo_path(asked, run.number),
        deleted=await doors.restore.count() if has_chips else doors.restore.last_count,
    )


def _columns(asked: Narrowing) -> tuple[Column, ...]:
    words = {
        "checks": gettext("Last checks"),
        "images": gettext("Image"),
        "videos": gettext("Video"),
        "credits": gettext("Credits"),
        "access": gettext("Access token"),
        "proxy": gettext("Proxy"),
        "tags": gettext("Tags"),
        "error": gettext("Last error"),
    }
    return tuple(Column(words[one], one in asked.columns, asked.switched(one)) for one in COLUMNS)


def strip_of(name: str, checks: Sequence[Check]) -> Beats:
    """The strip of an account's last checks."""
    beats = [_BEATS[check.outcome] for check in checks]
    counts = {"fine": beats.count(Beat.FINE), "slow": beats.count(Beat.SLOW), "failed": beats.count(Beat.FAILED)}
    label = gettext("%(name)s: of the last %(count)s checks %(fine)s fine, %(slow)s slow, %(failed)s failed")
    return beats_strip(label % {"name": name, "count": len(beats), **counts}, beats)


def proxy_words(proxy: str | None) -> str:
    """What an account reaches the service by, in the page's language."""
    if proxy is None:
        return gettext("default")
    return gettext("direct") if proxy == DIRECT else proxy


def _rows(page: AccountListPage, checks: Mapping[int, Sequence[Check]], doors: ConsoleDoors) -> tuple[AccountRow, ...]:
    most: dict[Tier | None, int] = {}
    for one in page.accounts:
        account = one.account
        most[account.tier] = max(most.get(account.tier, 1), account.credits or 0)
    now = doors.clock.now()
    return tuple(row_of(one, checks.get(one.account.id, ()), most[one.account.tier], now) for one in page.accounts)


def row_of(listed: ListedAccount, checks: Sequence[Check], most_credits: int, now: datetime) -> AccountRow:
    """The line of an account.

    Args:
        most_credits: What a full meter stands for.
    """
    account, name = listed.account, name_of(listed.account)
    fault, fault_at = _fault(account)
    until = account.access_expires_at
    return AccountRow(
        id=account.id,
        name=name,
        upstream=account.upstream,
        plan=tier_words(account.tier),
        state=standing_pill(listed.standing),
        checks=strip_of(name, checks),
        images=slots_row(listed.images, account.capacity.image, unlimited_word=gettext("any")),
        videos=slots_row(listed.videos, account.capacity.video, unlimited_word=gettext("any")),
        credits=account.credits,
        most_credits=most_credits,
        access_until=until,
        access_left_s=None if until is None else max(0.0, (until - now).total_seconds()),
        is_renewed_late=listed.standing.state is AccountState.TOKEN_SOON or (until is not None and until <= now),
        proxy=proxy_words(account.proxy),
        tags=tuple(sorted(account.tags)),
        fault=fault,
        fault_at=fault_at,
    )


def _fault(account: Account) -> tuple[str, datetime | None]:
    told = [rest for rest in account.rests if rest.why]
    latest = max(told, key=lambda rest: rest.since, default=None)
    return ("", None) if latest is None else (retold(latest.why), latest.since)


def _facets(page: AccountListPage, asked: Narrowing) -> tuple[Facet, ...]:
    every = Facet(None, sum(page.counts.values()), asked.link(state=""), not asked.state)
    shown = [state for state in IN_ORDER if page.counts.get(state) or asked.state == state.value]
    return (
        every,
        *(
            Facet(state_pill(state), page.counts.get(state, 0), asked.link(state=state.value), asked.state == state)
            for state in shown
        ),
    )


def _chips(values: FilterValues, asked: Narrowing) -> tuple[Chip, ...]:
    plans = [(tier.name.lower(), tier_words(tier)) for tier in Tier]
    proxies = [(OWN_PROXY_NONE, gettext("none of its own")), *((one, proxy_words(one)) for one in values.proxies)]
    offered = (
        ("tag", gettext("Tag"), [(tag, tag) for tag in values.tags]),
        ("plan", gettext("Plan"), plans),
        ("proxy", gettext("Proxy"), proxies if values.proxies else []),
        ("upstream", gettext("Service"), [(one, one) for one in values.upstreams] if len(values.upstreams) > 1 else []),
    )
    chips = (_chip(field, name, choices, asked) for field, name, choices in offered)
    return tuple(chip for chip in chips if chip.value or chip.choices)


def _chip(field: str, name: str, choices: Sequence[tuple[str, str]], asked: Narrowing) -> Chip:
    current = getattr(asked, field)
    clear = asked.link(**{field: ""})
    if current:
        return Chip(name, dict(choices).get(current, current), clear)
    links = (Choice(words, asked.link(**{field: value})) for value, words in choices[:_MOST_VALUES])
    return Chip(name, "", clear, tuple(links))


def _headings(asked: Narrowing) -> Mapping[str, Heading]:
    named = {
        "name": gettext("Name"),
        "state": gettext("State"),
        "busy": gettext("Image"),
        "credits": gettext("Credits"),
    }
    return {
        key: Heading(
            words=words,
            link=asked.link(sort=f"-{key}" if asked.sort == key else key),
            sorted={key: "ascending", f"-{key}": "descending"}.get(asked.sort, ""),
        )
        for key, words in named.items()
    }


def _sorts() -> tuple[tuple[str, str], ...]:
    return (
        ("name", gettext("Sort: name")),
        ("state", gettext("Sort: what needs care first")),
        ("busy", gettext("Sort: least busy first")),
        ("-busy", gettext("Sort: busiest first")),
        ("credits", gettext("Sort: fewest credits first")),
        ("-credits", gettext("Sort: most credits first")),
    )


def _narrowed(asked: Narrowing) -> str:
    named = (
        (gettext("State"), state_words(AccountState(asked.state)) if asked.state else ""),
        (gettext("Tag"), asked.tag),
        (gettext("Plan"), tier_words(Tier[asked.plan.upper()]) if asked.plan else ""),
        (gettext("Proxy"), gettext("none of its own") if asked.proxy == OWN_PROXY_NONE else asked.proxy),
        (gettext("Service"), asked.upstream),
        (gettext("Text"), asked.q),
    )
    told = [gettext("%(name)s: %(value)s") % {"name": name, "value": value} for name, value in named if value]
    return gettext("; ").join(told)


def counted(count: int) -> str:
    """So many accounts, in words."""
    return ngettext("%(count)s account", "%(count)s accounts", count) % {"count": number(count)}

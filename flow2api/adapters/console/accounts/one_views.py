"""What the page of an account shows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flow2api.adapters.console.account_states import StatePill, name_of, standing_pill, tier_words
from flow2api.adapters.console.accounts.job_lines import JobLine, jobs_of
from flow2api.adapters.console.accounts.notice import Notice, notices
from flow2api.adapters.console.accounts.one_forms import proxy_choices, settings_of
from flow2api.adapters.console.accounts.probe_views import ProbeView, probe_view
from flow2api.adapters.console.accounts.timeline import EventLine, by_words, event_line
from flow2api.adapters.console.accounts.views import proxy_words, strip_of
from flow2api.adapters.console.charts import Beats, CreditsChart, CreditsWords, Slots, credits_chart, slots_row
from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.language import gettext, retold
from flow2api.adapters.console.wording import day, number
from flow2api.domain.account import Account, RestReason
from flow2api.domain.errors import AccountNotFoundError, Flow2ApiError
from flow2api.domain.health import HealthEvent, HealthKind
from flow2api.domain.request_log import LogFilter
from flow2api.domain.statistics import Counts, Dimension, Scope
from flow2api.domain.usecases.import_rows import SHORTEST_SHOWN
from flow2api.domain.usecases.operate_accounts import COOLING
from flow2api.domain.usecases.read_credits import CreditsOutlook
from flow2api.domain.usecases.read_spans import Span

EVENTS = 12
_AHEAD_DAYS = 10
_ERRORS_OF = timedelta(days=7)
_ERRORS_READ = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenView:
    """How long what an account signs in with is good for; never what it is.

    Attributes:
        life_min: How many minutes the access token lived in all; 0 when there is none. The same for ``left_min``.
        renewed_next: When it is to be renewed by itself; None when it will not be.
        lapsed_at: Since when the session token or key is refused; None while it is not.
    """

    has_key: bool
    base_url: str
    life_min: int
    left_min: int
    renewed_at: datetime | None
    ends_at: datetime | None
    renewed_next: datetime | None
    lapsed_at: datetime | None
    keepalive_h: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorLine:
    """What it failed with, so often."""

    code: str
    message: str
    count: int
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAccount:
    """What of the page stays true by itself."""

    id: int
    name: str
    upstream: str
    email: str
    plan: str
    created_at: datetime
    state: StatePill
    notices: tuple[Notice, ...]
    images: Slots
    videos: Slots
    credits: int | None
    proxy: str
    workspace: str
    is_paused: bool
    is_cooling: bool
    tokens: TokenView
    checks: Beats
    events: tuple[EventLine, ...]
    older: str
    newest: str
    probe: ProbeView | None
    jobs: tuple[JobLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OneAccount:
    """The page of an account.

    Attributes:
        settings: The fields of the form, as they are stored.
        week: What it did in the last seven days.
        errors: What it failed with in that time, the most frequent first.
        are_all: Whether all errors of that time were looked at.
        keeps_deleted: Whether it can be brought back for a while once it is deleted.
        ending: The last letters of what it signs in with, to tell it from a new one; empty when they are not to be had.
    """

    live: LiveAccount
    settings: Mapping[str, str]
    proxies: Sequence[tuple[str, str]]
    credits: CreditsChart
    week: Counts
    errors: tuple[ErrorLine, ...]
    are_all: bool
    keeps_deleted: bool
    ending: str


async def look_live(doors: ConsoleDoors, account_id: int, before: str = "") -> LiveAccount:
    """The parts of the page that stay true.

    Args:
        before: The number of the last event of the page before; empty for the first one.

    Raises:
        AccountNotFoundError: It is not there.
    """
    account = account_in(doors, account_id)
    standing, candidate = doors.browse.standing(account_id), doors.pool.candidates[account_id]
    at = int(before) if before.isdecimal() and len(before) < 16 else None
    page = await doors.timeline.page(account_id, before=at, limit=EVENTS)
    checks = await doors.checks([account_id])
    kind, name = doors.kinds.of(account.upstream), name_of(account)
    probe = doors.probes.last(account_id)
    any_word, path = gettext("any"), f"/console/accounts/{account_id}"
    return LiveAccount(
        id=account.id,
        name=name,
        upstream=account.upstream,
        email=account.email or "",
        plan=tier_words(account.tier),
        created_at=account.created_at,
        state=standing_pill(standing),
        notices=notices(account, standing, kind, _paused_by(page.items)),
        images=slots_row(candidate.images, account.capacity.image, unlimited_word=any_word),
        videos=slots_row(candidate.videos, account.capacity.video, unlimited_word=any_word),
        credits=account.credits,
        proxy=proxy_words(account.proxy),
        workspace=account.workspace_name or account.workspace or "",
        is_paused=account.rest_of(RestReason.MANUAL) is not None,
        is_cooling=any(rest.reason in COOLING and rest.holds(doors.clock.now()) for rest in account.rests),
        tokens=_tokens(account, doors),
        checks=strip_of(name, checks.get(account_id, ())),
        events=tuple(event_line(event, has_key=kind.has_key) for event in page.items),
        older=f"{path}?before={page.items[-1].number}#account-health" if page.has_more else "",
        newest=f"{path}#account-health" if at is not None else "",
        probe=None if probe is None else probe_view(probe),
        jobs=await jobs_of(doors, account_id),
    )


async def look_whole(doors: ConsoleDoors, account_id: int, before: str = "") -> OneAccount:
    """The whole page.

    Raises:
        AccountNotFoundError: It is not there.
    """
    live = await look_live(doors, account_id, before)
    account = account_in(doors, account_id)
    since = doors.clock.now() - _ERRORS_OF
    failed = await doors.log.page(LogFilter(account_id=account_id, state="failed", since=since), limit=_ERRORS_READ)
    figures = await doors.spans.apart(Span.WEEK, Dimension.ACCOUNT, Scope(account_id=account_id))
    codes = Counter(line.code or "" for line in failed.items)
    latest = {line.code or "": line for line in reversed(failed.items)}
    return OneAccount(
        live=live,
        settings=settings_of(account),
        proxies=proxy_choices(await doors.proxies.all(), account.proxy),
        credits=credits_of(live.name, await doors.credits.of_account(account_id)),
        week=figures.get(account_id, Counts()),
        errors=tuple(
            ErrorLine(code=code, message=retold(latest[code].message or ""), count=count, last=latest[code].at)
            for code, count in codes.most_common()
        ),
        are_all=not failed.has_more,
        keeps_deleted=doors.restore.keeps_deleted,
        ending=await _ending(doors, account),
    )


async def _ending(doors: ConsoleDoors, account: Account) -> str:
    try:
        secrets = await doors.accounts.secrets_of([account])
    except Flow2ApiError:  # the page tells how the account stands, whatever its secrets are sealed with
        return ""
    credentials = secrets.get(account.id)
    return "" if credentials is None else credentials.session_token.ending(4, SHORTEST_SHOWN)


def account_in(doors: ConsoleDoors, account_id: int) -> Account:
    """The account as this process knows it.

    Raises:
        AccountNotFoundError: It is not there.
    """
    account = doors.account_of(account_id)
    if account is None:
        raise AccountNotFoundError(account_id)
    return account


def credits_of(name: str, outlook: CreditsOutlook) -> CreditsChart:
    """The chart of what was left day by day, and of where that goes."""
    known = [(one.day, one.left) for one in outlook.days if one.left is not None]
    expected = [] if outlook.forecast is None else outlook.forecast.expected(outlook.days[-1], _AHEAD_DAYS)
    summary = gettext("Nothing is known yet.")
    if len(known) == 1:
        summary = gettext("%(left)s on %(day)s.") % {"left": number(known[0][1]), "day": day(known[0][0])}
    elif known:
        summary = gettext("From %(first)s to %(last)s.") % {"first": number(known[0][1]), "last": number(known[-1][1])}
    if outlook.forecast is not None:
        told = gettext("At the pace of the last seven days nothing is left on %(day)s.")
        summary = f"{summary} {told % {'day': day(outlook.forecast.dry_on)}}"
    return credits_chart(
        gettext("Credits of %(name)s day by day") % {"name": name},
        summary,
        [(day(one.day), one.left) for one in outlook.days],
        [(day(at), left) for at, left in expected],
        CreditsWords(gettext("Day"), gettext("Left"), gettext("forecast"), gettext("not known")),
        number=number,
    )


def _paused_by(events: Sequence[HealthEvent]) -> str:
    for event in events:
        if event.reason is RestReason.MANUAL and event.kind is HealthKind.REST_BEGUN:
            return by_words(event.by)
    return ""


def _tokens(account: Account, doors: ConsoleDoors) -> TokenView:
    now, options = doors.clock.now(), doors.options()
    ends, began = account.access_expires_at, account.access_obtained_at
    left = 0.0 if ends is None else max(0.0, (ends - now).total_seconds())
    life = left if ends is None or began is None else (ends - began).total_seconds()
    lapsed = account.rest_of(RestReason.AUTH_EXPIRED)
    is_renewed = ends is not None and ends > now and lapsed is None and options.background_renewal
    return TokenView(
        has_key=doors.kinds.of(account.upstream).has_key,
        base_url=account.base_url or "",
        life_min=round(life / 60),
        left_min=round(left / 60),
        renewed_at=began,
        ends_at=ends,
        renewed_next=ends - account.renewal_margin() if is_renewed and ends is not None else None,
        lapsed_at=None if lapsed is None else lapsed.since,
        keepalive_h=options.session_keepalive_h,
    )

"""What needs somebody, worst first, each with the one thing to do about it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from flow2api.adapters.console.account_states import state_pill, state_words
from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.keys.views import SOON
from flow2api.adapters.console.language import gettext, ngettext, retold
from flow2api.adapters.console.wording import check_name, duration, number
from flow2api.domain.account_state import AccountState
from flow2api.domain.api_key import ApiKey
from flow2api.domain.breaker import Host
from flow2api.domain.proxy import Proxy, ProxyState
from flow2api.domain.usecases.diagnose import CheckState
from flow2api.domain.usecases.glance_at_pool import BusyAccounts
from flow2api.domain.usecases.read_credits import CreditsOutlook

SLOW_PROXY_MS = 3000
SOON_DRY_DAYS = 14
_MOST_OF_A_KIND = 3
_IDLE = frozenset({AccountState.SIGN_IN_EXPIRED, AccountState.UNUSABLE, AccountState.COOLING_DOWN, AccountState.PAUSED})
"""Accounts that serve nothing; one without credits may still make what is free."""


@dataclass(frozen=True, slots=True)
class Care:
    """Something that needs somebody.

    Attributes:
        kind: ``err`` for what keeps work from being done, ``warn`` for what will.
        label: What it is about, in a word or two.
        title: What happened.
        words: What that means.
        action: What to do, in words, and the page where it is done.
    """

    kind: str
    icon: str
    label: str
    title: str
    words: str
    action: str
    path: str


def cares(
    doors: ConsoleDoors, accounts: BusyAccounts, outlook: CreditsOutlook | None, keys: Sequence[ApiKey] = ()
) -> Sequence[Care]:
    """Everything that needs somebody now, worst first."""
    found = [
        *_of_accounts(accounts),
        *_of_hosts(doors),
        *_of_proxies(doors.glance.proxies()),
        *_of_server(doors),
        *_of_checks(doors),
        *_of_credits(accounts, outlook),
        *_of_keys(keys, doors.clock.now()),
    ]
    return sorted(found, key=lambda care: care.kind != "err")


def _of_accounts(accounts: BusyAccounts) -> Iterator[Care]:
    counts = accounts.page.counts
    total = sum(counts.values())
    if total and total == sum(counts.get(state, 0) for state in _IDLE):
        title = ngettext("The only account takes no work now.", "None of the %(count)s accounts takes work now.", total)
        yield Care(
            "err",
            "x",
            gettext("No account"),
            title % {"count": number(total)},
            gettext("Requests wait or are refused until one is ready again."),
            gettext("Show accounts"),
            "/console/accounts",
        )
    if expired := counts.get(AccountState.SIGN_IN_EXPIRED, 0):
        title = ngettext(
            "%(count)s account has to be signed in anew.", "%(count)s accounts have to be signed in anew.", expired
        )
        words = gettext("The service refused the sign-in; no work goes there until you replace it.")
        yield _of_state(AccountState.SIGN_IN_EXPIRED, title, expired, words, gettext("Replace tokens"))
    if unusable := counts.get(AccountState.UNUSABLE, 0):
        title = ngettext("%(count)s account cannot be used.", "%(count)s accounts cannot be used.", unusable)
        words = gettext("The service does not serve it, or there is no way to the service.")
        yield _of_state(AccountState.UNUSABLE, title, unusable, words, gettext("See why"))
    if soon := counts.get(AccountState.TOKEN_SOON, 0):
        title = ngettext(
            "The access token of %(count)s account ends soon.",
            "The access tokens of %(count)s accounts end soon.",
            soon,
        )
        words = gettext("It should have been renewed long ago; see what keeps it from that.")
        yield _of_state(AccountState.TOKEN_SOON, title, soon, words, gettext("Show accounts"))


def _of_state(state: AccountState, title: str, count: int, words: str, action: str) -> Care:
    look = state_pill(state)
    return Care(
        look.kind,
        look.icon,
        state_words(state),
        title % {"count": number(count)},
        words,
        action,
        f"/console/accounts?state={state.value}",
    )


def _of_hosts(doors: ConsoleDoors) -> Iterator[Care]:
    for one in doors.glance.paused_hosts():
        name = one.upstream if one.base_url is None else f"{one.upstream} ({urlsplit(one.base_url).netloc})"
        if one.host is Host.SESSION:
            name = gettext("%(upstream)s (sign-in)") % {"upstream": name}
        wait = duration(max(1.0, one.status.retry_after_s))
        yield Care(
            "err",
            "hourglass",
            gettext("Service fails"),
            gettext("%(name)s fails for most accounts.") % {"name": name},
            gettext("Nothing is asked of it for now; it is tried again in %(wait)s.") % {"wait": wait},
            gettext("See the errors"),
            "/console/requests",
        )


def _of_proxies(proxies: Sequence[Proxy]) -> Iterator[Care]:
    used = [one for one in proxies if one.is_enabled]
    dead = [one for one in used if one.health.state is ProxyState.DOWN]
    slow = [one for one in used if one not in dead and (one.health.latency_ms or 0) > SLOW_PROXY_MS]
    move, path = gettext("See proxies"), "/console/settings/proxies"
    label, words = gettext("Dead proxy"), gettext("Accounts that have no other way take no work.")
    if len(dead) > _MOST_OF_A_KIND:
        title = ngettext("%(count)s proxy does not answer.", "%(count)s proxies do not answer.", len(dead))
        yield Care("err", "wifi-off", label, title % {"count": number(len(dead))}, words, move, path)
    else:
        for one in dead:
            title = gettext("The proxy %(name)s does not answer.") % {"name": one.name}
            yield Care("err", "wifi-off", label, title, words, move, path)
    for one in slow[:_MOST_OF_A_KIND]:
        took = duration((one.health.latency_ms or 0) / 1000)
        title = gettext("The proxy %(name)s answers in %(took)s.") % {"name": one.name, "took": took}
        words = gettext("Everything that goes through it takes longer by that.")
        yield Care("warn", "clock", gettext("Slow proxy"), title, words, move, path)


def _of_server(doors: ConsoleDoors) -> Iterator[Care]:
    fault, system = doors.server.room.fault, "/console/system"
    if fault is not None:
        words = gettext("What costs credits is not begun, for it could not be kept.")
        yield Care(
            "err", "database", gettext("No room"), retold(fault.message), words, gettext("Look at the server"), system
        )
    if doors.server.drain.is_on:
        yield Care(
            "warn",
            "hourglass",
            gettext("Draining"),
            gettext("This server takes nothing new."),
            gettext("An operator wanted that; what was begun comes to its end."),
            gettext("End that"),
            f"{system}#drain",
        )
    if lost := doors.server.dropped_lines():
        title = ngettext(
            "%(count)s line of the request log was lost.", "%(count)s lines of the request log were lost.", lost
        )
        words = gettext("The database was too slow for them; figures of that time are too small.")
        yield Care(
            "warn",
            "list",
            gettext("Log gaps"),
            title % {"count": number(lost)},
            words,
            gettext("Look at the server"),
            system,
        )


def _of_checks(doors: ConsoleDoors) -> Iterator[Care]:
    latest = doors.server.diagnosis.latest
    if latest is None:
        return
    for one in latest.diagnoses:
        if one.finding.state is CheckState.FAIL:
            yield Care(
                "err",
                "x",
                gettext("Check fails"),
                gettext("The check %(name)s fails.") % {"name": check_name(one.name)},
                retold(one.finding.sentence),
                gettext("How to mend it"),
                "/console/system",
            )


def _of_credits(accounts: BusyAccounts, outlook: CreditsOutlook | None) -> Iterator[Care]:
    empty = accounts.page.counts.get(AccountState.OUT_OF_CREDITS, 0)
    ahead = None if outlook is None or outlook.forecast is None else outlook.forecast
    left = None if ahead is None or outlook is None else (ahead.dry_on - outlook.days[-1].day).days
    is_soon = left is not None and left <= SOON_DRY_DAYS
    if not (empty or is_soon):
        return
    look = state_pill(AccountState.OUT_OF_CREDITS)
    gone = ngettext("%(count)s account has no credits left.", "%(count)s accounts have no credits left.", empty) % {
        "count": number(empty)
    }
    if is_soon and left is not None and ahead is not None:
        title = ngettext(
            "Credits last for about %(days)s more day.", "Credits last for about %(days)s more days.", left
        ) % {"days": number(left)}
        pace = gettext("At the pace of this week, %(pace)s a day.") % {"pace": number(round(ahead.pace))}
        words = f"{pace} {gone}" if empty else pace
    else:
        title, words = gone, gettext("They take work again when their plan gives them new ones.")
    path = f"/console/accounts?state={AccountState.OUT_OF_CREDITS.value}" if empty else "/console/accounts?sort=credits"
    yield Care("warn", look.icon, gettext("Credits"), title, words, gettext("Show accounts"), path)


def _of_keys(keys: Sequence[ApiKey], now: datetime) -> Iterator[Care]:
    """Keys that expire within days, and those that have within as many: their clients are, or will be, refused."""
    dated = [(key.rules.expires_at, key) for key in keys if key.is_active and key.rules.expires_at is not None]
    near = sorted(((at, key) for at, key in dated if now - SOON < at <= now + SOON), key=lambda one: one[0])
    label, action = gettext("API keys"), gettext("Show keys")
    if len(near) > _MOST_OF_A_KIND:
        title = ngettext(
            "%(count)s key expires or has expired within a week.",
            "%(count)s keys expire or have expired within a week.",
            len(near),
        )
        words = gettext("Clients that use them are refused from then on.")
        yield Care(
            "warn",
            "key-round",
            label,
            title % {"count": number(len(near))},
            words,
            action,
            "/console/keys?sort=expires",
        )
        return
    for at, key in near:
        path = f"/console/keys/{key.id}"
        if at <= now:
            title = gettext("The key %(name)s has expired.") % {"name": key.name}
            words = gettext("Clients that use it are refused. Give it a later date, or revoke it.")
        else:
            left = duration((at - now).total_seconds())
            title = gettext("The key %(name)s expires in %(left)s.") % {"name": key.name, "left": left}
            words = gettext("Clients that use it are refused from then on. Give it a later date, or rotate it.")
        yield Care("warn", "key-round", label, title, words, gettext("Open the key"), path)

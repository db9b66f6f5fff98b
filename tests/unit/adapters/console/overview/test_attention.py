"""What needs somebody, worst first."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

from flow2api.adapters.console.overview.attention import cares
from flow2api.domain.account_list import AccountListPage
from flow2api.domain.account_state import AccountState
from flow2api.domain.api_key import ApiKey
from flow2api.domain.breaker import BreakerState, BreakerStatus, Host
from flow2api.domain.errors import StorageFullError
from flow2api.domain.forecast import CreditsDay, Forecast
from flow2api.domain.key_rules import KeyRules
from flow2api.domain.proxy import Proxy, ProxyHealth, ProxyState
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.diagnose import CheckState, Diagnosis, Finding
from flow2api.domain.usecases.glance_at_pool import BusyAccounts, PausedHost
from flow2api.domain.usecases.keep_diagnosis import Examined
from flow2api.domain.usecases.read_credits import CreditsOutlook
from flow2api.testing.fakes.clock import START, FakeClock
from flow2api.testing.samples import key_of

OPEN = BreakerStatus(BreakerState.OPEN, 12.0, 5, 6)


def proxy(name: str, state: ProxyState = ProxyState.HEALTHY, latency_ms: int | None = 80, **fields: Any) -> Proxy:
    health = ProxyHealth(state=state, latency_ms=latency_ms)
    return Proxy(id=1, name=name, url=Secret("x"), address="x", created_at=START, health=health, **fields)


@dataclass
class Server:
    """A server, as far as its troubles go."""

    counts: dict[AccountState, int] = field(default_factory=dict)
    hosts: Sequence[PausedHost] = ()
    proxies: Sequence[Proxy] = ()
    fault: Exception | None = None
    is_drained: bool = False
    lost: int = 0
    found: Examined | None = None
    outlook: CreditsOutlook | None = None
    keys: Sequence[ApiKey] = ()

    def told(self) -> list[tuple[str, str]]:
        doors: Any = SimpleNamespace(
            clock=FakeClock(),
            glance=SimpleNamespace(paused_hosts=lambda: self.hosts, proxies=lambda: self.proxies),
            server=SimpleNamespace(
                room=SimpleNamespace(fault=self.fault),
                drain=SimpleNamespace(is_on=self.is_drained),
                dropped_lines=lambda: self.lost,
                diagnosis=SimpleNamespace(latest=self.found),
            ),
        )
        page = AccountListPage(accounts=[], total=0, first=0, earlier=None, later=None, counts=self.counts)
        found = cares(doors, BusyAccounts(page, {}), self.outlook, self.keys)
        assert all(care.action and care.path.startswith("/console/") and care.words for care in found)
        return [(care.kind, care.title) for care in found]


def outlook(days_left: int) -> CreditsOutlook:
    last = date(2026, 11, 1)
    return CreditsOutlook([CreditsDay(last, 100)], Forecast(41.4, date(2026, 11, 1 + days_left)))


def test_a_server_that_is_well_needs_nobody() -> None:
    fine = Server(proxies=[proxy("a")], counts={AccountState.READY: 5, AccountState.PAUSED: 1}, outlook=outlook(20))
    assert fine.told() == []


def test_accounts_are_counted_by_what_is_wrong() -> None:
    counts = {AccountState.SIGN_IN_EXPIRED: 1, AccountState.UNUSABLE: 1200, AccountState.TOKEN_SOON: 2}
    assert Server(counts=counts).told() == [
        ("err", "1 account has to be signed in anew."),
        ("err", "1,200 accounts cannot be used."),
        ("warn", "The access tokens of 2 accounts end soon."),
    ]


def test_pool_in_which_nobody_works_is_the_first_matter_whatever_the_reason() -> None:
    assert Server(counts={AccountState.PAUSED: 3, AccountState.COOLING_DOWN: 1}).told() == [
        ("err", "None of the 4 accounts takes work now."),
    ]
    assert Server(counts={AccountState.PAUSED: 1, AccountState.SIGN_IN_EXPIRED: 1}).told() == [
        ("err", "None of the 2 accounts takes work now."),
        ("err", "1 account has to be signed in anew."),
    ]
    assert Server(counts={AccountState.COOLING_DOWN: 1}).told() == [("err", "The only account takes no work now.")]
    assert Server(counts={AccountState.PAUSED: 1, AccountState.BUSY: 1}).told() == []


def test_what_keeps_work_from_being_done_comes_first() -> None:
    told = Server(
        counts={AccountState.OUT_OF_CREDITS: 3},
        hosts=[
            PausedHost("flow", None, Host.SESSION, OPEN),
            PausedHost("openai", "https://media.example.org/v1", Host.API, OPEN),
        ],
        proxies=[
            proxy("slow", latency_ms=4100),
            proxy("dead", ProxyState.DOWN),
            proxy("off", ProxyState.DOWN, is_enabled=False),
        ],
        fault=StorageFullError("There is room for 3 MB."),
        is_drained=True,
        lost=2,
        found=Examined(
            START,
            1.0,
            [
                Diagnosis("database file", Finding(CheckState.FAIL, "It is damaged.", "Restore a backup.")),
                Diagnosis("clock", Finding(CheckState.WARN, "It jumped.")),
            ],
        ),
    ).told()
    assert told == [
        ("err", "flow (sign-in) fails for most accounts."),
        ("err", "openai (media.example.org) fails for most accounts."),
        ("err", "The proxy dead does not answer."),
        ("err", "There is room for 3 MB."),
        ("err", "The check database file fails."),
        ("warn", "The proxy slow answers in 4.1 s."),
        ("warn", "This server takes nothing new."),
        ("warn", "2 lines of the request log were lost."),
        ("warn", "3 accounts have no credits left."),
    ]


def test_many_dead_proxies_are_one_matter() -> None:
    assert Server(proxies=[proxy(f"p{number}", ProxyState.DOWN) for number in range(5)]).told() == [
        ("err", "5 proxies do not answer.")
    ]


def test_credits_are_told_of_when_they_end_soon() -> None:
    assert Server(outlook=outlook(9)).told() == [("warn", "Credits last for about 9 more days.")]
    assert Server(outlook=outlook(1), counts={AccountState.OUT_OF_CREDITS: 1}).told() == [
        ("warn", "Credits last for about 1 more day.")
    ]


def key(name: str, left: timedelta, **fields: Any) -> ApiKey:
    return replace(key_of(name), rules=KeyRules(expires_at=START + left), **fields)


def test_keys_are_told_of_days_before_and_after_they_expire() -> None:
    keys = [
        key("later", timedelta(days=6)),
        key("sooner", timedelta(hours=2)),
        key("over", timedelta(minutes=-1)),
        key("long over", timedelta(days=-8)),
        key("far", timedelta(days=8)),
        key("revoked", timedelta(hours=1), revoked_at=START),
        key_of("for ever"),
    ]
    assert Server(keys=keys).told() == [
        ("warn", "The key over has expired."),
        ("warn", "The key sooner expires in 2 h 0 min."),
        ("warn", "The key later expires in 6 days."),
    ]


def test_many_keys_that_expire_are_one_matter() -> None:
    keys = [key(str(number), timedelta(hours=number)) for number in range(1, 5)]
    assert Server(keys=keys).told() == [("warn", "4 keys expire or have expired within a week.")]

"""The pool at a glance, read once for all who look."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from flow2api.domain.account import Place
from flow2api.domain.account_state import AccountState
from flow2api.domain.breaker import BreakerState, BreakerStatus, Host
from flow2api.domain.errors import StorageError
from flow2api.domain.generation import State
from flow2api.domain.lease import AccountPool
from flow2api.domain.statistics import Dimension
from flow2api.domain.usecases.browse_accounts import BrowseAccounts
from flow2api.domain.usecases.glance_at_pool import BUSIEST, LATEST, GlanceAtPool, PausedHost
from flow2api.domain.usecases.judge_accounts import JudgeAccounts
from flow2api.domain.usecases.look_up_generations import LookUpGenerations
from flow2api.domain.usecases.read_checks import ReadChecks
from flow2api.domain.usecases.read_credits import ReadCredits
from flow2api.domain.usecases.read_spans import ReadSpans, Span
from flow2api.domain.usecases.read_statistics import ReadStatistics
from flow2api.plugins.coordination_memory import MemorySlots
from flow2api.testing.factories import AccountFactory
from flow2api.testing.fakes.clock import START, FakeClock
from flow2api.testing.fakes.storage import FakeStorage
from flow2api.testing.samples import generation_of

OPEN = BreakerStatus(BreakerState.OPEN, 12.0, 5, 6)
FINE = BreakerStatus(BreakerState.CLOSED, 0.0, 0, 6)


class Hill:
    """From where one looks."""

    def __init__(self, accounts: int = 0) -> None:
        self.clock = FakeClock()
        self.storage = FakeStorage(self.clock)
        pool = AccountPool(MemorySlots(), self.clock)
        for number in range(1, accounts + 1):
            name = f"account {number:02d}"
            pool.put(AccountFactory.build(id=number, name=name, access_expires_at=START + timedelta(days=1)))
        self.hosts: dict[tuple[Place, Host], BreakerStatus] = {
            (("flow", None), Host.API): OPEN,
            (("flow", None), Host.SESSION): FINE,
        }
        statistics = ReadStatistics(self.storage.statistics, self.clock, lambda: UTC)
        self.glance = GlanceAtPool(
            BrowseAccounts(JudgeAccounts(pool, self.clock)),
            ReadChecks(self.storage.health),
            ReadSpans(self.storage.statistics, statistics, self.clock, lambda model: None),
            ReadCredits(pool, None, self.clock, lambda: UTC),
            LookUpGenerations(self.storage.generations, self.storage.generation_directory),
            lambda: self.hosts,
            lambda: (),
            self.clock,
        )


async def test_a_few_accounts_and_the_counts_of_all() -> None:
    seen = await Hill(accounts=BUSIEST + 3).glance.accounts()
    assert len(seen.page.accounts) == BUSIEST == len(seen.checks)
    assert sum(seen.page.counts.values()) == BUSIEST + 3
    assert seen.page.counts.keys() == set(AccountState)


async def test_accounts_that_do_nothing_stand_in_the_order_of_their_names() -> None:
    seen = await Hill(accounts=BUSIEST + 3).glance.accounts()

    assert [listed.account.name for listed in seen.page.accounts] == [f"account {n + 1:02d}" for n in range(BUSIEST)]


async def test_accounts_are_shown_without_their_checks_when_the_database_does_not_tell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hill = Hill(accounts=1)

    async def refuses(self: ReadChecks, account_ids: object) -> object:
        raise StorageError("The database is gone.")

    monkeypatch.setattr(ReadChecks, "__call__", refuses)
    assert (await hill.glance.accounts()).checks == {}


async def test_figures_and_credits_are_those_of_their_use_cases() -> None:
    hill = Hill()
    figures = await hill.glance.figures(Span.DAY)
    assert (figures.span, figures.total.all.succeeded) == (Span.DAY, 0)
    assert await hill.glance.figures(Span.DAY) is figures
    assert await hill.glance.apart(Span.DAY, Dimension.KEY) == {}
    assert [one.left for one in (await hill.glance.credits(3)).days] == [None] * 3


async def test_figures_of_today_are_read_once_for_all_who_look_within_a_moment() -> None:
    hill = Hill()
    today = await hill.glance.today(Dimension.KEY)
    assert today == {}
    assert await hill.glance.today(Dimension.KEY) is today
    hill.clock.advance(2)
    assert await hill.glance.today(Dimension.KEY) is not today


async def test_the_latest_results_are_those_that_were_not_deleted() -> None:
    hill = Hill()
    gone = datetime(2026, 11, 23, tzinfo=UTC)
    for number in range(LATEST + 2):
        made = replace(generation_of(f"g{number}", after_s=number), state=State.COMPLETED)
        await hill.storage.generations.add([replace(made, deleted_at=gone) if number == LATEST else made])
    await hill.storage.generations.add([generation_of("waits", after_s=99)])
    latest = await hill.glance.latest()
    assert [one.id for one in latest] == ["g7", "g5", "g4", "g3", "g2", "g1"]


def test_hosts_that_are_left_alone_are_named() -> None:
    hill = Hill()
    assert hill.glance.paused_hosts() == [PausedHost("flow", None, Host.API, OPEN)]
    assert hill.glance.proxies() == ()

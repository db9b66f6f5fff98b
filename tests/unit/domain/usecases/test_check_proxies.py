import asyncio
from datetime import timedelta
from typing import Any

import pytest

from flow2api.domain.audit import Actor, AuditAction
from flow2api.domain.errors import ProxyUnavailableError, StorageBusyError
from flow2api.domain.proxy import ProxyState
from flow2api.domain.selection import Need
from flow2api.domain.usecases.check_proxies import CHECKS_AT_ONCE, LATEST_RETRY, CheckProxies, KeepProxies
from flow2api.testing.factories import picture_spec
from flow2api.testing.fakes.proxies import FakeProbe
from tests.unit.domain.usecases.test_choose_proxy import Site

ADA = Actor(name="ada", door="tests")


class Office(Site):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.probe = FakeProbe()
        self.check = CheckProxies(
            self.probe, self.storage.proxies, self.storage.audit_log, self.clock, lambda: self.options
        )
        self.keep = KeepProxies(
            self.choose, self.check, self.storage.proxies, self.pool, self.clock, lambda: self.options
        )

    def close(self, name: str, *, is_certain: bool = True) -> None:
        self.probe.closed[self.known(name).url.reveal()] = ProxyUnavailableError("Closed.", is_certain=is_certain)

    def due(self) -> list[str]:
        return [proxy.name for proxy in self.keep.due(self.clock.now())]

    async def round(self) -> None:
        """What a round of the loop does, to its end."""
        async with asyncio.TaskGroup() as group:
            self.keep._begin_checks(group)
        await self.keep.write()


async def test_check_tells_latency_status_and_egress_and_fetches_what_it_is_told() -> None:
    office = Office(proxy_check_url="https://check.invalid/")
    await office.add("one")

    checked = await office.check(office.known("one"))
    await office.check(office.known("one"), target="https://other.invalid/")

    assert checked.passage is not None
    assert (checked.passage.status, checked.passage.latency_ms, checked.passage.egress) == (204, 42, "192.0.2.9")
    assert checked.proxy.health.state is ProxyState.HEALTHY
    assert [target for _, target in office.probe.checked] == ["https://check.invalid/", "https://other.invalid/"]


async def test_operators_check_is_written_with_what_went_wrong() -> None:
    office = Office()
    await office.add("one", "two")
    office.close("two")

    good, bad = await office.check.check_and_keep(office.choose.all(), ADA)

    assert (good.fault, bad.passage, bad.fault) == (None, None, "Closed.")
    states = {one.name: (one.health.state, one.health.egress) for one in await office.storage.proxies.all()}
    assert states == {"one": (ProxyState.HEALTHY, "192.0.2.9"), "two": (ProxyState.DOWN, None)}
    await office.check.check_and_keep([good.proxy], ADA)
    told = [(entry.action, entry.subject, entry.details) for entry in office.storage.tables.audit[-2:]]
    assert told == [
        (AuditAction.PROXY_CHECKED, None, {"proxies": ["one", "two"]}),
        (AuditAction.PROXY_CHECKED, str(good.proxy.id), {"proxies": ["one"]}),
    ]


async def test_each_proxy_is_checked_once_in_an_interval_and_disabled_ones_never() -> None:
    office = Office(proxy_check_interval_s=300.0)
    await office.add("one", "two")
    await office.add("off", is_enabled=False)
    assert office.due() == ["one", "two"]

    await office.round()

    assert office.due() == []
    office.clock.advance(299)
    assert office.due() == []
    office.clock.advance(1)
    assert office.due() == ["one", "two"]


async def test_dead_proxy_is_asked_later_each_time_and_is_back_after_one_success() -> None:
    office = Office(proxy_check_interval_s=0.0)
    await office.add("one")
    assert office.due() == [], "an interval of 0 checks only what is down"
    office.kill("one")
    office.close("one")
    pauses = []
    for _ in range(8):
        paused = timedelta(0)
        while not office.due():
            office.clock.advance(5)
            paused += timedelta(seconds=5)
        pauses.append(paused)
        await office.round()

    assert pauses == sorted(pauses)
    assert pauses[0] == timedelta(seconds=10)
    assert pauses[-1] == LATEST_RETRY
    office.probe.closed.clear()
    office.clock.advance(LATEST_RETRY.total_seconds())
    await office.round()
    assert office.known("one").health.state is ProxyState.HEALTHY
    assert (await office.storage.proxies.all())[0].health.state is ProxyState.HEALTHY


async def test_no_more_than_a_few_are_checked_at_once() -> None:
    office = Office()
    await office.add(*(f"p{number}" for number in range(3 * CHECKS_AT_ONCE)))

    await office.round()

    assert len(office.probe.checked) == CHECKS_AT_ONCE


async def test_accounts_lose_their_place_while_no_proxy_works_and_get_it_back() -> None:
    office = Office(proxy="eu")
    await office.add("a", "b", pool="eu")
    office.accounts(1200)
    office.accounts(1, proxy="direct")
    await office.keep.tell_pool()
    office.kill("a")
    await office.keep.tell_pool()
    assert all(office.pool.candidates[account.id].has_way for account in office.pool), "b is left"
    office.kill("b")
    assert office.choose.has_moved.is_set()

    await office.keep.tell_pool()

    ways = [office.pool.candidates[account.id].has_way for account in office.pool]
    assert ways == [True, *[False] * 1199]
    office.choose.take(office.known("a"), office.known("a").health.worked(office.clock.now()))
    await office.keep.tell_pool()
    assert all(office.pool.candidates[account.id].has_way for account in office.pool)


async def test_what_storage_refuses_is_written_the_next_time() -> None:
    office = Office(proxy="eu")
    await office.add("a", "b", pool="eu")
    office.accounts(3)
    office.names()
    office.kill("a")
    office.storage.tables.fault = StorageBusyError("busy")
    await office.keep.write()
    assert office.storage.tables.assignments == {}

    office.storage.tables.fault = None
    await office.keep.write()

    assert len(office.storage.tables.assignments) == 3
    assert {one.health.state for one in await office.storage.proxies.all()} == {ProxyState.DOWN, ProxyState.UNKNOWN}
    writes = office.storage.tables.writes
    await office.keep.write()
    assert office.storage.tables.writes == writes, "nothing is written twice"


async def test_check_that_breaks_ends_no_round(caplog: pytest.LogCaptureFixture) -> None:
    office = Office()
    await office.add("one", "two")

    async def broken(*args: object, **more: object) -> Any:
        raise RuntimeError("canary")

    office.check._probe = broken
    await office.round()

    assert office.known("one").health.failures == 1
    assert "proxy could not be checked" in caplog.text


@pytest.mark.parametrize("is_certain", [None, False])
async def test_what_calls_learn_during_a_check_is_not_undone_by_it(is_certain: bool | None) -> None:
    office = Office()
    await office.add("one")
    before, told = office.known("one"), []
    office.choose.subscribe(lambda _, after: told.append(after.health.state))
    if is_certain is not None:
        office.close("one", is_certain=is_certain)

    async def slow(proxy: Any) -> Any:
        office.kill("one")
        return await CheckProxies.__call__(office.check, proxy)

    office.keep._check = slow  # type: ignore[assignment]
    await office.keep._check_one(before)

    if is_certain is None:
        assert told == [ProxyState.DOWN, ProxyState.HEALTHY]
    else:
        assert told == [ProxyState.DOWN]
        assert office.known("one").health.failures == 2


async def test_check_of_a_proxy_that_is_gone_meanwhile_comes_to_nothing() -> None:
    office = Office()
    await office.add("one")
    gone = office.known("one")
    office.choose._proxies.clear()

    await office.keep._check_one(gone)

    assert office.choose.unwritten_health == {}


async def test_choice_that_is_written_while_storage_is_read_is_kept() -> None:
    office = Office(proxy="eu")
    await office.add("a", "b", pool="eu")
    office.accounts(2)
    first = office.choose.way(1)
    read = office.storage.proxies.assignments
    chosen: dict[int, object] = {}

    async def slow() -> Any:
        found = [batch async for batch in read()]
        chosen[2] = office.choose.way(2).proxy
        await office.keep.write()
        for batch in found:
            yield batch

    office.choose._stored.assignments = slow  # type: ignore[method-assign]
    await office.choose.load()

    assert office.choose.unwritten == {}
    assert office.choose._kept.keys() == {(1, "eu"), (2, "eu")}
    assert [office.choose.way(1).proxy, office.choose.way(2).proxy] == [first.proxy, chosen[2]]


async def test_keeper_checks_tells_the_pool_and_writes_at_the_end_for_ever() -> None:
    office = Office(proxy="one")
    await office.add("one")
    office.close("one")
    office.accounts(1)
    task = asyncio.create_task(office.keep.run())
    for _ in range(20):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])

    assert office.known("one").health.state is ProxyState.DOWN
    assert not office.pool.can_serve(Need(picture_spec()))
    assert task.cancelled()
    (kept,) = await office.storage.proxies.all()
    assert kept.health == office.known("one").health


async def test_what_was_not_written_for_a_fault_of_ours_is_kept_and_the_fault_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    office = Office()
    await office.add("one")
    office.kill("one")

    async def broken(_: object) -> None:
        raise LookupError("ours")

    monkeypatch.setattr(office.storage.proxies, "note_health", broken)
    with pytest.raises(LookupError):
        await office.keep.write()
    assert list(office.choose.unwritten_health) == [office.known("one").id]


async def test_account_removed_while_the_pool_is_told_is_left_out() -> None:
    office = Office(proxy="one")
    await office.add("one")
    office.kill("one")
    office.accounts(2000)
    telling = asyncio.create_task(office.keep.tell_pool())
    await asyncio.sleep(0)
    office.pool.remove(2000)
    await telling

    assert sum(office.pool.refusals(Need(picture_spec()).signature).values()) == 1999


async def test_proxy_whose_check_is_under_way_is_not_checked_twice() -> None:
    office = Office()
    await office.add("one")
    async with asyncio.TaskGroup() as group:
        office.keep._begin_checks(group)
        office.keep._begin_checks(group)
    assert len(office.probe.checked) == 1

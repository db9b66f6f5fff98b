import logging
from dataclasses import replace
from typing import Any

import pytest

from flow2api.domain.account import Account
from flow2api.domain.errors import ProxyUnavailableError, UnsupportedInputError
from flow2api.domain.lease import AccountPool
from flow2api.domain.options import Options
from flow2api.domain.proxy import Proxy, ProxyHealth, ProxyState
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.choose_proxy import NOBODY, ChooseProxy
from flow2api.plugins.coordination_memory import MemorySlots
from flow2api.plugins.proxy_selectors import Rendezvous
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.storage import FakeStorage


class Site:
    """A chooser over a storage in memory."""

    def __init__(self, storage: FakeStorage | None = None, **options: Any) -> None:
        self.clock = FakeClock()
        self.storage = storage or FakeStorage(self.clock)
        self.pool = AccountPool(MemorySlots(), self.clock)
        self.options = Options(**options)
        self.choose = ChooseProxy(
            self.storage.proxies, self.pool, lambda name: Rendezvous(), self.clock, lambda: self.options
        )

    async def add(self, *names: str, pool: str | None = None, **fields: Any) -> None:
        for name in names:
            proxy = Proxy(
                id=0,
                name=name,
                url=Secret(f"http://u:canary@{name}.invalid:1"),
                address=f"http://{name}.invalid:1",
                created_at=self.clock.now(),
                pool=pool,
                **fields,
            )
            await self.storage.proxies.add(proxy)
        await self.choose.load()

    def accounts(self, count: int, proxy: str | None = None) -> list[Account]:
        for number in range(1, count + 1):
            account = Account(id=number, upstream="flow", name="", created_at=self.clock.now(), proxy=proxy)
            self.storage.tables.accounts[number] = account
            self.pool.put(account)
        return list(self.pool)

    def names(self) -> dict[int, str | None]:
        ways = {account.id: self.choose.way(account.id).proxy for account in self.pool}
        return {number: None if proxy is None else proxy.name for number, proxy in ways.items()}

    def known(self, name: str) -> Proxy:
        return next(one for one in self.choose.all() if one.name == name)

    def kill(self, name: str, *, is_certain: bool = True) -> None:
        self.choose.failed(ProxyUnavailableError("Closed.", is_certain=is_certain, proxy=self.known(name).url))


async def test_account_goes_direct_when_nobody_names_a_proxy() -> None:
    site = Site()
    site.accounts(2)

    assert site.names() == {1: None, 2: None}


async def test_own_proxy_comes_before_the_global_one_and_direct_means_none() -> None:
    site = Site(proxy="one")
    await site.add("one", "two")
    _, second, third = site.accounts(3)
    site.pool.put(replace(second, proxy="two"))
    site.pool.put(replace(third, proxy="direct"))

    assert site.names() == {1: "one", 2: "two", 3: None}
    assert site.choose.way(NOBODY).proxy == site.known("one")


async def test_accounts_of_a_dead_proxy_move_and_the_others_stay() -> None:
    site = Site(proxy="eu")
    await site.add("a", "b", "c", pool="eu")
    site.accounts(60)
    before = site.names()
    assert set(before.values()) == {"a", "b", "c"}

    site.kill("a")

    after = site.names()
    assert {after[number] for number, name in before.items() if name == "a"} == {"b", "c"}
    assert all(after[number] == name for number, name in before.items() if name != "a")


async def test_account_keeps_the_proxy_that_it_moved_to_when_the_former_one_is_back() -> None:
    site = Site(proxy="eu")
    await site.add("a", "b", "c", pool="eu")
    site.accounts(30)
    site.names()
    site.kill("a")
    moved = site.names()

    site.choose.take(site.known("a"), site.known("a").health.worked(site.clock.now()))

    assert site.names() == moved


async def test_assignments_outlive_the_process_and_new_proxies_take_nobody_away() -> None:
    site = Site(proxy="eu")
    await site.add("a", "b", pool="eu")
    site.accounts(30)
    before = site.names()
    await site.storage.proxies.assign(site.choose.unwritten)

    again = Site(site.storage, proxy="eu")
    await again.add("c", "d", "e", pool="eu")
    again.accounts(30)

    assert again.names() == before
    assert again.choose.unwritten == {}


async def test_choice_for_an_account_that_is_not_there_yet_is_not_kept() -> None:
    site = Site(proxy="eu")
    await site.add("a", "b", pool="eu")

    assert site.choose.way(NOBODY).proxy is not None
    assert site.choose.unwritten == {}


async def test_dead_proxy_never_falls_back_to_direct_unless_that_is_allowed() -> None:
    site = Site(proxy="one")
    await site.add("one")
    (account,) = site.accounts(1)
    site.kill("one")

    with pytest.raises(ProxyUnavailableError) as refusal:
        site.choose.way(account.id)
    assert not refusal.value.reached
    assert not site.choose.has_way(account)
    site.options = Options(proxy="one", proxy_direct_fallback=True)
    assert site.choose.way(account.id).proxy is None
    assert site.choose.has_way(account)


async def test_name_that_nothing_has_is_never_direct() -> None:
    site = Site(proxy="gone", proxy_direct_fallback=True)
    (account,) = site.accounts(1)

    with pytest.raises(ProxyUnavailableError):
        site.choose.way(account.id)
    assert not site.choose.has_way(account)


async def test_disabled_proxy_is_not_used() -> None:
    site = Site(proxy="eu")
    await site.add("a", pool="eu", is_enabled=False)
    await site.add("b", pool="eu")
    site.accounts(10)

    assert set(site.names().values()) == {"b"}


async def test_refusals_that_may_be_the_targets_move_nobody_until_they_come_in_a_row() -> None:
    site = Site(proxy="eu")
    await site.add("a", "b", pool="eu")
    site.accounts(20)
    before = site.names()

    site.kill("a", is_certain=False)
    site.kill("a", is_certain=False)
    assert site.names() == before
    site.choose.worked(site.choose.way(next(number for number, name in before.items() if name == "a")))
    site.kill("a", is_certain=False)
    assert site.names() == before
    site.kill("a", is_certain=False)
    site.kill("a", is_certain=False)

    assert set(site.names().values()) == {"b"}
    for _ in range(3):
        site.kill("b", is_certain=False)
    assert set(site.names().values()) == {"b"}, "a suspect is better than nothing"


async def test_late_success_does_not_bring_a_dead_proxy_back() -> None:
    site = Site(proxy="one")
    await site.add("one")
    (account,) = site.accounts(1)
    way = site.choose.way(account.id)
    site.kill("one")

    site.choose.worked(way)

    assert site.known("one").health.state is ProxyState.DOWN


async def test_media_proxy_is_chosen_apart() -> None:
    site = Site(proxy="one", media_proxy="cdn")
    await site.add("one")
    await site.add("x", "y", pool="cdn")
    (account,) = site.accounts(1)

    media = site.choose.media_way(account.id).proxy
    assert media is not None
    assert media.pool == "cdn"
    assert site.names() == {1: "one"}
    site.options = replace(site.options, media_proxy="direct")
    assert site.choose.media_way(account.id).proxy is None
    site.options = replace(site.options, media_proxy="")
    assert site.choose.media_way(account.id).proxy == site.known("one")


async def test_reload_takes_changes_in_and_keeps_what_this_process_knows_better() -> None:
    site = Site(proxy="eu")
    await site.add("a", "b", pool="eu")
    site.clock.advance(60)
    site.kill("a")
    await site.storage.proxies.remove(site.known("b").id)

    await site.choose.load()

    assert [(one.name, one.health.state) for one in site.choose.all()] == [("a", ProxyState.DOWN)]
    newer = ProxyHealth().worked(site.clock.now().replace(year=2090))
    await site.storage.proxies.note_health({site.known("a").id: newer})
    await site.choose.load()
    assert site.known("a").health == newer


async def test_new_address_under_an_old_name_begins_with_a_clean_sheet() -> None:
    site = Site(proxy="a")
    await site.add("a")
    old = site.known("a")
    site.kill("a")
    await site.storage.proxies.save(
        replace(old, url=Secret("http://other.invalid:1"), address="http://other.invalid:1")
    )

    await site.choose.load()

    assert site.known("a").health.state is ProxyState.UNKNOWN
    site.choose.take(old, ProxyHealth(state=ProxyState.DOWN))
    assert site.known("a").health.state is ProxyState.UNKNOWN, "a late check of the old address says nothing"


async def test_new_account_without_a_way_is_known_to_have_none_at_once() -> None:
    site = Site(proxy="one")
    await site.add("one")
    site.kill("one")

    (account,) = site.accounts(1)

    assert not site.pool.candidates[account.id].has_way


async def test_log_tells_names_and_never_credentials(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    site = Site(proxy="eu")
    await site.add("a", "b", pool="eu")
    site.accounts(10)
    site.names()
    site.kill("a")
    site.names()

    assert "proxy is now down" in caplog.text
    assert "canary" not in repr([vars(record) for record in caplog.records])


async def test_option_that_names_nothing_is_refused_with_the_nearest_but_an_old_one_holds_up_no_other_change() -> None:
    site = Site()
    await site.add("one", pool="europe")
    before = Options()

    for name in ("", "direct", "one", "europe"):
        site.choose.check_options(before, Options(proxy=name, media_proxy=name))
    site.choose.check_options(Options(proxy="gone"), Options(proxy="gone", max_attempts=3))
    with pytest.raises(UnsupportedInputError, match="Did you mean 'europe'") as refusal:
        site.choose.check_options(before, Options(media_proxy="erope"))
    assert refusal.value.param == "media_proxy"


async def test_account_leaves_a_proxy_that_was_put_into_another_pool() -> None:
    site = Site(proxy="eu")
    await site.add("a", "b", pool="eu")
    (account,) = site.accounts(1)
    had = site.choose.way(account.id).proxy
    assert had is not None
    await site.storage.proxies.save(replace(had, pool="us"))

    await site.choose.load()

    assert site.names() == {1: {"a": "b", "b": "a"}[had.name]}


async def test_account_leaves_a_suspect_for_a_better_one() -> None:
    site = Site(proxy="eu")
    await site.add("a", "b", pool="eu")
    (account,) = site.accounts(1)
    had = site.choose.way(account.id).proxy
    assert had is not None
    for name in ("a", "b"):
        for _ in range(3):
            site.kill(name, is_certain=False)
    assert site.choose.way(account.id).proxy is not None
    other = {"a": "b", "b": "a"}[had.name]
    site.choose.take(site.known(other), site.known(other).health.worked(site.clock.now()))

    assert site.names() == {1: other}


async def test_change_of_options_lets_the_pool_hear_of_other_ways() -> None:
    site = Site()
    site.choose.has_moved.clear()
    site.choose.follow_options(site.options)
    assert site.choose.has_moved.is_set()

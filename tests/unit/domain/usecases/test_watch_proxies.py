from flow2api.domain.notices import Notice, NoticeKind
from flow2api.domain.usecases.watch_proxies import WatchProxies
from tests.unit.domain.usecases.test_choose_proxy import Site


async def test_operators_hear_once_of_a_dead_proxy_with_its_accounts_and_once_that_it_is_back() -> None:
    told: list[Notice] = []
    site = Site(proxy="eu")
    WatchProxies(site.choose, told.append, site.clock)
    await site.add("a", "b", pool="eu")
    site.accounts(20)
    had = list(site.names().values()).count("a")

    site.kill("a")
    site.kill("a")
    site.choose.take(site.known("a"), site.known("a").health.worked(site.clock.now()))
    for _ in range(3):
        site.kill("b", is_certain=False)

    assert [notice.kind for notice in told] == [NoticeKind.PROXY_DEAD, NoticeKind.PROXY_RECOVERED]
    assert told[0].facts == {"proxy": "a", "accounts": had}


async def test_accounts_that_name_a_proxy_are_counted() -> None:
    told: list[Notice] = []
    site = Site(proxy="one")
    WatchProxies(site.choose, told.append, site.clock)
    await site.add("one", "two")
    site.accounts(3)
    site.kill("two")
    site.kill("one")

    assert [notice.facts["accounts"] for notice in told] == [0, 3]

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

import pytest

from flow2api.domain.account import Credentials, Tier
from flow2api.domain.errors import ProxyUnavailableError, UpstreamUnavailableError
from flow2api.domain.failover import Next, after_error, judge, may_have_been_carried_out
from flow2api.domain.generation import Product
from flow2api.domain.ports.upstream import Access, Allowance, Exchanged
from flow2api.domain.proxy import ProxyState
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.renew_credentials import RenewCredentials
from flow2api.domain.usecases.route_calls import RouteCalls, RoutedUpstream
from flow2api.domain.usecases.tend_accounts import TendAccounts
from tests.unit.domain.usecases.test_choose_proxy import Site

PRODUCT = Product(name="p")


@dataclass
class Wire:
    """An upstream behind proxies, some of which are closed.

    Attributes:
        closed: Hosts that let nothing through, and whether that is certain.
        seen: The host of each call that came through; None is direct.
        breaks_after: The download ends with the error of a proxy after so many chunks.
    """

    name: str = "flow"
    upload_lifetime_s: float = 1.0
    closed: dict[str, bool] = field(default_factory=dict)
    tried: list[str | None] = field(default_factory=list)
    seen: list[str | None] = field(default_factory=list)
    breaks_after: int | None = None

    def _pass(self, proxy: Secret | None) -> None:
        host = None if proxy is None else proxy.reveal().partition("@")[2].partition(".")[0]
        self.tried.append(host)
        if host in self.closed:
            raise ProxyUnavailableError("Closed.", is_certain=self.closed[host], proxy=proxy)
        self.seen.append(host)

    async def exchange(self, credentials: Credentials, proxy: Secret | None) -> Exchanged:
        self._pass(proxy)
        return Exchanged(credentials, None, None)

    async def allowance(self, access: Access) -> Allowance:
        self._pass(access.proxy)
        return Allowance(Tier.PRO, 1)

    async def fetch(self, access: Access, product: Product, *, thumbnail: bool = False) -> AsyncGenerator[bytes, None]:
        self._pass((access.media_proxy or None) if access.media_proxy is not None else access.proxy)
        for number in range(3):
            if number == self.breaks_after:
                raise ProxyUnavailableError("Closed.", is_certain=True, proxy=access.proxy)
            yield b"x"

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


def access_of(account_id: int) -> Access:
    return Access(account_id=account_id, session_token=None, access_token=None, tier=Tier.PRO)


class Road(Site):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.wire = Wire()
        self.routes = RouteCalls(self.choose)
        self.upstream = RoutedUpstream(self.wire, self.routes)


async def test_call_leaves_by_the_proxy_of_its_account_and_direct_without_one() -> None:
    road = Road()
    await road.add("one")
    road.accounts(1, proxy="one")

    await road.upstream.allowance(access_of(1))
    await road.upstream.allowance(access_of(99))

    assert road.wire.seen == ["one", None]


async def test_exchange_without_a_word_takes_the_global_proxy_and_of_an_account_its_own() -> None:
    road = Road(proxy="two")
    await road.add("one", "two")
    road.accounts(1, proxy="one")
    road.pool.put(road.accounts(2)[1])
    credentials = Credentials(Secret("s"))

    await road.upstream.exchange(credentials, None)
    await road.routes.exchange(road.upstream, 1, credentials)

    assert road.wire.seen[0] == "two"
    assert road.wire.seen[1] == road.names()[1]


async def test_account_that_is_to_go_direct_is_exchanged_directly() -> None:
    road = Road(proxy="one")
    await road.add("one")
    road.accounts(1, proxy="direct")

    await road.routes.exchange(road.upstream, 1, Credentials(Secret("s")))

    assert road.wire.seen == [None]


async def test_credentials_that_are_only_looked_at_go_the_way_of_their_account() -> None:
    road = Road(proxy="two")
    await road.add("one", "two")
    (account,) = road.accounts(1, proxy="one")
    tend = TendAccounts(road.pool, road.storage.accounts, road.clock, lambda: road.options)
    renew = RenewCredentials(road.pool, {"flow": road.upstream}, road.storage.vault, tend, road.clock, road.routes)

    await renew.exchange(account, Credentials(Secret("s")))

    assert road.wire.seen == ["one"]


async def test_call_is_made_again_by_the_next_proxy_at_once() -> None:
    road = Road(proxy="eu")
    await road.add("a", "b", "c", pool="eu")
    road.accounts(1)
    first = road.names()[1]
    assert first is not None
    road.wire.closed = {first: True}

    await road.upstream.allowance(access_of(1))

    assert road.wire.tried[0] == first
    assert road.wire.seen == [road.names()[1]]
    assert road.known(first).health.state is ProxyState.DOWN


async def test_pool_of_dead_proxies_is_tried_through_and_never_left_directly() -> None:
    road = Road(proxy="eu")
    await road.add("a", "b", "c", pool="eu")
    road.accounts(1)
    road.wire.closed = {"a": True, "b": True, "c": True}

    with pytest.raises(ProxyUnavailableError) as failure:
        await road.upstream.allowance(access_of(1))

    assert not failure.value.reached
    assert sorted(road.wire.tried, key=str) == ["a", "b", "c"]
    assert road.wire.seen == []
    road.wire.tried.clear()
    with pytest.raises(ProxyUnavailableError):
        await road.upstream.allowance(access_of(1))
    assert road.wire.tried == [], "known dead ones are not even asked"


async def test_doubtful_refusal_is_not_tried_again_by_the_same_proxy() -> None:
    road = Road(proxy="one")
    await road.add("one")
    road.accounts(1)
    road.wire.closed = {"one": False}

    with pytest.raises(ProxyUnavailableError):
        await road.upstream.allowance(access_of(1))

    assert road.wire.tried == ["one"]


async def test_download_takes_the_media_proxy_and_moves_on_before_the_first_byte_only() -> None:
    road = Road(proxy="one", media_proxy="cdn")
    await road.add("one")
    await road.add("x", "y", pool="cdn")
    road.accounts(1)
    first = road.choose.media_way(1).proxy
    assert first is not None
    road.wire.closed = {first.name: True}

    assert [chunk async for chunk in road.upstream.fetch(access_of(1), PRODUCT)] == [b"x"] * 3

    assert road.wire.tried[0] == first.name
    assert road.wire.seen == [{"x": "y", "y": "x"}[first.name]]
    road.wire.breaks_after = 1
    download = road.upstream.fetch(access_of(1), PRODUCT)
    assert await anext(download) == b"x"
    with pytest.raises(ProxyUnavailableError):
        await anext(download)


async def test_download_asks_only_a_few_proxies_of_a_pool_that_dies_as_a_whole() -> None:
    road = Road(proxy="eu")
    names = [f"p{number}" for number in range(20)]
    await road.add(*names, pool="eu")
    road.accounts(1)
    road.wire.closed = dict.fromkeys(names, True)

    with pytest.raises(ProxyUnavailableError):
        await anext(road.upstream.fetch(access_of(1), PRODUCT))

    assert len(road.wire.tried) == 4


def test_dead_proxy_is_neither_the_accounts_fault_nor_a_reason_to_give_up() -> None:
    error = ProxyUnavailableError("Closed.", is_certain=True)
    site = Site()
    (account,) = site.accounts(1)

    verdict = judge(error)

    assert (verdict.next, verdict.rests, verdict.is_own_fault) == (Next.ANOTHER_ACCOUNT, None, False)
    assert after_error(account, error, None, site.clock.now(), threshold=1) == account
    assert not may_have_been_carried_out(error)
    assert isinstance(error, UpstreamUnavailableError)


async def test_every_call_of_an_account_leaves_by_its_proxy() -> None:
    made: list[tuple[str, object]] = []

    class Recording(Wire):
        def serves(self, spec: object) -> bool:
            return spec == "known"

        async def aclose(self) -> None:
            made.append(("aclose", None))

        def __getattr__(self, name: str) -> Any:
            async def call(access: Access, *_: object) -> str:
                self._pass(access.proxy)
                made.append((name, access.account_id))
                return name

            return call

    road, access = Road(), access_of(1)
    await road.add("one")
    road.accounts(1, proxy="one")
    upstream: Any = RoutedUpstream(Recording(seen=road.wire.seen), road.routes)

    answers = [
        await upstream.open_workspace(access, "title"),
        await upstream.upload(access, object()),
        await upstream.produce(access, object()),
        await upstream.submit(access, object()),
        await upstream.poll(access, ()),
    ]
    await upstream.aclose()

    assert answers == ["open_workspace", "upload", "produce", "submit", "poll"]
    assert made == [*((name, 1) for name in answers), ("aclose", None)]
    assert road.wire.seen == ["one"] * 5
    assert (upstream.serves("known"), upstream.serves("other")) == (True, False)

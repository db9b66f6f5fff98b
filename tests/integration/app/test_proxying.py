"""The whole program behind real proxies: what leaves by them, what happens when they die, and that nothing goes direct."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from flow2api.app import Services, build_services, running
from flow2api.app.backends import build_storage
from flow2api.domain.account import Account
from flow2api.domain.api_key import Caller
from flow2api.domain.audit import Actor
from flow2api.domain.errors import Flow2ApiError, PoolError, UnsupportedInputError
from flow2api.domain.generation import Failed, Finished, GenerationEvent, GenerationRequest
from flow2api.domain.proxy import ProxyState
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.manage_accounts import ManageAccounts, NewAccount
from flow2api.domain.usecases.manage_proxies import ManageProxies
from flow2api.extensions import load_extensions
from flow2api.settings import load_settings
from flow2api.testing.simulator import SimulatorProcess
from tests.proxy_servers import HttpProxy, LoopbackProxy, SocksProxy

pytestmark = pytest.mark.asyncio(loop_scope="module")

OPERATOR = Actor(name="ada", door="command_line")
MODEL = "gemini-3.0-pro-image-landscape"
PASSWORD = "p@ss:w/rd-canary"
ESCAPED = "p%40ss%3Aw%2Frd-canary"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def simulator() -> AsyncIterator[SimulatorProcess]:
    async with SimulatorProcess(picture_s=0.01) as simulator:
        yield simulator


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def fresh(simulator: SimulatorProcess) -> None:
    await simulator.control.reset()
    await simulator.control.configure(picture_s=0.01)


class Site:
    """A running program, its operator's tools, and the service that it calls."""

    def __init__(self, services: Services, simulator: SimulatorProcess) -> None:
        self.services = services
        self.simulator = simulator
        self.manage = ManageProxies(services.storage.proxies, services.storage.accounts, services.clock)

    async def add_proxy(self, server: LoopbackProxy, name: str, *, pool: str | None = None, **user: Any) -> None:
        await self.manage.add(server.url(**user), OPERATOR, name=name, pool=pool)
        await self.services.proxying.choose.load()

    async def add_accounts(self, count: int, *, proxy: str | None = None) -> list[Account]:
        accounts = ManageAccounts(self.services.storage.accounts, self.services.storage.vault, self.services.clock)
        added = []
        for _ in range(count):
            known = await self.simulator.control.add_account()
            account = await accounts.add(NewAccount(upstream="flow", session_token=Secret(known.session_token)))
            added.append(account)
        if proxy is not None:
            added = await self.manage.assign(added, proxy, OPERATOR)
        for account in added:
            self.services.pool.put(account)
        return added

    async def picture(self) -> GenerationEvent:
        """The end of a request for one picture."""
        spec = self.services.catalog.spec(MODEL)
        assert spec is not None
        request = GenerationRequest(model=MODEL, spec=spec, prompt="a hill")
        async with aclosing(await self.services.generate(request, Caller(key_id=1))) as events:
            return [event async for event in events][-1]

    async def calls(self) -> int:
        """How many calls have reached the service, downloads included."""
        return len(await self.simulator.control.requests())


@asynccontextmanager
async def site(folder: Path, simulator: SimulatorProcess, **options: str) -> AsyncIterator[Site]:
    extensions = load_extensions()
    environment = {
        "FLOW2API_DATA_DIR": str(folder / "data"),
        "FLOW2API_DRAIN_S": "0",
        "FLOW2API_FLOW__LABS_BASE_URL": simulator.labs_base_url,
        "FLOW2API_FLOW__API_BASE_URL": simulator.api_base_url,
        "FLOW2API_OPTIONS__PROXY_CHECK_INTERVAL_S": "0",
        "FLOW2API_OPTIONS__PROXY_CHECK_URL": simulator.base_url,
        "FLOW2API_OPTIONS__BACKGROUND_RENEWAL": "false",
        **{f"FLOW2API_OPTIONS__{name.upper()}": value for name, value in options.items()},
    }
    services = build_services(load_settings(environment, sections=extensions.sections), extensions)
    async with running(services):
        yield Site(services, simulator)


@pytest.mark.parametrize("kind", [HttpProxy, SocksProxy])
async def test_picture_goes_through_the_global_proxy_with_its_credentials(
    tmp_path: Path, simulator: SimulatorProcess, kind: type[LoopbackProxy]
) -> None:
    async with kind(credentials=("eve", PASSWORD)) as proxy, site(tmp_path, simulator, proxy="only") as here:
        await here.add_proxy(proxy, "only", user="eve", password=ESCAPED)
        await here.add_accounts(1)

        assert isinstance(await here.picture(), Finished)

        assert set(proxy.given) == {("eve", PASSWORD)}
        assert {host for host, _ in proxy.targets} == {"127.0.0.1"}
        if isinstance(proxy, HttpProxy):  # here each call is a connection of its own
            assert len(proxy.targets) == await here.calls() > 0


async def test_wrong_password_is_told_and_nothing_goes_direct(
    tmp_path: Path, simulator: SimulatorProcess, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with SocksProxy(credentials=("eve", "right")) as proxy, site(tmp_path, simulator, proxy="only") as here:
        await here.add_proxy(proxy, "only", user="eve", password="wrong-canary")
        await here.add_accounts(1)

        with pytest.raises(PoolError):
            await here.picture()

        (known,) = here.services.proxying.choose.all()
        assert known.health.state is ProxyState.DOWN
        assert known.health.fault == "The proxy does not accept the credentials that it is given."
        assert await here.calls() == 0
        assert "canary" not in caplog.text


async def test_accounts_move_on_when_their_proxy_is_killed_and_keep_their_new_one(
    tmp_path: Path, simulator: SimulatorProcess
) -> None:
    async with HttpProxy() as one, HttpProxy() as two, site(tmp_path, simulator) as here:
        await here.add_proxy(one, "left", pool="eu")
        await here.add_proxy(two, "right", pool="eu")
        await here.add_accounts(4, proxy="eu")
        for account in here.services.pool:
            await here.services.tending.warm.warm(account.id)
        before = len(one.targets), len(two.targets)
        assert all(before), "both have accounts"
        await one.kill()

        for account in here.services.pool:  # each meets the dead one or has met it, and goes on by the other
            await here.services.tending.credentials.renew(account.id, force=True)
        for _ in range(3):
            assert isinstance(await here.picture(), Finished)

        assert len(one.targets) == before[0]
        assert len(two.targets) > before[1]
        assert len(one.targets) + len(two.targets) == await here.calls()
        rests = [account.rests for account in here.services.pool]
        assert rests == [()] * 4, "a dead proxy is nobody's fault"
        await here.services.proxying.keep.write()
        kept = {name async for batch in here.services.storage.proxies.assignments() for name in batch.values()}
        assert "right" in kept

        moved = [here.services.proxying.choose.way(account.id).proxy for account in here.services.pool]
        await one.start()
        for known in here.services.proxying.choose.all():
            checked = await here.services.proxying.check(known)
            here.services.proxying.choose.take(known, checked.proxy.health)
        after = [here.services.proxying.choose.way(account.id).proxy for account in here.services.pool]
        assert {proxy.name for proxy in moved + after if proxy is not None} == {"right"}


async def test_nothing_goes_direct_when_no_proxy_is_left_and_all_is_well_once_one_is_back(
    tmp_path: Path, simulator: SimulatorProcess
) -> None:
    async with HttpProxy() as one, site(tmp_path, simulator, proxy="eu") as here:
        await here.add_proxy(one, "one", pool="eu")
        await here.add_accounts(3)
        assert isinstance(await here.picture(), Finished)
        before = await here.calls()
        await one.kill()

        for _ in range(3):
            await _refused(here)
        await asyncio.sleep(0)
        with pytest.raises(PoolError) as refusal:
            await here.picture()
        assert refusal.value.reasons == {"no_proxy": 3}
        assert await here.calls() == before
        assert [account.rests for account in here.services.pool] == [()] * 3

        await one.start()
        (known,) = here.services.proxying.choose.all()
        checked = await here.services.proxying.check(known)
        here.services.proxying.choose.take(known, checked.proxy.health)
        await asyncio.sleep(0)
        assert isinstance(await here.picture(), Finished)


async def test_dead_proxy_is_passed_by_only_when_that_is_allowed(tmp_path: Path, simulator: SimulatorProcess) -> None:
    async with HttpProxy() as one, site(tmp_path, simulator, proxy="one", proxy_direct_fallback="true") as here:
        await here.add_proxy(one, "one")
        await here.add_accounts(1)
        await one.kill()

        assert isinstance(await here.picture(), Finished)
        assert one.targets == []


async def test_downloads_leave_by_the_media_proxy_and_carry_no_credential_of_the_account(
    tmp_path: Path, simulator: SimulatorProcess
) -> None:
    async with (
        HttpProxy() as one,
        HttpProxy() as media,
        site(tmp_path, simulator, proxy="one", media_proxy="media") as here,
    ):
        await here.add_proxy(one, "one")
        await here.add_proxy(media, "media")
        await here.add_accounts(1)

        assert isinstance(await here.picture(), Finished)

        assert len(media.targets) == 1
        assert len(one.targets) + 1 == await here.calls()


async def test_account_that_is_to_go_direct_does_although_there_is_a_global_proxy(
    tmp_path: Path, simulator: SimulatorProcess
) -> None:
    async with HttpProxy() as one, site(tmp_path, simulator, proxy="one") as here:
        await here.add_proxy(one, "one")
        await here.add_accounts(1, proxy="direct")

        assert isinstance(await here.picture(), Finished)
        assert one.targets == []


async def test_account_whose_proxy_was_removed_reaches_nothing(tmp_path: Path, simulator: SimulatorProcess) -> None:
    async with HttpProxy() as one, site(tmp_path, simulator, proxy_direct_fallback="true") as here:
        await here.add_proxy(one, "one")
        await here.add_accounts(1, proxy="one")
        (known,) = await here.manage.all()
        await here.manage.remove(known, OPERATOR, here.services.options(), is_forced=True)
        await here.services.proxying.choose.load()

        await _refused(here)
        assert await here.calls() == 0


async def _refused(here: Site) -> None:
    try:
        assert isinstance(await here.picture(), Failed)
    except Flow2ApiError:
        return


async def test_option_is_not_set_to_a_proxy_that_is_not_there(tmp_path: Path, simulator: SimulatorProcess) -> None:
    async with HttpProxy() as one, site(tmp_path, simulator) as here:
        await here.add_proxy(one, "one")
        with pytest.raises(UnsupportedInputError, match="Did you mean 'one'"):
            await here.services.options.change({"proxy": "onee"}, OPERATOR)
        with pytest.raises(UnsupportedInputError, match="no proxy selector"):
            await here.services.options.change({"proxy_selector": "rendez-vous"}, OPERATOR)
        assert here.services.options().proxy == ""

        await here.services.options.change({"proxy": "one"}, OPERATOR)
        await here.add_accounts(1)

        assert isinstance(await here.picture(), Finished)
        assert len(one.targets) == await here.calls()


async def test_running_server_follows_what_the_command_line_does(tmp_path: Path, simulator: SimulatorProcess) -> None:
    async with HttpProxy() as one, site(tmp_path, simulator, proxy="one", proxy_direct_fallback="true") as here:
        elsewhere = build_storage(here.services.settings, load_extensions(), here.services.vault.cipher)
        await elsewhere.open()
        manage = ManageProxies(elsewhere.proxies, elsewhere.accounts, here.services.clock)
        await manage.add(one.url(), OPERATOR, name="one")

        await here.services.upkeep.follow.catch_up()

        assert [proxy.name for proxy in here.services.proxying.choose.all()] == ["one"]
        await elsewhere.aclose()

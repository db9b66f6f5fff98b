"""The doctor asks hosts and tries keys at a played service: free calls only, each key once, and no key in what is said."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import pytest_asyncio

from flow2api.adapters.probe import account_keys
from flow2api.domain.account import Account, Credentials, RestReason
from flow2api.domain.catalog import ModelCatalog
from flow2api.domain.options import Options
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.diagnose import CheckState, Finding
from flow2api.hookspecs import Examined, ExaminedBackends, ExaminedOptions
from flow2api.plugins import upstream_gemini, upstream_openai
from flow2api.testing.fakes.clock import START, FakeClock
from flow2api.testing.fakes.coordination import FakeCoordination
from flow2api.testing.fakes.media import FakeMediaStore
from flow2api.testing.fakes.storage import FakeStorage
from flow2api.testing.planting import plant
from flow2api.testing.simulator import SimulatorProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOWHERE = "http://127.0.0.1:9/v1"
WRONG = "canary-wrong-key-0123456789"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def simulator() -> AsyncIterator[SimulatorProcess]:
    async with SimulatorProcess(accounts=2) as running:
        yield running


class Installation:
    """What the doctor looks at: accounts at the played service."""

    def __init__(self, simulator: SimulatorProcess, name: str) -> None:
        self.simulator, self.name, self.storage, self.options = simulator, name, FakeStorage(), Options()
        self.plugin: ModuleType = upstream_gemini if name == "gemini" else upstream_openai
        self.section: dict[str, Any] = {"base_url": simulator.ready.gemini_base_url} if name == "gemini" else {}

    async def add(self, key: str, base_url: str | None = None, **fields: Any) -> Account:
        at = base_url or self.simulator.ready.openai_base_url if self.name == "openai" else None
        account = Account(id=0, upstream=self.name, name="", created_at=START, base_url=at)
        ((added),) = await self.storage.accounts.add([(replace(account, **fields), Credentials(Secret(key)))])
        return added

    async def look(self) -> list[Finding | None]:
        async def options() -> ExaminedOptions:
            return ExaminedOptions(options=self.options, ignored={})

        examined = Examined(
            section=self.section,
            data_dir=Path(),
            media_url="file:media",
            secret_key_file=None,
            has_secret_key=False,
            host="127.0.0.1",
            public_url="",
            clock=FakeClock(),
            backends=lambda: ExaminedBackends(
                storage=self.storage,
                store=FakeMediaStore(),
                coordination=FakeCoordination(),
                catalog=ModelCatalog([], lambda spec: True),
            ),
            options=options,
        )
        found = [await self.plugin.reach(examined), await self.plugin.look_at_keys(examined)]
        assert "canary" not in str(found)
        assert not any(one.api_key in str(found) for one in self.simulator.ready.accounts)
        return found


@pytest_asyncio.fixture(loop_scope="module", params=["gemini", "openai"])
async def here(simulator: SimulatorProcess, request: pytest.FixtureRequest) -> Installation:
    await simulator.control.reset(keep_accounts=True)
    return Installation(simulator, request.param)


def keys_of(here: Installation) -> list[str]:
    return [one.api_key for one in here.simulator.ready.accounts]


async def test_nothing_is_said_or_asked_without_accounts(here: Installation) -> None:
    assert await here.look() == [None, None]
    assert await here.simulator.control.requests() == []


async def test_good_keys_are_accepted_by_calls_that_cost_nothing(here: Installation) -> None:
    for key in keys_of(here):
        await here.add(key)

    reach, keys = await here.look()

    assert reach is not None
    assert keys is not None
    assert (reach.state, keys.state) == (CheckState.OK, CheckState.OK)
    assert keys.sentence == "Tried 2 keys; 2 accepted."
    calls = [one.call for one in await here.simulator.control.requests() if one.account]
    assert calls == [f"{here.name}_models"] * 2


async def test_refused_key_is_told_with_its_account_and_tried_no_more_once_that_rests(here: Installation) -> None:
    await here.add(keys_of(here)[0])
    wrong = await here.add(WRONG, name="studio")
    gone = await here.add("canary-gone-key-0123456789")
    await plant(here.storage.accounts, gone.resting(RestReason.AUTH_EXPIRED, START))
    off = await here.add("canary-off-key-0123456789")
    await plant(here.storage.accounts, off.resting(RestReason.MANUAL, START))

    _, keys = await here.look()

    assert keys is not None
    assert keys.state is CheckState.WARN
    assert keys.sentence == "Tried 2 keys; 1 accepted. The key is refused of 2 accounts: 3, 2 (studio)."
    assert keys.cure.startswith("Give each another key")
    assert wrong.rests == ()


async def test_accounts_behind_proxies_are_not_asked_for_directly(here: Installation) -> None:
    await here.add(keys_of(here)[0], proxy="eu")
    reach, keys = await here.look()
    assert reach is not None
    assert (reach.state, keys) == (CheckState.OK, None)
    here.options = Options(proxy="eu")
    await here.add(keys_of(here)[1])
    assert (await here.look())[1] is None
    await here.add(keys_of(here)[1], proxy="direct")
    _, keys = await here.look()
    assert keys is not None
    assert keys.sentence == "Tried 1 key; 1 accepted."


async def test_host_that_nobody_answers_at_is_told(simulator: SimulatorProcess) -> None:
    here = Installation(simulator, "openai")
    await here.add(WRONG, NOWHERE)
    reach, keys = await here.look()
    assert reach is not None
    assert reach.state is CheckState.FAIL
    assert "Nobody answers at http://127.0.0.1:9" in reach.sentence
    assert keys is not None
    assert keys.sentence == "Tried 1 key; 0 accepted. Of 1 the host did not tell."

    await here.add(keys_of(here)[0])
    reach, _ = await here.look()
    assert reach is not None
    assert (reach.state, "1 did not answer" in reach.sentence) == (CheckState.WARN, True)


async def test_many_are_asked_about_in_part(simulator: SimulatorProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_keys, "MOST", 1)
    here = Installation(simulator, "openai")
    for key in keys_of(here):
        await here.add(key)
    await here.add(WRONG, "http://localhost:9/v1")
    reach, keys = await here.look()
    assert reach is not None
    assert keys is not None
    assert "1 host of 2" in reach.sentence
    assert keys.sentence == "Tried 1 key; 1 accepted."

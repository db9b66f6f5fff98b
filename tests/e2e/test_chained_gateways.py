"""Two gateways, the second of which has the first for its upstream; both with their doors, databases and real adapters."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
import pytest_asyncio

from flow2api.adapters.server import HttpServer
from flow2api.app.composition import Services, build_services
from flow2api.app.lifespan import running
from flow2api.app.web import create_app
from flow2api.domain.account import Account, AccountStatus, Credentials, RestReason
from flow2api.domain.media import sniff_content_type
from flow2api.domain.secret import Secret
from flow2api.extensions import load_extensions
from flow2api.settings import load_settings
from flow2api.testing.contracts.backstage import SMALL_JPEG
from flow2api.testing.simulator import SimulatorProcess
from tests.command_line import CommandLine

pytestmark = pytest.mark.asyncio(loop_scope="module")

PRO = "gemini-3.0-pro-image"
PICTURE: dict[str, Any] = {"kind": "image", "sizes": ["1376x768", "768x1376"], "price_usd": 0.02, "max_images": 4}
MODELS = [
    {"name": "far-picture", "id": PRO, **PICTURE},
    {"name": "far-missing", "id": "nothing-of-this-name", "kind": "image", "sizes": ["1024x1024"], "price_usd": 0.02},
    {"name": "far-linked-picture", "id": PRO, **PICTURE, "response_format": "url"},
    {
        "name": "far-film", "id": "veo_3_1_t2v_fast", "kind": "video", "sizes": ["1280x720", "720x1280"], "seconds": [8],
        "price_usd": 0.01,
    },
]  # fmt: skip
ROUND = {"name": "round", "kind": "image", "sizes": ["1024x1024"], "price_usd": 0.01}
"""A model that each gateway has from the other."""


@dataclass
class Chained:
    """A gateway at work."""

    services: Services
    url: str
    key: str
    client: openai.AsyncOpenAI
    environment: dict[str, str]

    async def run(self, *arguments: str) -> str:
        """What a command beside the server prints that has to succeed."""
        ran = await asyncio.to_thread(CommandLine(self.environment), *arguments)
        assert ran.code == 0, ran.out + ran.err
        return ran.out

    async def until_warm(self) -> None:
        """Until an account that was added elsewhere is known here, and ready."""
        async with asyncio.timeout(20):
            while not (len(self.services.pool) and all(account.is_warm for account in self.services.pool)):
                await asyncio.sleep(0.05)

    async def add_account(self, upstream: str, credentials: Credentials) -> None:
        services = self.services
        now = services.clock.now()
        account = Account(id=0, upstream=upstream, name=upstream, created_at=now, base_url=credentials.base_url)
        (added,) = await services.storage.accounts.add([(account, credentials)])
        services.pool.put(added)
        await services.tending.warm.warm(added.id)

    def standing(self) -> list[AccountStatus]:
        return [account.status(self.services.clock.now()) for account in self.services.pool]

    def resting(self) -> dict[str, list[RestReason]]:
        """Why accounts rest, by name; those that don't are not named."""
        return {
            account.name: [rest.reason for rest in account.rests] for account in self.services.pool if account.rests
        }

    @property
    def failures(self) -> list[int]:
        return [account.streak for account in self.services.pool]


@asynccontextmanager
async def gateway(folder: Path, **settings: str) -> AsyncIterator[Chained]:
    """A gateway on a port of its own."""
    environment = {
        "FLOW2API_DATA_DIR": str(folder),
        "FLOW2API_OPTIONS__POLL_INTERVAL_S": "0.1",
        "FLOW2API_DRAIN_S": "1",
        **settings,
    }
    extensions = load_extensions()
    read = load_settings(environment, sections=extensions.sections)
    extensions, sections = extensions.checked(read.sections)
    services = build_services(replace(read, sections=sections), extensions)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(services))
        server = HttpServer(create_app(services), host="127.0.0.1", port=0, on_stop=_nothing, linger_s=0)
        serving = asyncio.create_task(server.serve())
        await server.until_serving()
        _, key = await services.operating.keys.create("tests")
        await services.authorize.load()
        url = f"http://127.0.0.1:{server.port}"
        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=key.reveal(), max_retries=0, timeout=30) as client:
            yield Chained(services, url, key.reveal(), client, environment)
        server.stop()
        await serving


async def _nothing() -> None:
    pass


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def simulator() -> AsyncIterator[SimulatorProcess]:
    async with SimulatorProcess() as running_simulator:
        yield running_simulator


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def first(simulator: SimulatorProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chained]:
    """It has an account of Flow."""
    settings = {
        "FLOW2API_FLOW__LABS_BASE_URL": simulator.labs_base_url,
        "FLOW2API_FLOW__API_BASE_URL": simulator.api_base_url,
        "FLOW2API_OPENAI__MODELS": json.dumps([ROUND]),
    }
    async with gateway(tmp_path_factory.mktemp("first"), **settings) as made:
        account = await simulator.control.add_account(credits=10_000)
        await made.add_account("flow", Credentials(Secret(account.session_token)))
        yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def second(first: Chained, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chained]:
    """It has an account at the first one, and the first one has an account at it."""
    settings = {"FLOW2API_OPENAI__MODELS": json.dumps([*MODELS, ROUND])}
    folder = tmp_path_factory.mktemp("second")
    async with gateway(folder, **settings) as made:
        (folder / "first.key").write_text(first.key)
        where = ("--base-url", f"{first.url}/v1", "--api-key-file", str(folder / "first.key"))
        added = await made.run("accounts", "add", "--upstream", "openai", *where, "--name", "first", "--json")
        assert first.key not in added
        await made.until_warm()
        await first.add_account("openai", Credentials(Secret(made.key), base_url=f"{made.url}/v1"))
        yield made


async def test_picture_comes_through_both(simulator: SimulatorProcess, second: Chained) -> None:
    before = len(await simulator.control.requests(call="generate_images"))

    answer = await second.client.images.generate(model="far-picture", prompt="a red mug", n=2)

    assert answer.data is not None
    pictures = [base64.b64decode(entry.b64_json or "") for entry in answer.data]
    assert len({*pictures}) == 2
    assert all((sniff_content_type(picture[:12]) or "").startswith("image/") for picture in pictures)
    made = (await simulator.control.requests(call="generate_images"))[before:]
    assert sum(len(one.body["requests"]) for one in made) == 2


async def test_signed_link_of_the_first_is_fetched_by_the_second(second: Chained) -> None:
    answer = await second.client.images.generate(
        model="far-linked-picture", prompt="a blue mug", response_format="url", size="768x1376"
    )

    assert answer.data is not None
    url = answer.data[0].url or ""
    assert url.startswith(second.url)
    async with httpx2.AsyncClient() as anybody:
        fetched = await anybody.get(url)
    assert (fetched.status_code, sniff_content_type(fetched.content[:12])) == (200, "image/jpeg")


async def test_picture_is_edited_through_both(simulator: SimulatorProcess, second: Chained) -> None:
    before = len(await simulator.control.requests(call="upload_image"))

    answer = await second.client.images.edit(
        model="far-picture", prompt="the same, at night", image=("mug.jpg", SMALL_JPEG, "image/jpeg")
    )

    assert answer.data is not None
    assert answer.data[0].b64_json
    assert len(await simulator.control.requests(call="upload_image")) == before + 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_video_comes_through_both(second: Chained) -> None:
    client = second.client

    video = await client.videos.create_and_poll(
        model="far-film", prompt="waves", seconds="8", size="1280x720", poll_interval_ms=50
    )

    assert video.status == "completed", video.error
    content = await client.videos.download_content(video.id)
    assert sniff_content_type(content.content[:12]) == "video/mp4"


async def test_refusal_of_the_filter_comes_through_both(second: Chained) -> None:
    with pytest.raises(openai.BadRequestError) as refusal:
        await second.client.images.generate(model="far-picture", prompt="something unsafe")

    assert refusal.value.code == "moderation_blocked"
    assert second.standing() == [AccountStatus.ACTIVE]


async def test_gateways_that_lead_to_each_other_are_refused_and_stay_usable(first: Chained, second: Chained) -> None:
    with pytest.raises(openai.InternalServerError) as refusal:
        await second.client.images.generate(model="round", prompt="a mug")

    assert (refusal.value.status_code, refusal.value.code) == (508, "gateway_loop")
    assert refusal.value.response.headers["x-should-retry"] == "false"
    assert first.standing() == [AccountStatus.ACTIVE] * 2
    assert second.standing() == [AccountStatus.ACTIVE]
    assert first.failures + second.failures == [0, 0, 0]
    answer = await second.client.images.generate(model="far-picture", prompt="a mug")
    assert answer.data


async def test_model_that_the_first_does_not_have_rests_for_that_model_alone(second: Chained) -> None:
    with pytest.raises(openai.APIStatusError) as refusal:
        await second.client.images.generate(model="far-missing", prompt="a mug")

    assert refusal.value.code == "no_account_available"
    (account,) = second.services.pool
    now = second.services.clock.now()
    assert account.model_rest("openai:nothing-of-this-name", now) is not None
    assert (account.model_rest(f"openai:{PRO}", now), account.status(now)) == (None, AccountStatus.ACTIVE)


async def test_key_that_is_refused_rests_its_account_and_is_not_tried_again(first: Chained, second: Chained) -> None:
    folder = Path(second.environment["FLOW2API_DATA_DIR"])
    (folder / "wrong.key").write_text("f2a_" + "x" * 43)
    where = ("--base-url", f"{first.url}/v1", "--api-key-file", str(folder / "wrong.key"))
    await second.run("accounts", "add", "--upstream", "openai", *where, "--name", "wrong", "--json")

    async with asyncio.timeout(20):
        while "wrong" not in second.resting():
            await asyncio.sleep(0.05)

    assert second.resting()["wrong"] == [RestReason.AUTH_EXPIRED]
    shown = await second.run("accounts", "show", "wrong")
    assert "session token" not in shown
    assert "API key" in shown

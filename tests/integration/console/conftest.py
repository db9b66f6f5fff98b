"""One running program with a played service for all tests of the console, and somebody signed in for each role."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
import pytest_asyncio

from flow2api.adapters.console.accounts import controller
from flow2api.adapters.console.guards import FORM_FIELD
from flow2api.app import Services, build_services, create_app, running
from flow2api.domain.audit import Actor
from flow2api.domain.operator import Role
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.manage_accounts import NewAccount
from flow2api.extensions import load_extensions
from flow2api.settings import load_settings
from flow2api.testing.simulator import SimulatorProcess
from tests.cheap_passphrases import cheap_passphrases, seal_cheaply

PASSPHRASE = Secret("quiet maple river lamp")
BASE = "http://127.0.0.1"


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def text_of(html: str) -> str:
    """What a person reads of a page, with single blanks."""
    parser = _Text()
    parser.feed(html.replace("<wbr>", ""))
    return " ".join(" ".join(parser.parts).split())


@dataclass(frozen=True)
class Person:
    """Somebody who looks at the console, with his browser's cookies."""

    browser: httpx.AsyncClient

    async def see(self, path: str, status: int = 200, **headers: str) -> str:
        """The page."""
        answer = await self.browser.get(path, headers=headers)
        assert answer.status_code == status, (path, answer.status_code, text_of(answer.text)[:500])
        return answer.text

    async def read(self, path: str, status: int = 200) -> str:
        """What stands on the page."""
        return text_of(await self.see(path, status))

    async def submit(self, path: str, status: int = 303, **fields: Any) -> httpx.Response:
        """Send a form of ours: with its token, and what browsers say beside it."""
        return await self.send(path, status, {name.replace("__", "-"): value for name, value in fields.items()})

    async def send(
        self, path: str, status: int, fields: dict[str, Any], files: dict[str, Any] | None = None
    ) -> httpx.Response:
        """The same, for names of fields that are no names of Python, and with files."""
        token = await self.token()
        answer = await self.browser.post(
            path,
            data={FORM_FIELD: token, **fields},
            files=files,
            headers={"origin": BASE, "sec-fetch-site": "same-origin"},
        )
        assert answer.status_code == status, (path, answer.status_code, text_of(answer.text)[:500])
        return answer

    async def token(self) -> str:
        """What forms of this session carry."""
        page = await self.see("/console")
        found = re.search(rf'name="{FORM_FIELD}" value="(\w+)"', page)
        assert found is not None
        return found[1]


@dataclass(frozen=True)
class Site:
    """The program, the service that it calls, and who looks at it."""

    services: Services
    simulator: SimulatorProcess
    owner: Person
    operator: Person
    viewer: Person
    stranger: Person

    async def account(self, **knobs: Any) -> int:
        """One more account of the played service, added as an operator would; its id."""
        made = await self.simulator.control.add_account(**knobs)
        new = NewAccount(session_token=Secret(made.session_token))
        account = await self.services.operating.take_in(new, Actor(name="tests", door="cli"))
        return account.id

    @asynccontextmanager
    async def videos_taking(self, seconds: float) -> AsyncIterator[None]:
        """Within it a video takes so long; one that has to be found under way must not end before it is looked for."""
        before = (await self.simulator.control.options()).video_s
        await self.simulator.control.configure(video_s=seconds)
        try:
            yield
        finally:
            await self.simulator.control.configure(video_s=before)


@pytest.fixture(autouse=True)
def _sealed_cheaply(monkeypatch: pytest.MonkeyPatch) -> None:
    seal_cheaply(monkeypatch)


@pytest.fixture(autouse=True)
def _runs_over_many_accounts_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is to change nothing; after a moment a page would lead to the run that goes on."""
    monkeypatch.setattr(controller, "_WAITED_S", 60.0)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with SimulatorProcess(picture_s=0.01) as simulator:
        environment = {
            "FLOW2API_DATA_DIR": str(tmp_path_factory.mktemp("program") / "data"),
            "FLOW2API_DRAIN_S": "0",
            "FLOW2API_FLOW__LABS_BASE_URL": simulator.labs_base_url,
            "FLOW2API_FLOW__API_BASE_URL": simulator.api_base_url,
            "FLOW2API_OPTIONS__BACKGROUND_RENEWAL": "false",
        }
        extensions = load_extensions()
        with cheap_passphrases():
            services = build_services(load_settings(environment, sections=extensions.sections), extensions)
        async with running(services):
            app: Any = create_app(services)
            async with (
                _browser(app) as owner,
                _browser(app) as operator,
                _browser(app) as viewer,
                _browser(app) as none,
            ):
                yield Site(
                    services,
                    simulator,
                    owner=await _signed_in(services, owner, Role.OWNER),
                    operator=await _signed_in(services, operator, Role.OPERATOR),
                    viewer=await _signed_in(services, viewer, Role.VIEWER),
                    stranger=Person(none),
                )


async def _signed_in(services: Services, browser: httpx.AsyncClient, role: Role) -> Person:
    await services.entrance.operators.create(role.value, PASSPHRASE, role)
    answer = await browser.post(
        "/login",
        data={"name": role.value, "passphrase": PASSPHRASE.reveal()},
        headers={"origin": BASE, "sec-fetch-site": "same-origin"},
    )
    assert answer.status_code == 303, answer.text
    return Person(browser)


def _browser(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE, headers={"accept": "text/html"})

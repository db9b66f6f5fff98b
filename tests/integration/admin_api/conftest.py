"""One running program with a played service for all tests of the operators' resources, and a client for each role."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio

from flow2api.app import Services, build_services, create_app, running
from flow2api.domain.operator import Role
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.sign_in import Visitor
from flow2api.extensions import load_extensions
from flow2api.settings import load_settings
from flow2api.testing.simulator import SimulatorProcess
from tests.cheap_passphrases import cheap_passphrases

PASSPHRASE = Secret("quiet maple river lamp")

Json = Any


@dataclass(frozen=True)
class Site:
    """The program, the service that it calls, and who asks."""

    services: Services
    simulator: SimulatorProcess
    owner: httpx.AsyncClient
    operator: httpx.AsyncClient
    viewer: httpx.AsyncClient
    client: httpx.AsyncClient
    """Somebody with a key of the client API, once a test has given him one."""

    async def ok(self, method: str, path: str, body: Json = None, want: int = 200, /, **query: Any) -> Json:
        """What the owner is answered."""
        answer = await self.owner.request(method, f"/api/admin{path}", json=body, params=query)
        assert answer.status_code == want, answer.text
        return None if want == 204 else answer.json()

    async def refused(self, method: str, path: str, want: int, body: Json = None, /, **query: Any) -> Json:
        """How the owner is refused."""
        answer = await self.owner.request(method, f"/api/admin{path}", json=body, params=query)
        assert answer.status_code == want, answer.text
        told = answer.json()
        assert set(told) == {"detail", "code", "request_id"}
        return told

    async def audited(self) -> Json:
        """The newest entry of the audit log."""
        return (await self.ok("GET", "/audit-entries", limit=1))["items"][0]

    async def account(self, **knobs: Any) -> Json:
        """One more account, added over HTTP."""
        made = await self.simulator.control.add_account(**knobs)
        return await self.ok("POST", "/accounts", {"session_token": made.session_token}, 201)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with SimulatorProcess(picture_s=0.01) as simulator:
        environment = {
            "FLOW2API_DATA_DIR": str(tmp_path_factory.mktemp("program") / "data"),
            "FLOW2API_DRAIN_S": "0",
            "FLOW2API_FLOW__LABS_BASE_URL": simulator.labs_base_url,
            "FLOW2API_FLOW__API_BASE_URL": simulator.api_base_url,
            "FLOW2API_OPTIONS__VIDEO_TIMEOUT_S": "900",
            "FLOW2API_OPTIONS__BACKGROUND_RENEWAL": "false",
        }
        extensions = load_extensions()
        with cheap_passphrases():
            services = build_services(load_settings(environment, sections=extensions.sections), extensions)
        async with running(services):
            app: Any = create_app(services)
            clients = {role: await _signed_in(services, role) for role in Role}
            async with (
                _visiting(app, clients[Role.OWNER]) as owner,
                _visiting(app, clients[Role.OPERATOR]) as operator,
                _visiting(app, clients[Role.VIEWER]) as viewer,
                _visiting(app, "") as client,
            ):
                yield Site(services, simulator, owner, operator, viewer, client)


async def _signed_in(services: Services, role: Role) -> str:
    await services.entrance.operators.create(role.value, PASSPHRASE, role)
    _, token = await services.entrance.sign_in(role.value, PASSPHRASE, Visitor("admin_api", ""))
    return token.reveal()


def _visiting(app: Any, token: str) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1", headers=headers)

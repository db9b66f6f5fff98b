"""The whole program with upstreams of every kind: accounts with keys come in over HTTP, work, and are looked after."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio

from flow2api.adapters.system import SystemClock
from flow2api.app import Services, build_services, running
from flow2api.app.web import create_app
from flow2api.domain.account import CredentialKind
from flow2api.domain.api_key import Caller
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.generation import Finished, GenerationRequest
from flow2api.domain.operator import Role
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.sign_in import Visitor
from flow2api.extensions import load_extensions
from flow2api.hookspecs import UpstreamFactory, hookimpl
from flow2api.settings import load_settings
from flow2api.testing.factories import picture_spec
from flow2api.testing.fakes.key_upstream import FakeKeyUpstream

HOME, NEW_HOME = "https://media.example.org/v1", "https://new.example.org/v1"
PAINT = picture_spec("hosted-paint", upstream="hosts")


class Plugin:
    """Two services behind keys, as a plugin registers them."""

    def __init__(self) -> None:
        self.keyed = FakeKeyUpstream(SystemClock(), name="keyed")
        self.hosts = FakeKeyUpstream(SystemClock(), name="hosts")

    @hookimpl
    def register_upstreams(self) -> Iterable[UpstreamFactory]:
        return [
            UpstreamFactory("keyed", lambda *_: self.keyed, CredentialKind.API_KEY),
            UpstreamFactory("hosts", lambda *_: self.hosts, CredentialKind.API_KEY_AND_BASE_URL),
        ]

    @hookimpl
    def register_models(self) -> Iterable[ModelSpec]:
        return [PAINT]


class Site:
    def __init__(self, services: Services, plugin: Plugin, admin: httpx.AsyncClient) -> None:
        self.services, self.plugin, self.admin = services, plugin, admin

    async def answer(self, method: str, path: str, status: int = 200, **sent: Any) -> Any:
        answer = await self.admin.request(method, path, json=sent or None)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def listed(self, **query: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = (await self.admin.get("/api/tokens", params=query)).json()
        return rows


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    plugin = Plugin()
    extensions = load_extensions(extra={"stage": plugin})
    environment = {"FLOW2API_DATA_DIR": str(tmp_path / "data"), "FLOW2API_DRAIN_S": "0"}
    services = build_services(load_settings(environment, sections=extensions.sections), extensions)
    async with running(services):
        passphrase, visitor = Secret("quiet maple river lamp"), Visitor("admin_api", "")
        await services.operating.operators.create("ada", passphrase, Role.OWNER)
        _, token = await services.operating.sign_in("ada", passphrase, visitor)
        asgi: Any = create_app(services)
        headers = {"authorization": f"Bearer {token.reveal()}"}
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(asgi), base_url="http://127.0.0.1", headers=headers
        ) as admin:
            yield Site(services, plugin, admin)


async def test_account_with_a_key_is_added_works_and_gets_another_key(site: Site) -> None:
    site.plugin.hosts.add_key("canary-1", HOME)
    body: dict[str, Any] = {"upstream": "hosts", "api_key": "canary-1", "base_url": f"{HOME}/", "name": "studio"}

    added = (await site.answer("POST", "/api/tokens", **body))["token"]
    refused = await site.answer("POST", "/api/tokens", 400, **{**body, "api_key": "canary-2"})
    twice = await site.answer("POST", "/api/tokens", 409, **body)
    await site.services.warm.warm(added["id"])
    request = GenerationRequest(model=PAINT.name, spec=PAINT, prompt="a hill")
    async with aclosing(await site.services.generate(request, Caller(key_id=1))) as events:
        *_, end = [event async for event in events]

    assert isinstance(end, Finished)
    (masked,), (revealed,) = await site.listed(), await site.listed(reveal="true")
    assert (masked["upstream"], masked["base_url"], masked["api_key"], masked["st"]) == ("hosts", HOME, "***", None)
    assert revealed["api_key"] == "canary-1"
    assert "canary" not in str((added, refused, twice, masked))
    site.plugin.hosts.add_key("canary-3", HOME)
    await site.answer("PUT", f"/api/tokens/{added['id']}", api_key="canary-3", remark="lent")
    await site.answer("PUT", f"/api/tokens/{added['id']}", api_key="***")
    await site.answer("PUT", f"/api/tokens/{added['id']}", 400, st="x" * 300)
    assert (await site.listed(reveal="true"))[0]["api_key"] == "canary-3"
    told = await site.answer("POST", f"/api/tokens/{added['id']}/refresh-at")
    assert told["token"]["email"] == ""
    assert site.plugin.hosts.asked[-1] == ("canary-3", HOME)


async def test_what_an_upstream_does_not_want_is_refused(site: Site) -> None:
    for body, problem in (
        ({"upstream": "keyed", "st": "x" * 300}, "st does not belong to it"),
        ({"upstream": "hosts", "api_key": "canary"}, "base_url is missing"),
        ({"api_key": "canary"}, "wants a session token (st)"),
        ({}, "st is missing"),
        ({"upstream": "nobody", "st": "x" * 300}, "The upstream is none of flow"),
    ):
        answer = await site.admin.post("/api/tokens", json=body)
        assert answer.status_code == 400
        assert problem in answer.json()["detail"]
        assert "canary" not in answer.text


async def test_import_takes_accounts_of_every_kind_and_the_keeper_tells_good_keys_from_bad(site: Site) -> None:
    site.plugin.keyed.add_key("k1")
    site.plugin.hosts.add_key("k2", HOME)
    rows = [
        {"upstream": "keyed", "api_key": "k1"},
        {"upstream": "hosts", "api_key": "k2", "base_url": HOME},
        {"upstream": "hosts", "api_key": "canary", "base_url": HOME},
        {"upstream": "hosts", "api_key": "k2", "base_url": "http://a.b"},
        {"upstream": "keyed", "session_token": "canary"},
    ]

    told = await site.answer("POST", "/api/tokens/import", tokens=rows)
    for _ in range(200):
        accounts = list(site.services.pool)
        if sum(one.is_warm or bool(one.rests) for one in accounts) == 3:
            break
        await asyncio.sleep(0.05)

    assert (told["added"], [error[:6] for error in told["errors"]]) == (3, ["Row 4:", "Row 5:"])
    assert "canary" not in str(told)
    standing = {one["upstream"] + str(one["id"]): (one["is_active"], one["ban_reason"]) for one in await site.listed()}
    assert standing == {"keyed1": (True, None), "hosts2": (True, None), "hosts3": (False, "auth_expired")}
    assert site.plugin.hosts.count("exchange") == 2

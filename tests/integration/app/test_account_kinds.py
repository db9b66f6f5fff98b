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
from tests.cheap_passphrases import cheap_passphrases

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

    async def until_seen_by_the_keeper(self, *account_ids: int) -> None:
        """The pool knows at once what the keeper has found; what is listed comes from the database, which follows."""
        async with asyncio.timeout(20.0):
            while True:
                accounts = await self.services.storage.accounts.some(account_ids)
                if all(one.is_warm or one.rests for one in accounts.values()):
                    return
                await asyncio.sleep(0.05)

    async def listed(self, **query: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = (await self.admin.get("/api/tokens", params=query)).json()
        return rows


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    plugin = Plugin()
    extensions = load_extensions(extra={"stage": plugin})
    environment = {"FLOW2API_DATA_DIR": str(tmp_path / "data"), "FLOW2API_DRAIN_S": "0"}
    with cheap_passphrases():
        services = build_services(load_settings(environment, sections=extensions.sections), extensions)
    async with running(services):
        passphrase, visitor = Secret("quiet maple river lamp"), Visitor("admin_api", "")
        await services.entrance.operators.create("ada", passphrase, Role.OWNER)
        _, token = await services.entrance.sign_in("ada", passphrase, visitor)
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
    await site.services.tending.warm.warm(added["id"])
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
    await site.until_seen_by_the_keeper(1, 2, 3)

    assert (told["added"], [error[:6] for error in told["errors"]]) == (3, ["Row 4:", "Row 5:"])
    assert "canary" not in str(told)
    standing = {one["upstream"] + str(one["id"]): (one["is_active"], one["ban_reason"]) for one in await site.listed()}
    assert standing == {"keyed1": (True, None), "hosts2": (True, None), "hosts3": (False, "auth_expired")}
    assert site.plugin.hosts.count("exchange") == 2


async def test_operators_api_takes_accounts_of_every_kind(site: Site) -> None:
    site.plugin.keyed.add_key("canary-1")
    site.plugin.hosts.add_key("canary-2", HOME)
    path = "/api/admin/accounts"

    keyed = await site.answer("POST", path, 201, upstream="keyed", api_key="canary-1")
    body = {"upstream": "hosts", "api_key": "canary-2", "base_url": f"{HOME}/", "name": "studio"}
    hosted = await site.answer("POST", path, 201, **body)
    wrong = await site.answer("POST", path, 400, **{**body, "api_key": "canary-3"})
    missing = await site.answer("POST", path, 400, upstream="hosts", api_key="canary-2")
    foreign = await site.answer("POST", path, 400, upstream="keyed", session_token="canary" * 50)
    nobody = await site.answer("POST", path, 400, upstream="nobody", api_key="canary")
    nothing = await site.answer("POST", path, 400, name="nothing")

    assert (keyed["upstream"], keyed["base_url"]) == ("keyed", None)
    assert (hosted["upstream"], hosted["base_url"], hosted["name"]) == ("hosts", HOME, "studio")
    assert "base_url is missing" in missing["detail"]
    assert "session_token is missing" in nothing["detail"]
    assert "There is no such upstream; there is flow" in nobody["detail"]
    assert "canary" not in str((keyed, hosted, wrong, missing, foreign, nobody))


async def test_one_key_is_an_account_at_each_place_where_it_is_good(site: Site) -> None:
    site.plugin.keyed.add_key("canary-1")
    places = [("keyed", None), ("hosts", HOME), ("hosts", NEW_HOME)]
    for _, base_url in places[1:]:
        site.plugin.hosts.add_key("canary-1", base_url)
    for upstream, base_url in places:
        body = {"upstream": upstream, "api_key": "canary-1", **({"base_url": base_url} if base_url else {})}
        await site.answer("POST", "/api/admin/accounts", 201, **body)
        twice = await site.answer("POST", "/api/admin/accounts", 409, **body)
        assert twice["detail"].endswith("has this API key already.")

    found = await site.answer("GET", "/api/admin/accounts")
    assert [(one["upstream"], one["base_url"]) for one in found["items"]] == places
    rows = [{"upstream": "hosts", "api_key": "canary-1", "base_url": one, "remark": "lent"} for _, one in places[1:]]
    told = await site.answer("POST", "/api/admin/accounts/import", accounts=rows)
    assert (told["added"], told["updated"]) == (0, 2)
    conflict = await site.answer("PATCH", "/api/admin/accounts/2", 409, api_key="canary-1", base_url=NEW_HOME)
    assert "The account 3 has this API key already" in conflict["detail"]


async def test_operators_api_moves_an_account_with_its_key_alone(site: Site) -> None:
    player = site.plugin.hosts.add_key("canary-1", HOME)
    added = await site.answer("POST", "/api/admin/accounts", 201, upstream="hosts", api_key="canary-1", base_url=HOME)
    path = f"/api/admin/accounts/{added['id']}"
    site.plugin.hosts.asked.clear()

    refused = await site.answer("PATCH", path, 400, base_url=NEW_HOME, remark="moved")
    unproved = await site.answer("PATCH", path, 400, base_url=NEW_HOME, api_key="canary-1", remark="moved")
    unmoved = await site.answer("GET", path)
    same = await site.answer("PATCH", path, base_url=HOME, remark="here")
    foreign = await site.answer("PATCH", path, 400, session_token="x" * 300)

    assert "api_key is missing" in refused["detail"]
    assert site.plugin.hosts.asked == [("canary-1", NEW_HOME)]
    assert (unmoved["base_url"], unmoved["remark"]) == (HOME, "")
    assert (same["base_url"], same["remark"]) == (HOME, "here")
    site.plugin.hosts.homes[player.email] = NEW_HOME
    moved = await site.answer("PATCH", path, base_url=NEW_HOME, api_key="canary-1")
    assert moved["base_url"] == NEW_HOME
    site.plugin.hosts.add_key("canary-2", NEW_HOME)
    renewed = await site.answer("PATCH", path, api_key="canary-2")
    assert renewed["base_url"] == NEW_HOME
    assert site.plugin.hosts.asked[-1] == ("canary-2", NEW_HOME)
    assert "canary" not in str((refused, unproved, unmoved, same, foreign, moved, renewed))
    (row,) = await site.listed(reveal="true")
    assert (row["api_key"], row["base_url"]) == ("canary-2", NEW_HOME)


async def test_operators_api_imports_accounts_of_every_kind(site: Site) -> None:
    rows = [
        {"upstream": "keyed", "api_key": "k1", "weight": 5},
        {"upstream": "hosts", "api_key": "k2", "base_url": f"{HOME}/"},
        {"upstream": "hosts", "api_key": "canary"},
        {"upstream": "keyed", "session_token": "canary" * 50},
        {"api_key": "canary"},
        {"upstream": "hosts", "api_key": "canary", "base_url": "http://media.example.org"},
    ]

    told = await site.answer("POST", "/api/admin/accounts/import", accounts=rows)

    assert (told["added"], [one["line"] for one in told["refused"]]) == (2, [3, 4, 5, 6])
    assert "canary" not in str(told)
    found = {
        one["upstream"]: (one["base_url"], one["weight"])
        for one in (await site.answer("GET", "/api/admin/accounts"))["items"]
    }
    assert found == {"keyed": (None, 5), "hosts": (HOME, 1)}

"""Proxies over HTTP: taken in without their credentials ever being shown again, tried out, and removed with care."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.integration.admin_api.conftest import Json, Site
from tests.proxy_servers import HttpProxy

pytestmark = pytest.mark.asyncio(loop_scope="session")

CANARY = "p4ss-canary"


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def none_left(site: Site) -> AsyncIterator[None]:
    yield
    for one in (await site.ok("GET", "/proxies"))["items"]:
        await site.ok("DELETE", f"/proxies/{one['name']}", None, 204, force=True)


async def added(site: Site, name: str, port: int = 9, pool: str | None = None) -> Json:
    body = {"url": f"http://eve:{CANARY}@127.0.0.1:{port}", "name": name, "pool": pool}
    return await site.ok("POST", "/proxies", body, 201)


async def test_credentials_are_never_shown_again(site: Site) -> None:
    proxy = await added(site, "one", pool="eu")
    everything = [await site.ok("GET", path) for path in ("/proxies", "/proxies/one", "/audit-entries", "/proxy-pools")]

    assert (proxy["name"], proxy["pool"], proxy["address"]) == ("one", "eu", "http://127.0.0.1:9")
    assert (proxy["is_enabled"], proxy["state"], proxy["checked_at"]) == (True, "unknown", None)
    assert CANARY not in str([proxy, *everything])
    assert (await site.audited())["action"] == "proxy.added"
    assert [one.name for one in site.services.proxying.choose.all()] == ["one"]


async def test_proxy_moves_to_another_pool_and_address(site: Site) -> None:
    await added(site, "one", pool="eu")
    moved = await site.ok("PATCH", "/proxies/one", {"url": f"http://eve:{CANARY}@127.0.0.1:10", "pool": "us"})
    freed = await site.ok("PATCH", "/proxies/one", {"pool": None})

    assert (moved["address"], moved["pool"], freed["pool"]) == ("http://127.0.0.1:10", "us", None)
    await site.refused("PATCH", "/proxies/one", 400, {})
    await site.refused("PATCH", "/proxies/one", 400, {"url": "gopher://x:1"})
    assert CANARY not in str([moved, freed, await site.audited()])


async def test_pools_are_counted(site: Site) -> None:
    await added(site, "one", 9, "eu")
    await added(site, "two", 10, "eu")
    await added(site, "three", 11)
    await site.ok("PATCH", "/proxies/two", {"is_enabled": False})

    pools = (await site.ok("GET", "/proxy-pools"))["items"]
    # The program may have tried them by now; nobody answers there.
    (state,) = {*pools[0]["states"]} & {"unknown", "down"}
    assert pools == [{"name": "eu", "proxies": 2, "enabled": 1, "states": {state: 1}}]
    assert [one["name"] for one in (await site.ok("GET", "/proxies", pool="eu"))["items"]] == ["one", "two"]


async def test_bad_lines_of_an_import_do_not_stop_the_others(site: Site) -> None:
    urls = [f"http://eve:{CANARY}@127.0.0.1:9", f"gopher://eve:{CANARY}@host:1", f"http://eve:{CANARY}@127.0.0.1:9"]
    told = await site.ok("POST", "/proxies/import", {"urls": urls, "pool": "eu"})

    assert [one["address"] for one in told["added"]] == ["http://127.0.0.1:9"]
    assert [one["line"] for one in told["refused"]] == [2, 3]
    assert CANARY not in str(told)


async def test_check_tells_what_came_through_and_is_kept(site: Site) -> None:
    await site.ok("PATCH", "/options", {"proxy_check_url": site.simulator.base_url})
    async with HttpProxy() as server:
        await site.ok("POST", "/proxies", {"url": server.url(), "name": "good"}, 201)
        await added(site, "bad")
        told = await site.ok("POST", "/proxies/test", {})
        one = await site.ok("POST", "/proxies/test", {"names": ["good"]})
    await site.ok("DELETE", "/options/proxy_check_url", None, 204)

    assert {check["name"]: check["ok"] for check in told["checks"]} == {"good": True, "bad": False}
    assert (told["ok"], one["ok"], len(one["checks"])) == (False, True, 1)
    assert (await site.ok("GET", "/proxies/good"))["state"] == "healthy"
    assert (await site.ok("GET", "/proxies/bad"))["fault"]


async def test_needed_proxy_is_removed_by_force_only(site: Site) -> None:
    await added(site, "one")
    account = await site.account()
    await site.ok("PATCH", f"/accounts/{account['id']}", {"proxy": "one"})

    assert str(account["id"]) in (await site.refused("DELETE", "/proxies/one", 409))["detail"]
    await site.ok("DELETE", "/proxies/one", None, 204, force=True)
    assert list(site.services.proxying.choose.all()) == []
    await site.ok("PATCH", f"/accounts/{account['id']}", {"proxy": None})


@pytest.mark.parametrize(
    ("want", "body"),
    [
        (400, {"url": f"ftp://eve:{CANARY}@host:1"}),
        (400, {"url": ""}),
        (400, {"url": f"http://eve:{CANARY}@host:1", "name": "no blanks"}),
        (400, {"url": f"http://eve:{CANARY}@host:1", "name": "direct"}),
        (409, {"url": f"http://eve:{CANARY}@host:1", "name": "x", "pool": "x"}),
        (400, {"url": 7}),
        (400, {"name": "x"}),
        (400, {"url": "http://host:1", "health": {}}),
    ],
)
async def test_what_cannot_be_is_refused_without_its_credentials(site: Site, want: int, body: object) -> None:
    told = await site.refused("POST", "/proxies", want, body)

    assert CANARY not in str(told)
    assert (await site.ok("GET", "/proxies"))["items"] == []


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PATCH", {"is_enabled": True}), ("DELETE", None)])
async def test_proxy_that_is_not_there_is_not_found(site: Site, method: str, body: object) -> None:
    await added(site, "frankfurt", pool="eu")

    assert "Did you mean 'frankfurt'?" in (await site.refused(method, "/proxies/frankfrt", 404, body))["detail"]
    assert "is a pool" in (await site.refused(method, "/proxies/eu", 404, body))["detail"]

"""Who may: viewers read, operators change, and what shows secrets or says where traffic goes is for owners."""

import httpx
import pytest

from tests.integration.admin_api.conftest import Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

OF_OWNERS = [
    ("POST", "/keys", {"name": "mine"}),
    ("PATCH", "/keys/1", {"name": "mine"}),
    ("POST", "/keys/1/revoke", None),
    ("POST", "/operators", {"name": "eve", "passphrase": "quiet maple river lamp", "role": "owner"}),
    ("PATCH", "/operators/2", {"role": "owner"}),
    ("POST", "/operators/1/reset-passphrase", {"passphrase": "quiet maple river lamp"}),
    ("DELETE", "/operators/1", None),
    ("POST", "/proxies", {"url": "http://127.0.0.1:1"}),
    ("POST", "/proxies/import", {"urls": ["http://127.0.0.1:1"]}),
    ("POST", "/proxies/test", {}),
    ("PATCH", "/proxies/x", {"is_enabled": False}),
    ("DELETE", "/proxies/x", None),
    ("POST", "/webhooks", {"name": "eve", "url": "https://eve.example"}),
    ("PATCH", "/webhooks/1", {"url": "https://eve.example"}),
    ("DELETE", "/webhooks/1", None),
    ("POST", "/webhooks/1/rotate-secret", None),
    ("POST", "/notify-targets", {"name": "eve", "url": "json://eve.example"}),
    ("DELETE", "/notify-targets/1", None),
    ("DELETE", "/requests", None),
    ("PATCH", "/options", {"proxy": "direct"}),
    ("PATCH", "/options", {"policy": "random", "private_webhooks": True}),
    ("DELETE", "/options/log_prompts", None),
    ("PATCH", "/options", {"media_base_url": "https://eve.example"}),
]


async def told(client: httpx.AsyncClient, method: str, path: str, body: object) -> tuple[int, str]:
    answer = await client.request(method, f"/api/admin{path}", json=body)
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize(("method", "path", "body"), OF_OWNERS)
async def test_operator_may_not_do_what_owners_do(site: Site, method: str, path: str, body: object) -> None:
    assert await told(site.operator, method, path, body) == (403, "not_allowed")
    assert await told(site.viewer, method, path, body) == (403, "not_allowed")


async def test_refused_change_of_options_changes_none_of_them(site: Site) -> None:
    await site.operator.patch("/api/admin/options", json={"policy": "random", "private_webhooks": True})

    assert (await site.ok("GET", "/options/policy"))["source"] == "default"


async def test_operator_changes_accounts_and_options(site: Site) -> None:
    account = await site.account()
    changed = await site.operator.patch(f"/api/admin/accounts/{account['id']}", json={"weight": 5})
    options = await site.operator.patch("/api/admin/options", json={"image_wait_s": 33})

    assert (changed.status_code, options.status_code) == (200, 200)
    assert (await site.audited())["actor"] == "operator"
    await site.ok("DELETE", "/options/image_wait_s", None, 204)


async def test_new_role_holds_from_the_next_request_on(site: Site) -> None:
    (viewer,) = [one for one in (await site.ok("GET", "/operators"))["items"] if one["name"] == "viewer"]
    path = f"/operators/{viewer['id']}"
    await site.ok("PATCH", path, {"role": "operator"})
    may = await site.viewer.patch("/api/admin/options", json={"image_wait_s": 34})
    await site.ok("PATCH", path, {"role": "viewer"})
    may_not = await site.viewer.patch("/api/admin/options", json={"image_wait_s": 35})

    assert (may.status_code, may_not.status_code) == (200, 403)
    await site.ok("DELETE", "/options/image_wait_s", None, 204)


@pytest.mark.parametrize("path", ["/api/cache/base-url", "/api/cache/config"])
async def test_only_owner_says_where_links_to_media_lead(site: Site, path: str) -> None:
    elsewhere = await site.operator.post(path, json={"base_url": "https://eve.example"})

    assert (elsewhere.status_code, elsewhere.json()["code"]) == (403, "not_allowed")
    assert site.services.options().media_base_url == ""


async def test_operator_sets_how_long_media_is_kept_beside_the_address_that_stands(site: Site) -> None:
    kept = await site.operator.post("/api/cache/config", json={"timeout": 7200, "base_url": ""})

    assert (kept.status_code, site.services.options().image_retention_h) == (200, 2)
    for name in ("image_retention_h", "video_retention_h"):
        await site.ok("DELETE", f"/options/{name}", None, 204)

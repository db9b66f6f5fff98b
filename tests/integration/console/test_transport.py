"""How a page was reached: what browsers are told over TLS, and what is not typed where others could read along."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from flow2api.app import create_app
from tests.integration.console.conftest import PASSPHRASE, Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

PUBLIC = "https://gw.example.org"
HSTS = "strict-transport-security"


_apps: dict[frozenset[tuple[str, Any]], Any] = {}
"""By the settings that differ: putting one together takes half a second."""


def reached(site: Site, base: str, **settings: Any) -> httpx.AsyncClient:
    """A browser elsewhere that reaches the server by this address."""
    differs = frozenset(settings.items())
    if differs not in _apps:
        changed = replace(site.services, settings=replace(site.services.settings, **settings))
        _apps[differs] = create_app(changed)
    transport = httpx.ASGITransport(_apps[differs], client=("192.0.2.9", 40_000))
    return httpx.AsyncClient(transport=transport, base_url=base, headers={"accept": "text/html"})


@pytest.mark.parametrize("path", ["/login", "/console", "/console/nowhere", "/nowhere", "/api/admin/keys", "/healthz"])
async def test_whoever_came_over_tls_is_told_to_come_by_nothing_else(site: Site, path: str) -> None:
    async with reached(site, "https://gw.example.org", public_url=PUBLIC) as browser:
        assert (await browser.get(path)).headers.get_list(HSTS) == ["max-age=31536000"]
    async with reached(site, "https://gw.example.org", public_url=PUBLIC, hsts_days=0) as browser:
        assert HSTS not in (await browser.get(path)).headers


@pytest.mark.parametrize("path", ["/login", "/console/nowhere", "/api/admin/keys", "/healthz"])
async def test_plain_http_is_told_nothing_whatever_address_is_configured(site: Site, path: str) -> None:
    async with reached(site, "http://192.0.2.7:8000", public_url=PUBLIC) as browser:
        assert HSTS not in (await browser.get(path)).headers


@pytest.mark.parametrize("public_url", [PUBLIC, "http://127.0.0.1:8000", ""])
async def test_passphrase_is_refused_over_plain_http_whatever_address_is_configured(
    site: Site, public_url: str
) -> None:
    async with reached(site, "http://192.0.2.7:8000", public_url=public_url) as browser:
        fields = {"name": "viewer", "passphrase": PASSPHRASE.reveal()}
        answer = await browser.post("/login", data=fields, headers={"sec-fetch-site": "same-origin"})

    assert (answer.status_code, "set-cookie" in answer.headers) == (422, False)
    assert "plain http" in answer.text


async def test_session_over_tls_is_in_a_cookie_that_no_other_host_can_set(site: Site) -> None:
    async with reached(site, PUBLIC, public_url=PUBLIC) as browser:
        fields = {"name": "viewer", "passphrase": PASSPHRASE.reveal()}
        answer = await browser.post("/login", data=fields, headers={"sec-fetch-site": "same-origin"})

    cookie = next(one for one in answer.headers.get_list("set-cookie") if "f2a_" in one or "__Host" in one)
    assert cookie.startswith("__Host-f2a=")
    assert "secure" in cookie.lower()
    assert "domain" not in cookie.lower()


async def test_session_goes_on_where_plain_http_is_allowed_whatever_address_is_configured(site: Site) -> None:
    there = {"public_url": PUBLIC, "console_plain_http": True}
    async with reached(site, "http://192.0.2.7:8000", **there) as browser:
        fields = {"name": "viewer", "passphrase": PASSPHRASE.reveal()}
        await browser.post("/login", data=fields, headers={"sec-fetch-site": "same-origin"})
        answer = await browser.get("/console/models")

    assert answer.status_code == 200

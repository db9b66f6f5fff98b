"""Signing in and out in a browser, and what every page has in common."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from flow2api.app import create_app
from flow2api.domain.errors import StorageBusyError
from tests.integration.console.conftest import text_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

OWN = {"origin": "http://127.0.0.1", "sec-fetch-site": "same-origin"}


@pytest_asyncio.fixture(loop_scope="session")
async def stranger(site: Any) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(_app(site))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as browser:
        yield browser


async def test_stranger_is_led_to_the_door_and_back_to_where_he_wanted(site: Any, stranger: httpx.AsyncClient) -> None:
    led = await stranger.get("/console/accounts")
    assert (led.status_code, led.headers["location"]) == (303, "/login?next=%2Fconsole%2Faccounts")

    filtered = await stranger.get("/console/accounts?state=paused&sort=-busy")
    assert filtered.headers["location"] == "/login?next=%2Fconsole%2Faccounts%3Fstate%3Dpaused%26sort%3D-busy"
    pressed = {"hx-request": "true", "hx-current-url": "http://127.0.0.1/console/accounts?q=mine", **OWN}
    ended = await stranger.post("/console/accounts/1/pause", headers=pressed)
    assert (ended.status_code, ended.headers["hx-redirect"]) == (401, "/login?next=%2Fconsole%2Faccounts%3Fq%3Dmine")

    plain = await stranger.post(
        "/console/accounts/bulk", data={"_here": "/console/accounts?q=mine", "id": "1"}, headers=OWN
    )
    assert plain.headers["location"] == "/login?next=%2Fconsole%2Faccounts%3Fq%3Dmine"
    odd = await stranger.post("/console/accounts/bulk", headers={**pressed, "hx-current-url": "http://["})
    assert odd.headers["hx-redirect"] == "/login?next=%2Fconsole%2Faccounts%2Fbulk"
    packed = {**OWN, "content-encoding": "gzip", "content-type": "application/x-www-form-urlencoded"}
    unread = await stranger.post("/console/accounts/1/pause", content=b"x", headers=packed)
    assert unread.headers["location"] == "/login"
    large = await stranger.post("/console/playground", data={"prompt": "x" * 70_000, "_here": "/console"}, headers=OWN)
    assert large.headers["location"] == "/login?next=%2Fconsole%2Fplayground"

    fields = {"name": "viewer", "passphrase": "quiet maple river lamp", "next": "/console/accounts"}
    entered = await stranger.post("/login", data=fields, headers=OWN)

    assert (entered.status_code, entered.headers["location"]) == (303, "/console/accounts")
    cookie = entered.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.test/",
        "//evil.test",
        "/\\evil.test",
        "/console\\..",
        "javascript:x",
        "/console//evil.test",
        "/console/../..//evil.test",
        "/console/%2e%2e/%2e%2e//evil.test",
        "/console@evil.test",
        "/console.evil.test",
        "/console\t/x",
        "http:/console/accounts",
        "/console?x=\r\nset-cookie: a=b",
        "http://[",
    ],
)
async def test_door_leads_nowhere_but_into_the_console(stranger: httpx.AsyncClient, target: str) -> None:
    fields = {"name": "viewer", "passphrase": "quiet maple river lamp", "next": target}
    entered = await stranger.post("/login", data=fields, headers=OWN)

    assert (entered.status_code, entered.headers["location"]) == (303, "/console")


@pytest.mark.parametrize("page", ["https://evil.test/", "//evil.test", "/console//evil.test", "/login", ""])
async def test_form_of_no_page_of_ours_leads_nowhere(stranger: httpx.AsyncClient, page: str) -> None:
    ended = await stranger.post("/console/accounts/1/pause", data={"_here": page}, headers=OWN)

    assert (ended.status_code, ended.headers["location"]) == (303, "/login")


async def test_forms_tell_the_page_that_they_stand_on(site: Any) -> None:
    page = await site.viewer.see("/console/accounts?q=mine")
    assert 'name="_here" value="/console/accounts?q=mine"' in page
    refused = await site.operator.submit(
        "/console/accounts/bulk", do="limits", id="1", status=200, _here="/console/accounts?q=mine"
    )
    assert 'name="_here" value="/console/accounts?q=mine"' in refused.text
    long = await site.viewer.see(f"/console/accounts?q={'m' * 2000}")
    assert 'name="_here" value="/console/accounts"' in long


async def test_wrong_passphrase_is_told_on_the_same_page_and_never_shown_again(stranger: httpx.AsyncClient) -> None:
    fields = {"name": "viewer <b>", "passphrase": "not-the-passphrase"}
    answer = await stranger.post("/login", data=fields, headers=OWN)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "viewer &lt;b&gt;" in answer.text
    assert "not-the-passphrase" not in answer.text


async def test_field_that_the_form_does_not_have_is_refused(stranger: httpx.AsyncClient) -> None:
    fields = {"name": "viewer", "passphrase": "quiet maple river lamp", "role": "owner"}
    answer = await stranger.post("/login", data=fields, headers=OWN)

    assert answer.status_code == 422
    assert "set-cookie" not in answer.headers


async def test_passphrase_is_not_taken_over_plain_http_from_elsewhere(site: Any) -> None:
    transport = httpx.ASGITransport(_app(site))
    async with httpx.AsyncClient(transport=transport, base_url="http://192.0.2.7") as browser:
        own = {"origin": "http://192.0.2.7", "sec-fetch-site": "same-origin"}
        fields = {"name": "viewer", "passphrase": "quiet maple river lamp"}
        answer = await browser.post("/login", data=fields, headers=own)

    assert answer.status_code == 422
    assert "plain http" in answer.text


async def test_signing_out_ends_the_session_and_not_only_the_cookie(site: Any, stranger: httpx.AsyncClient) -> None:
    fields = {"name": "viewer", "passphrase": "quiet maple river lamp"}
    await stranger.post("/login", data=fields, headers=OWN)
    cookies = dict(stranger.cookies)
    token = (await stranger.get("/console")).text.split('x-csrf-token":"')[1].split('"')[0]

    await stranger.post("/logout", data={"_csrf": token}, headers=OWN)
    stranger.cookies.update(cookies)

    assert (await stranger.get("/console")).status_code == 303


async def test_form_without_the_token_of_the_session_changes_nothing(site: Any) -> None:
    answer = await site.owner.browser.post("/console/looks", data={"theme": "dark"}, headers=OWN)
    foreign = await site.owner.browser.post(
        "/console/looks", data={"theme": "dark", "_csrf": await site.viewer.token()}, headers=OWN
    )

    assert (answer.status_code, foreign.status_code) == (403, 403)


async def test_theme_is_kept_in_the_browser(site: Any) -> None:
    await site.viewer.submit("/console/looks", theme="dark", next="/console")

    assert 'data-theme="dark"' in await site.viewer.see("/console")
    await site.viewer.submit("/console/looks", theme="light", next="/console")


async def test_page_for_others_is_refused_within_the_frame(site: Any) -> None:
    page = await site.viewer.see("/console/requests/clear", 403)

    assert "This takes the role owner; yours is viewer." in page
    assert 'class="nav"' in page


async def test_the_theme_that_one_does_not_see_is_offered(site: Any) -> None:
    offered = 'name="theme"\\s+value="(\\w+)"'
    for path in ("/console", "/console/more"):
        assert set(re.findall(offered, await site.owner.see(path))) == {"light", "dark"}
    for chosen, other in (("dark", "light"), ("light", "dark")):
        await site.viewer.submit("/console/looks", theme=chosen, next="/console")
        for path in ("/console", "/console/more"):
            assert set(re.findall(offered, await site.viewer.see(path))) == {other}


async def test_language_is_the_browser_s_until_one_is_chosen(site: Any) -> None:
    english = await site.stranger.see("/login")
    chinese = await site.stranger.see("/login", **{"accept-language": "fr, zh-CN;q=0.9, en;q=0.5"})

    assert 'lang="en"' in english
    assert 'lang="zh-Hans"' in chinese


async def test_page_that_there_is_not_is_told_in_the_frame_or_plainly(site: Any) -> None:
    assert "There is nothing here" in await site.owner.read("/console/nowhere", 404)
    assert "not_found" in await site.stranger.read("/console/nowhere", 404)


@pytest.mark.parametrize("path", ["/login", "/console", "/console/nowhere", "/", "/logout"])
async def test_every_answer_tells_browsers_to_run_nothing_of_others(site: Any, path: str) -> None:
    answer = await site.owner.browser.get(path)

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert "HX-Request" in answer.headers["vary"]


async def test_signing_in_once_more_ends_the_session_that_the_browser_had(
    site: Any, stranger: httpx.AsyncClient
) -> None:
    fields = {"name": "viewer", "passphrase": "quiet maple river lamp"}
    await stranger.post("/login", data=fields, headers=OWN)
    former = dict(stranger.cookies)
    await stranger.post("/login", data=fields, headers=OWN)
    later = dict(stranger.cookies)
    stranger.cookies.clear()

    assert former["f2a"] != later["f2a"]
    assert (await stranger.get("/console", headers={"cookie": f"f2a={former['f2a']}"})).status_code == 303
    assert (await stranger.get("/console", headers={"cookie": f"f2a={later['f2a']}"})).status_code == 200


async def test_session_that_somebody_planted_is_not_the_one_that_begins(site: Any, stranger: httpx.AsyncClient) -> None:
    planted = "admin-" + "A" * 43
    fields = {"name": "viewer", "passphrase": "quiet maple river lamp"}
    entered = await stranger.post("/login", data=fields, headers={**OWN, "cookie": f"f2a={planted}"})

    assert planted not in entered.headers["set-cookie"]
    assert (await stranger.get("/console", headers={"cookie": f"f2a={planted}"})).status_code == 303


@pytest.mark.parametrize("target", ["/login//evil.test", "/login@evil.test", "/setup/..//evil.test", "/loginx"])
async def test_choice_of_a_language_leads_to_no_other_page_than_a_door(
    stranger: httpx.AsyncClient, target: str
) -> None:
    answer = await stranger.get("/language", params={"to": "en", "next": target})

    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"a=1&" * 2000, {}, 413),
        (b"name=" + b"x" * 70_000, {}, 413),
        (b"name=viewer", {"content-encoding": "gzip"}, 415),
    ],
)
async def test_form_that_no_page_of_ours_sends_is_not_taken_apart(
    stranger: httpx.AsyncClient, content: bytes, headers: dict[str, str], status: int
) -> None:
    kind = {"content-type": "application/x-www-form-urlencoded"}
    answer = await stranger.post("/login", content=content, headers={**OWN, **kind, **headers})

    assert answer.status_code == status


def _app(site: Any) -> Any:
    return create_app(site.services)


async def test_page_that_cannot_be_shown_now_offers_to_try_again_in_place(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*_: object, **__: object) -> None:
        raise StorageBusyError("The database is busy with something else; try again in a moment.")

    monkeypatch.setattr(site.services.operating.keys, "all", busy)
    page = await site.owner.see("/console/keys?q=mine", 503)
    assert 'href="/console/keys?q=mine"' in page
    assert "Try again" in text_of(page)
    assert "Try again" not in await site.owner.read("/console/nothing", 404)

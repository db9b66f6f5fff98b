"""Getting clients going: settings, a key that is shown once, and whether the server answers clients as they expect."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from flow2api.adapters.console.checks.check_keys import KEY_NAME
from flow2api.adapters.console.checks.own_server import ask
from flow2api.adapters.console.guards import FORM_FIELD
from flow2api.app import create_app
from flow2api.domain.audit import Actor
from flow2api.domain.key_rules import KeyRules
from flow2api.domain.ports.outside import OutsideView
from flow2api.testing.samples import key_of
from tests.integration.console.conftest import BASE, PASSPHRASE, text_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGE = "/console/connect"


async def checked(site: Any, person: Any, **fields: str) -> str:
    """The page once the check is over."""
    await person.submit(f"{PAGE}/checks", **fields)
    async with asyncio.timeout(60):
        while "Run again" not in (page := await person.see(PAGE)):
            await asyncio.sleep(0.05)
    return str(page)


async def test_settings_are_filled_in_for_the_address_of_the_visitor(site: Any) -> None:
    page = await site.viewer.read(PAGE)

    assert page.count("http://127.0.0.1/v1") >= 5
    for client in ("Open WebUI", "Cherry Studio", "LobeChat", "n8n"):
        assert client in page


async def test_key_is_shown_once_with_everything_filled_in(site: Any) -> None:
    answer = await site.owner.submit(f"{PAGE}/keys", 201, name="openwebui")
    found = re.search(r'id="new-key-text">(f2a_[\w-]+)<', answer.text)
    assert found is not None
    key = found[1]

    assert answer.text.count(key) > 5
    assert "cherrystudio://providers/api-keys?" in answer.text
    assert key not in await site.operator.see(PAGE)
    assert answer.headers["cache-control"] == "no-store"
    app: Any = create_app(site.services)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as client:
        models = await client.get("/v1/models", headers={"authorization": f"Bearer {key}"})
    assert models.status_code == 200


@pytest.mark.parametrize(("name", "told"), [("", "needed"), ("12", "number alone"), ("x" * 65, "longer")])
async def test_name_that_no_key_can_have_is_told_and_kept(site: Any, name: str, told: str) -> None:
    answer = await site.owner.submit(f"{PAGE}/keys", 422, name=name)

    assert told in text_of(answer.text)


async def test_name_that_a_key_has_is_told(site: Any) -> None:
    await site.owner.submit(f"{PAGE}/keys", 201, name="taken <b>")

    answer = await site.owner.submit(f"{PAGE}/keys", 409, name="taken <b>")

    assert "exists already" in text_of(answer.text)
    assert "taken <b>" not in answer.text


async def test_viewer_sees_settings_and_may_change_nothing(site: Any) -> None:
    page = await site.viewer.see(PAGE)

    assert "Make a key for a client" not in page
    assert "Run the check" not in page
    for path in ("keys", "checks", "looks"):
        await site.viewer.submit(f"{PAGE}/{path}", 403, name="x")


async def test_every_client_is_answered_as_it_expects_and_the_key_is_revoked(site: Any) -> None:
    for _ in range(3):
        await site.account()
    before = await site.operator.read(PAGE)
    assert "which costs no credits" in before

    page = text_of(await checked(site, site.operator))

    assert "Fail" not in page, page[-1500:]
    assert re.search(r"\b31 pass\b", page), page
    keys = [key for key in await site.services.operating.keys.all() if key.name.startswith(KEY_NAME)]
    assert keys
    assert not any(key.is_active for key in keys)


async def test_keys_of_checks_stand_in_no_list_but_their_own(site: Any) -> None:
    storage, clock = site.services.storage, site.services.clock
    before = await site.owner.read("/console/keys")
    now = clock.now()
    for number, revoked_at in enumerate((None, now)):
        name = f"{KEY_NAME} 0000000{number}"
        rules = KeyRules(expires_at=now + timedelta(minutes=31))
        key = replace(key_of(name, name[-8:].encode()), created_at=now, rules=rules, revoked_at=revoked_at)
        await storage.api_keys.add(key)
    await storage.api_keys.add(replace(key_of(f"{KEY_NAME} 0000000a", b"mine"), created_at=now))

    for query in ("", "?state=active", "?state=revoked", f"?q={KEY_NAME}"):
        page = await site.viewer.read(f"/console/keys{query}")
        assert f"{KEY_NAME} 00000000" not in page
        assert f"{KEY_NAME} 00000001" not in page
    assert f"{KEY_NAME} 0000000a" in await site.viewer.read(f"/console/keys?q={KEY_NAME}")
    (active,) = re.findall(r"(\d+) keys? opens? something", await site.owner.read("/console/keys"))
    assert int(active) == int(re.findall(r"(\d+) keys? opens? something", before)[0]) + 1
    of_checks = await site.viewer.read("/console/keys?state=checks")
    assert f"{KEY_NAME} 00000000" in of_checks
    assert f"{KEY_NAME} 00000001" in of_checks
    assert f"{KEY_NAME} 0000000a" not in of_checks
    assert f"{KEY_NAME} 00000000" not in await site.owner.read(PAGE)


async def test_videos_are_made_when_they_are_asked_for_and_their_price_is_told_before(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flow2api.adapters.console.checks.video_watch._wait_s", lambda watch, answer: 0.05)
    monkeypatch.setattr("flow2api.adapters.console.checks.client_check._AT_ONCE", 35)
    await site.account()
    before = await site.operator.read(PAGE)
    assert re.search(r"Videos are made only when you ask for them: 4 with sora-2, each for .*credits", before)

    page = text_of(await checked(site, site.operator, videos="on"))

    assert "Fail" not in page, page[-1500:]
    assert re.search(r"\b35 pass\b", page), page


async def test_limit_of_clients_does_not_hold_for_the_check_whose_key_ends_by_itself(site: Any) -> None:
    await site.account()
    options, actor = site.services.options, Actor(name="tests", door="cli")
    await options.change({"requests_per_min": 2}, actor)
    try:
        page = text_of(await checked(site, site.owner))
    finally:
        await options.change({"requests_per_min": None}, actor)

    assert re.search(r"\b31 pass\b", page), page
    key = (await site.services.operating.keys.all())[-1]
    assert key.name.startswith("connection check")
    assert key.rules.expires_at is not None
    assert key.rules.expires_at - key.created_at <= timedelta(minutes=31)


async def test_failure_is_told_with_its_reason(site: Any) -> None:
    await site.simulator.control.add_fault(
        "error", call="generate_*", status=400, reason="PUBLIC_ERROR_UNSAFE_GENERATION", times=100
    )
    try:
        page = await checked(site, site.operator)
    finally:
        await site.simulator.control.clear_faults()

    assert "Fail" in text_of(page)
    assert re.search(r"Open WebUI, Picture: \d{3} \w+", text_of(page)), text_of(page)[-1500:]


async def test_only_one_check_runs_at_a_time(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = asyncio.Event()

    async def held(*request: Any) -> Any:
        await refused.wait()
        return await ask(*request)

    monkeypatch.setattr("flow2api.adapters.console.checks.client_check.ask", held)
    await site.operator.submit(f"{PAGE}/checks")
    second = await site.operator.submit(f"{PAGE}/checks")
    refused.set()

    assert "under%20way" in second.headers.get("set-cookie", "")
    async with asyncio.timeout(60):
        while "Run again" not in await site.operator.see(PAGE):
            await asyncio.sleep(0.05)


async def test_without_a_public_address_nobody_is_asked(site: Any) -> None:
    answer = await site.operator.submit(f"{PAGE}/looks")

    assert "public_url" in answer.headers.get("set-cookie", "")
    assert "Look from outside" not in await site.operator.see(PAGE)


async def test_proxy_that_is_not_believed_is_told(site: Any) -> None:
    page = await site.operator.see(PAGE, **{"x-forwarded-for": "203.0.113.9"})

    assert "name it in trusted_proxies" in text_of(page)


async def test_stranger_cannot_pretend_to_be_a_look_from_outside(site: Any) -> None:
    answer = await site.stranger.browser.get("/seen/guessed")

    assert answer.status_code == 404


async def test_public_address_that_leads_here_is_told_by_a_look_from_outside(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[str]()

    async def through_the_proxy(url: str, *, timeout_s: float) -> OutsideView:
        asked.append(url)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://backend:8000") as proxy:
            answer = await proxy.get(url.removeprefix("https://flow.example.org"))
        return OutsideView(answer.status_code, 41, 71, answer.headers.get("x-request-id", ""))

    monkeypatch.setattr("flow2api.app.doors.look_outside", through_the_proxy)
    settings = replace(site.services.settings, public_url="https://flow.example.org")
    app: Any = create_app(replace(site.services, settings=settings))
    own = {"origin": "https://flow.example.org", "sec-fetch-site": "same-origin"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://flow.example.org") as browser:
        fields = {"name": "operator", "passphrase": PASSPHRASE.reveal()}
        assert (await browser.post("/login", data=fields, headers=own)).status_code == 303
        before = await browser.get(PAGE)
        token = re.search(rf'name="{FORM_FIELD}" value="(\w+)"', before.text)
        assert token is not None
        await browser.post(f"{PAGE}/looks", data={FORM_FIELD: token[1]}, headers=own)
        after = text_of((await browser.get(PAGE)).text)

    assert "sends two requests to https://flow.example.org" in text_of(before.text)
    assert [url.startswith("https://flow.example.org/") for url in asked] == [True, True]
    assert "Reached in 41 ms." in after
    assert "good for 71 days" in after
    assert "for the host backend:8000" in after
    assert "Links to pictures and videos lead here." in after

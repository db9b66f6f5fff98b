"""What everybody may do with what is his own: passphrase, second factor, sessions, preferences."""

import html
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pyotp
import pytest
import pytest_asyncio

from flow2api.app import create_app
from flow2api.domain.operator import Role
from flow2api.domain.secret import Secret
from tests.integration.console.conftest import BASE, Person, Site, text_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

GOOD = "quiet maple river lamp"
BETTER = "seven green kettles whisper"
OWN = {"origin": BASE, "sec-fetch-site": "same-origin"}


@pytest.fixture(scope="module")
def app(site: Site) -> Any:
    return create_app(site.services)


async def entered(app: Any, name: str, **more: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as browser:
        return await browser.post("/login", data={"name": name, "passphrase": GOOD, **more}, headers=OWN)


@pytest_asyncio.fixture(loop_scope="session")
async def ada(site: Site, app: Any) -> AsyncIterator[Person]:
    """Somebody who only looks, with a passphrase of her own to change."""
    operators = site.services.entrance.operators
    await operators.create("ada", Secret(GOOD), Role.VIEWER)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers={"accept": "text/html"}) as browser:
        answer = await browser.post("/login", data={"name": "ada", "passphrase": GOOD}, headers=OWN)
        assert answer.status_code == 303
        yield Person(browser)
    await operators.remove("ada")


async def test_passphrase_is_changed_by_who_knows_the_former_one(app: Any, ada: Person) -> None:
    wrong = await ada.submit("/console/you/passphrase", 422, former="not this", passphrase=BETTER, again=BETTER)
    weak = await ada.submit(
        "/console/you/passphrase", 422, former=GOOD, passphrase="password1234", again="password1234"
    )
    assert 'id="former-bad"' in wrong.text
    assert 'id="passphrase-bad"' in weak.text
    assert GOOD not in weak.text

    await ada.submit("/console/you/passphrase", former=GOOD, passphrase=BETTER, again=BETTER)

    assert "ada" in await ada.read("/console/you")
    assert (await entered(app, "ada")).status_code == 422
    assert (await entered(app, "ada", passphrase=BETTER)).status_code == 303


async def test_strength_is_told_in_words(ada: Person) -> None:
    answer = await ada.submit("/console/you/strength", 200, passphrase="ada ada ada ada")

    assert "Weak" in answer.text
    assert "<html" not in answer.text


async def test_sessions_are_listed_and_ended_one_by_one_or_all_others(app: Any, ada: Person) -> None:
    await entered(app, "ada")
    await entered(app, "ada")
    page = await ada.see("/console/you")
    others = re.findall(r"/console/you/sessions/([\w-]+)/end\"", page)
    assert len(others) == 2

    await ada.submit(f"/console/you/sessions/{others[0]}/end")
    assert "The session has ended." in await ada.read("/console/you")
    await ada.submit(f"/console/you/sessions/{others[0]}/end", 404)
    await ada.submit("/console/you/sessions/end-others")

    assert "1 other session has ended." in await ada.read("/console/you")
    assert "1 place where you are signed in" in await ada.read("/console/you")


async def test_nobody_ends_the_session_of_another(site: Site, ada: Person) -> None:
    (owner,) = [one for one in await site.services.entrance.operators.all() if one.name == "owner"]
    (session,) = await site.services.entrance.sign_in.sessions_of(owner)

    await ada.submit(f"/console/you/sessions/{session.id}/end", 404)

    assert await site.services.entrance.sign_in.sessions_of(owner)


async def test_preferences_hold_in_every_browser(site: Site, app: Any, ada: Person) -> None:
    await site.account()  # before there is one the overview says how to begin, and nothing on it is live
    await ada.submit("/console/you/preferences", language="zh-Hans", density="compact")

    page = await ada.see("/console")
    assert 'lang="zh-Hans"' in page
    assert 'data-density="compact"' in page
    assert 'data-keys="off"' in page
    assert "hx-sse:connect" not in page
    again = await entered(app, "ada")
    assert "f2a-language=zh-Hans" in again.headers["set-cookie"]

    await ada.submit("/console/you/preferences", language="", density="comfortable", live="on", keys="on")
    page = await ada.see("/console")
    assert 'lang="en"' in page
    assert "hx-sse:connect" in page
    await ada.submit("/console/you/preferences", 422, language="tlh", density="loose")


async def test_second_factor_is_taken_into_use_asked_for_and_switched_off(site: Site, app: Any, ada: Person) -> None:
    refused = await ada.submit("/console/you/second-factor/begin", 422, factor_passphrase="not this")
    assert 'id="factor_passphrase-bad"' in refused.text

    begun = await ada.submit("/console/you/second-factor/begin", 200, factor_passphrase=GOOD)
    assert "<svg" in begun.text
    assert "style=" not in begun.text
    secret = html.unescape(re.findall(r'<p class="secret"><code>([A-Z2-7 ]+)</code>', begun.text)[0]).replace(" ", "")
    assert (await entered(app, "ada")).status_code == 303, "it is not asked for before a code has confirmed it"

    wrong = await ada.submit("/console/you/second-factor/confirm", 422, code="000000")
    assert 'id="code-bad"' in wrong.text
    now = site.services.clock.now()
    confirmed = await ada.submit("/console/you/second-factor/confirm", 200, code=pyotp.TOTP(secret).at(now))
    recovery = re.findall(r"<pre id=\"recovery-codes\">([^<]+)</pre>", confirmed.text)[0].split()
    assert len(recovery) == 10
    assert recovery[0] not in await ada.see("/console/you"), "they are shown once"

    asked = await entered(app, "ada")
    assert asked.status_code == 422
    assert "the code of your app" in text_of(asked.text)
    assert (await entered(app, "ada", code="123456")).status_code == 422
    assert (await entered(app, "ada", code=recovery[0])).status_code == 303
    assert "9" in await ada.read("/console/you")

    other = await ada.submit("/console/you/second-factor/recovery", 200, factor_passphrase=GOOD)
    assert recovery[1] not in other.text
    await ada.submit("/console/you/second-factor/disable", factor_passphrase=GOOD)
    assert (await entered(app, "ada")).status_code == 303

"""The first visit: the owner sets himself up, once, and is shown what comes next."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio

from flow2api.app import Services, build_services, create_app, running
from flow2api.extensions import load_extensions
from flow2api.settings import load_settings
from tests.cheap_passphrases import cheap_passphrases
from tests.integration.console.conftest import BASE, text_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

OWN = {"origin": BASE, "sec-fetch-site": "same-origin"}
GOOD = "quiet maple river lamp"


@dataclass(frozen=True)
class Empty:
    """A program that nobody owns yet."""

    services: Services
    app: Any
    browser: httpx.AsyncClient

    async def code(self) -> str:
        code, _ = await self.services.entrance.offer_setup()
        return code.reveal()

    async def submit(self, path: str = "/setup", **fields: str) -> httpx.Response:
        return await self.browser.post(path, data=fields, headers=OWN)


@pytest_asyncio.fixture(loop_scope="session")
async def empty(tmp_path: Any) -> AsyncIterator[Empty]:
    environment = {"FLOW2API_DATA_DIR": str(tmp_path / "data"), "FLOW2API_DRAIN_S": "0"}
    extensions = load_extensions()
    with cheap_passphrases():
        services = build_services(load_settings(environment, sections=extensions.sections), extensions)
    async with running(services):
        app: Any = create_app(services)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=BASE, headers={"accept": "text/html"}) as browser:
            yield Empty(services, app, browser)


async def test_owner_sets_himself_up_and_is_led_to_his_first_steps(empty: Empty) -> None:
    assert (await empty.browser.get("/login")).headers["location"] == "/setup"
    assert "Setup code" in (await empty.browser.get("/setup")).text

    made = await empty.submit(code=await empty.code(), name="ada", passphrase=GOOD, again=GOOD)

    assert (made.status_code, made.headers["location"]) == (303, "/console/first-steps")
    steps = text_of((await empty.browser.get("/console/first-steps")).text)
    assert all(step in steps for step in ("Add your first account", "Create an API key", "Try a prompt"))
    assert [(one.name, one.role.value) for one in await empty.services.entrance.operators.all()] == [("ada", "owner")]


async def test_page_is_gone_for_ever_once_there_is_an_owner(empty: Empty) -> None:
    code = await empty.code()
    await empty.submit(code=code, name="ada", passphrase=GOOD, again=GOOD)

    again = await empty.submit(code=code, name="eve", passphrase=GOOD, again=GOOD)

    assert again.status_code == 404
    assert (await empty.browser.get("/setup")).status_code == 404
    assert (await empty.submit("/setup/strength", passphrase="x")).status_code == 404
    assert len(await empty.services.entrance.operators.all()) == 1


async def test_what_is_wrong_stands_beside_its_field_and_the_code_stays_good(empty: Empty) -> None:
    code = await empty.code()

    weak = await empty.submit(code=code, name="ada", passphrase="password1234", again="password1234")
    unlike = await empty.submit(code=code, name="ada", passphrase=GOOD, again=GOOD + "s")
    short = await empty.submit(code=code, name="", passphrase="short", again="short")

    assert [one.status_code for one in (weak, unlike, short)] == [422, 422, 422]
    assert 'id="passphrase-bad"' in weak.text
    assert 'id="again-bad"' in unlike.text
    assert 'id="name-bad"' in short.text
    assert 'value="ada"' in weak.text
    assert "password1234" not in weak.text
    assert GOOD not in unlike.text
    assert (await empty.submit(code=code, name="ada", passphrase=GOOD, again=GOOD)).status_code == 303


async def test_wrong_codes_are_told_beside_the_field_and_put_off_after_some(empty: Empty) -> None:
    tries = [await empty.submit(code="wrong-code", name="ada", passphrase=GOOD, again=GOOD) for _ in range(12)]

    assert 'id="code-bad"' in tries[0].text
    assert tries[-1].status_code == 429
    assert int(tries[-1].headers["retry-after"]) > 0
    assert "Too many tries. Wait" in text_of(tries[-1].text)


async def test_strength_is_told_in_words_while_it_is_typed(empty: Empty) -> None:
    weak = await empty.submit("/setup/strength", passphrase="password1234", name="ada", code="", again="")
    strong = await empty.submit("/setup/strength", passphrase="quiet maple river lamp over a cold stove")
    none = await empty.submit("/setup/strength", passphrase="")

    assert "Weak" in weak.text
    assert 'class="bad"' in weak.text
    assert "Strong" in strong.text
    assert 'value="4"' in strong.text
    assert "<progress" not in none.text
    assert all(one.text.lstrip().startswith("<div") for one in (weak, strong, none))


async def test_page_of_another_site_cannot_set_up(empty: Empty) -> None:
    fields = {"code": await empty.code(), "name": "eve", "passphrase": GOOD, "again": GOOD}
    foreign = {"origin": "http://evil.test", "sec-fetch-site": "cross-site"}

    assert (await empty.browser.post("/setup", data=fields, headers=foreign)).status_code == 403


async def test_passphrase_is_taken_over_plain_http_from_elsewhere_only_where_the_setting_says_so(tmp_path: Any) -> None:
    for number, (allowed, status) in enumerate((("false", 422), ("true", 303))):
        environment = {"FLOW2API_DATA_DIR": str(tmp_path / str(number)), "FLOW2API_CONSOLE_PLAIN_HTTP": allowed}
        extensions = load_extensions()
        settings = load_settings({**environment, "FLOW2API_DRAIN_S": "0"}, sections=extensions.sections)
        with cheap_passphrases():
            services = build_services(settings, extensions)
        async with running(services):
            code, _ = await services.entrance.offer_setup()
            app: Any = create_app(services)
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://192.0.2.7") as browser:
                fields = {"code": code.reveal(), "name": "ada", "passphrase": GOOD, "again": GOOD}
                answer = await browser.post("/setup", data=fields)
        assert answer.status_code == status
        assert ("plain http" in answer.text) is (status == 422)


async def test_language_that_was_chosen_at_the_door_is_the_owner_s(empty: Empty) -> None:
    await empty.browser.get("/language?to=zh-Hans&next=/setup")

    await empty.submit(code=await empty.code(), name="ada", passphrase=GOOD, again=GOOD)

    (owner,) = await empty.services.entrance.operators.all()
    assert owner.preferences.language == "zh-Hans"

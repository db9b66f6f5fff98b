"""The page of a plugin's settings: forms made of what the plugin has described, saved for the next start or shown as lines."""

import html
import re
import tomllib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from flow2api.app import Services, build_services, create_app, running
from flow2api.cli.context import Installation, installation
from flow2api.domain.audit import Actor
from flow2api.domain.operator import Role
from flow2api.extensions import load_extensions, with_saved
from flow2api.extensions.sections import checked_section
from flow2api.settings import load_settings
from tests.integration.console.conftest import Person, _browser, _signed_in, text_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

HIDDEN = "t0p-needy"
ACTOR = Actor(name="tests", door="cli")
PAGE = "/console/plugins/settings?section=hued"
PLUGIN = '''
from typing import Annotated, Literal

import msgspec

from flow2api.domain.secret import Secret
from flow2api.hookspecs import SettingsSection, hookimpl

Depth = Annotated[int, msgspec.Meta(ge=1, le=9, description="How deep it goes.")]


class Hued(msgspec.Struct):
    """What ``colours`` it has."""

    place: str
    depth: Depth = 3
    ratio: float | None = None
    greeting: str = "hello"
    mood: Literal["good", "bad"] = "good"
    bright: bool = False
    hosts: tuple[str, ...] = ()
    weights: dict[str, float] = {}
    token: Secret = Secret("")

    def __post_init__(self):
        if self.mood == "bad" and self.bright:
            raise ValueError("what is bright is not bad")


@hookimpl
def register_settings():
    return [SettingsSection("hued", Hued)]
'''


NEEDY = PLUGIN.replace("Hued", "Needy").replace('"hued"', '"needy"')


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Services, Person, Person]]:
    folder: Path = tmp_path_factory.mktemp("plugins")
    folder.chmod(0o700)
    for name, code in (("hued", PLUGIN), ("needy", NEEDY), ("broken", "raise SystemExit")):
        (folder / f"{name}.py").write_text(code)
        (folder / f"{name}.py").chmod(0o600)
    environment = {
        "FLOW2API_PLUGINS_DIR": str(folder),
        "FLOW2API_DATA_DIR": str(tmp_path_factory.mktemp("program") / "data"),
        "FLOW2API_DRAIN_S": "0",
        "FLOW2API_FLOW__API_BASE_URL": "http://127.0.0.1:9/v1",
        "FLOW2API_HUED__PLACE": "roof",
        "FLOW2API_PLUGINS": "hued",
        "FLOW2API_OPTIONS__BACKGROUND_RENEWAL": "false",
    }
    extensions = load_extensions(["hued"], folder=folder)
    settings = load_settings(environment, sections=extensions.sections)
    extensions, sections = extensions.checked(with_saved(extensions, settings.sections, {})[0])
    settings = load_settings(environment, sections=extensions.sections)
    object.__setattr__(settings, "sections", sections)
    services = build_services(settings, extensions)
    async with running(services):
        app: Any = create_app(services)
        async with _browser(app) as owner, _browser(app) as viewer:
            yield (
                services,
                await _signed_in(services, owner, Role.OWNER),
                await _signed_in(services, viewer, Role.VIEWER),
            )


async def test_every_setting_has_its_help_its_type_its_default_and_its_source(
    house: tuple[Services, Person, Person],
) -> None:
    _, owner, _ = house
    listed, page = await owner.see("/console/plugins"), await owner.read(PAGE)

    assert 'href="/console/plugins/settings?section=hued"' in listed
    assert "What colours it has." in page
    assert "How deep it goes." in page
    assert "whole number from 1 to 9" in page
    assert "default: 3" in page
    assert "default: Off" in page
    assert "Fixed at the start FLOW2API_HUED__PLACE" in page
    assert "A secret is not kept here" in page
    assert "FLOW2API_HUED__TOKEN" in page


async def test_what_is_saved_is_kept_as_an_option_and_told_to_come_later(
    house: tuple[Services, Person, Person],
) -> None:
    services, owner, _ = house
    sent = {"set.depth": "7", "set.mood": "bad", "set.hosts": "a, b", "set.weights": '{"x": 1}', "step": "save"}

    await owner.send(PAGE, 303, sent)

    assert services.options().plugin_settings == {
        "hued.depth": "7",
        "hued.mood": "bad",
        "hued.hosts": "a, b",
        "hued.weights": '{"x": 1}',
    }
    page = await owner.read(PAGE)
    assert "Saved for the next start." in page
    assert "Start the server again to make this so. 4 settings are other ones from the next start on." in page
    assert "until the next start: 3" in page
    assert "4 settings are other ones from the next start on." in await owner.read("/console/plugins")
    was = {"was.depth": "7", "was.mood": "bad", "was.hosts": "a, b", "was.weights": '{"x": 1}'}
    await owner.send(PAGE, 303, {**was, "step": "save"})
    assert services.options().plugin_settings == {}
    assert "from the next start on" not in await owner.read(PAGE)


async def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(
    house: tuple[Services, Person, Person],
) -> None:
    services, owner, _ = house
    hostile = '"><script>alert(1)</script>'
    answer = await owner.send(PAGE, 422, {"set.depth": "10", "set.mood": hostile, "set.hosts": hostile})

    page = text_of(answer.text)
    assert "This has to be between 1 and 9." in page
    assert 'id="set.mood-bad"' in answer.text
    assert 'value="10"' in answer.text
    assert "<script>alert" not in answer.text
    assert services.options().plugin_settings == {}


async def test_section_has_to_fit_as_a_whole(house: tuple[Services, Person, Person]) -> None:
    _, owner, _ = house
    answer = await owner.send(PAGE, 422, {"set.mood": "bad", "set.bright": "true"})
    assert "what is bright is not bad" in text_of(answer.text)


async def test_stale_edit_shows_both_values_and_is_saved_when_sent_again(
    house: tuple[Services, Person, Person],
) -> None:
    services, owner, _ = house
    await owner.send(PAGE, 303, {"set.depth": "5"})

    answer = await owner.send(PAGE, 409, {"set.depth": "6", "was.depth": ""})

    assert "Somebody else has set this to 5 meanwhile." in text_of(answer.text)
    assert 'value="6"' in answer.text
    assert services.options().plugin_settings == {"hued.depth": "5"}
    await owner.send(PAGE, 303, {"set.depth": "6", "was.depth": "5"})
    assert services.options().plugin_settings == {"hued.depth": "6"}
    await owner.send(PAGE, 303, {"was.depth": "6"})


async def test_lines_can_be_copied_in_place_of_saving(house: tuple[Services, Person, Person]) -> None:
    services, owner, _ = house
    answer = await owner.send(PAGE, 200, {"set.depth": "4", "set.hosts": "a,b", "set.bright": "true", "step": "lines"})

    page = text_of(answer.text)
    assert "FLOW2API_HUED__DEPTH=4 FLOW2API_HUED__BRIGHT=true FLOW2API_HUED__HOSTS=a,b" in page
    assert '[hued] depth = 4 bright = true hosts = ["a", "b"]' in page
    assert services.options().plugin_settings == {}


async def test_lines_say_what_was_typed_to_the_letter(house: tuple[Services, Person, Person]) -> None:
    services, owner, _ = house
    sent = {"set.greeting": 'hi, "all",', "set.ratio": "null", "set.hosts": '["a,b"]', "step": "lines"}

    answer = await owner.send(PAGE, 200, sent)

    (written,) = re.findall(r'<pre id="lines-file"[^>]*>(.*?)</pre>', answer.text, re.DOTALL)
    section = tomllib.loads(html.unescape(written))["hued"]
    read = checked_section(services.extensions.schemas["hued"], {**section, "place": "roof"})
    assert (read["greeting"], read["ratio"], read["hosts"]) == ('hi, "all",', None, ("a,b",))


async def test_settings_of_the_program_itself_are_checked_and_shown_as_lines_only(
    house: tuple[Services, Person, Person],
) -> None:
    services, owner, _ = house
    flow = "/console/plugins/settings?section=flow"

    assert "nothing of them is saved here" in await owner.read(flow)
    page = text_of((await owner.send(flow, 200, {"set.poll_batch_size": "20", "step": "save"})).text)
    wrong = text_of((await owner.send(flow, 422, {"set.poll_batch_size": "0"})).text)

    assert "FLOW2API_FLOW__POLL_BATCH_SIZE=20" in page
    assert "[flow] poll_batch_size = 20" in page
    assert "This has to be between 1 and 1000." in wrong
    assert services.options().plugin_settings == {}


async def test_settings_of_the_program_itself_have_their_help_and_their_unit(
    house: tuple[Services, Person, Person],
) -> None:
    _, owner, _ = house
    flow = "/console/plugins/settings?section=flow"

    page = await owner.read(flow)
    wrong = text_of((await owner.send(flow, 422, {"set.connect_timeout_s": "0"})).text)

    assert "connect_timeout_s How long a connection may take to stand. seconds" in page
    assert "default: 10 seconds" in page
    assert "number above 0, up to 86400" in page
    assert "This has to be more than 0 and at most 86400." in wrong


@pytest.mark.parametrize(
    ("section", "setting", "text", "told"),
    [
        ("flow", "labs_base_url", "https://labs.example/other", "has to end in /fx/api"),
        ("flow", "api_base_url", "http://elsewhere.example/v1", "has to be https"),
        ("gemini", "base_url", "https://elsewhere.example/v1", "must not end in a version"),
        ("openai", "media_hosts", "https://cdn.example.org", "a host is a bare name"),
        ("openai", "models", '[{"name": "a b", "kind": "image", "sizes": ["8x8"]}]', "a name has up to 100 letters"),
    ],
)
async def test_lines_are_shown_only_for_what_the_server_starts_with(
    house: tuple[Services, Person, Person], section: str, setting: str, text: str, told: str
) -> None:
    _, owner, _ = house
    page = f"/console/plugins/settings?section={section}"

    answer = await owner.send(page, 422, {f"set.{setting}": text, "step": "lines"})

    assert told in text_of(answer.text).replace("`", "")
    assert "lines-environment" not in answer.text


def next_start(services: Services, **more: str) -> Installation:
    settings = services.settings
    environment = {
        "FLOW2API_DATA_DIR": str(settings.data_dir),
        "FLOW2API_PLUGINS_DIR": settings.plugins_dir,
        "FLOW2API_HUED__PLACE": "roof",
        "FLOW2API_PLUGINS": "hued",
    }
    return installation(environment={**environment, **more})


def state_of(here: Installation, name: str) -> str:
    return next(one.state.value for one in here.extensions.plugins if one.name == name)


async def test_plugin_that_needs_a_setting_is_enabled_with_it(house: tuple[Services, Person, Person]) -> None:
    services, owner, viewer = house
    page = "/console/plugins/settings?section=needy&plugin=needy"
    await viewer.see(page, 404)

    answer = await owner.send("/console/plugins/choose", 303, {"enable": "needy"})

    assert answer.headers["location"] == page
    assert services.options().plugins == ()
    shown = await owner.read(page)
    assert "needy needs settings before it can be loaded." in shown
    assert "It is enabled when its settings are saved" in shown
    assert "Save and enable" in shown
    assert "Not set" in shown
    empty = text_of((await owner.send(page, 422, {"set.depth": "4"})).text)
    assert "The plugin needs this." in empty
    assert services.options().plugins == ()

    await owner.send(page, 303, {"set.place": "attic", "set.depth": "4", "step": "save"})

    assert services.options().plugins == ("needy",)
    assert services.options().plugin_settings == {"needy.place": "attic", "needy.depth": "4"}
    assert "It is loaded at the next start." in await owner.read("/console/plugins")
    assert state_of(here := next_start(services), "needy") == "loaded"
    assert here.settings.sections["needy"]["place"] == "attic"
    await services.options.change({"plugins": None, "plugin_settings": None}, ACTOR)


async def test_plugin_that_its_settings_left_out_has_its_form(
    house: tuple[Services, Person, Person], tmp_path: Path
) -> None:
    services, _, _ = house
    more = {"FLOW2API_DATA_DIR": str(tmp_path / "data"), "FLOW2API_PLUGINS": "hued,needy", "FLOW2API_DRAIN_S": "0"}
    left_out = next_start(services, **more, FLOW2API_NEEDY__TOKEN=HIDDEN)
    assert state_of(left_out, "needy") == "failed"
    page = "/console/plugins/settings?section=needy"
    other = build_services(left_out.settings, left_out.extensions)
    async with running(other), _browser(create_app(other)) as browser:
        owner = await _signed_in(other, browser, Role.OWNER)

        shown = await owner.read(page)
        await owner.send(page, 303, {"set.place": "attic", "step": "save"})

    assert "The plugin was left out at the start." in shown
    assert "missing required field place" in shown.replace("`", "")
    assert HIDDEN not in shown
    assert state_of(next_start(services, **more), "needy") == "loaded"


async def test_plugin_that_cannot_be_loaded_is_enabled_as_ever(house: tuple[Services, Person, Person]) -> None:
    services, owner, _ = house
    await owner.send("/console/plugins/choose", 303, {"enable": "broken"})
    assert services.options().plugins == ("broken",)
    await owner.send("/console/plugins/choose", 303, {"disable": "broken"})


async def test_viewers_look_and_others_fields_are_refused(house: tuple[Services, Person, Person]) -> None:
    _, owner, viewer = house
    assert "Only an owner sets this." in await viewer.read(PAGE)
    await viewer.send(PAGE, 403, {"set.depth": "4"})
    await owner.send(PAGE, 422, {"set.token": "t0p"})
    await owner.send(PAGE, 422, {"set.place": "cellar"})
    await owner.see("/console/plugins/settings?section=nobody", 404)
    await owner.send("/console/plugins/settings?section=nobody", 404, {"step": "save"})


async def test_saved_setting_that_no_longer_fits_is_told(house: tuple[Services, Person, Person]) -> None:
    services, owner, _ = house
    options = services.storage.options
    await options.write({"plugin_settings": {"hued.depth": "99"}}, "tests")
    await services.options.reload()

    page = await owner.read(PAGE)

    assert "What was saved does not fit and is passed over." in page
    assert "Expected int <= 9" in page
    await options.write({"plugin_settings": None}, "tests")
    await services.options.reload()


async def test_page_says_why_the_server_could_not_start_with_what_was_saved(
    house: tuple[Services, Person, Person], tmp_path: Path
) -> None:
    services, _, _ = house
    extensions = replace(services.extensions, start_fault="It is too dark there <b>below</b>.")
    environment = {"FLOW2API_DATA_DIR": str(tmp_path / "data"), "FLOW2API_OPTIONS__BACKGROUND_RENEWAL": "false"}
    settings = replace(load_settings({**environment, "FLOW2API_DRAIN_S": "0"}), sections=services.settings.sections)
    other = build_services(settings, extensions)
    async with running(other), _browser(create_app(other)) as browser:
        owner = await _signed_in(other, browser, Role.OWNER)
        assert "It is too dark there" not in await owner.read(PAGE)
        await owner.send(PAGE, 303, {"set.place": "roof", "set.depth": "4", "step": "save"})

        page = await owner.see(PAGE)

    assert "It is too dark there &lt;b&gt;below&lt;/b&gt;." in page
    assert "could not start with what was saved" in page

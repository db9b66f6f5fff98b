"""Options are looked at, checked, saved, taken back; what is fixed or not one's own stays as it is."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from flow2api.domain.audit import Actor
from flow2api.settings import load_settings, parse_options
from tests.integration.console.conftest import Site, text_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGES = (
    "balancing",
    "retries",
    "limits",
    "sign-in",
    "proxies",
    "media",
    "retention",
    "records",
    "notifications",
    "server",
    "operators",
    "start-up",
)
TESTS = Actor(name="tests", door="cli")


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def defaults(site: Site) -> AsyncIterator[None]:
    """Every option that a test has set has its default again."""
    yield
    options = site.services.options
    await options.change({one.name: None for one in await options.standing() if one.source == "set"}, TESTS)


def shown(page: str) -> dict[str, str]:
    """The hidden fields that say what the page showed."""
    return dict(re.findall(r'name="(was\.\w+)" value="([^"]*)"', page))


@pytest.mark.parametrize("name", PAGES)
async def test_every_group_is_shown_to_everybody(site: Site, name: str) -> None:
    for person in (site.owner, site.operator, site.viewer):
        page = await person.see(f"/console/settings/{name}")
        assert re.search(rf'href="/console/settings/{name}"\s+aria-current="page"', page)


async def test_way_in_leads_to_the_first_group_or_to_that_of_an_option(site: Site) -> None:
    assert (await site.viewer.browser.get("/console/settings")).headers["location"] == "/console/settings/balancing"
    found = await site.viewer.browser.get("/console/settings?option=log_days")
    assert found.headers["location"] == "/console/settings/retention#row-log_days"
    assert 'id="row-log_days"' in await site.viewer.see("/console/settings/retention")
    odd = await site.viewer.browser.get("/console/settings?option=%0Ax")
    assert odd.headers["location"] == "/console/settings/balancing"
    await site.viewer.see("/console/settings/nothing", 404)


async def test_change_is_reviewed_saved_and_taken_back(site: Site) -> None:
    path, was = "/console/settings/retries", shown(await site.operator.see("/console/settings/retries"))
    fields = {**was, **plain(was), "max_attempts": "3"}

    reviewed = await site.operator.send(path, 200, {**fields, "step": "review"})
    assert site.services.options().max_attempts == 8
    assert "1 change to review" in text_of(reviewed.text)
    assert '<span class="old">8 accounts</span>' in reviewed.text
    assert '<span class="new">3 accounts</span>' in reviewed.text

    await site.operator.send(path, 303, {**fields, "step": "save"})
    assert site.services.options().max_attempts == 3
    page = await site.operator.see(path)
    assert "1 option was changed." in text_of(page)
    assert "Set here" in page

    number = re.findall(r'name="number" value="(\d+)"', page)[0]
    await site.operator.send(f"{path}/undo", 303, {"number": number})
    assert site.services.options().max_attempts == 8
    await site.operator.send(f"{path}/undo", 409, {"number": number})


async def test_what_is_wrong_stands_beside_its_field_and_nothing_is_saved(site: Site) -> None:
    path, was = "/console/settings/retries", shown(await site.operator.see("/console/settings/retries"))
    fields = {**was, **plain(was), "max_attempts": "<b>many</b>", "error_threshold": "5", "step": "save"}

    answer = await site.operator.send(path, 422, fields)

    notes = re.findall(r'id="notes-max_attempts">(.*?)</span>\s*</span>', answer.text, flags=re.DOTALL)[0]
    assert "This has to be a whole number." in notes
    assert "&lt;b&gt;many&lt;/b&gt;" in answer.text
    assert site.services.options().error_threshold == 3


async def test_what_only_the_program_knows_is_checked_too(site: Site) -> None:
    path, was = "/console/settings/records", shown(await site.owner.see("/console/settings/records"))
    answer = await site.owner.send(path, 422, {**was, **plain(was), "time_zone": "Mars/Olympus", "step": "save"})
    assert "Mars/Olympus" in text_of(answer.text)

    path, was = "/console/settings/balancing", shown(await site.owner.see("/console/settings/balancing"))
    await site.owner.send(path, 422, {**was, **plain(was), "policy": "no_such_policy", "step": "save"})
    assert site.services.options().policy == "least_busy"


async def test_check_while_typing_answers_with_parts_alone(site: Site) -> None:
    path, was = "/console/settings/retries", shown(await site.operator.see("/console/settings/retries"))
    token = await site.operator.token()
    headers = {"hx-request": "true", "hx-request-type": "partial", "sec-fetch-site": "same-origin"}

    answer = await site.operator.browser.post(
        path, data={"_csrf": token, **was, **plain(was), "max_attempts": "4", "step": "check"}, headers=headers
    )

    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert '<hx-partial hx-target="#review"' in answer.text
    assert "max_attempts" not in answer.text.replace("notes-max_attempts", "")
    assert site.services.options().max_attempts == 8


async def test_stale_edit_shows_both_values_and_saves_only_when_sent_again(site: Site) -> None:
    path = "/console/settings/retries"
    was = shown(await site.operator.see(path))
    await site.services.options.change({"max_attempts": 5}, TESTS)

    answer = await site.operator.send(path, 409, {**was, **plain(was), "max_attempts": "3", "step": "save"})

    assert site.services.options().max_attempts == 5
    assert "Somebody else has set this to 5 accounts meanwhile." in text_of(answer.text)
    assert re.search(r'name="max_attempts"[^>]*value="3"', answer.text)
    again = shown(answer.text)
    assert again["was.max_attempts"] == "5"
    assert re.search(r'value="save"\s*>', answer.text), "the button that saves it after all can be pressed"
    await site.operator.send(path, 303, {**again, **plain(again), "max_attempts": "3", "step": "save"})
    assert site.services.options().max_attempts == 3


async def test_stale_edit_is_told_of_what_another_server_has_set_of_which_this_one_has_not_heard(site: Site) -> None:
    path = "/console/settings/retries"
    was = shown(await site.operator.see(path))
    await site.services.storage.options.write({"max_attempts": 6}, "another")

    answer = await site.operator.send(path, 409, {**was, **plain(was), "max_attempts": "3", "step": "save"})

    assert "Somebody else has set this to 6 accounts meanwhile." in text_of(answer.text)
    assert (await site.services.storage.options.read())["max_attempts"] == 6


async def test_field_that_was_left_alone_keeps_what_somebody_else_has_set(site: Site) -> None:
    path = "/console/settings/retries"
    was = shown(await site.operator.see(path))
    await site.services.options.change({"max_attempts": 5}, TESTS)

    await site.operator.send(path, 303, {**was, **plain(was), "error_threshold": "4", "step": "save"})

    assert (site.services.options().max_attempts, site.services.options().error_threshold) == (5, 4)


async def test_switch_is_turned_off_and_a_default_comes_back(site: Site) -> None:
    path = "/console/settings/media"
    was = shown(await site.operator.see(path))
    fields = {name: value for name, value in plain(was).items() if name != "picture_urls"}
    await site.operator.send(path, 303, {**was, **fields, "step": "save"})
    assert site.services.options().picture_urls is False

    was = shown(await site.operator.see(path))
    reset = await site.operator.send(path, 200, {**was, **plain(was), "reset": "picture_urls"})
    assert '<span class="new">On</span>' in reset.text
    assert site.services.options().picture_urls is False


async def test_options_of_owners_are_not_an_operator_s_to_set(site: Site) -> None:
    page = await site.operator.see("/console/settings/records")
    assert "Only an owner sets this." in page
    assert "was.log_prompts" not in page

    fields = {"log_prompts": "full", "was.log_prompts": "off", "step": "save"}
    await site.operator.send("/console/settings/records", 403, fields)
    await site.viewer.send("/console/settings/records", 403, fields)
    assert site.services.options().log_prompts == "off"

    await site.owner.send("/console/settings/records", 303, fields)
    assert site.services.options().log_prompts == "full"


async def test_viewer_sees_no_button_that_he_cannot_use(site: Site) -> None:
    page = await site.viewer.see("/console/settings/retries")

    assert 'value="save"' not in page
    assert "was.max_attempts" not in page
    assert 'id="review"' not in page


async def test_option_that_the_environment_fixes_is_locked_with_the_name_of_the_variable(site: Site) -> None:
    page = await site.owner.see("/console/settings/sign-in")

    assert "FLOW2API_OPTIONS__BACKGROUND_RENEWAL" in page
    assert "was.background_renewal" not in page
    fields = {"was.background_renewal": "", "background_renewal": "on", "step": "save"}
    await site.owner.send("/console/settings/sign-in", 403, fields)


async def test_policy_says_who_would_be_next_and_a_day_is_replayed(site: Site) -> None:
    page = await site.operator.see("/console/settings/balancing")
    assert "Next picture" in page
    assert "least_busy" in page

    replayed = await site.operator.submit("/console/replay", 200, day="2026-01-31")
    assert "Nothing was asked for on 2026-01-31" in text_of(replayed.text)
    wrong = await site.operator.submit("/console/replay", 422, day="soon")
    assert 'id="day-bad"' in wrong.text
    await site.operator.submit("/console/replay", 422, day="2999-01-01")


async def test_export_is_a_file_that_a_server_takes(site: Site) -> None:
    await site.services.options.change({"max_attempts": 3, "model_routes": {}}, TESTS)
    answer = await site.viewer.browser.get("/console/settings/export")

    assert "attachment" in answer.headers["content-disposition"]
    assert parse_options(load_settings({}, answer.text).options).max_attempts == 3


async def test_start_up_settings_say_where_they_come_from_and_no_secret(site: Site) -> None:
    text = text_of(await site.viewer.see("/console/settings/start-up"))

    assert "FLOW2API_DATA_DIR" in text
    assert "drain_s" in text
    assert "secret_key" in text


def plain(was: dict[str, Any]) -> dict[str, Any]:
    """The fields as they were shown; a switch that is off is not sent."""
    return {name.removeprefix("was."): value for name, value in was.items() if value}

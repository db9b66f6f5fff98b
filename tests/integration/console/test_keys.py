"""The pages about keys: made, shown once, changed, rotated, revoked; by owners only."""

import html
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete

from flow2api.adapters.persistence.api_keys import API_KEYS
from flow2api.domain.api_key import Caller
from flow2api.domain.audit import Actor
from flow2api.domain.key_rules import KeyRules, KeyScope
from flow2api.testing.samples import key_of
from tests.integration.console.conftest import PASSPHRASE

pytestmark = pytest.mark.asyncio(loop_scope="session")

ADA = Actor(name="tests", door="cli")


async def made(site: Any, **fields: Any) -> tuple[int, str]:
    """A key made on the page; its id and its text."""
    answer = await site.owner.submit("/console/keys/create", 201, **fields)
    found = re.search(r'id="key-text">(f2a_[\w-]+)<', answer.text)
    assert found is not None
    keys = await site.services.operating.keys.all()
    return keys[-1].id, found[1]


async def is_open(site: Any, text: str) -> bool:
    """Whether a client that has this key is let in."""
    answer = await site.owner.browser.get("/v1/models", headers={"authorization": f"Bearer {text}"})
    return bool(answer.status_code == 200)


async def test_new_key_is_shown_once_and_opens_at_once(site: Any) -> None:
    key_id, text = await made(site, name="made here")

    assert await is_open(site, text)
    assert text not in await site.owner.see("/console/keys")
    assert text not in await site.owner.see(f"/console/keys/{key_id}")
    assert text[:10] in await site.owner.see("/console/keys")
    assert text not in str(site.owner.browser.cookies.jar)


async def test_key_without_a_name_gets_one(site: Any) -> None:
    key_id, _ = await made(site)

    assert (await site.services.operating.keys.get(key_id)).name.startswith("key ")


async def test_name_that_is_taken_is_told_beside_the_field_and_kept(site: Any) -> None:
    await made(site, name="taken")
    answer = await site.owner.submit("/console/keys/create", 422, name="taken", tag="eu")

    assert 'aria-describedby="name-bad' in answer.text
    assert 'value="taken"' in answer.text
    assert 'value="eu"' in answer.text


async def test_tag_that_cannot_be_one_is_told_beside_the_field_as_text(site: Any) -> None:
    answer = await site.owner.submit("/console/keys/create", 422, name="fine", tag="<b>eu</b>" * 20)

    assert 'aria-describedby="tag-bad' in answer.text
    assert "&lt;b&gt;eu" in answer.text
    assert "<b>eu</b>" not in answer.text


async def test_hostile_name_is_shown_as_text(site: Any) -> None:
    key_id, _ = await made(site, name="<img src=x onerror=alert(1)>")

    for path in ("/console/keys", f"/console/keys/{key_id}"):
        page = await site.owner.see(path)
        assert "<img src=x" not in page
        assert "&lt;img src=x" in page


async def test_change_holds_for_the_next_request_and_stale_pages_change_nothing(site: Any) -> None:
    key_id, text = await made(site, name="first name")
    was = {"was_name": "first name", "was_tag": "", "was_profile": ""}

    await site.owner.submit(f"/console/keys/{key_id}", name="second name", **was)
    stale = await site.owner.submit(f"/console/keys/{key_id}", 409, name="third name", **was)

    assert (await site.services.operating.keys.get(key_id)).name == "second name"
    assert "second name" in stale.text
    assert 'value="third name"' in stale.text
    assert await is_open(site, text)


async def test_change_that_cannot_be_is_told(site: Any) -> None:
    key_id, _ = await made(site, name="to be changed")

    answer = await site.owner.submit(f"/console/keys/{key_id}", 422, name="42", was_name="to be changed")

    assert "name-bad" in answer.text


async def test_rotated_key_opens_beside_the_former_one_until_that_is_revoked(site: Any) -> None:
    key_id, former = await made(site, name="rotating")

    assert "Your own passphrase" in await site.owner.read(f"/console/keys/{key_id}/rotate")
    answer = await site.owner.submit(f"/console/keys/{key_id}/rotate", 201, passphrase=PASSPHRASE.reveal())
    text = re.search(r'id="key-text">(f2a_[\w-]+)<', answer.text)

    assert text is not None
    assert "rotating (old)" in answer.text
    assert [await is_open(site, one) for one in (former, text[1])] == [True, True]
    await site.owner.submit(f"/console/keys/{key_id}/revoke")
    assert [await is_open(site, one) for one in (former, text[1])] == [False, True]


async def test_open_page_alone_is_not_enough_to_rotate_a_key(site: Any) -> None:
    key_id, _ = await made(site, name="not rotating")

    missing = await site.owner.submit(f"/console/keys/{key_id}/rotate", 422)
    wrong = await site.owner.submit(f"/console/keys/{key_id}/rotate", 422, passphrase="not the passphrase")

    assert "This is needed." in missing.text
    assert "not the passphrase" not in wrong.text
    assert [key.name for key in await site.services.operating.keys.all()].count("not rotating") == 1
    assert "not rotating (old)" not in await site.owner.read("/console/keys")


async def test_revoked_key_stays_in_the_list_and_cannot_be_changed(site: Any) -> None:
    key_id, _ = await made(site, name="gone for good")

    await site.owner.submit(f"/console/keys/{key_id}/revoke")

    assert "gone for good opens nothing any more." in await site.owner.read("/console/keys")
    assert "gone for good" in await site.owner.read("/console/keys?state=revoked")
    assert "gone for good" not in await site.owner.read("/console/keys?state=active")
    assert "<form" not in (await site.owner.see(f"/console/keys/{key_id}")).split('id="main"')[1]
    await site.owner.submit(f"/console/keys/{key_id}/revoke", 404)


@pytest.mark.parametrize("who", ["viewer", "operator"])
async def test_only_owners_change_keys(site: Any, who: str) -> None:
    person = getattr(site, who)
    key_id, _ = await made(site)

    page = (await person.see(f"/console/keys/{key_id}")).split('id="main"')[1]
    assert "<form" not in page
    assert "/console/keys/create" not in await person.see("/console/keys")
    await person.see("/console/keys/create", 403)
    for path in ("create", str(key_id), f"{key_id}/rotate", f"{key_id}/revoke"):
        await person.submit(f"/console/keys/{path}", 403)
    assert (await site.services.operating.keys.get(key_id)).is_active


async def test_filter_tells_what_it_leaves_out(site: Any) -> None:
    await made(site, name="needle in the hay")

    found = await site.viewer.read("/console/keys?q=NEEDLE")
    none = await site.viewer.read("/console/keys?q=no-such-key")
    elsewhere = await site.viewer.read("/console/keys?q=needle&state=expired")

    assert "needle in the hay" in found
    assert "No key has “no-such-key” in its name, begins with it, or has it as its tag." in none
    assert "No key in this state has “needle” in its name, begins with it, or has it as its tag." in elsewhere


async def test_keys_come_page_by_page(site: Any) -> None:
    keys = site.services.operating.keys
    for number in range(60):
        await keys.create(f"many {number:02}", actor=ADA)

    first = await site.viewer.see("/console/keys?q=many")
    behind = re.search(r'href="(/console/keys\?[^"]+)"\s+rel="next"', first)

    assert behind is not None
    second = await site.viewer.read(behind[1].replace("&amp;", "&"))
    assert "many 49" in first
    assert "many 50" not in first
    assert "many 50" in second
    assert "many 49" not in second


async def test_key_that_there_is_not_is_told(site: Any) -> None:
    await site.viewer.see("/console/keys/999999", 404)


async def test_field_that_the_form_does_not_have_changes_nothing(site: Any) -> None:
    before = len(await site.services.operating.keys.all())

    await site.owner.submit("/console/keys/create", 422, name="x", digest="00")

    assert len(await site.services.operating.keys.all()) == before


RULES = {
    "has_rules": "1",
    "scope_images": "on",
    "scope_models": "on",
    "models": "gpt-image-*\r\n gemini-*\r\n",
    "expires": "2031-01-31T18:00",
    "requests_per_min": "30",
    "max_concurrent": "2",
    "max_per_day": "100",
}


async def test_key_is_told_what_it_may_do_and_the_pages_show_it(site: Any) -> None:
    key_id, text = await made(site, name="bounded", **RULES)

    key = await site.services.operating.keys.get(key_id)
    assert key.rules == KeyRules(
        scopes=frozenset({KeyScope.IMAGES, KeyScope.MODELS}),
        models=("gpt-image-*", "gemini-*"),
        expires_at=datetime(2031, 1, 31, 18, tzinfo=UTC),
        requests_per_min=30,
        max_concurrent=2,
        max_per_day=100,
    )
    for page in (await site.owner.read("/console/keys?q=bounded"), await site.viewer.read(f"/console/keys/{key_id}")):
        assert "pictures" in page
        assert "30 a minute, 2 at once, 100 a day" in page
        assert "0 of 100" in page
    refused = await site.owner.browser.get("/v1/videos", headers={"authorization": f"Bearer {text}"})
    assert refused.status_code == 403


async def test_rules_are_changed_by_who_has_seen_the_latest(site: Any) -> None:
    key_id, _ = await made(site, name="changing rules", **RULES)
    page = await site.owner.see(f"/console/keys/{key_id}")
    was = {name: html.unescape(value) for name, value in re.findall(r'name="(was_\w+)"\s+value="([^"]*)"', page)}
    assert was["was_models"] == "gpt-image-*\ngemini-*"
    was["was_models"] = "gpt-image-*\r\ngemini-*"  # as browsers send it

    fields = {**RULES, "name": "changing rules", "max_per_day": "", "scope_videos": "on"}
    await site.owner.submit(f"/console/keys/{key_id}", **fields, **was)
    stale = await site.owner.submit(f"/console/keys/{key_id}", 409, **{**fields, "max_per_day": "7"}, **was)

    key = await site.services.operating.keys.get(key_id)
    assert (key.rules.max_per_day, key.rules.scopes) == (0, frozenset(KeyScope))
    assert "Somebody has changed this to “none” meanwhile." in stale.text
    assert 'value="7"' in stale.text


async def test_form_without_those_fields_leaves_the_rules_alone(site: Any) -> None:
    key_id, _ = await made(site, name="left alone", **RULES)
    await site.owner.submit(f"/console/keys/{key_id}", name="left alone too")

    key = await site.services.operating.keys.get(key_id)
    assert (key.name, key.rules.max_per_day) == ("left alone too", 100)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("scope_images", "", "Tick one at least."),
        ("models", "<b>" * 60, "has 1 to 128 printable characters"),
        ("expires", "tomorrow", "This has to be a date and a time"),
        ("expires", "2001-01-01T00:00", "A key expires at a time to come"),
        ("requests_per_min", "many", "This has to be a whole number."),
        ("max_concurrent", "-1", "This has to be between 0 and 1000000."),
        ("max_per_day", "9999999", "This has to be between 0 and 1000000."),
    ],
)
async def test_rules_that_cannot_be_are_told_beside_the_field(site: Any, field: str, value: str, sentence: str) -> None:
    before = len(await site.services.operating.keys.all())
    fields = {**RULES, "scope_models": ""} if field == "scope_images" else RULES

    answer = await site.owner.submit("/console/keys/create", 422, **{**fields, field: value})

    assert f'aria-describedby="{field}-bad' in answer.text
    assert sentence in answer.text
    assert "<b><b>" not in answer.text
    assert 'value="30"' in answer.text or field == "requests_per_min"
    assert len(await site.services.operating.keys.all()) == before


async def test_key_that_expires_soon_or_has_is_marked(site: Any) -> None:
    keys, now = site.services.storage.api_keys, site.services.clock.now()
    soon, _ = await made(site, name="ending soon")
    over, text = await made(site, name="ended already")
    for key_id, left in ((soon, timedelta(days=2)), (over, timedelta(seconds=-1))):
        key = await site.services.operating.keys.get(key_id)
        await keys.save(replace(key, rules=KeyRules(expires_at=now + left)))
    await site.services.authorize.load()

    assert "This key expires soon:" in await site.viewer.read(f"/console/keys/{soon}")
    assert "This key has expired." in await site.viewer.read(f"/console/keys/{over}")
    assert "ended already" in await site.viewer.read("/console/keys?state=expired")
    assert "ending soon" not in await site.viewer.read("/console/keys?state=expired")
    assert not await is_open(site, text)
    for key_id in (soon, over):
        await site.owner.submit(f"/console/keys/{key_id}/revoke")


async def test_former_key_of_a_rotation_may_end_by_itself(site: Any) -> None:
    key_id, _ = await made(site, name="handed over")
    fields = {"passphrase": PASSPHRASE.reveal()}
    await site.owner.submit(f"/console/keys/{key_id}/rotate", 422, overlap_hours="5", **fields)

    answer = await site.owner.submit(f"/console/keys/{key_id}/rotate", 201, overlap_hours="24", **fields)

    assert "It expires by itself:" in answer.text
    former = await site.services.operating.keys.get(key_id)
    assert former.rules.expires_at is not None
    assert timedelta(hours=23) < former.rules.expires_at - site.services.clock.now() <= timedelta(hours=24)
    await site.owner.submit(f"/console/keys/{key_id}/revoke")


async def test_button_that_is_pressed_twice_rotates_once(site: Any) -> None:
    key_id, _ = await made(site, name="pressed twice")
    page = await site.owner.see(f"/console/keys/{key_id}/rotate")
    assert re.search(r'name="was_name"\s+value="pressed twice"', page)
    fields = {"passphrase": PASSPHRASE.reveal(), "was_name": "pressed twice"}

    await site.owner.submit(f"/console/keys/{key_id}/rotate", 201, **fields)
    again = await site.owner.submit(f"/console/keys/{key_id}/rotate", 409, **fields)

    assert "This key is called “pressed twice (old)” now" in again.text
    names = [key.name for key in await site.services.operating.keys.all() if "pressed" in key.name]
    assert names == ["pressed twice (old)", "pressed twice"]


async def test_stale_boxes_are_told_beside_the_first_of_them(site: Any) -> None:
    key_id, _ = await made(site, name="stale boxes")
    boxes = {"has_rules": "1", "scope_images": "on", "scope_videos": "on", "scope_models": "on"}
    was = {f"was_{name}": value for name, value in boxes.items() if name != "has_rules"}
    less = {name: value for name, value in boxes.items() if name != "scope_videos"}
    await site.owner.submit(f"/console/keys/{key_id}", name="stale boxes", **less, **was)

    stale = await site.owner.submit(f"/console/keys/{key_id}", 409, name="other name", **boxes, **was)

    assert "Somebody has changed this to “pictures, list of models” meanwhile." in stale.text
    assert 'id="scope_images-bad"' in stale.text


async def test_time_with_an_offset_is_taken_as_it_says(site: Any) -> None:
    key_id, _ = await made(site, name="in another zone", **{**RULES, "expires": "2031-01-31T18:00+05:00"})

    key = await site.services.operating.keys.get(key_id)
    assert key.rules.expires_at == datetime(2031, 1, 31, 13, tzinfo=UTC)
    fields = {**RULES, "name": "too far", "expires": "9999-12-31T23:59-05:00"}
    assert "This has to be a date and a time" in (await site.owner.submit("/console/keys/create", 422, **fields)).text


async def test_profile_that_is_no_more_stays_while_something_else_is_changed(site: Any) -> None:
    key_id, _ = await made(site, name="of a plugin")
    key = await site.services.operating.keys.get(key_id)
    await site.services.storage.api_keys.save(replace(key, profile="gone"))

    page = await site.owner.see(f"/console/keys/{key_id}")
    assert re.search(r'<option value="gone"\s+selected>gone \(not there now\)', page)
    await site.owner.submit(f"/console/keys/{key_id}", name="still of a plugin", profile="gone", was_profile="gone")

    changed = await site.services.operating.keys.get(key_id)
    assert (changed.name, changed.profile) == ("still of a plugin", "gone")


async def test_list_is_narrowed_by_tag_and_by_what_expires_soon(site: Any) -> None:
    keys, now = site.services.operating.keys, site.services.clock.now()
    await keys.create("narrow later", tag="narrow-tag", actor=ADA)
    await keys.create("narrow soon", rules=KeyRules(expires_at=now + timedelta(days=2)), actor=ADA)

    tagged = await site.viewer.read("/console/keys?q=Narrow-Tag")
    soon = await site.viewer.read("/console/keys?q=narrow&state=soon")
    active = await site.viewer.read("/console/keys?q=narrow&state=active")

    assert ("narrow later" in tagged, "narrow soon" in tagged) == (True, False)
    assert ("narrow later" in soon, "narrow soon" in soon) == (False, True)
    assert ("narrow later" in active, "narrow soon" in active) == (True, True)
    assert "Expires soon 1" in soon
    for key in ("narrow later", "narrow soon"):
        await keys.revoke(key)


def names_in(page: str) -> list[str]:
    return re.findall(r'<th scope="row"[^>]*><a href="/console/keys/\d+">([^<]+)</a>', page)


async def test_list_is_sorted_as_its_address_says_both_ways(site: Any) -> None:
    keys, now = site.services.operating.keys, site.services.clock.now()
    for name, used, days in (("sorted a", 2, 3), ("sorted b", None, None), ("sorted c", 1, 2), ("sorted d", 3, 1)):
        expires_at = None if days is None else now + timedelta(days=days)
        key, _ = await keys.create(name, rules=KeyRules(expires_at=expires_at), actor=ADA)
        if used is not None:
            await site.services.storage.api_keys.save(replace(key, last_used_at=now - timedelta(hours=used)))

    async def order(sort: str) -> str:
        return "".join(name[-1] for name in names_in(await site.viewer.see(f"/console/keys?q=sorted&sort={sort}")))

    assert [await order(sort) for sort in ("", "name", "odd")] == ["abcd"] * 3
    assert [await order(sort) for sort in ("-last", "last")] == ["cadb", "bdac"]
    assert [await order(sort) for sort in ("expires", "-expires")] == ["dcab", "bacd"]
    assert [await order(sort) for sort in ("-used", "used", "-failed", "failed")] == ["abcd"] * 4
    page = await site.viewer.see("/console/keys?q=sorted&sort=expires")
    assert re.search(r'aria-sort="ascending"><a href="/console/keys\?q=sorted&amp;sort=-expires">Expires', page)
    assert page.count("aria-sort") == 1
    assert 'name="sort" value="expires"' in page
    await keys.revoke("sorted d")
    assert await order("") == "abcd"
    assert await order("expires") == "cabd"
    for name in ("sorted a", "sorted b", "sorted c"):
        await keys.revoke(name)


async def test_list_tells_the_first_models_and_how_many_there_are_besides(site: Any) -> None:
    await made(site, name="many models", has_rules="1", scope_images="on", models="a-*\n<b>\nc\nd")

    page = await site.viewer.read("/console/keys?q=many+models")

    assert "a-*, <b> and 2 more" in page


async def test_rotated_key_says_which_others_count_to_its_limits(site: Any) -> None:
    key_id, _ = await made(site, name="shares its day", has_rules="1", scope_models="on", max_per_day="5")
    assert "Counted with" not in await site.viewer.read(f"/console/keys/{key_id}")
    assert "Both count to the same limits." in await site.owner.read(f"/console/keys/{key_id}/rotate")
    await site.owner.submit(f"/console/keys/{key_id}/rotate", 201, passphrase=PASSPHRASE.reveal())
    new = await site.services.operating.keys.named("shares its day")
    limit = site.services.limit
    caller = Caller(new.id, None, new.rules, new.first_id)
    async with limit.counting(caller, results=2, parts=1) as counting:
        counting.is_begun = True

    for one, other in ((new.id, "shares its day (old)"), (key_id, "shares its day")):
        page = await site.viewer.read(f"/console/keys/{one}")
        assert "2 of 5" in page
        assert f"Counted with {other} Last used" in page
    await site.owner.submit(f"/console/keys/{key_id}/revoke")
    page = await site.viewer.read(f"/console/keys/{new.id}")
    assert "2 of 5" in page
    assert "Counted with" not in page


async def test_thousand_keys_come_in_pages_with_grouped_numbers(site: Any) -> None:
    keys = site.services.storage.api_keys
    known = len(await keys.all())
    for number in range(1_000):
        key = key_of(f"thousand {number:04}", f"thousand {number:04}".encode())
        await keys.add(replace(key, revoked_at=key.created_at))

    page = await site.viewer.read("/console/keys?q=thousand")

    assert "1,000 keys" in page
    assert "thousand 0050" not in page
    assert f"{known + 1_000:,} keys" in await site.viewer.read("/console/keys")
    # Nobody can remove a key; the tests behind this one are to have a small database all the same.
    rows = delete(API_KEYS).where(API_KEYS.c.name.startswith("thousand "))
    await site.services.storage._database.write(lambda connection: connection.execute(rows).rowcount)
    await site.services.authorize.load()

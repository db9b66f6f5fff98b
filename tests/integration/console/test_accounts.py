"""The accounts of the pool in a browser: the list, what is done to many of them, and the page of one."""

import asyncio
import re
from html import unescape
from typing import Any

import pytest

from flow2api.adapters.console.account_states import name_of
from flow2api.adapters.console.accounts import LIVE_ACCOUNT, LIVE_ACCOUNTS
from flow2api.adapters.console.live import LiveView
from flow2api.domain.audit import Actor
from flow2api.domain.media import MediaKind
from flow2api.domain.rest import RestReason
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.change_account import AccountChange
from flow2api.domain.usecases.manage_accounts import NewAccount
from flow2api.testing.planting import plant
from tests.integration.console.conftest import PASSPHRASE, Site, text_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

ADA = Actor(name="ada", door="cli")
HOSTILE = '<img src=x onerror=alert(1)> "&'


async def named(site: Any, name: str, **change: Any) -> int:
    """One more account under this name."""
    account_id: int = await site.account()
    await site.services.operating.accounts.change(account_id, AccountChange(name=name, **change), ADA)
    return account_id


async def stored(site: Any, account_id: int) -> Any:
    return await site.services.operating.accounts.get(account_id)


def rows(html: str) -> list[str]:
    return re.findall(r'id="account-row-\d+".*?class="short">([^<]*)<', html, re.DOTALL)


def undo_in_toast(html: str) -> str:
    """Where the button of the toast leads."""
    found = re.search(r'action="([^"]+)"', html.partition('id="toasts"')[2])
    assert found is not None
    return unescape(found[1])


def shown(html: str) -> dict[str, str]:
    """What the form of the settings was filled with, as a browser would send it back."""
    fields = {name: unescape(value) for name, value in re.findall(r'name="(was_\w+)"\s+value="([^"]*)"', html)}
    return {**fields, **{name.removeprefix("was_"): value for name, value in fields.items()}}


class TestList:
    async def test_is_narrowed_sorted_and_counted_by_the_address_alone(self, site: Any) -> None:
        for name, tag in (("quail-b", "quail"), ("quail-a", "quail"), ("quail-c", "heron")):
            await named(site, name, tags=frozenset({tag}))

        assert rows(await site.viewer.see("/console/accounts?q=QUAIL")) == ["quail-a", "quail-b", "quail-c"]
        descending = await site.viewer.see("/console/accounts?tag=quail&sort=-name")
        assert rows(descending) == ["quail-b", "quail-a"]
        assert 'aria-sort="descending"' in descending
        assert 'value="quail-nothing"' in await site.viewer.see("/console/accounts?q=quail-nothing")
        assert "Nothing matches" in await site.viewer.read("/console/accounts?q=quail-nothing&state=paused")

    async def test_pages_follow_each_other_both_ways(self, site: Any) -> None:
        for number in range(3):
            await named(site, f"wren-{number}")
        first = await site.viewer.see("/console/accounts?q=wren")
        assert rows(first) == ["wren-0", "wren-1", "wren-2"]

        wren = [int(one) for one in re.findall(r'id="account-row-(\d+)"', first)]
        behind = await site.viewer.see(f"/console/accounts?q=wren&after={wren[0]}~wren-0")
        before = await site.viewer.see(f"/console/accounts?q=wren&before={wren[1]}~wren-1")

        assert rows(behind) == ["wren-1", "wren-2"]
        assert 'rel="next"' not in behind
        assert rows(before) == ["wren-0"]

    @pytest.mark.parametrize(
        "query", ["state=nonsense", "sort=nonsense", "after=x", "before=~~", "plan=gold", "run=99999999999", "run=x"]
    )
    async def test_address_that_makes_no_sense_shows_everything(self, site: Any, query: str) -> None:
        await named(site, "stork-1")

        assert "stork-1" in rows(await site.viewer.see(f"/console/accounts?{query}"))

    async def test_hostile_name_is_text(self, site: Any) -> None:
        await named(site, HOSTILE, remark=HOSTILE)
        html = await site.viewer.see("/console/accounts?q=onerror")

        assert "<img src=x" not in html
        assert "&lt;img src=x onerror=alert(1)&gt;" in html

    async def test_viewers_are_offered_nothing_that_they_may_not(self, site: Any) -> None:
        account_id = await named(site, "robin-1")
        for path in ("/console/accounts", f"/console/accounts/{account_id}"):
            html = await site.viewer.see(path)
            main = html[html.index("<main") : html.index("</main>")]
            assert "csrf" not in main
            assert "/bulk" not in main
            assert "accounts/add" not in main
        await site.viewer.submit(f"/console/accounts/{account_id}/pause", 403)
        await site.viewer.submit("/console/accounts/bulk", 403, do="delete", id=account_id)

        assert not (await stored(site, account_id)).rests


class TestMany:
    async def test_chosen_ones_are_paused_and_enabled(self, site: Any) -> None:
        ids = [await named(site, f"finch-{number}") for number in range(3)]

        paused = await site.operator.submit("/console/accounts/bulk", do="pause", id=ids[:2], q="finch")

        assert paused.headers["location"] == "/console/accounts?q=finch"
        told = await site.operator.read("/console/accounts?q=finch&state=paused")
        assert "all 2 accounts" in told
        assert [bool((await stored(site, one)).rests) for one in ids] == [True, True, False]
        await site.operator.submit("/console/accounts/bulk", do="enable", id=ids)
        assert [(await stored(site, one)).rests for one in ids] == [(), (), ()]

    async def test_one_that_was_paused_is_enabled_again_from_the_toast(self, site: Any) -> None:
        account_id = await named(site, "swift-1")

        await site.operator.submit(f"/console/accounts/{account_id}/pause")
        toast = (await site.operator.see(f"/console/accounts/{account_id}")).partition('id="toasts"')[2]

        assert f'action="/console/accounts/{account_id}/enable"' in toast
        assert "Undo" in toast
        await site.operator.submit(f"/console/accounts/{account_id}/enable")
        toast = (await site.operator.see(f"/console/accounts/{account_id}")).partition('id="toasts"')[2]
        assert "is enabled" in toast
        assert "Undo" not in toast

    async def test_what_was_done_to_many_is_undone_from_the_toast(self, site: Any) -> None:
        ids = [await named(site, f"dove-{number}", tags=frozenset({"old"})) for number in range(3)]
        bulk, here = "/console/accounts/bulk", "/console/accounts?q=dove"
        await site.operator.submit(f"/console/accounts/{ids[2]}/pause")

        await site.operator.submit(bulk, do="pause", id=ids, q="dove")
        undo = undo_in_toast(await site.operator.see(here))
        await site.viewer.submit(undo, 403)
        led = await site.operator.submit(undo)

        assert led.headers["location"] == here
        assert [bool((await stored(site, one)).rests) for one in ids] == [False, False, True]
        assert "Accounts put back as they were. It went well for all 2 accounts." in await site.operator.read(here)
        await site.operator.submit(undo)
        assert "can no longer be undone" in await site.operator.read(here)
        await site.operator.submit(bulk, do="tag", asked="1", id=ids, add="new", remove="old")
        await site.operator.submit(undo_in_toast(await site.operator.see("/console/accounts")))
        assert [(await stored(site, one)).tags for one in ids] == [{"old"}] * 3

    async def test_deleted_ones_come_back_together(self, site: Any) -> None:
        ids = [await named(site, f"kite-{number}") for number in range(2)]
        fields = {"do": "delete", "asked": "1", "id": ids, "confirm": "delete 2", "passphrase": PASSPHRASE.reveal()}

        await site.operator.submit("/console/accounts/bulk", **fields)
        await site.operator.submit(undo_in_toast(await site.operator.see("/console/accounts")))

        assert rows(await site.viewer.see("/console/accounts?q=kite")) == ["kite-0", "kite-1"]

    async def test_what_was_done_to_some_is_undone_from_the_report(self, site: Any) -> None:
        one = await named(site, "rail-1")

        led = await site.operator.submit("/console/accounts/bulk", do="pause", id=[one, 987654], q="rail")
        page = led.headers["location"]
        report = (await site.operator.see(page)).partition('id="account-run"')[2].partition("</section>")[0]

        assert "failed for 1" in report
        undo = re.search(r'action="(/console/accounts/bulk/\d+/undo\?q=rail)"', report)
        assert undo is not None
        assert "/undo" not in await site.viewer.see(page)
        await site.operator.submit(undo[1])
        assert (await stored(site, one)).rests == ()
        assert "/undo" not in await site.operator.see(page)

    async def test_export_is_offered_to_those_alone_who_may(self, site: Any) -> None:
        await named(site, "wren-1")
        assert 'href="/console/accounts/export"' in await site.owner.see("/console/accounts")
        assert 'href="/console/accounts/export"' not in await site.operator.see("/console/accounts")

    async def test_all_that_match_are_meant_when_that_is_ticked(self, site: Any) -> None:
        ids = [await named(site, f"crane-{number}") for number in range(3)]
        other = await named(site, "other-1")

        await site.operator.submit("/console/accounts/bulk", do="pause", id=ids[0], all="1", q="crane")

        assert all([(await stored(site, one)).rest_of(RestReason.MANUAL) for one in ids])
        assert not (await stored(site, other)).rests

    async def test_limits_and_tags_are_asked_for_and_set(self, site: Any) -> None:
        ids = [await named(site, f"tern-{number}", tags=frozenset({"old"})) for number in range(2)]
        bulk = "/console/accounts/bulk"

        asked = await site.operator.submit(bulk, 200, do="limits", id=ids)
        assert "tern-0, tern-1" in asked.text
        wrong = await site.operator.submit(
            bulk, 422, do="limits", asked="1", id=ids, image="many", image_change="on", weight="0"
        )
        assert "whole number" in wrong.text
        assert 'value="many"' in wrong.text
        await site.operator.submit(
            bulk, do="limits", asked="1", id=ids, image="3", image_change="on", video="", weight="7", priority=""
        )
        await site.operator.submit(bulk, do="tag", asked="1", id=ids, add="new, newer", remove="old")

        for one in ids:
            account = await stored(site, one)
            assert (account.capacity.image, account.weight, account.tags) == (3, 7, {"new", "newer"})

    async def test_nothing_that_is_to_be_set_is_told(self, site: Any) -> None:
        one = await named(site, "swift-1")
        for fields in ({"do": "limits"}, {"do": "limits", "video": "2"}, {"do": "tag"}, {"do": "tag", "add": "a<b"}):
            answer = await site.operator.submit("/console/accounts/bulk", 422, asked="1", id=one, **fields)
            assert 'role="alert"' in answer.text
        assert (await stored(site, one)).tags == frozenset()

    async def test_deleting_many_takes_the_words(self, site: Any) -> None:
        ids = [await named(site, f"auk-{number}") for number in range(2)]
        bulk = "/console/accounts/bulk"

        asked = await site.operator.submit(bulk, 200, do="delete", id=ids)
        right = PASSPHRASE.reveal()
        await site.operator.submit(bulk, 422, do="delete", asked="1", id=ids, confirm="delete", passphrase=right)
        await site.operator.submit(bulk, 422, do="delete", asked="1", id=ids, confirm="delete 2")
        wrong = await site.operator.submit(
            bulk, 422, do="delete", asked="1", id=ids, confirm="delete 2", passphrase="not the passphrase"
        )

        assert "delete 2" in asked.text
        assert "not the passphrase" not in wrong.text
        assert rows(await site.viewer.see("/console/accounts?q=auk")) == ["auk-0", "auk-1"]
        await site.operator.submit(bulk, do="delete", asked="1", id=ids, confirm="delete 2", passphrase=right)
        assert rows(await site.viewer.see("/console/accounts?q=auk")) == []

    async def test_what_could_not_be_done_is_reported_by_name(self, site: Any) -> None:
        one = await named(site, "ibis-1")
        await site.services.operating.accounts.set_enabled(one, enabled=False, actor=ADA)

        led = await site.operator.submit("/console/accounts/bulk", do="refresh", id=[one, 987654], q="ibis")

        report = await site.operator.read(led.headers["location"])
        assert "failed for 2" in report
        assert "ibis-1" in report
        assert "switched it off" in report

    async def test_nothing_is_begun_without_a_choice(self, site: Any) -> None:
        await site.operator.submit("/console/accounts/bulk", do="pause", id="x")
        await site.operator.submit("/console/accounts/bulk", id="1")

        assert "nothing was done" in await site.operator.read("/console/accounts")


class TestOne:
    async def test_page_tells_how_it_stands_and_what_to_do(self, site: Any) -> None:
        account_id = await named(site, "heron-1")
        path = f"/console/accounts/{account_id}"

        await site.owner.submit(f"{path}/pause")
        page = await until_told(site, path, "Rest begun: paused")
        assert "Paused by owner." in page

        await site.owner.submit(f"{path}/enable")
        assert "Paused by" not in await until_told(site, path, "Rest over: paused")

    async def test_account_that_there_is_not_is_told(self, site: Any) -> None:
        for path in ("/console/accounts/987654", f"/console/accounts/{10**30}"):
            assert "There is nothing here" in await site.viewer.read(path, 404)
        await site.operator.submit("/console/accounts/987654/test", 404)
        await site.operator.submit("/console/accounts/987654/settings", 404, name="x")

    async def test_steps_of_a_test_are_shown_with_their_times(self, site: Any) -> None:
        account_id = await named(site, "owl-1")
        path = f"/console/accounts/{account_id}"

        assert "Nobody has made one" in await site.viewer.read(path)
        await site.operator.submit(f"{path}/test")
        await until_tested(site, account_id)

        page = await site.viewer.read(path)
        assert "4 of 4 passed" in page
        assert "direct, without a proxy" in page
        assert "credits left" in page

    async def test_failed_step_says_why_and_the_rest_is_not_tried(self, site: Any) -> None:
        made = await site.simulator.control.add_account()
        new = NewAccount(session_token=Secret(made.session_token))
        account_id = (await site.services.operating.take_in(new, ADA)).id
        await site.simulator.control.patch_account(made.id, revoked="unauthorized")
        await site.operator.submit(f"/console/accounts/{account_id}/test")
        await until_tested(site, account_id)

        page = await site.viewer.read(f"/console/accounts/{account_id}")
        assert "1 of 4 passed" in page
        assert "credential_revoked" in page
        assert "the step before failed" in page
        assert "Its sign-in has ended." in page

    async def test_refresh_tells_what_came_of_it(self, site: Any) -> None:
        account_id = await named(site, "owl-3")
        path = f"/console/accounts/{account_id}"

        await site.operator.submit(f"{path}/refresh")
        assert "The service was asked" in await site.operator.read(path)
        await site.operator.submit(f"{path}/pause")
        await site.operator.submit(f"{path}/refresh")
        assert "switched it off" in await site.operator.read(path)

    async def test_cooldown_is_ended_by_hand(self, site: Any) -> None:
        account_id = await named(site, "owl-4")
        path, services = f"/console/accounts/{account_id}", site.services
        now = services.clock.now()
        limited = (await stored(site, account_id)).rate_limited(now, retry_after_s=600, why="429")
        await plant(services.storage.accounts, limited)
        services.pool.put(limited)

        assert "It is cooling down: rate limited by the service." in await site.viewer.read(path)
        await site.operator.submit(f"{path}/end-cooldown")

        assert (await stored(site, account_id)).rests == ()
        assert "cooling down" not in await site.viewer.read(path)


class TestLive:
    async def test_pages_ask_for_their_own_news(self, site: Any) -> None:
        account_id = await named(site, "gull-1")
        listed = await site.viewer.see("/console/accounts?q=gull")
        one = await site.viewer.see(f"/console/accounts/{account_id}")

        assert 'hx-sse:connect="/console/events?q=gull&amp;view=accounts&amp;role=viewer"' in listed
        assert f'hx-sse:connect="/console/events?view=account&amp;role=viewer&amp;of={account_id}"' in one
        assert "hx-sse:connect" not in await site.viewer.see(f"/console/accounts/{account_id}?before=999999")

    @pytest.mark.parametrize("view", [LIVE_ACCOUNT, LIVE_ACCOUNTS])
    async def test_each_part_is_the_one_that_the_page_has(self, site: Any, view: LiveView) -> None:
        account_id = await named(site, "gull-2")
        path = f"/console/accounts/{account_id}" if view is LIVE_ACCOUNT else "/console/accounts"
        page = await site.operator.see(path)

        for element in view.parts:
            assert page.count(f'id="{element}"') == 1

    async def test_older_events_are_on_pages_of_their_own(self, site: Any) -> None:
        account_id = await named(site, "gull-3")
        path = f"/console/accounts/{account_id}"
        for _ in range(8):
            await site.operator.submit(f"{path}/pause")
            await site.operator.submit(f"{path}/enable")
        await until_told(site, path, "Older")

        older = re.search(rf'href="({path}\?before=\d+)#account-health"', await site.viewer.see(path))

        assert older is not None
        assert "Added , by tests" in await until_told(site, older[1], "Newest")


class TestSettings:
    async def test_are_saved_as_they_were_typed(self, site: Any) -> None:
        account_id = await named(site, "lark-1")
        path = f"/console/accounts/{account_id}"
        fields = shown(await site.operator.see(path)) | {
            "name": HOSTILE,
            "remark": "lent",
            "image": "2",
            "video": "0",
            "weight": "9",
            "priority": "4",
            "tags": "eu, night",
            "proxy": "direct",
        }

        await site.operator.send(f"{path}/settings", 303, fields)

        account = await stored(site, account_id)
        assert (account.name, account.remark, account.weight, account.priority) == (HOSTILE, "lent", 9, 4)
        assert (account.capacity.of(MediaKind.IMAGE), account.capacity.of(MediaKind.VIDEO)) == (2, 0)
        assert (account.tags, account.proxy) == ({"eu", "night"}, "direct")
        assert "<img src=x" not in await site.operator.see(path)

    @pytest.mark.parametrize(
        ("field", "value", "told"),
        [
            ("image", "-1", "between 0 and"),
            ("video", "few", "whole number"),
            ("weight", "", "needed"),
            ("weight", "101", "between 1 and 100"),
            ("name", "  ", "needed"),
            ("tags", "a<b", "letters, digits"),
            ("proxy", "nowhere", "that are offered"),
        ],
    )
    async def test_what_is_wrong_stands_beside_its_field(self, site: Any, field: str, value: str, told: str) -> None:
        account_id = await named(site, "lark-2")
        path = f"/console/accounts/{account_id}"
        fields = shown(await site.operator.see(path)) | {"remark": "kept as typed", field: value}

        answer = await site.operator.send(f"{path}/settings", 422, fields)

        assert told in answer.text
        assert f'id="{field}-bad"' in answer.text
        assert "kept as typed" in answer.text
        assert (await stored(site, account_id)).remark == ""

    async def test_stale_edit_shows_both_values_and_then_goes_over(self, site: Any) -> None:
        account_id = await named(site, "lark-3")
        path = f"/console/accounts/{account_id}"
        before = shown(await site.operator.see(path))
        await site.services.operating.accounts.change(account_id, AccountChange(weight=50, remark="theirs"), ADA)

        answer = await site.operator.send(f"{path}/settings", 409, before | {"weight": "60"})

        assert "set this to “50”" in answer.text
        assert re.search(r'name="weight"\s+type="number"\s+min="1"\s+value="60"', answer.text)
        assert (await stored(site, account_id)).weight == 50
        again = shown(answer.text)
        assert again["remark"] == "theirs"
        await site.operator.send(f"{path}/settings", 303, again | {"weight": "60"})
        account = await stored(site, account_id)
        assert (account.weight, account.remark) == (60, "theirs")

    async def test_edits_of_different_fields_do_not_meet(self, site: Any) -> None:
        account_id = await named(site, "lark-4")
        path = f"/console/accounts/{account_id}"
        before = shown(await site.operator.see(path))
        await site.services.operating.accounts.change(account_id, AccountChange(weight=50), ADA)

        await site.operator.send(f"{path}/settings", 303, before | {"priority": "3"})

        account = await stored(site, account_id)
        assert (account.weight, account.priority) == (50, 3)


class TestCredential:
    async def test_new_session_token_is_proved_before_it_is_stored(self, site: Any) -> None:
        account_id = await named(site, "rook-1")
        path = f"/console/accounts/{account_id}"
        kept = await site.services.storage.vault.read(account_id)

        refused = await site.operator.submit(f"{path}/credential", 422, credential="w" * 300)
        short = await site.operator.submit(f"{path}/credential", 422, credential="w" * 30)
        empty = await site.operator.submit(f"{path}/credential", 422, credential=" ")

        assert 'id="credential-bad"' in refused.text
        assert "w" * 30 not in refused.text + short.text
        assert "needed" in empty.text
        assert await site.services.storage.vault.read(account_id) == kept

    async def test_present_one_is_told_by_its_last_letters_to_those_who_may_replace_it(self, site: Any) -> None:
        account_id = await named(site, "rook-7")
        kept = (await site.services.storage.vault.read(account_id)).session_token.reveal()
        path = f"/console/accounts/{account_id}"

        page = await site.operator.read(path)

        assert f"the present one ends in …{kept[-4:]}" in page
        assert kept[-5:] not in page
        assert "the present one" not in await site.viewer.read(path)

    async def test_new_session_token_of_another_person_is_refused(self, site: Any) -> None:
        account_id = await named(site, "rook-2")
        other = await site.simulator.control.add_account()

        answer = await site.operator.submit(
            f"/console/accounts/{account_id}/credential", 409, credential=other.session_token
        )

        assert "is that of" in answer.text

    async def test_deleting_takes_the_name(self, site: Any) -> None:
        account_id = await named(site, "rook-3")
        path = f"/console/accounts/{account_id}"

        wrong = await site.operator.submit(f"{path}/delete", 422, confirm="rook")
        assert "Type rook-3 to confirm." in wrong.text
        await site.operator.submit(f"{path}/delete", confirm="rook-3")

        await site.viewer.see(path, 404)


async def until_tested(site: Any, account_id: int) -> None:
    probes = site.services.operating.probes
    async with asyncio.timeout(20):
        while (probe := probes.last(account_id)) is None or not probe.is_over:
            await asyncio.sleep(0.02)


async def until_told(site: Any, path: str, words: str) -> str:
    """What stands on a page when these words do: what accounts go through is written behind the requests."""
    async with asyncio.timeout(20):
        while words not in (page := await site.viewer.read(path)):
            await asyncio.sleep(0.05)
    return str(page)


class TestDeleted:
    """What was deleted can be brought back for a day."""

    async def test_deleted_account_comes_back_from_the_toast(self, site: Site) -> None:
        await site.account()
        account_id = await site.account()
        account = site.services.pool.get(account_id)
        assert account is not None
        kept = await site.services.operating.restore.count()
        page = await site.operator.read(f"/console/accounts/{account_id}")
        assert "For 24 hours it can be brought back" in page
        await site.operator.submit(f"/console/accounts/{account_id}/delete", confirm=name_of(account))

        listed = await site.operator.see("/console/accounts")
        assert site.services.pool.get(account_id) is None
        assert '<a class="btn sm" href="/console/accounts/deleted">Undo</a>' in listed
        assert f"Deleted {kept + 1:,}" in text_of(listed)
        assert "Undo" not in await site.operator.read("/console/accounts")
        deleted = await site.operator.see("/console/accounts/deleted")
        assert name_of(account) in text_of(deleted)
        assert f'action="/console/accounts/deleted/{account_id}"' in deleted
        assert "Bring back" not in await site.viewer.read("/console/accounts/deleted")
        await site.viewer.submit(f"/console/accounts/deleted/{account_id}", 403)

        await site.operator.submit(f"/console/accounts/deleted/{account_id}")

        assert "is back as it was." in await site.operator.read(f"/console/accounts/{account_id}")
        assert site.services.pool.get(account_id) == account
        assert await site.services.operating.restore.count() == kept
        await site.operator.submit(f"/console/accounts/deleted/{account_id}")
        assert "It can no longer be brought back" in await site.operator.read("/console/accounts/deleted")
        assert "Deleted account brought back" in await site.owner.read("/console/audit")

    async def test_place_that_is_none_shows_the_first_page(self, site: Site) -> None:
        first, odd = [
            re.findall(r"accounts/deleted/(\d+)", await site.operator.see(f"/console/accounts/deleted{query}"))
            for query in ("", "?before=%3Cscript%3E")
        ]
        assert odd == first
        assert "No deleted account" in await site.viewer.read("/console/accounts/deleted?before=1")
        await site.operator.submit("/console/accounts/deleted/0", 404)


class TestColumnsAndExport:
    """What the table shows, and giving away some of the accounts."""

    async def test_column_is_hidden_by_a_link_and_stays_so(self, site: Site) -> None:
        await site.account()
        page = await site.viewer.see("/console/accounts")
        assert 'aria-label="Hide the column Tags"' in page
        assert '<th scope="col">Tags</th>' in page

        page = await site.viewer.see("/console/accounts?hide=tags,credits")

        assert '<th scope="col">Tags</th>' not in page
        assert 'data-l="Credits"' not in page
        assert 'aria-label="Show the column Tags"' in page
        assert '<input type="hidden" name="hide" value="credits,tags">' in page

    async def test_chosen_accounts_alone_leave(self, site: Site) -> None:
        one, two, three = await named(site, "export-a"), await named(site, "export-b"), await named(site, "other")
        path = "/console/accounts/export"
        assert f'formaction="{path}/chosen"' in await site.owner.see("/console/accounts")
        assert "formaction" not in await site.operator.see("/console/accounts")

        page = (await site.owner.send(f"{path}/chosen", 200, {"id": [str(one), str(three)]})).text
        assert "Only those that you chose." in text_of(page)
        assert f'name="id" value="{three}"' in page
        page = (await site.owner.send(f"{path}/chosen", 200, {"all": "1", "q": "export-", "id": str(three)})).text
        assert '<input type="hidden" name="q" value="export-">' in page
        assert 'name="id"' not in page
        sent = {"part": "1", "sealing": "plain", "form": "json"}
        wrong = await site.owner.send(path, 422, {**sent, "id": str(one), "passphrase": "wrong"})
        assert f'name="id" value="{one}"' in wrong.text
        right = {**sent, "passphrase": PASSPHRASE.reveal()}
        by_id = await site.owner.send(path, 200, {**right, "id": str(one)})
        by_filter = await site.owner.send(path, 200, {**right, "all": "1", "q": "export-"})

        assert ("export-a" in by_id.text, "export-b" in by_id.text) == (True, False)
        assert ("export-b" in by_filter.text, "other" in by_filter.text) == (True, False)
        await site.owner.send(path, 303, {**right, "id": "999999"})
        assert "None of the chosen accounts is there any more." in await site.owner.read("/console/accounts")
        assert site.services.pool.get(two) is not None

    async def test_selection_of_nothing_and_a_reload_lead_to_the_list(self, site: Site) -> None:
        await site.owner.send("/console/accounts/export/chosen", 303, {"q": "x"})
        await site.owner.see("/console/accounts/export/chosen", 303)
        await site.operator.send("/console/accounts/export/chosen", 403, {"id": "1"})

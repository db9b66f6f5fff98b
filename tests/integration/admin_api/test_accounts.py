"""Accounts over HTTP: what is changed is at work at once, written with its entry, and never shows a secret."""

import asyncio

import pytest

from tests.integration.admin_api.conftest import Site

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_added_account_is_shown_as_the_service_tells_of_it(site: Site) -> None:
    made = await site.simulator.control.add_account(credits=77)
    body = {"session_token": made.session_token, "remark": "lent", "tags": ["eu"], "image_slots": 2}
    added = await site.ok("POST", "/accounts", body, 201)

    assert (added["email"], added["credits"], added["remark"]) == (made.email, 77, "lent")
    assert (added["tags"], added["image_slots"], added["video_slots"]) == (["eu"], 2, None)
    assert (added["status"], added["rests"], added["streaks"]) == ("active", [], {})
    assert await site.ok("GET", f"/accounts/{added['id']}") == added
    assert made.session_token not in str(added)
    entry = await site.audited()
    assert (entry["action"], entry["actor"], entry["subject"]) == ("account.added", "owner", str(added["id"]))


async def test_change_is_at_work_at_once_and_its_entry_says_what_was(site: Site) -> None:
    account = await site.account()
    path = f"/accounts/{account['id']}"
    change = {"weight": 7, "priority": 3, "tags": ["b", "a"], "image_slots": 0, "name": " main ", "proxy": "direct"}
    changed = await site.ok("PATCH", path, change)

    at_work = site.services.pool.get(account["id"])
    assert at_work is not None
    assert (at_work.weight, at_work.priority, at_work.tags) == (7, 3, frozenset("ab"))
    assert (at_work.capacity.image, at_work.name, at_work.proxy) == (0, "main", "direct")
    assert (changed["weight"], changed["tags"], changed["proxy"]) == (7, ["a", "b"], "direct")
    entry = await site.audited()
    assert (entry["action"], entry["details"]["before"]["weight"]) == ("account.changed", 1)
    assert entry["details"]["after"] == {
        "name": "main",
        "weight": 7,
        "priority": 3,
        "tags": ["a", "b"],
        "proxy": "direct",
        "image_capacity": 0,
    }


async def test_what_is_left_out_stays_and_null_takes_a_limit_away(site: Site) -> None:
    account = await site.account()
    path = f"/accounts/{account['id']}"
    await site.ok("PATCH", path, {"image_slots": 2, "video_slots": 3, "add_tags": ["x", "y"], "proxy": "direct"})
    changed = await site.ok("PATCH", path, {"image_slots": None, "remove_tags": ["x"], "proxy": None})

    assert (changed["image_slots"], changed["video_slots"], changed["tags"]) == (None, 3, ["y"])
    assert changed["proxy"] is None


async def test_new_session_token_is_shown_to_the_service_first(site: Site) -> None:
    account = await site.account()
    wrong = await site.refused("PATCH", f"/accounts/{account['id']}", 400, {"session_token": "x" * 400})

    assert wrong["code"].startswith("credential_")
    assert "xxxx" not in wrong["detail"]


async def test_address_of_another_account_is_refused(site: Site) -> None:
    one, other = await site.account(), await site.account()
    told = await site.refused("PATCH", f"/accounts/{one['id']}", 409, {"email": other["email"].upper()})

    assert str(other["id"]) in told["detail"]
    assert (await site.ok("GET", f"/accounts/{one['id']}"))["email"] == one["email"]


@pytest.mark.parametrize(
    "body",
    [
        {"weight": 0},
        {"weight": 101},
        {"priority": -1},
        {"image_slots": -1},
        {"image_slots": 10_001},
        {"tags": ["no blanks"]},
        {"tags": ["x"] * 101},
        {"name": "x" * 129},
        {"remark": "\0"},
        {"workspace": "../up"},
        {"session_token": ""},
        {"email": "nobody"},
        {"id": 7},
        {"credits": 5},
        {"weight": None},
        {},
    ],
)
async def test_what_cannot_be_is_refused_and_changes_nothing(site: Site, body: object) -> None:
    account = await site.account()
    await site.refused("PATCH", f"/accounts/{account['id']}", 400, body)

    assert await site.ok("GET", f"/accounts/{account['id']}") == account


async def test_proxy_that_is_not_known_is_refused(site: Site) -> None:
    account = await site.account()

    await site.refused("PATCH", f"/accounts/{account['id']}", 409, {"proxy": "nowhere"})
    await site.refused("PATCH", "/accounts", 409, {"account_ids": [account["id"]], "change": {"proxy": "nowhere"}})


class TestMany:
    async def test_all_of_a_tag_are_changed(self, site: Site) -> None:
        accounts = [await site.account() for _ in range(3)]
        ids = [one["id"] for one in accounts]
        await site.ok("PATCH", "/accounts", {"account_ids": ids[:2], "change": {"add_tags": ["fleet"]}})
        changed = await site.ok("PATCH", "/accounts", {"tag": "fleet", "change": {"weight": 9}})

        assert changed == {"account_ids": ids[:2]}
        listed = (await site.ok("GET", "/accounts", tag="fleet"))["items"]
        assert [(one["id"], one["weight"]) for one in listed] == [(number, 9) for number in ids[:2]]
        assert (await site.ok("GET", "/accounts", tag="Fleet"))["total"] == 0

    async def test_one_that_is_not_there_keeps_all_as_they_are(self, site: Site) -> None:
        account = await site.account()
        body = {"account_ids": [account["id"], 999_999], "change": {"weight": 50}}
        await site.refused("PATCH", "/accounts", 404, body)

        assert (await site.ok("GET", f"/accounts/{account['id']}"))["weight"] == 1

    @pytest.mark.parametrize(
        "body",
        [
            {"change": {"weight": 2}},
            {"all": True, "tag": "x", "change": {"weight": 2}},
            {"account_ids": [], "change": {"weight": 2}},
            {"account_ids": [0], "change": {"weight": 2}},
            {"account_ids": [2**63], "change": {"weight": 2}},
            {"all": True, "change": {}},
            {"all": True, "change": {"session_token": "x" * 300}},
            {"all": True},
        ],
    )
    async def test_accounts_and_change_have_to_be_said_plainly(self, site: Site, body: object) -> None:
        await site.refused("PATCH", "/accounts", 400, body)


class TestImport:
    async def test_new_ones_are_added_and_known_ones_changed(self, site: Site) -> None:
        made = [await site.simulator.control.add_account() for _ in range(2)]
        rows = [{"session_token": one.session_token, "email": one.email, "weight": 5, "tags": ["in"]} for one in made]
        first = await site.ok("POST", "/accounts/import", {"accounts": rows})
        second = await site.ok("POST", "/accounts/import", {"accounts": [{**rows[0], "image_slots": 3}, rows[1]]})
        (one, other) = (await site.ok("GET", "/accounts", tag="in"))["items"]

        assert first == {"added": 2, "updated": 0, "unchanged": 0, "refused": []}
        assert second == {"added": 0, "updated": 1, "unchanged": 1, "refused": []}
        assert (one["image_slots"], other["image_slots"], other["weight"]) == (3, None, 5)
        at_work = site.services.pool.get(one["id"])
        assert at_work is not None
        assert at_work.capacity.image == 3

    async def test_bad_rows_are_told_by_their_place_without_secrets(self, site: Site) -> None:
        good = (await site.simulator.control.add_account()).session_token
        rows = [
            {"session_token": "canary"},
            {"session_token": good, "weight": 0},
            {"session_token": good, "upstream": "nowhere"},
            {"session_token": good, "credits": 5},
            {"session_token": 7},
            "canary",
            {"session_token": good},
        ]
        told = await site.ok("POST", "/accounts/import", {"accounts": rows})

        assert (told["added"], [one["line"] for one in told["refused"]]) == (1, [1, 2, 3, 4, 5, 6])
        assert "canary" not in str(told)
        assert good not in str(told)

    @pytest.mark.parametrize("body", [{}, {"accounts": {}}, {"accounts": [0] * 10_001}, {"tokens": []}])
    async def test_what_is_no_list_of_rows_is_refused(self, site: Site, body: object) -> None:
        await site.refused("POST", "/accounts/import", 400, body)


class TestList:
    async def test_pages_meet_every_account_once(self, site: Site) -> None:
        for _ in range(3):
            await site.account()
        whole = await site.ok("GET", "/accounts", limit=500)
        seen, query = [], {"limit": 2}
        while True:
            page = await site.ok("GET", "/accounts", **query)
            seen += [one["id"] for one in page["items"]]
            assert page["total"] == whole["total"]
            if page["next_cursor"] is None:
                break
            query["cursor"] = page["next_cursor"]

        assert seen == [one["id"] for one in whole["items"]]
        assert len(seen) == whole["total"] >= 3

    async def test_finds_by_text_and_status(self, site: Site) -> None:
        account = await site.account()
        await site.ok("PATCH", f"/accounts/{account['id']}", {"remark": "Needle"})
        await site.ok("POST", f"/accounts/{account['id']}/disable")

        found = await site.ok("GET", "/accounts", q="needle", status="disabled")
        assert [one["id"] for one in found["items"]] == [account["id"]]
        assert (await site.ok("GET", "/accounts", q="needle", status="active"))["items"] == []

    @pytest.mark.parametrize(
        "query",
        [{"limit": 0}, {"limit": 501}, {"cursor": "x"}, {"cursor": "-1"}, {"cursor": "9" * 40}, {"status": "gone"}],
    )
    async def test_what_no_list_has_is_refused(self, site: Site, query: dict[str, object]) -> None:
        await site.refused("GET", "/accounts", 400, **query)


class TestActions:
    async def test_account_is_switched_off_and_on(self, site: Site) -> None:
        account = await site.account()
        off = await site.ok("POST", f"/accounts/{account['id']}/disable")
        at_work = site.services.pool.get(account["id"])

        assert (off["status"], off["reason"], off["rests"][0]["holds"]) == ("disabled", "manual", True)
        assert at_work is not None
        assert at_work.rests
        assert (await site.ok("POST", f"/accounts/{account['id']}/enable"))["rests"] == []

    async def test_refresh_asks_the_service(self, site: Site) -> None:
        made = await site.simulator.control.add_account(credits=5)
        account = await site.ok("POST", "/accounts", {"session_token": made.session_token}, 201)
        await site.simulator.control.patch_account(made.email, credits=42)

        assert (await site.ok("POST", f"/accounts/{account['id']}/refresh"))["credits"] == 42

    async def test_refresh_leaves_alone_what_is_switched_off(self, site: Site) -> None:
        account = await site.account()
        await site.ok("POST", f"/accounts/{account['id']}/disable")

        told = await site.refused("POST", f"/accounts/{account['id']}/refresh", 409)
        assert "switched it off" in told["detail"]

    async def test_timeline_tells_who_switched_it_page_by_page(self, site: Site) -> None:
        account = await site.account()
        path = f"/accounts/{account['id']}"
        await site.ok("POST", f"{path}/disable")
        await site.ok("POST", f"{path}/enable")
        async with asyncio.timeout(30):
            while len((whole := await site.ok("GET", f"{path}/events"))["items"]) < 3:
                await asyncio.sleep(0.01)  # the timeline is written behind
        first = await site.ok("GET", f"{path}/events", limit=1)
        rest = await site.ok("GET", f"{path}/events", cursor=first["next_cursor"])

        kinds = [one["kind"] for one in whole["items"]]
        assert kinds[:2] == ["rest_lifted", "rest_begun"]
        assert whole["items"][0]["by"] == "owner"
        assert first["items"] + rest["items"] == whole["items"]

    async def test_removed_account_is_gone_from_the_pool(self, site: Site) -> None:
        account = await site.account()
        await site.ok("DELETE", f"/accounts/{account['id']}", None, 204)

        assert site.services.pool.get(account["id"]) is None
        assert (await site.audited())["action"] == "account.removed"
        for method, path, body in (
            ("GET", "", None),
            ("PATCH", "", {"weight": 2}),
            ("DELETE", "", None),
            ("POST", "/enable", None),
            ("POST", "/refresh", None),
            ("GET", "/events", None),
        ):
            told = await site.refused(method, f"/accounts/{account['id']}{path}", 404, body)
            assert told["code"] == "account_not_found"

    async def test_deleted_account_is_listed_and_comes_back(self, site: Site) -> None:
        account = await site.account()
        await site.ok("DELETE", f"/accounts/{account['id']}", None, 204)

        page = await site.ok("GET", "/accounts/deleted", limit=1)
        (listed,) = page["items"]
        assert (listed["id"], listed["email"], listed["deleted_by"]) == (account["id"], account["email"], "owner")
        assert listed["kept_until"] > listed["deleted_at"]
        assert page["keeps_deleted"] is True
        if page["next_cursor"]:
            rest = await site.ok("GET", "/accounts/deleted", cursor=page["next_cursor"])
            assert all(one["id"] < account["id"] for one in rest["items"])

        restored = await site.ok("POST", f"/accounts/{account['id']}/restore")

        assert restored == account
        assert (await site.audited())["action"] == "account.restored"
        assert site.services.pool.get(account["id"]) is not None
        assert (await site.ok("GET", f"/accounts/{account['id']}"))["id"] == account["id"]
        told = await site.refused("POST", f"/accounts/{account['id']}/restore", 404)
        assert told["code"] == "account_not_found"

    async def test_deleted_account_whose_token_is_used_again_stays_deleted(self, site: Site) -> None:
        made = await site.simulator.control.add_account()
        first = await site.ok("POST", "/accounts", {"session_token": made.session_token}, 201)
        await site.ok("DELETE", f"/accounts/{first['id']}", None, 204)
        second = await site.ok("POST", "/accounts", {"session_token": made.session_token}, 201)

        told = await site.refused("POST", f"/accounts/{first['id']}/restore", 409)

        assert f"The account {second['id']} signs in" in told["detail"]

"""Records over HTTP: generations with their choice, the request log, figures and the audit log, page by page."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from flow2api.domain.usecases import find_prompts
from tests.integration.admin_api.conftest import Json, Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

BODY = {"model": "gpt-image-1", "prompt": "a canary in a mine"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def key(site: Site) -> AsyncIterator[Json]:
    """A key with three pictures to its name, and one request that was refused, all on a day that goes on for hours."""
    await site.ok("PATCH", "/options", {"time_zone": f"Etc/GMT{datetime.now(UTC).hour - 12:+}"})  # where it is noon
    await site.account()
    key = await site.ok("POST", "/keys", {"name": "records"}, 201)
    headers = {"authorization": f"Bearer {key['key']}"}
    for _ in range(3):
        made = await site.client.post("/v1/images/generations", json=BODY, headers=headers)
        assert made.status_code == 200, made.text
    refused = await site.client.post("/v1/images/generations", json={**BODY, "model": "none"}, headers=headers)
    assert refused.status_code == 404
    async with asyncio.timeout(30):
        while len((await site.ok("GET", "/requests", key_id=key["id"]))["items"]) < 4:
            await asyncio.sleep(0.01)  # the journal is written behind
    yield key
    await site.ok("DELETE", "/options/time_zone", None, 204)


async def pages(site: Site, path: str, **query: object) -> list[Json]:
    """Every item, two a page."""
    found: list[Json] = []
    while True:
        page = await site.ok("GET", path, None, 200, **query, limit=2)
        assert len(page["items"]) <= 2
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]


class TestGenerations:
    async def test_one_tells_how_its_account_was_chosen_and_no_prompt(self, site: Site, key: Json) -> None:
        listed = await site.ok("GET", "/generations", key_id=key["id"])
        shown = await site.ok("GET", f"/generations/{listed['items'][0]['id']}")

        assert shown == listed["items"][0]
        assert (shown["state"], shown["key_id"], shown["model"]) == ("completed", key["id"], "gpt-image-1")
        assert shown["choice"]["policy"] == site.services.options().policy
        assert shown["choice"]["ready"] >= 1
        assert shown["choice"]["why"]
        assert "canary" not in str(listed)

    async def test_pages_meet_each_once_newest_first(self, site: Site, key: Json) -> None:
        found = await pages(site, "/generations", key_id=key["id"])

        assert len({one["id"] for one in found}) == len(found) == 3
        assert [one["created_at"] for one in found] == sorted((one["created_at"] for one in found), reverse=True)

    async def test_filters_hold(self, site: Site, key: Json) -> None:
        account = (await site.ok("GET", "/generations", key_id=key["id"]))["items"][0]["account_id"]
        for query, count in (
            ({"state": "completed"}, 3),
            ({"state": "running"}, 0),
            ({"kind": "video"}, 0),
            ({"kind": "image", "model": "gpt-image-1"}, 3),
            ({"model": "other"}, 0),
            ({"account_id": account + 1000}, 0),
        ):
            assert len((await site.ok("GET", "/generations", None, 200, key_id=key["id"], **query))["items"]) == count

    async def test_words_of_prompts_are_looked_for(self, site: Site, key: Json) -> None:
        for query, count in (
            ({"q": "Canary  MINE"}, 3),
            ({"q": "canar"}, 3),
            ({"q": " "}, 3),
            ({"q": "canary hill"}, 0),
            ({"q": "can%ry"}, 0),
            ({"q": "canary", "kind": "video"}, 0),
        ):
            found = await pages(site, "/generations", key_id=key["id"], **query)
            assert len({one["id"] for one in found}) == len(found) == count, query
        await site.refused("GET", "/generations", 400, q="x" * 201)

    async def test_look_that_came_to_its_end_says_where_to_go_on(
        self, site: Site, key: Json, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(find_prompts, "LOOKED_AT", 2)

        first = await site.ok("GET", "/generations", key_id=key["id"], q="nothing of that")
        newest = await site.ok("GET", "/generations", key_id=key["id"])
        last = await site.ok("GET", "/generations", key_id=key["id"], q="nothing of that", cursor=first["next_cursor"])

        assert (first["items"], first["next_cursor"]) == ([], newest["items"][1]["id"])
        assert last == {"items": [], "next_cursor": None}

    async def test_one_that_is_not_there_is_not_found(self, site: Site) -> None:
        await site.refused("GET", "/generations/gen_nothing", 404)
        assert (await site.ok("GET", "/generations", cursor="gen_nothing"))["items"] == []
        await site.refused("GET", "/generations", 400, state="odd")


class TestRequests:
    async def test_lines_are_found_page_by_page(self, site: Site, key: Json) -> None:
        found = await pages(site, "/requests", key_id=key["id"])

        assert sorted(one["state"] for one in found) == ["completed", "completed", "completed", "refused"]
        assert len({one["number"] for one in found}) == 4
        whole = await site.ok("GET", f"/requests/{found[0]['number']}")
        assert whole.pop("body") is None
        assert whole == found[0]

    async def test_filters_hold(self, site: Site, key: Json) -> None:
        refused = (await site.ok("GET", "/requests", key_id=key["id"], state="refused"))["items"]
        whole = (await site.ok("GET", "/requests", key_id=key["id"], state="completed"))["items"]
        now = datetime.now(UTC)

        assert [one["code"] for one in refused] == ["model_not_found"]
        for query, count in (
            ({"code": "model_not_found"}, 1),
            ({"id": refused[0]["request_id"]}, 1),
            ({"model": whole[0]["model"]}, 3),
            ({"until": (now - timedelta(hours=1)).isoformat()}, 0),
            ({"since": (now - timedelta(hours=1)).isoformat()}, 4),
        ):
            assert len((await site.ok("GET", "/requests", None, 200, key_id=key["id"], **query))["items"]) == count

    @pytest.mark.parametrize(
        "query",
        [
            {"state": "odd"},
            {"since": "yesterday"},
            {"since": "2026-11-23T10:00:00"},
            {"since": "2026-11-23T10:00:00Z", "until": "2026-11-22T10:00:00Z"},
            {"cursor": "1"},
            {"cursor": "x-y"},
            {"cursor": "9" * 19 + "-1"},
            {"id": "x" * 101},
            {"limit": 0},
            {"key_id": 0},
        ],
    )
    async def test_what_cannot_be_asked_for_is_refused(self, site: Site, query: dict[str, object]) -> None:
        await site.refused("GET", "/requests", 400, None, **query)

    async def test_file_has_every_line(self, site: Site, key: Json) -> None:
        csv, lines = [
            await site.viewer.get("/api/admin/requests/export", params={"form": form, "key_id": key["id"]})
            for form in ("csv", "jsonl")
        ]

        assert csv.headers["content-type"] == "text/csv; charset=utf-8"
        assert csv.headers["content-disposition"] == 'attachment; filename="requests.csv"'
        assert len(csv.text.splitlines()) == 5
        assert len(lines.text.splitlines()) == 4
        assert "canary" not in csv.text

    async def test_line_that_is_not_there_is_not_found(self, site: Site) -> None:
        assert (await site.refused("GET", "/requests/999999", 404))["code"] == "record_not_found"


class TestStatistics:
    async def test_figures_of_everything_a_key_and_a_day(self, site: Site, key: Json) -> None:
        whole, of_key = await site.ok("GET", "/statistics"), await site.ok("GET", "/statistics", key_id=key["id"])
        before = await site.ok("GET", "/statistics", day="2020-01-01", key_id=key["id"])

        assert (of_key["total"]["images"], of_key["total"]["refused"], of_key["total"]["success_rate"]) == (3, 1, 1.0)
        assert of_key["on_day"] == of_key["total"]
        assert whole["total"]["images"] >= 3
        assert (before["day"], before["on_day"]["images"], before["total"]["images"]) == ("2020-01-01", 0, 3)

    @pytest.mark.parametrize("by", ["accounts", "keys", "models"])
    async def test_parts_are_told_apart(self, site: Site, key: Json, by: str) -> None:
        told = await site.ok("GET", f"/statistics/{by}")
        model = (await site.ok("GET", "/requests", key_id=key["id"], state="completed"))["items"][0]["model"]
        mine = {"keys": "records", "models": model}.get(by)

        assert told["parts"] == len(told["items"]) >= 1
        assert sum(one["total"]["images"] for one in told["items"]) >= 3
        assert mine is None or mine in [one["name"] for one in told["items"]]
        assert (await site.ok("GET", f"/statistics/{by}", limit=1))["items"] == told["items"][:1]

    async def test_days_end_with_today(self, site: Site, key: Json) -> None:
        days = (await site.ok("GET", "/statistics/days", days=7, key_id=key["id"]))["items"]

        assert len(days) == 7
        assert days[-1]["counts"]["images"] == 3
        await site.refused("GET", "/statistics/days", 400, days=0)
        await site.refused("GET", "/statistics", 400, day="today")


class TestAudit:
    async def test_entries_are_filtered_and_paged(self, site: Site) -> None:
        for number in range(3):
            await site.ok("POST", "/keys", {"name": f"audited {number}"}, 201)
        await site.operator.patch("/api/admin/options", json={"image_wait_s": 31})
        await site.ok("DELETE", "/options/image_wait_s", None, 204)
        made = await pages(site, "/audit-entries", action="key.created")

        assert len({one["number"] for one in made}) == len(made) >= 3
        assert {one["action"] for one in made} == {"key.created"}
        assert (made[0]["actor"], made[0]["door"], made[0]["details"]["name"]) == ("owner", "admin_api", "audited 2")
        of_operator = (await site.ok("GET", "/audit-entries", actor="operator", action="options"))["items"]
        assert {one["actor"] for one in of_operator} == {"operator"}
        one = await site.ok("GET", "/audit-entries", subject=made[0]["subject"], action="key")
        assert made[0]["number"] in [entry["number"] for entry in one["items"]]
        assert (await site.ok("GET", "/audit-entries", until="2020-01-01T00:00:00Z"))["items"] == []
        assert (await site.ok("GET", "/audit-entries", since="2099-01-01T00:00:00Z"))["items"] == []
        assert (await site.ok("GET", "/audit-entries", action="KEY"))["items"] == []

    @pytest.mark.parametrize(
        "query",
        [
            {"cursor": "x"},
            {"limit": 501},
            {"since": "soon"},
            {"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"},
        ],
    )
    async def test_what_cannot_be_asked_for_is_refused(self, site: Site, query: dict[str, object]) -> None:
        await site.refused("GET", "/audit-entries", 400, None, **query)

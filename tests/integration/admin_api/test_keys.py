"""Keys over HTTP: shown once, bound to a tag, at work at once, and useless when revoked."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from flow2api.domain.key_rules import KeyRules
from tests.integration.admin_api.conftest import Site

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def opens(site: Site, key: str) -> bool:
    answer = await site.client.get("/v1/models", headers={"authorization": f"Bearer {key}"})
    return answer.status_code == 200


async def test_key_is_shown_once_and_works_until_it_is_revoked(site: Site) -> None:
    made = await site.ok("POST", "/keys", {"name": "shop", "tag": "eu"}, 201)
    path, text = f"/keys/{made['id']}", made.pop("key")

    assert await opens(site, text)
    assert text.startswith(made["prefix"])
    shown = await site.ok("GET", path)
    assert {**shown, "last_used_at": None} == {**made, "last_used_at": None}
    everything = str(await site.ok("GET", "/keys")) + str(await site.ok("GET", "/audit-entries"))
    assert text not in everything

    assert (await site.ok("POST", f"{path}/revoke"))["revoked_at"] is not None
    assert not await opens(site, text)
    assert (await site.audited())["action"] == "key.revoked"
    assert (await site.ok("GET", path))["revoked_at"] is not None


async def test_name_and_tag_are_changed_and_null_takes_the_tag_away(site: Site) -> None:
    made = await site.ok("POST", "/keys", {"tag": "eu"}, 201)
    path = f"/keys/{made['id']}"
    renamed = await site.ok("PATCH", path, {"name": "till"})
    freed = await site.ok("PATCH", path, {"tag": None})

    assert (renamed["name"], renamed["tag"]) == ("till", "eu")
    assert (freed["name"], freed["tag"]) == ("till", None)
    assert site.services.authorize.tag_of(made["id"]) is None
    assert (await site.audited())["details"] == {"before": {"tag": "eu"}, "after": {"tag": None}}


async def test_profile_of_the_client_is_set_and_taken_away(site: Site) -> None:
    made = await site.ok("POST", "/keys", {"profile": "links"}, 201)
    freed = await site.ok("PATCH", f"/keys/{made['id']}", {"profile": None})

    assert (made["profile"], freed["profile"]) == ("links", None)
    await site.refused("PATCH", f"/keys/{made['id']}", 400, {"profile": "link"})


async def test_name_is_taken_by_one_active_key_only(site: Site) -> None:
    await site.ok("POST", "/keys", {"name": "only"}, 201)

    assert (await site.refused("POST", "/keys", 409, {"name": "only"}))["code"] == "conflict"


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "7"}, {"tag": "no blanks"}, {"name": None}, {"key": "x"}])
async def test_what_cannot_be_is_refused(site: Site, body: object) -> None:
    made = await site.ok("POST", "/keys", {}, 201)

    await site.refused("PATCH", f"/keys/{made['id']}", 400, body)


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("PATCH", ""), ("POST", "/revoke")])
async def test_key_that_is_not_there_is_not_found(site: Site, method: str, path: str) -> None:
    told = await site.refused(method, f"/keys/999{path}", 404, {"name": "x"} if method == "PATCH" else None)

    assert told["code"] == "not_found"


def bearer(key: Any) -> dict[str, str]:
    return {"authorization": f"Bearer {key['key']}"}


RULES = {
    "scopes": ["images", "models"],
    "models": ["gpt-image-*"],
    "expires_at": "2031-01-31T18:00:00Z",
    "requests_per_min": 30,
    "max_concurrent": 2,
    "max_per_day": 100,
}
NONE = {
    "scopes": ["images", "models", "videos"],
    "models": [],
    "expires_at": None,
    "requests_per_min": None,
    "max_concurrent": 0,
    "max_per_day": 0,
}


def rules_of(shown: Any) -> dict[str, object]:
    return {name: shown[name] for name in RULES}


async def test_key_is_told_what_it_may_do_which_holds_at_once_and_can_be_taken_back(site: Site) -> None:
    made = await site.ok("POST", "/keys", RULES, 201)
    path = f"/keys/{made['id']}"

    assert rules_of(made) == RULES
    models = (await site.client.get("/v1/models", headers=bearer(made))).json()["data"]
    assert models
    assert all(one["kind"] == "image" for one in models)
    refused = await site.client.post("/v1/videos", headers=bearer(made), json={"prompt": "x", "model": "sora-2"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "permission_denied")

    assert rules_of(await site.ok("PATCH", path, {"max_per_day": 5})) == {**RULES, "max_per_day": 5}
    assert (await site.audited())["details"] == {"before": {"max_per_day": 100}, "after": {"max_per_day": 5}}
    freed = await site.ok("PATCH", path, {**NONE, "scopes": []})
    assert rules_of(freed) == NONE


@pytest.mark.parametrize(
    "body",
    [
        {"scopes": ["admin"]},
        {"models": [""]},
        {"expires_at": "2001-01-01T00:00:00Z"},
        {"expires_at": "soon"},
        {"expires_at": "9999-12-31T23:59:59-05:00"},
        {"requests_per_min": -1},
        {"max_concurrent": None},
        {"max_per_day": 1_000_001},
    ],
)
async def test_rules_that_cannot_be_are_refused(site: Site, body: dict[str, object]) -> None:
    made = await site.ok("POST", "/keys", {}, 201)

    await site.refused("POST", "/keys", 400, body)
    await site.refused("PATCH", f"/keys/{made['id']}", 400, body)

    assert rules_of(await site.ok("GET", f"/keys/{made['id']}")) == NONE


async def test_expired_key_says_so(site: Site) -> None:
    made = await site.ok("POST", "/keys", {}, 201)
    keys = site.services.storage.api_keys
    key = await site.services.operating.keys.get(made["id"])
    past = site.services.clock.now() - timedelta(seconds=1)
    await keys.save(replace(key, rules=KeyRules(expires_at=past)))
    await site.services.authorize.load()

    answer = await site.client.get("/v1/models", headers={"authorization": f"Bearer {made['key']}"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "expired_api_key")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_rotated_key_works_beside_the_former_one_for_as_long_as_was_said(site: Site) -> None:
    made = await site.ok("POST", "/keys", {"name": "to rotate", "max_per_day": 7}, 201)

    fresh = await site.ok("POST", f"/keys/{made['id']}/rotate", {"overlap_hours": 2}, 201)

    former = await site.ok("GET", f"/keys/{made['id']}")
    assert (fresh["name"], fresh["max_per_day"], fresh["expires_at"]) == ("to rotate", 7, None)
    assert former["name"] == "to rotate (old)"
    assert former["expires_at"] is not None
    assert [await opens(site, key) for key in (made["key"], fresh["key"])] == [True, True]
    for hours in (0, -1, 10_000):
        await site.refused("POST", f"/keys/{fresh['id']}/rotate", 400, {"overlap_hours": hours})
    await site.ok("POST", f"/keys/{fresh['id']}/rotate", {}, 201)


async def test_video_is_followed_fetched_and_deleted_with_the_key_that_took_the_place_of_its_own(site: Site) -> None:
    await site.account()
    made = await site.ok("POST", "/keys", {"name": "films"}, 201)
    others = await site.ok("POST", "/keys", {"name": "others"}, 201)
    begun = await site.client.post("/v1/videos", headers=bearer(made), json={"prompt": "a river", "model": "sora-2"})
    assert begun.status_code == 200, begun.text
    one = f"/v1/videos/{begun.json()['id']}"

    fresh = await site.ok("POST", f"/keys/{made['id']}/rotate", {}, 201)
    await site.ok("POST", f"/keys/{made['id']}/revoke", {})

    assert (await site.client.get(one, headers=bearer(fresh))).json()["id"] == begun.json()["id"]
    listed = (await site.client.get("/v1/videos", headers=bearer(fresh))).json()["data"]
    assert [video["id"] for video in listed] == [begun.json()["id"]]
    assert (await site.client.get(one, headers=bearer(others))).status_code == 404
    assert (await site.client.delete(one, headers=bearer(fresh))).status_code == 200
    assert (await site.client.get(one, headers=bearer(fresh))).status_code == 404


async def test_key_that_is_revoked_stays_so_whatever_is_changed_in_the_same_moment(site: Site) -> None:
    made = await site.ok("POST", "/keys", {"name": "contested"}, 201)
    one = f"/keys/{made['id']}"

    path = f"/api/admin{one}"
    changes = [site.owner.patch(path, json={"max_concurrent": number}) for number in range(1, 5)]
    answers = await asyncio.gather(*changes, site.owner.post(f"{path}/revoke", json={}))

    assert {answer.status_code for answer in answers} <= {200, 404, 409}
    assert answers[-1].status_code == 200
    assert (await site.ok("GET", one))["revoked_at"] is not None
    assert not await opens(site, made["key"])

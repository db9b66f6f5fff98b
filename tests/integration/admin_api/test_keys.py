"""Keys over HTTP: shown once, bound to a tag, at work at once, and useless when revoked."""

import pytest

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

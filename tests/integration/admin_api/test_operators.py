"""Operators over HTTP: made, given roles and passphrases, and removed; never is nobody an owner."""

import httpx
import pytest

from tests.integration.admin_api.conftest import Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

FIRST, SECOND = "lamp river maple quiet", "stone cloud violet ladder"


async def sign_in(site: Site, name: str, passphrase: str) -> httpx.Response:
    return await site.client.post("/api/admin/login", json={"username": name, "password": passphrase})


async def test_operator_is_made_gets_a_new_passphrase_and_is_removed(site: Site) -> None:
    made = await site.ok("POST", "/operators", {"name": "Grace", "passphrase": FIRST, "role": "viewer"}, 201)
    path = f"/operators/{made['id']}"
    session = (await sign_in(site, "grace", FIRST)).json()["token"]
    headers = {"authorization": f"Bearer {session}"}

    assert (made["name"], made["role"]) == ("Grace", "viewer")
    assert FIRST not in str(made)
    assert (await site.client.get("/api/admin/operators", headers=headers)).status_code == 200

    await site.ok("POST", f"{path}/reset-passphrase", {"passphrase": SECOND})
    assert (await site.client.get("/api/admin/operators", headers=headers)).status_code == 401
    assert (await site.audited())["action"] == "operator.passphrase_changed"
    session = (await sign_in(site, "grace", SECOND)).json()["token"]
    headers = {"authorization": f"Bearer {session}"}

    await site.ok("POST", f"{path}/sign-out")
    assert (await site.audited())["action"] == "operator.sessions_ended"
    assert (await site.client.get("/api/admin/operators", headers=headers)).status_code == 401

    await site.ok("DELETE", path, None, 204)
    entry = await site.audited()
    assert (entry["action"], entry["subject"]) == ("operator.removed", str(made["id"]))
    assert (await site.client.get("/api/admin/operators", headers=headers)).status_code == 401
    await site.refused("GET", path, 404)


async def test_last_owner_stays(site: Site) -> None:
    (owner,) = [one for one in (await site.ok("GET", "/operators"))["items"] if one["role"] == "owner"]

    for refused in (
        await site.refused("DELETE", f"/operators/{owner['id']}", 409),
        await site.refused("PATCH", f"/operators/{owner['id']}", 409, {"role": "viewer"}),
    ):
        assert "own the server" in refused["detail"]
    assert (await site.ok("GET", f"/operators/{owner['id']}"))["role"] == "owner"


@pytest.mark.parametrize(
    ("want", "body"),
    [
        (409, {"name": "OWNER", "passphrase": FIRST}),
        (400, {"name": "hopper", "passphrase": "short"}),
        (400, {"name": "hopper", "passphrase": "password1234"}),
        (400, {"name": "7", "passphrase": FIRST}),
        (400, {"name": "hopper", "passphrase": FIRST, "role": "god"}),
        (400, {"name": "hopper", "passphrase": FIRST, "id": 1}),
        (400, {"passphrase": FIRST}),
    ],
)
async def test_what_cannot_be_is_refused_without_the_passphrase(site: Site, want: int, body: dict[str, object]) -> None:
    told = await site.refused("POST", "/operators", want, body)

    assert str(body["passphrase"]) not in str(told)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("DELETE", ""), ("PATCH", ""), ("POST", "/reset-passphrase")]
)
async def test_nobody_of_that_id_is_not_found(site: Site, method: str, path: str) -> None:
    body = {"PATCH": {"role": "viewer"}, "POST": {"passphrase": FIRST}}.get(method)
    told = await site.refused(method, f"/operators/999{path}", 404, body)

    assert told["code"] == "not_found"

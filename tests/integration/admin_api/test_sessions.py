"""Operators see where they are signed in and end it; a second factor is asked for at the door."""

from datetime import UTC, datetime

import httpx
import pyotp
import pytest

from flow2api.domain.secret import Secret
from flow2api.domain.usecases.sign_in import SignedIn, Visitor
from tests.integration.admin_api.conftest import Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

PASSPHRASE = "lamp river maple quiet"
AT_HOME = Visitor("admin_api", "127.0.0.1")


async def sign_in(site: Site, name: str, **body: object) -> httpx.Response:
    return await site.client.post("/api/admin/login", json={"username": name, "password": PASSPHRASE, **body})


async def signed_in(site: Site, name: str) -> dict[str, str]:
    return {"authorization": f"Bearer {(await sign_in(site, name)).json()['token']}"}


async def test_sessions_are_listed_and_ended_one_by_one(site: Site) -> None:
    await site.ok("POST", "/operators", {"name": "Lise", "passphrase": PASSPHRASE, "role": "viewer"}, 201)
    first, second, third = [await signed_in(site, "lise") for _ in range(3)]
    path = "/api/admin/sessions"

    listed = (await site.client.get(path, headers=second)).json()["items"]
    assert [one["is_this"] for one in listed] == [False, True, False]
    assert {one["address"] for one in listed} == {"127.0.0.1"}
    assert "admin-" not in str(listed)

    ended = await site.client.delete(f"{path}/{listed[0]['id']}", headers=second)
    assert ended.status_code == 204
    assert (await site.client.get(path, headers=third)).status_code == 401
    again = await site.client.delete(f"{path}/{listed[0]['id']}", headers=second)
    assert (again.status_code, again.json()["code"]) == (404, "not_found")
    owners = (await site.ok("GET", "/sessions"))["items"]
    assert (await site.client.delete(f"{path}/{owners[0]['id']}", headers=second)).status_code == 404

    others = await site.client.post(f"{path}/end-others", headers=second)
    assert (others.status_code, others.json()) == (200, {"ended": 1})
    assert (await site.client.get(path, headers=first)).status_code == 401
    assert [one["is_this"] for one in (await site.client.get(path, headers=second)).json()["items"]] == [True]
    assert (await site.audited())["action"] == "operator.sessions_ended"


async def test_code_is_asked_for_taken_once_and_no_more_when_an_owner_drops_it(site: Site) -> None:
    made = await site.ok("POST", "/operators", {"name": "Emmy", "passphrase": PASSPHRASE, "role": "operator"}, 201)
    entrance = site.services.entrance
    here: SignedIn
    here, _ = await entrance.sign_in("emmy", Secret(PASSPHRASE), AT_HOME)
    enrolment = await entrance.second_factor.begin(here, Secret(PASSPHRASE), AT_HOME)
    app = pyotp.parse_uri(enrolment.uri.reveal())
    assert isinstance(app, pyotp.TOTP)
    now = datetime.now(UTC)
    recovery = await entrance.second_factor.confirm(here, Secret(app.at(now)), AT_HOME)

    asked = await sign_in(site, "emmy")
    assert (asked.status_code, asked.json()["code"]) == (401, "totp_required")
    used = await sign_in(site, "emmy", code=app.at(now))
    assert (used.status_code, used.json()["code"]) == (401, "invalid_credentials")
    assert (await sign_in(site, "emmy", code=app.at(now, counter_offset=1))).status_code == 200
    assert (await sign_in(site, "emmy", code=recovery[0].reveal())).status_code == 200
    assert (await sign_in(site, "emmy", code=recovery[0].reveal())).status_code == 401
    assert (await sign_in(site, "emmy", code=7)).status_code == 400

    path = f"/operators/{made['id']}/drop-second-factor"
    assert (await site.operator.post(f"/api/admin{path}")).status_code == 403
    await site.ok("POST", path)
    entry = await site.audited()
    assert (entry["action"], entry["subject"]) == ("operator.second_factor_removed", str(made["id"]))
    assert (await sign_in(site, "emmy")).status_code == 200
    await site.refused("POST", "/operators/999/drop-second-factor", 404)

"""The operators' JSON API of a running server, over all of its table."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest

from flow2api.testing.simulator import SimulatorControl
from tests.e2e.conftest import ACCOUNTS, OPTIONS
from tests.e2e.processes import Gateway, Simulator

PASSPHRASE = "quiet maple river lamp"
OTHER_PASSPHRASE = "another maple river lamp"
LOCKED = {"FLOW2API_OPTIONS__VIDEO_TIMEOUT_S": "900"}


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator(tmp_path_factory.mktemp("simulator"), {**OPTIONS, "era": "2026-06"}, ACCOUNTS) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Gateway(tmp_path_factory.mktemp("gateway"), simulator, environment=LOCKED) as running:
        passphrase = running.folder / "passphrase"
        passphrase.write_text(PASSPHRASE)
        running.run("operator", "create", "--name", "ada", "--passphrase-file", str(passphrase))
        running.wait_until_warm()
        yield running


@pytest.fixture
async def control(simulator: Simulator) -> AsyncIterator[SimulatorControl]:
    async with SimulatorControl(simulator.ready["base_url"]) as control:
        yield control
        await control.clear_faults()


@asynccontextmanager
async def session(gateway: Gateway, passphrase: str = PASSPHRASE) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=gateway.url, timeout=30) as client:
        answer = await client.post("/api/admin/login", json={"username": "ada", "password": passphrase})
        assert answer.status_code == 200, answer.text
        client.headers["authorization"] = f"Bearer {answer.json()['token']}"
        yield client


@pytest.fixture(scope="module")
def token(gateway: Gateway) -> str:
    """One session for all tests that do not end it: each sign-in costs a good part of a second."""
    answer = httpx.post(f"{gateway.url}/api/login", json={"username": "ada", "password": PASSPHRASE}, timeout=30)
    return str(answer.json()["token"])


@pytest.fixture
async def admin(gateway: Gateway, token: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=gateway.url, timeout=30, headers=headers) as client:
        yield client


@pytest.fixture
async def account(admin: httpx.AsyncClient, control: SimulatorControl) -> AsyncIterator[dict[str, Any]]:
    """One more account, added over the API, and removed in the end."""
    made = await control.add_account(credits=77)
    answer = await admin.post("/api/tokens", json={"st": made.session_token, "remark": "lent"})
    assert answer.status_code == 200, answer.text
    added = answer.json()["token"]
    yield {**added, "st": made.session_token}
    await admin.delete(f"/api/tokens/{added['id']}")


async def ok(client: httpx.AsyncClient, method: str, path: str, body: Any = None) -> Any:
    answer = await client.request(method, path, json=body)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert not isinstance(told, dict) or told.get("success", True) is True
    return told


async def shown(client: httpx.AsyncClient, account_id: int, **query: Any) -> dict[str, Any]:
    listed = (await client.get("/api/tokens", params=query)).json()
    (found,) = [one for one in listed if one["id"] == account_id]
    return dict(found)


class TestSession:
    @pytest.mark.parametrize("path", ["/api/admin/login", "/api/login"])
    async def test_begins_with_the_right_passphrase(self, gateway: Gateway, path: str) -> None:
        async with httpx.AsyncClient(base_url=gateway.url) as client:
            told = await ok(client, "POST", path, {"username": "ADA", "password": PASSPHRASE})

        assert told["token"].startswith("admin-")
        assert len(told["token"]) >= 43
        assert told["username"] == "ada"

    async def test_wrong_name_and_wrong_passphrase_look_alike(self, gateway: Gateway) -> None:
        async with httpx.AsyncClient(base_url=gateway.url) as client:
            answers = [
                await client.post("/api/login", json={"username": name, "password": password})
                for name, password in (("ada", "admin"), ("admin", "admin"))
            ]

        bodies = [answer.json() for answer in answers]
        assert [answer.status_code for answer in answers] == [401, 401]
        assert {body["detail"] for body in bodies} == {
            "The name or the passphrase is wrong, or the code if one was sent."
        }
        assert {body["code"] for body in bodies} == {"invalid_credentials"}
        assert all(
            body["request_id"] == answer.headers["x-request-id"] for body, answer in zip(bodies, answers, strict=True)
        )

    @pytest.mark.parametrize("path", ["/api/admin/logout", "/api/logout"])
    async def test_ends_for_good(self, gateway: Gateway, path: str) -> None:
        async with session(gateway) as client:
            await ok(client, "POST", path)
            again = await client.get("/api/system/info")

        assert again.status_code == 401
        assert again.json()["code"] == "not_signed_in"

    async def test_new_passphrase_ends_every_other_one(self, gateway: Gateway, admin: httpx.AsyncClient) -> None:
        async with session(gateway) as elsewhere:
            here = admin
            change = {"old_password": PASSPHRASE, "new_password": OTHER_PASSPHRASE}
            await ok(here, "POST", "/api/admin/change-password", change)
            assert (await elsewhere.get("/api/admin/config")).status_code == 401
            await ok(here, "GET", "/api/admin/config")
            back = {"old_password": OTHER_PASSPHRASE, "new_password": PASSPHRASE, "username": "ada"}
            await ok(here, "POST", "/api/admin/password", back)
            await ok(here, "GET", "/api/admin/config")

    async def test_weak_passphrase_is_refused(self, admin: httpx.AsyncClient) -> None:
        answer = await admin.post(
            "/api/admin/password", json={"old_password": PASSPHRASE, "new_password": "password1234"}
        )

        assert answer.status_code == 400


class TestTokens:
    async def test_added_account_is_what_the_service_told(
        self, admin: httpx.AsyncClient, account: dict[str, Any]
    ) -> None:
        found = await shown(admin, account["id"])

        assert account["credits"] == 77
        assert found["email"] == account["email"]
        assert (found["remark"], found["is_active"], found["credits"]) == ("lent", True, 77)
        assert (found["image_concurrency"], found["video_concurrency"]) == (-1, -1)
        assert found["at_expires"].startswith("20")

    async def test_secrets_are_masked_until_they_are_revealed(
        self, admin: httpx.AsyncClient, account: dict[str, Any], control: SimulatorControl
    ) -> None:
        masked = await shown(admin, account["id"])
        revealed = await shown(admin, account["id"], reveal="true")

        assert (masked["st"], masked["at"], masked["token"]) == ("***", "***", "***")
        assert revealed["st"] == (await control.account(account["email"])).session_token
        assert revealed["at"] == revealed["token"] != "***"

    async def test_pages_and_filters(self, admin: httpx.AsyncClient, account: dict[str, Any]) -> None:
        whole = (await admin.get("/api/tokens")).json()
        first = await admin.get("/api/tokens", params={"limit": 2})
        second = await admin.get("/api/tokens", params={"limit": 2, "cursor": first.headers["x-next-cursor"]})
        found = await admin.get("/api/tokens", params={"q": account["email"].upper(), "state": "active"})

        assert [one["id"] for one in (*first.json(), *second.json())] == [one["id"] for one in whole]
        assert first.headers["x-total-count"] == str(len(whole)) == "3"
        assert "x-next-cursor" not in second.headers
        assert [one["id"] for one in found.json()] == [account["id"]]
        assert (await admin.get("/api/tokens", params={"state": "disabled"})).json() == []
        for bad in ({"limit": 0}, {"limit": 1001}, {"state": "sleepy"}, {"cursor": -1}, {"q": "x" * 101}):
            assert (await admin.get("/api/tokens", params=bad)).status_code == 400, bad

    async def test_numbers_that_no_database_keeps_are_refused(
        self, admin: httpx.AsyncClient, account: dict[str, Any]
    ) -> None:
        huge, own = 10**30, f"/api/tokens/{account['id']}"
        for method, path, body in (
            ("GET", f"/api/tokens?limit=1&cursor={huge}", None),
            ("DELETE", f"/api/tokens/{huge}", None),
            ("POST", f"/api/tokens/{huge}/enable", None),
            ("POST", f"/api/tokens/{huge}/refresh-at", None),
            ("PUT", own, {"image_concurrency": huge}),
            ("PUT", own, {"video_concurrency": -2}),
            ("POST", "/api/tokens", {"st": account["st"], "image_concurrency": -2}),
            ("PUT", own, {"project_id": "../../elsewhere?x=1#"}),
            ("GET", f"/api/logs/{huge}", None),
            ("GET", f"/api/logs?before={huge}", None),
            ("GET", f"/api/logs?token_id={huge}", None),
            ("POST", "/api/cache/config", {"timeout": huge}),
            ("POST", "/api/config/generation", {"max_retries": -1}),
            ("POST", "/api/admin/config", {"error_ban_threshold": huge}),
            ("POST", "/api/proxy/test", {"proxy_url": "any", "timeout_seconds": -1}),
        ):
            answer = await admin.request(method, path, json=body)
            assert answer.status_code == 400, (path, answer.text)
            assert answer.json()["code"] == "invalid_value"

    async def test_state_that_is_none_is_refused_with_those_that_are(self, admin: httpx.AsyncClient) -> None:
        answer = await admin.get("/api/tokens", params={"state": "sleepy"})

        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_value")
        assert "active, cooling_down, suspended, disabled" in answer.json()["detail"]

    async def test_same_account_is_not_added_twice(self, admin: httpx.AsyncClient, account: dict[str, Any]) -> None:
        answer = await admin.post("/api/tokens", json={"st": account["st"]})

        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")

    async def test_session_token_that_the_service_refuses_is_refused(self, admin: httpx.AsyncClient) -> None:
        answer = await admin.post("/api/tokens", json={"st": "x" * 1000})

        assert (answer.status_code, answer.json()["code"]) == (400, "credential_revoked")

    async def test_changes_what_is_named_and_nothing_else(
        self, admin: httpx.AsyncClient, account: dict[str, Any]
    ) -> None:
        path, before = f"/api/tokens/{account['id']}", await shown(admin, account["id"])

        await ok(
            admin, "PUT", path, {"st": "***", "remark": "given back", "image_enabled": False, "video_concurrency": 2}
        )
        after = await shown(admin, account["id"])
        # The keeper may have opened a workspace meanwhile.
        differing = {name for name in after if after[name] != before[name]} - {
            "current_project_id",
            "current_project_name",
        }
        assert differing == {"remark", "image_enabled", "video_concurrency"}
        await ok(admin, "PUT", path, {"image_enabled": True, "project_id": "p-1", "project_name": "Mugs"})
        after = await shown(admin, account["id"])
        assert (after["image_enabled"], after["image_concurrency"], after["current_project_id"]) == (True, -1, "p-1")
        assert after["current_project_name"] == "Mugs"

    async def test_moves_to_another_host_with_its_key(
        self, admin: httpx.AsyncClient, control: SimulatorControl, simulator: Simulator
    ) -> None:
        made, home = await control.add_account(), simulator.ready["openai_base_url"]
        moved = home.replace("127.0.0.1", "localhost")
        new = {"upstream": "openai", "api_key": made.api_key, "base_url": home}
        path = f"/api/tokens/{(await ok(admin, 'POST', '/api/tokens', new))['token']['id']}"
        try:
            for keyless in ({"base_url": moved}, {"base_url": moved, "api_key": "***"}):
                assert (await admin.put(path, json=keyless)).status_code == 400
            wrong = await admin.put(path, json={"base_url": moved, "api_key": "wrong"})
            assert wrong.json()["code"] == "credential_revoked"
            await ok(admin, "PUT", path, {"base_url": home, "api_key": "***", "remark": "stays"})
            await ok(admin, "PUT", path, {"base_url": moved, "api_key": made.api_key})
            (found,) = (await admin.get("/api/tokens", params={"q": "stays"})).json()
            assert found["base_url"] == moved
        finally:
            await admin.delete(path)

    async def test_is_switched_off_and_on(self, admin: httpx.AsyncClient, account: dict[str, Any]) -> None:
        path = f"/api/tokens/{account['id']}"
        await ok(admin, "POST", f"{path}/disable")
        off = await shown(admin, account["id"], state="disabled")
        await ok(admin, "POST", f"{path}/enable")

        assert (off["is_active"], off["ban_reason"]) == (False, "manual")
        assert (await shown(admin, account["id"]))["is_active"]

    async def test_asks_the_service_anew(
        self, admin: httpx.AsyncClient, account: dict[str, Any], control: SimulatorControl
    ) -> None:
        path = f"/api/tokens/{account['id']}"
        await control.patch_account(account["email"], credits=5)

        assert (await ok(admin, "POST", f"{path}/refresh-credits"))["credits"] == 5
        assert (await shown(admin, account["id"]))["credits"] == 5
        renewed = (await ok(admin, "POST", f"{path}/refresh-at"))["token"]
        assert (renewed["id"], renewed["email"]) == (account["id"], account["email"])
        assert renewed["at_expires"]

    async def test_exchange_stores_nothing(self, admin: httpx.AsyncClient, control: SimulatorControl) -> None:
        made = await control.add_account()

        told = await ok(admin, "POST", "/api/tokens/st2at", {"st": made.session_token})

        assert told["email"] == made.email
        assert told["access_token"]
        assert (await admin.get("/api/tokens")).headers["x-total-count"] == "2"

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("PUT", "/api/tokens/999"),
            ("DELETE", "/api/tokens/999"),
            ("POST", "/api/tokens/999/enable"),
            ("POST", "/api/tokens/999/disable"),
            ("POST", "/api/tokens/999/refresh-credits"),
            ("POST", "/api/tokens/999/refresh-at"),
        ],
    )
    async def test_account_that_is_not_there_is_not_found(
        self, admin: httpx.AsyncClient, method: str, path: str
    ) -> None:
        answer = await admin.request(method, path, json={} if method == "PUT" else None)

        assert (answer.status_code, answer.json()["code"]) == (404, "account_not_found")

    async def test_removed_account_is_gone_at_once(self, admin: httpx.AsyncClient, control: SimulatorControl) -> None:
        made = await control.add_account()
        added = (await ok(admin, "POST", "/api/tokens", {"st": made.session_token}))["token"]

        await ok(admin, "DELETE", f"/api/tokens/{added['id']}")

        assert added["id"] not in [one["id"] for one in (await admin.get("/api/tokens")).json()]
        assert (await admin.delete(f"/api/tokens/{added['id']}")).status_code == 404


class TestMoving:
    async def test_import_takes_the_good_rows_and_tells_of_the_bad_ones(
        self, admin: httpx.AsyncClient, gateway: Gateway, control: SimulatorControl
    ) -> None:
        made = await control.add_account()
        rows = [
            {"session_token": made.session_token, "email": made.email, "access_token": "x", "video_concurrency": 2},
            {"session_token": "too short"},
            {"email": "nobody@example.com"},
            7,
            {"session_token": made.session_token, "upstream": "elsewhere"},
        ]
        rows[0] |= {"tags": ["eu"], "weight": 7, "priority": 2}  # type: ignore[operator]

        told = await ok(admin, "POST", "/api/tokens/import", {"tokens": rows})

        assert (told["added"], told["updated"], len(told["errors"])) == (1, 0, 4)
        assert [error[:6] for error in told["errors"]] == ["Row 2:", "Row 3:", "Row 4:", "Row 5:"]
        assert "too short" not in str(told["errors"])
        found = next(one for one in (await admin.get("/api/tokens")).json() if one["email"] == made.email)
        assert (found["video_concurrency"], found["is_active"]) == (2, True)
        listed = json.loads(gateway.run("accounts", "list", "--json"))["accounts"]
        (stored,) = [one for one in listed if one["email"] == made.email]
        assert (stored["tags"], stored["weight"], stored["priority"]) == (["eu"], 7, 2)
        rows[0]["is_active"] = False  # type: ignore[index]
        again = await ok(admin, "POST", "/api/tokens/import", {"tokens": rows[:1]})
        assert (again["added"], again["updated"]) == (0, 1)
        assert (await ok(admin, "GET", "/health"))["total_tokens"] >= 3
        await ok(admin, "DELETE", f"/api/tokens/{found['id']}")

    async def test_import_is_taken_in_while_it_arrives_however_long_it_is(
        self, admin: httpx.AsyncClient, control: SimulatorControl
    ) -> None:
        made = await control.add_account()

        async def body() -> AsyncIterator[bytes]:
            yield b'{"tokens": ['
            for _ in range(120):
                yield b'{"session_token": "too short"},' * 100
            yield msgspec.json.encode({"session_token": made.session_token, "email": made.email})
            yield b"]}"

        as_json = {"content-type": "application/json"}
        answer = await admin.post("/api/tokens/import", content=body(), headers=as_json)
        broken = await admin.post("/api/tokens/import", content=b'{"tokens": [{}, {}, {"a', headers=as_json)

        told = answer.json()
        assert (answer.status_code, told["added"], len(told["errors"])) == (200, 1, 12_000)
        assert (broken.status_code, broken.json()["code"]) == (400, "invalid_value")
        assert broken.json()["detail"] == (
            "What comes behind row 2 is no JSON. Of the rows before it: Added 0, updated 0, 2 could not be used."
        )
        found = next(one for one in (await admin.get("/api/tokens")).json() if one["email"] == made.email)
        await ok(admin, "DELETE", f"/api/tokens/{found['id']}")

    async def test_extension_brings_session_tokens_by_its_own_token(
        self, admin: httpx.AsyncClient, gateway: Gateway, control: SimulatorControl
    ) -> None:
        nothing = (await ok(admin, "GET", "/api/plugin/config"))["config"]
        set_up = (await ok(admin, "POST", "/api/plugin/config", {"connection_token": ""}))["config"]
        masked = (await ok(admin, "GET", "/api/plugin/config"))["config"]
        made = await control.add_account()
        headers = {"authorization": f"Bearer {set_up['connection_token']}"}
        async with httpx.AsyncClient(timeout=30, headers=headers) as extension:
            pushed = await ok(extension, "POST", set_up["connection_url"], {"session_token": made.session_token})
            fresh = await control.sign_in(made.email)
            again = await ok(extension, "POST", set_up["connection_url"], {"session_token": fresh.session_token})
            standing = await ok(extension, "POST", f"{gateway.url}/api/plugin/check-tokens")
            elsewhere = await extension.get(f"{gateway.url}/api/tokens")

        half = {"connection_token": "short", "auto_enable_on_update": True}
        assert (await admin.post("/api/plugin/config", json=half)).status_code == 400
        assert (await ok(admin, "GET", "/api/plugin/config"))["config"] == masked, "all or nothing"
        assert nothing["connection_token"] == ""
        assert masked["connection_token"] == f"{set_up['connection_token'][:10]}***"
        assert (pushed["action"], again["action"]) == ("added", "updated")
        assert made.email in [one["email"] for one in standing["tokens"]]
        assert not any(one["needs_session_token"] for one in standing["tokens"])
        assert elsewhere.status_code == 401
        refused = await admin.post("/api/plugin/update-token", json={"session_token": made.session_token})
        assert (refused.status_code, refused.json()["code"]) == (401, "invalid_connection_token")
        found = next(one for one in (await admin.get("/api/tokens")).json() if one["email"] == made.email)
        await ok(admin, "DELETE", f"/api/tokens/{found['id']}")


class TestOptions:
    async def test_threshold(self, admin: httpx.AsyncClient) -> None:
        await ok(admin, "POST", "/api/admin/config", {"error_ban_threshold": 5})

        told = await ok(admin, "GET", "/api/admin/config")
        assert (told["admin_username"], told["error_ban_threshold"]) == ("ada", 5)
        assert (await admin.post("/api/admin/config", json={"error_ban_threshold": 0})).status_code == 400

    @pytest.mark.parametrize("path", ["/api/config/generation", "/api/generation/timeout"])
    async def test_limits_of_generations(self, admin: httpx.AsyncClient, path: str) -> None:
        await ok(admin, "POST", path, {"image_timeout": 200, "max_retries": 4})

        assert (await ok(admin, "GET", path))["config"] == {
            "image_timeout": 200,
            "video_timeout": 900,
            "max_retries": 4,
        }

    async def test_option_that_is_fixed_stays_and_so_do_the_others(self, admin: httpx.AsyncClient) -> None:
        path = "/api/config/generation"
        before = (await ok(admin, "GET", path))["config"]

        answer = await admin.post(path, json={"image_timeout": 1, "video_timeout": 5})

        assert (answer.status_code, answer.json()["code"]) == (409, "option_locked")
        assert (await ok(admin, "GET", path))["config"] == before

    async def test_policy(self, admin: httpx.AsyncClient) -> None:
        for mode in ("polling", "random", "default"):
            await ok(admin, "POST", "/api/call-logic/config", {"call_mode": mode})
            assert (await ok(admin, "GET", "/api/call-logic/config"))["config"] == {"call_mode": mode}

        answer = await admin.post("/api/call-logic/config", json={"call_mode": "randomm"})
        assert answer.status_code == 400
        assert "'random'" in answer.json()["detail"]

    async def test_renewal(self, admin: httpx.AsyncClient) -> None:
        for enabled in (False, True):
            await ok(admin, "POST", "/api/token-refresh/enabled", {"enabled": enabled})
            config = (await ok(admin, "GET", "/api/token-refresh/config"))["config"]
            assert config == {"at_auto_refresh_enabled": enabled}

    async def test_kept_media(self, admin: httpx.AsyncClient, gateway: Gateway) -> None:
        await ok(admin, "POST", "/api/cache/config", {"timeout": 7200, "enabled": True})
        await ok(admin, "POST", "/api/cache/base-url", {"base_url": "https://media.example.org"})
        there = (await ok(admin, "GET", "/api/cache/config"))["config"]
        await ok(admin, "POST", "/api/cache/base-url", {"base_url": ""})
        await ok(admin, "POST", "/api/cache/enabled", {"enabled": True})
        here = (await ok(admin, "GET", "/api/cache/config"))["config"]

        assert (there["timeout"], there["effective_base_url"]) == (7200, "https://media.example.org")
        assert (here["base_url"], here["effective_base_url"]) == ("", gateway.url)
        for path, body in (
            ("/api/cache/enabled", {"enabled": False}),
            ("/api/cache/base-url", {"base_url": "javascript:alert(1)"}),
            ("/api/cache/config", {"timeout": -1}),
        ):
            assert (await admin.post(path, json=body)).status_code == 400, path

    async def test_default_key_takes_the_place_of_the_former_one(
        self, admin: httpx.AsyncClient, gateway: Gateway
    ) -> None:
        keys = ["first-key-of-an-operator-4711", "f2a_second0key0of0an0operator0815"]
        async with httpx.AsyncClient(base_url=gateway.url) as client:
            for key in keys:
                await ok(admin, "POST", "/api/admin/apikey", {"new_api_key": key})
                answer = await client.get("/v1/models", headers={"authorization": f"Bearer {key}"})
                assert answer.status_code == 200
            former = await client.get("/v1/models", headers={"authorization": f"Bearer {keys[0]}"})

        assert former.status_code == 401
        assert (await ok(admin, "GET", "/api/admin/config"))["api_key"] == "f2a_second***"
        for bad in ("short", "a" * 40, "with blanks in the middle of it", gateway.key):
            assert (await admin.post("/api/admin/apikey", json={"new_api_key": bad})).status_code in (400, 409)


class TestProxy:
    async def test_one_for_all_is_stored_used_and_tried(self, admin: httpx.AsyncClient) -> None:
        url = "http://someone:hunter2hunter2@127.0.0.1:9"
        await ok(admin, "POST", "/api/config/proxy", {"proxy_enabled": True, "proxy_url": url})
        config = (await ok(admin, "GET", "/api/config/proxy"))["config"]
        tried = await admin.post("/api/proxy/test", json={"proxy_url": url, "timeout_seconds": 5})
        # What the tool has read it may send back.
        await ok(admin, "POST", "/api/proxy/config", {"proxy_enabled": True, "proxy_url": config["proxy_url"]})
        await ok(admin, "POST", "/api/proxy/config", {"proxy_enabled": False})

        assert config == {"enabled": True, "proxy_url": "http://127.0.0.1:9"}
        assert (tried.status_code, tried.json()["success"], tried.json()["status_code"]) == (200, False, None)
        assert "hunter2" not in tried.text
        assert await ok(admin, "GET", "/api/proxy/config") == {"proxy_enabled": False, "proxy_url": ""}

    async def test_what_is_not_stored_is_not_tried(self, admin: httpx.AsyncClient) -> None:
        for body in (
            {"proxy_url": "http://127.0.0.1:1"},
            {"proxy_url": "gopher://x"},
            {"proxy_url": "http://127.0.0.1:9", "test_url": "http://169.254.169.254/"},
        ):
            assert (await admin.post("/api/proxy/test", json=body)).status_code == 400, body
        assert (await admin.post("/api/config/proxy", json={"proxy_enabled": True})).status_code == 400
        refused = await admin.post("/api/config/proxy", json={"proxy_enabled": True, "proxy_url": "ftp://x:1"})
        assert refused.status_code == 400


class TestRecords:
    async def test_picture_is_counted_and_logged(self, admin: httpx.AsyncClient, gateway: Gateway) -> None:
        before = await ok(admin, "GET", "/api/stats")
        async with httpx.AsyncClient(base_url=gateway.url, timeout=30) as client:
            picture = {"model": "gpt-image-1", "prompt": "a blue kite"}
            made = await client.post(
                "/v1/images/generations", json=picture, headers={"authorization": f"Bearer {gateway.key}"}
            )
        assert made.status_code == 200

        async with asyncio.timeout(30):  # the journal is written behind the request
            while (after := await ok(admin, "GET", "/api/stats"))["total_images"] == before["total_images"]:
                await asyncio.sleep(0.05)
        line = (await ok(admin, "GET", "/api/logs?limit=1"))[0]
        whole = await ok(admin, "GET", f"/api/logs/{line['id']}")
        shown_now = await shown(admin, line["token_id"])

        assert after["total_images"] - before["total_images"] == after["today_images"] - before["today_images"] == 1
        assert (line["operation"], line["status_code"]) == ("generate_image", 200)
        assert line["token_email"].endswith("@example.com")
        assert (whole["request_id"], whole["state"]) == (made.headers["x-request-id"], "completed")
        assert whole["prompt"] is None
        assert shown_now["image_count"] >= 1
        assert shown_now["last_used_at"]

    async def test_log_is_forgotten_when_asked_and_figures_stay(self, admin: httpx.AsyncClient) -> None:
        before = await ok(admin, "GET", "/api/stats")

        await ok(admin, "DELETE", "/api/logs")

        assert await ok(admin, "GET", "/api/logs") == []
        assert await ok(admin, "GET", "/api/stats") == before
        assert (await admin.get("/api/logs/1")).json()["code"] == "record_not_found"

    async def test_debug_log_is_switched(self, admin: httpx.AsyncClient) -> None:
        for enabled in (True, False):
            assert (await ok(admin, "POST", "/api/admin/debug", {"enabled": enabled}))["enabled"] is enabled
            assert (await ok(admin, "GET", "/api/admin/config"))["debug_enabled"] is enabled


class TestSystem:
    async def test_tells_how_the_pool_stands(self, admin: httpx.AsyncClient, gateway: Gateway) -> None:
        info = (await ok(admin, "GET", "/api/system/info"))["info"]
        async with httpx.AsyncClient(base_url=gateway.url) as stranger:
            health = await ok(stranger, "GET", "/health")

        assert info["total_tokens"] == health["total_tokens"] >= 2
        assert info["version"]
        assert info["total_credits"] > 0
        assert health["backend_running"]
        assert health["has_active_tokens"]
        assert set(health) == {
            "backend_running",
            "has_active_tokens",
            "total_tokens",
            "active_tokens",
            "tokens_missing_at",
            "tokens_expired",
            "tokens_expiring_within_1h",
            "banned_429_tokens",
        }

    async def test_metrics_count_what_was_made(self, admin: httpx.AsyncClient, gateway: Gateway) -> None:
        picture = {"model": "gpt-image-1", "prompt": "a red kite"}
        async with httpx.AsyncClient(base_url=gateway.url, timeout=30) as client:
            made = await client.post(
                "/v1/images/generations", json=picture, headers={"authorization": f"Bearer {gateway.key}"}
            )
        assert made.status_code == 200

        text = (await admin.get("/metrics")).text

        assert 'flow2api_generations_total{kind="image",state="completed"}' in text
        assert 'flow2api_accounts{status="active"}' in text
        assert 'flow2api_generation_duration_seconds_bucket{kind="image",le="+Inf"}' in text

    async def test_schema_describes_every_route(self, admin: httpx.AsyncClient) -> None:
        described = (await admin.get("/schema")).json()

        assert {"/api/tokens", "/api/tokens/{token_id}", "/api/admin/login", "/health"} <= set(described["paths"])
        change = described["paths"]["/api/tokens/{token_id}"]["put"]
        assert sorted(change["responses"]) == ["200", "400", "401", "403", "404", "409", "503"]
        for status in change["responses"].keys() - {"200"}:
            shape = change["responses"][status]["content"]["application/json"]["schema"]
            assert shape == {"$ref": "#/components/schemas/ErrorAnswer"}, status
        assert set(described["components"]["schemas"]["ErrorAnswer"]["required"]) == {"detail", "code", "request_id"}
        assert change["description"].startswith("Change an account.")
        pushed = described["paths"]["/api/plugin/update-token"]["post"]
        assert (change["security"], pushed["security"]) == ([{"session": []}], [{"connection_token": []}])
        imported = described["paths"]["/api/tokens/import"]["post"]["requestBody"]["content"]["application/json"]
        assert imported["schema"]["properties"]["tokens"]["maxItems"] == 100_000
        assert not [path for path in described["paths"] if path.startswith(("/v1", "/openai", "/media"))]
        assert described["paths"]["/api/tokens"]["get"]["security"] == [{"session": []}]

    async def test_tmp_serves_media_under_the_same_signature(self, gateway: Gateway) -> None:
        async with httpx.AsyncClient(base_url=gateway.url, timeout=30) as client:
            picture = {"model": "dall-e-3", "prompt": "a green kite", "response_format": "url"}
            made = await client.post(
                "/v1/images/generations", json=picture, headers={"authorization": f"Bearer {gateway.key}"}
            )
            link = made.json()["data"][0]["url"].removeprefix(gateway.url)
            there, here = await client.get(link), await client.get(link.replace("/media/", "/tmp/"))
            unsigned = await client.get(link.replace("/media/", "/tmp/").partition("?")[0])

        assert here.status_code == 200
        assert here.content == there.content
        assert unsigned.status_code == 404


async def test_session_survives_a_restart(gateway: Gateway) -> None:
    async with session(gateway) as client:
        gateway.stop()
        gateway.start()
        await asyncio.to_thread(gateway.wait_until_ready)

        assert (await client.get("/api/admin/config")).status_code == 200


async def test_secrets_stand_in_no_file(gateway: Gateway, admin: httpx.AsyncClient, account: dict[str, Any]) -> None:
    token = admin.headers["authorization"].removeprefix("Bearer ")
    await shown(admin, account["id"], reveal="true")

    kept = b"".join(file.read_bytes() for file in (gateway.folder / "data").glob("flow2api.db*"))
    for secret in (token, account["st"], PASSPHRASE):
        assert secret.encode() not in kept
        assert secret not in gateway.output()

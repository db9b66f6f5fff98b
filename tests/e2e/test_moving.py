"""Accounts that come from elsewhere or are changed beside the running server, which takes all of it in by itself."""

import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from flow2api.testing.simulator import SimulatorControl
from tests.e2e.conftest import OPTIONS
from tests.e2e.processes import Gateway, Simulator
from tests.e2e.test_refusals import IMAGE, ask
from tests.unit.adapters.legacy.old_files import old_file, token

EMAILS = ["one@example.com", "two@example.com"]
PASSPHRASE = "seven grey herons by the weir"
WITHIN_S = 60.0


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    options = {**OPTIONS, "era": "2026-06"}
    with Simulator(tmp_path_factory.mktemp("simulator"), options, [{"email": one} for one in EMAILS]) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Gateway(tmp_path_factory.mktemp("gateway"), simulator) as running:
        yield running


@pytest.fixture
async def control(simulator: Simulator) -> AsyncIterator[SimulatorControl]:
    async with SimulatorControl(simulator.ready["base_url"]) as control:
        yield control
        await control.clear_faults()


async def until_painted_by(gateway: Gateway, control: SimulatorControl, key: str, email: str) -> None:
    """Until the server has read of the last change, which it looks for once a second, and of those before it."""
    account, deadline = (await control.account(email)).id, time.monotonic() + WITHIN_S
    while True:
        before = max((call.id for call in await control.requests()), default=0)
        status = ask(gateway, "POST", IMAGE, {"prompt": "a mug"}, key=key)[0]
        calls = await control.requests(call="generate_images", after=before)
        if status == 200 and {call.account for call in calls} == {account}:
            return
        assert time.monotonic() < deadline
        time.sleep(0.1)


async def painters(gateway: Gateway, control: SimulatorControl, key: str, many: int = 6) -> set[str]:
    """Whose pictures a key gets."""
    emails = {account.id: account.email for account in await control.accounts()}
    before = max((call.id for call in await control.requests()), default=0)
    for _ in range(many):
        answer = ask(gateway, "POST", IMAGE, {"prompt": "a mug"}, key=key)
        assert answer[0] == 200, answer
    calls = await control.requests(call="generate_images", after=before)
    return {emails[call.account] for call in calls if call.account is not None}


def accounts(gateway: Gateway) -> dict[str, dict[str, Any]]:
    return {one["email"]: one for one in json.loads(gateway.run("accounts", "list", "--json"))["accounts"]}


async def test_key_with_a_tag_uses_only_accounts_that_have_it(gateway: Gateway, control: SimulatorControl) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not all(accounts(gateway).get(one, {}).get("is_warm") for one in EMAILS):
        assert time.monotonic() < deadline
        time.sleep(0.2)  # the keeper learns an account's address when it warms it
    gateway.run("accounts", "tag", "lab", "two@example.com")
    key = str(json.loads(gateway.run("keys", "create", "--name", "lab", "--tag", "lab", "--json"))["key"])

    await until_painted_by(gateway, control, key, "two@example.com")
    assert await painters(gateway, control, key) == {"two@example.com"}
    gateway.run("accounts", "untag", "lab", "two@example.com")
    gateway.run("accounts", "tag", "lab", "one@example.com")
    await until_painted_by(gateway, control, key, "one@example.com")
    assert await painters(gateway, control, key) == {"one@example.com"}


async def test_old_file_is_brought_over_beside_the_running_server(gateway: Gateway, control: SimulatorControl) -> None:
    newcomer = await control.add_account(email="old@example.com")
    rows = [token(1, st=newcomer.session_token, email="Old@example.com", current_project_id=None)]
    path = old_file(gateway.folder / "flow.db", {"tokens": rows})

    report = json.loads(gateway.run("import-legacy", str(path), "--json"))

    assert report["tables"]["tokens"]["added"] == 1
    deadline = time.monotonic() + WITHIN_S
    while not accounts(gateway)["old@example.com"]["is_warm"]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert json.loads(gateway.run("import-legacy", str(path), "--json"))["tables"]["tokens"]["added"] == 0


async def test_extension_heals_an_account_whose_session_has_ended(gateway: Gateway, control: SimulatorControl) -> None:
    passphrase = gateway.folder / "passphrase"
    passphrase.write_text(PASSPHRASE)
    gateway.run("operator", "create", "--passphrase-file", str(passphrase))
    signed_in = ask(gateway, "POST", "/api/admin/login", {"username": "operator", "password": PASSPHRASE}, key=None)
    assert signed_in[0] == 200, signed_in
    made = ask(gateway, "POST", "/api/plugin/config", {"connection_token": ""}, key=signed_in[2]["token"])
    connection = made[2]["config"]["connection_token"]
    await control.patch_account("two@example.com", revoked="empty")
    gateway.ran("accounts", "refresh", "two@example.com")
    assert accounts(gateway)["two@example.com"]["reason"] == "auth_expired"
    dead = ask(gateway, "POST", "/api/plugin/update-token", {"session_token": "dead-".ljust(300, "x")}, key=connection)
    assert dead[0] >= 400
    await control.patch_account("two@example.com", revoked="no")
    fresh = await control.sign_in("two@example.com")

    pushed = ask(gateway, "POST", "/api/plugin/update-token", {"session_token": fresh.session_token}, key=connection)

    assert (pushed[0], pushed[2]["action"]) == (200, "updated"), pushed
    assert accounts(gateway)["two@example.com"]["status"] == "active"
    checked = ask(gateway, "POST", "/api/plugin/check-tokens", key=connection)
    standings = {one["email"]: one["needs_session_token"] for one in checked[2]["tokens"]}
    assert standings["two@example.com"] is False
    assert ask(gateway, "POST", "/api/plugin/check-tokens", key=gateway.key)[0] == 401

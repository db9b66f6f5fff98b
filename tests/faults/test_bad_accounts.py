"""Accounts of every bad kind rest for the right reason, are left alone, and keep nobody from a picture."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from flow2api.testing.simulator import SimulatorControl
from tests.e2e.processes import Gateway
from tests.security.wire import Wire

KINDS: dict[str, tuple[dict[str, Any], str, int]] = {
    "grant": ({"grant_expired": True}, "auth_expired", 2),
    "empty": ({"revoked": "empty"}, "auth_expired", 1),
    "unauthorized": ({"revoked": "unauthorized"}, "auth_expired", 1),
    "refresh": ({"refresh_needed": True}, "auth_expired", 1),
    "migrated": ({"migrated": True}, "unusable", 1),
    "signed-out": ({"signed_out": True}, "auth_expired", 1),
}
"""What is wrong with it, why it rests then, and how often at most its session may be exchanged."""


def email(kind: str) -> str:
    return f"{kind}@example.com"


def rests(gateway: Gateway) -> dict[str, str | None]:
    listed = json.loads(gateway.run("accounts", "list", "--json"))
    rows = listed["accounts"] if isinstance(listed, dict) else listed
    return {row["email"]: row["reason"] for row in rows}


@pytest.fixture
def wire(gateway: Gateway) -> Wire:
    assert gateway.child is not None
    return Wire(gateway.port, gateway.key, gateway.child.pid)


async def test_each_rests_for_its_reason_and_is_left_alone(
    gateway: Gateway, wire: Wire, control: SimulatorControl, tmp_path: Path
) -> None:
    added = {kind: await control.add_account(email=email(kind), **knobs) for kind, (knobs, _, _) in KINDS.items()}
    stale = await control.add_account(email="stale@example.com", stale_then_rotate=True)
    rows = [{"session_token": one.session_token, "email": one.knobs.email} for one in (*added.values(), stale)]
    file = tmp_path / "import.json"
    file.write_text(json.dumps({"tokens": rows}))
    gateway.run("accounts", "import", str(file))

    expected = {email(kind): reason for kind, (_, reason, _) in KINDS.items()}
    deadline = time.monotonic() + 40
    while not expected.items() <= (found := rests(gateway)).items():
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.2)

    for _ in range(20):
        answer = await asyncio.to_thread(wire.ask, "POST", "/v1/images/generations", {"prompt": "a mug"})
        assert answer.status == 200
    for kind, (_, _, at_most) in KINDS.items():
        assert len(await control.requests(call="exchange", account=added[kind].id)) <= at_most, kind
        assert not await control.requests(call="generate_images", account=added[kind].id)
    assert rests(gateway)["stale@example.com"] is None

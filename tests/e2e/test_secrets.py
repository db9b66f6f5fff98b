"""No secret stands where a stranger may read: the log at its most talkative, the command line, the database."""

import json
from pathlib import Path

from flow2api.testing.simulator import SimulatorControl
from tests.e2e.conftest import OPTIONS
from tests.e2e.processes import Gateway, Simulator
from tests.e2e.test_refusals import IMAGE, ask

ACCOUNTS = [{"email": "one@example.com"}, {"email": "two@example.com"}]
TALKATIVE = {
    "FLOW2API_LOG_LEVEL": "debug",
    "FLOW2API_OPTIONS__IMAGE_WAIT_S": "0.5",
    "FLOW2API_OPTIONS__DEBUG_LOG": "true",
    "FLOW2API_OPTIONS__LOG_BODIES": "true",
    "FLOW2API_OPTIONS__LOG_PROMPTS": "full",
}
ACCESS_TOKEN_HEAD = "ya29."
SESSION_TOKEN_HEAD = "eyJhbGciOiJkaXIi"
BAD_ROWS = [
    {"session_token": "canary-of-a-bad-row", "video_concurrency": "many"},
    {"session_token": ["canary-of-a-bad-row"]},
    {"session_token": "canary of a bad row"},
    {"session_token": SESSION_TOKEN_HEAD + "canary-of-a-bad-row", "upstream": "nowhere"},
]


async def test_no_secret_is_logged_printed_or_stored_as_it_is(tmp_path: Path) -> None:
    with (
        Simulator(tmp_path, {**OPTIONS, "era": "2026-06"}, ACCOUNTS) as simulator,
        Gateway(tmp_path, simulator, environment=TALKATIVE) as gateway,
    ):
        secrets = {ACCESS_TOKEN_HEAD, SESSION_TOKEN_HEAD, gateway.key, "canary-of-a-bad-row", "canary of a bad row"}
        async with SimulatorControl(simulator.ready["base_url"]) as control:
            assert ask(gateway, "POST", IMAGE, {"prompt": "a success"})[0] == 200
            gateway.wait_until_warm()  # the keeper would bring tokens that live
            for email in ("one@example.com", "two@example.com"):
                await control.kill_access_tokens(email)
            ask(gateway, "POST", IMAGE, {"prompt": "a dead access token"})
            assert any(call.status == 401 for call in await control.requests(call="generate_images"))
            await control.patch_account("one@example.com", revoked="unauthorized")
            await control.patch_account("two@example.com", revoked="unauthorized")
            for email in ("one@example.com", "two@example.com"):
                await control.kill_access_tokens(email)
            refused = ask(gateway, "POST", IMAGE, {"prompt": "a revoked session"})
            assert refused[0] >= 500, refused
            secrets |= {account.session_token for account in await control.accounts()}
        ask(gateway, "GET", "/v1/models", key=gateway.key + "x")
        bad = tmp_path / "bad.json"
        bad.write_text(json.dumps({"tokens": BAD_ROWS}))
        printed = ""
        for command in (
            ["accounts", "import", str(bad)],
            ["accounts", "refresh", "one@example.com"],
            ["accounts", "list", "--json"],
            ["keys", "list", "--json"],
            ["logs", "--json"],
            ["logs", "--number", "1"],
            ["stats", "--by", "account"],
        ):
            done = gateway.ran(*command)
            assert "Traceback" not in done.err
            printed += done.out + done.err
        assert "one@example.com" in printed
        assert gateway.stop() == 0
        assert "account" in gateway.output()
        kept = {file.name: file.read_bytes() for file in (gateway.folder / "data").glob("*.db*")}
        assert "flow2api.db" in kept
        kept["debug.log"] = (gateway.folder / "data" / "debug.log").read_bytes()
        for word in (b"upstream call", b"account chosen", b"attempt failed", b"a revoked session"):
            assert word in kept["debug.log"]
        assert b"a success" in kept["flow2api.db"] + kept.get("flow2api.db-wal", b"")
        places = {"the log": gateway.output().encode(), "the command line": printed.encode(), **kept}
        assert b"one@example.com" in b"".join(kept.values())
        found = [(place, secret[:8]) for place, text in places.items() for secret in secrets if secret.encode() in text]
        assert found == []

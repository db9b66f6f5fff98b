from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flow2api.domain.errors import StorageFullError
from tests.command_line import CommandLine
from tests.unit.cli.conftest import Stage


def by_name(report: Any) -> dict[str, dict[str, str | None]]:
    return {check["name"]: check for check in report["checks"]}


def test_fresh_installation_is_fine_but_for_what_it_lacks(run: CommandLine, stage: Stage) -> None:
    ran = run("doctor", "--json")

    checks = by_name(ran.json)
    assert ran.code == 0
    assert ran.json["ok"] is True
    assert [name for name, check in checks.items() if check["state"] != "ok"] == ["accounts", "API keys"]
    assert list(checks) == [
        "settings",
        "plugins",
        "data folder",
        "media folder",
        "secret key",
        "public address",
        "open files",
        "clock",
        "upstream addresses",
        "database",
        "database file",
        "database writes",
        "options",
        "proxies",
        "accounts",
        "API keys",
        "media store",
        "models",
    ]
    assert all(check["sentence"] and (check["state"] == "ok") is (check["cure"] is None) for check in checks.values())
    assert stage.storage.closed == 1
    assert stage.upstream.calls == []


def test_nothing_is_left_in_the_media_store(run: CommandLine, tmp_path: Path) -> None:
    run("doctor")

    assert [path for path in (tmp_path / "data" / "media").rglob("*") if path.is_file()] == []


def test_people_get_a_line_for_each_check_and_its_cure(run: CommandLine) -> None:
    lines = run("doctor").out.splitlines()

    assert lines[0] == "ok    settings            The settings can be used."
    assert any(line.startswith("warn  API keys            There is no active API key") for line in lines)
    assert lines[-3].strip() == "-> Run `flow2api keys create`."


def test_settings_that_cannot_be_used_are_a_finding(run: CommandLine) -> None:
    ran = run("doctor", "--json", FLOW2API_PORT="many")

    assert ran.code == 1
    assert [(check["name"], check["state"]) for check in ran.json["checks"]] == [("settings", "fail")]
    assert "port" in ran.json["checks"][0]["sentence"]


def test_backend_that_no_plugin_offers_is_a_finding(run: CommandLine) -> None:
    ran = run("doctor", "--json", FLOW2API_COORDINATION_URL="redsi://host")

    assert ran.code == 1
    assert by_name(ran.json)["backends"]["state"] == "fail"
    assert "coordination_url" in (by_name(ran.json)["backends"]["sentence"] or "")


def test_database_that_does_not_open_leaves_out_what_needs_it(
    run: CommandLine, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full() -> None:
        raise StorageFullError("There is no room left for the database; free some space on its disk.")

    monkeypatch.setattr(stage.storage, "open", full)

    ran = run("doctor", "--json")

    checks = by_name(ran.json)
    assert ran.code == 1
    assert checks["database"]["state"] == "fail"
    assert "accounts" not in checks
    assert checks["media store"]["state"] == "ok"
    assert stage.storage.closed == 0


def test_database_that_cannot_be_written_fails_alone(run: CommandLine, stage: Stage) -> None:
    stage.tables.fault = StorageFullError("There is no room left.")

    checks = by_name(run("doctor", "--json").json)

    assert [name for name, check in checks.items() if check["state"] == "fail"] == ["database writes"]


def test_stored_option_of_a_plugin_that_is_gone_fails(run: CommandLine, stage: Stage) -> None:
    stage.tables.options["policy"] = "gone"

    assert by_name(run("doctor", "--json").json)["options"]["state"] == "fail"


def test_accounts_are_counted_by_how_they_stand(run: CommandLine, token_file: Path) -> None:
    run("accounts", "add", "--session-token-file", token_file)
    run("accounts", "add", "--session-token-file", "-", stdin=token_file.read_text().strip() + "2")
    run("accounts", "disable", "2")

    found = by_name(run("doctor", "--json").json)["accounts"]

    assert (found["state"], found["sentence"]) == ("ok", "1 active, 1 disabled (1 of them not yet warmed).")


def test_online_asks_the_hosts_only_when_told(run: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def answers_at(origin: str) -> int:
        asked.append(origin)
        return 200

    monkeypatch.setattr("flow2api.adapters.probe.answers_at", answers_at)

    run("doctor")
    assert asked == []

    checks = by_name(run("doctor", "--online", "--json").json)
    assert asked == ["https://labs.google", "https://aisandbox-pa.googleapis.com"]
    assert checks["reach flow labs"]["sentence"] == "https://labs.google answers (status 200)."


def test_a_clock_that_went_back_is_noticed(run: CommandLine, stage: Stage, token_file: Path) -> None:
    run("accounts", "add", "--session-token-file", token_file)
    stage.tables.accounts[1] = replace(stage.tables.accounts[1], created_at=datetime(2090, 1, 1, tzinfo=UTC))

    assert "the clock went back" in (by_name(run("doctor", "--json").json)["accounts"]["sentence"] or "")

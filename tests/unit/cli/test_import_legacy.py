from datetime import UTC, datetime
from pathlib import Path

import pytest

from flow2api.domain.account import Account
from tests.command_line import CommandLine
from tests.unit.adapters.legacy.old_files import old_file, token
from tests.unit.cli.conftest import Stage


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return old_file(
        tmp_path / "flow.db",
        {
            "tokens": [token(1), token(2, st="eyJcanary"), token(3, is_active=0)],
            "tasks": [{"task_id": "a", "token_id": 1, "model": "veo", "status": "completed"}],
            "request_logs": [{"token_id": 1, "operation": "generate_image", "created_at": "2026-11-22 10:00:00"}],
            "admin_config": [{"username": "admin", "password": "canary"}],
        },
    )


def emails(stage: Stage) -> list[str | None]:
    accounts: list[Account] = list(stage.tables.accounts.values())
    return [account.email for account in accounts]


def test_brings_over_what_can_be_and_says_what_cannot(run: CommandLine, stage: Stage, path: Path) -> None:
    ran = run("import-legacy", path)

    assert ran.code == 0, ran.err
    assert emails(stage) == ["p1@example.com", "p3@example.com"]
    assert len(stage.tables.generations) == 1
    lines = [line.split() for line in ran.out.splitlines()]
    assert ["tokens", "3", "2", "0", "1"] in lines
    assert ["tasks", "1", "1", "0", "0"] in lines
    assert "tokens: 1 skipped (2): The session token is too short or too long to be one." in ran.err
    assert "1 accounts were switched off there" in ran.err
    assert "The administrator and the API key of the old server don't come" in ran.err
    assert "canary" not in ran.out + ran.err
    assert stage.upstream.calls == []
    assert [(entry.action, entry.subject, entry.actor.door) for entry in stage.tables.audit] == [
        ("account.imported", "1-2", "command_line")
    ]


def test_again_it_brings_nothing_twice(run: CommandLine, stage: Stage, path: Path) -> None:
    run("import-legacy", path)

    ran = run("import-legacy", path, "--json")

    assert ran.code == 0
    assert ran.json["tables"]["tokens"] == {
        "rows": 3,
        "added": 0,
        "known": 2,
        "skipped": [
            {"reason": "The session token is too short or too long to be one.", "rows": 1, "examples": ["2"]},
        ],
    }
    assert ran.json["tables"]["tasks"]["known"] == 1
    assert len(stage.tables.accounts) == 2


def test_log_comes_as_far_back_as_it_is_kept(run: CommandLine, stage: Stage, tmp_path: Path) -> None:
    times = ["2001-01-01 00:00:00", datetime.now(UTC).isoformat()]
    log = [{"token_id": 1, "operation": "generate_image", "created_at": at} for at in times]
    old = old_file(tmp_path / "log.db", {"request_logs": log})

    ran = run("import-legacy", old, "--json", FLOW2API_OPTIONS__LOG_DAYS="7")

    assert ran.code == 0, ran.err
    assert (ran.json["tables"]["request_logs"]["rows"], ran.json["tables"]["request_logs"]["added"]) == (2, 1)


def test_another_file_ends_in_one_sentence(run: CommandLine, stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no database")

    ran = run("import-legacy", "notes.txt")

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("flow2api: The file notes.txt is no SQLite database")
    assert len(ran.err.splitlines()) == 1
    assert stage.storage.opened == 0

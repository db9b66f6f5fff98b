from pathlib import Path

import pytest

from flow2api.domain.audit import AuditAction
from flow2api.testing.fakes.storage import FakeStorage
from tests.command_line import CommandLine
from tests.unit.cli.conftest import Stage


@pytest.fixture
def removed(run: CommandLine, token_file: Path) -> int:
    added = run("accounts", "add", "--session-token-file", token_file, "--name", "studio 1", "--tag", "eu", "--json")
    number: int = added.json["id"]
    assert run("accounts", "remove", "studio 1", "--yes").code == 0
    return number


def test_deleted_ones_are_listed_with_who_and_until_when(run: CommandLine, removed: int) -> None:
    told = run("accounts", "deleted", "--json").json["accounts"]

    assert [(one["id"], one["name"], one["tags"]) for one in told] == [(removed, "studio 1", ["eu"])]
    assert told[0]["deleted_by"]
    assert told[0]["kept_until"] > told[0]["deleted_at"]
    table = run("accounts", "deleted")
    assert "studio 1" in table.out
    assert "xxxx" not in table.out


def test_restored_one_is_as_it_was(run: CommandLine, stage: Stage, removed: int) -> None:
    ran = run("accounts", "restore", "studio 1", "--json")

    assert (ran.json["id"], ran.json["name"], ran.json["tags"]) == (removed, "studio 1", ["eu"])
    assert list(stage.tables.accounts) == list(stage.tables.credentials) == [removed]
    assert stage.tables.deleted == {}
    assert stage.tables.audit[-1].action is AuditAction.ACCOUNT_RESTORED
    again = run("accounts", "restore", str(removed))
    assert again.code == 1
    assert "There is no deleted account" in again.err
    assert "No deleted account can be brought back." in run("accounts", "deleted").err


def test_restored_one_is_told_as_a_table(run: CommandLine, removed: int) -> None:
    ran = run("accounts", "restore", str(removed))

    assert f"Brought the account {removed} back." in ran.out
    assert "studio 1" in ran.out


def test_one_whose_token_is_used_again_stays_deleted(
    run: CommandLine, stage: Stage, token_file: Path, removed: int
) -> None:
    assert run("accounts", "add", "--session-token-file", token_file).code == 0

    ran = run("accounts", "restore", str(removed))

    assert ran.code == 1
    assert "delete that one first" in ran.err
    assert list(stage.tables.deleted) == [removed]


def test_storage_that_keeps_none_says_so(run: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(FakeStorage, "trash")

    for command in (("deleted",), ("restore", "1")):
        ran = run("accounts", *command)
        assert ran.code == 1
        assert "keeps no deleted accounts" in ran.err

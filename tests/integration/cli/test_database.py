"""Commands over a real database in a file, in this process."""

import json
import secrets
import stat
from pathlib import Path

import pytest

from tests.command_line import CommandLine


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    return CommandLine({"FLOW2API_DATA_DIR": "data"})


def rows(many: int) -> str:
    return json.dumps(
        [
            {
                "email": f"p{number}@example.com",
                "session_token": "eyJ" + secrets.token_urlsafe(300),
                "is_active": number % 3 != 0,
                "video_enabled": number % 2 == 0,
            }
            for number in range(many)
        ]
    )


def test_first_command_makes_everything_that_is_needed_for_its_owner_alone(run: CommandLine, tmp_path: Path) -> None:
    made = run("keys", "create")

    assert made.code == 0, made.err
    assert made.out.startswith("f2a_")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}
    assert modes == {"flow2api.db": 0o600, "secret.key": 0o600}
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert [key["name"] for key in run("keys", "list", "--json").json["keys"]] == ["key 1"]


def test_restored_backup_brings_back_what_was_there(run: CommandLine, tmp_path: Path) -> None:
    run("keys", "create", "--name", "kept")
    backup = run("db", "backup", "copy.db", "--json").json
    run("keys", "revoke", "kept")

    restored = run("db", "restore", "copy.db", "--yes", "--json").json

    assert backup == {"file": "copy.db", "size_bytes": (tmp_path / "copy.db").stat().st_size}
    assert Path(restored["former"]).is_file()
    assert [key["revoked_at"] for key in run("keys", "list", "--json").json["keys"]] == [None]


def test_people_are_told_where_things_are(run: CommandLine) -> None:
    assert run("db", "upgrade").out == "The schema of the database is up to date.\n"
    assert "is sound." in run("db", "check").out
    assert run("db", "backup", "copy.db").out.startswith("Wrote copy.db (")
    assert "There is a file copy.db already" in run("db", "backup", "copy.db").err
    assert run("db", "restore", "copy.db").code == 1
    assert "The former database is data/flow2api.db.before-restore-" in run("db", "restore", "copy.db", "--yes").out


def test_check_of_no_database_makes_none(run: CommandLine, tmp_path: Path) -> None:
    checked = run("db", "check")

    assert (checked.code, checked.err) == (1, "flow2api: There is no database data/flow2api.db.\n")
    assert not (tmp_path / "data").exists()


def test_backup_of_another_installation_is_refused(run: CommandLine) -> None:
    run("keys", "create", FLOW2API_DATA_DIR="other")
    run("db", "backup", "foreign.db", FLOW2API_DATA_DIR="other")
    run("keys", "create", "--name", "mine")

    refused = run("db", "restore", "foreign.db", "--yes")

    assert refused.code == 78
    assert "sealed with another key" in refused.err
    assert [key["name"] for key in run("keys", "list", "--json").json["keys"]] == ["mine"]


def test_backup_is_of_no_use_without_its_key(run: CommandLine, tmp_path: Path) -> None:
    run("keys", "create")
    run("db", "backup", "copy.db")
    (tmp_path / "data" / "secret.key").unlink()

    refused = run("db", "restore", "copy.db", "--yes")

    assert refused.code == 78
    assert "there is no key to read them" in refused.err
    assert not (tmp_path / "data" / "secret.key").exists()


def test_damaged_database_is_told(run: CommandLine, tmp_path: Path) -> None:
    run("accounts", "import", "-", stdin=rows(300))
    database = tmp_path / "data" / "flow2api.db"
    with database.open("r+b") as file:
        # Behind the schema, whose pages come first: what is damaged there cannot even be opened, and says so.
        file.seek(database.stat().st_size // 4096 * 3 // 4 * 4096)
        file.write(b"\xff" * 4096 * 8)

    checked = run("db", "check", "--json")

    assert checked.code == 1
    assert checked.json["sound"] is False
    assert "restore a backup" in run("db", "check").out


def test_session_tokens_are_sealed_and_can_be_moved_to_another_installation(run: CommandLine, tmp_path: Path) -> None:
    given = rows(50)
    assert run("accounts", "import", "-", "--json", stdin=given).json["added"] == 50
    (tmp_path / "passphrase").write_text("correct horse battery")
    assert run("accounts", "export", "moved.json", "--passphrase-file", "passphrase").code == 0

    moved = run("accounts", "import", "moved.json", "--passphrase-file", "passphrase", FLOW2API_DATA_DIR="other")

    assert moved.out == "Added 50, updated 0, unchanged 0.\n"
    plain = run("accounts", "export", "--plain").out
    assert plain == run("accounts", "export", "--plain", FLOW2API_DATA_DIR="other").out
    tokens = {row["session_token"] for row in json.loads(given)}
    assert {row["session_token"] for row in json.loads(plain)["tokens"]} == tokens
    stored = b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir())
    assert not any(token.encode() in stored for token in tokens)


def test_doctor_finds_a_key_file_that_others_can_read(run: CommandLine, tmp_path: Path) -> None:
    run("keys", "create")
    (tmp_path / "data" / "secret.key").chmod(0o644)

    found = run("doctor", "--json")

    assert found.code == 1
    failed = [check for check in found.json["checks"] if check["state"] == "fail"]
    assert [check["name"] for check in failed] == ["secret key", "database"]
    assert failed[0]["cure"].startswith("chmod 600 ")

import stat
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from flow2api.domain.account import RestReason
from flow2api.domain.errors import StorageError
from tests.command_line import CommandLine
from tests.unit.cli.conftest import Stage

PASSPHRASE = "correct horse battery"
TOKEN = "eyJ" + "x" * 300


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    file = tmp_path / "passphrase"
    file.write_text(f"{PASSPHRASE}\n")
    return file


@pytest.fixture
def one_account(run: CommandLine, token_file: Path) -> None:
    options = ("--name", "first", "--email", "me@example.com", "--tag", "eu", "--video-slots", "2")
    assert run("accounts", "add", "--session-token-file", token_file, *options).code == 0


@pytest.mark.usefixtures("one_account")
def test_plain_export_has_the_form_of_an_import(run: CommandLine) -> None:
    ran = run("accounts", "export", "--plain")

    assert ran.json == {
        "tokens": [
            {
                "session_token": TOKEN,
                "email": "me@example.com",
                "name": "first",
                "tags": ["eu"],
                "is_active": True,
                "image_enabled": True,
                "video_enabled": True,
                "image_concurrency": -1,
                "video_concurrency": 2,
            }
        ]
    }


@pytest.mark.usefixtures("one_account")
def test_export_is_encrypted_unless_told_otherwise(
    run: CommandLine, stage: Stage, tmp_path: Path, passphrase: Path
) -> None:
    ran = run("accounts", "export", "out.json", "--passphrase-file", passphrase)

    assert ran.code == 0, ran.err
    written = (tmp_path / "out.json").read_bytes()
    assert b"xxx" not in written
    assert b"me@example.com" not in written
    assert stat.S_IMODE((tmp_path / "out.json").stat().st_mode) == 0o600

    before = stage.tables.accounts.pop(1)
    token = stage.tables.credentials.pop(1)
    imported = run("accounts", "import", "out.json", "--passphrase-file", passphrase)

    assert imported.out == "Added 1, updated 0, unchanged 0.\n"
    after = stage.tables.accounts[2]
    assert (after.name, after.email, after.tags, after.capacity) == (
        before.name,
        before.email,
        before.tags,
        before.capacity,
    )
    assert after.rest_of(RestReason.MANUAL) is None
    assert stage.tables.credentials[2] == token


@pytest.mark.usefixtures("one_account")
def test_wrong_passphrase_opens_nothing(run: CommandLine, passphrase: Path) -> None:
    run("accounts", "export", "out.json", "--passphrase-file", passphrase)

    ran = run("accounts", "import", "out.json", "--passphrase-file", "-", stdin="another passphrase")

    assert (ran.code, ran.err) == (1, "flow2api: The passphrase is wrong, or the file is damaged.\n")


def test_export_without_a_passphrase_is_refused_when_nobody_can_be_asked(run: CommandLine, tmp_path: Path) -> None:
    ran = run("accounts", "export", "out.json")

    assert ran.code == 1
    assert "--passphrase-file" in ran.err
    assert not (tmp_path / "out.json").exists()


def test_short_passphrase_is_refused(run: CommandLine) -> None:
    ran = run("accounts", "export", "--passphrase-file", "-", stdin="short")

    assert "fewer than 12 characters" in ran.err


def test_plain_and_a_passphrase_exclude_each_other(run: CommandLine, passphrase: Path) -> None:
    assert run("accounts", "export", "--plain", "--passphrase-file", passphrase).code == 2


@pytest.mark.usefixtures("one_account")
def test_export_overwrites_nothing(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "out.json").write_text("mine")

    ran = run("accounts", "export", "out.json", "--plain")

    assert "There is a file out.json already" in ran.err
    assert (tmp_path / "out.json").read_text() == "mine"


@pytest.mark.usefixtures("one_account")
def test_folder_that_cannot_be_written_is_told(run: CommandLine) -> None:
    ran = run("accounts", "export", "nowhere/out.json", "--plain")

    assert ran.err == "flow2api: The file nowhere/out.json cannot be written: No such file or directory.\n"


@pytest.mark.usefixtures("one_account")
def test_plain_export_says_so(run: CommandLine, tmp_path: Path) -> None:
    ran = run("accounts", "export", "out.json", "--plain")

    assert ran.err == "Wrote 1 account into out.json, in plain text.\n"
    assert msgspec.json.decode((tmp_path / "out.json").read_bytes())["tokens"][0]["session_token"] == TOKEN


@pytest.mark.usefixtures("one_account")
def test_table_brings_the_same_accounts_back(run: CommandLine, stage: Stage, passphrase: Path) -> None:
    run("accounts", "update", "first", "--weight", "7")
    before = stage.tables.accounts[1]
    assert run("accounts", "export", "out.csv", "--plain", "--format", "csv").code == 0
    assert run("accounts", "export", "out.sealed", "--format", "csv", "--passphrase-file", passphrase).code == 0
    for file, options in (("out.csv", ()), ("out.sealed", ("--passphrase-file", passphrase))):
        run("accounts", "remove", "first", "--yes")

        ran = run("accounts", "import", file, *options, "--json")

        assert (ran.code, ran.json["added"]) == (0, 1), ran.err
        (back,) = stage.tables.accounts.values()
        assert replace(back, id=1, created_at=before.created_at) == before


@pytest.mark.usefixtures("one_account")
def test_export_is_in_the_audit_log_or_does_not_happen(run: CommandLine, stage: Stage, tmp_path: Path) -> None:
    assert run("accounts", "export", "--plain").code == 0
    entry = stage.tables.audit[-1]
    assert (entry.action, dict(entry.details)) == ("account.exported", {"accounts": 1, "is_plain": True})
    stage.tables.audit_fault = StorageError("The audit log refuses.")

    ran = run("accounts", "export", "out.json", "--plain")

    assert (ran.code, ran.err) == (1, "flow2api: The audit log refuses.\n")
    assert not (tmp_path / "out.json").exists()

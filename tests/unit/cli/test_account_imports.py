from pathlib import Path

import msgspec
import pytest

from tests.command_line import CommandLine
from tests.unit.cli.conftest import Stage


def rows(many: int, **fields: object) -> list[dict[str, object]]:
    return [
        {"session_token": f"eyJ{number}-".ljust(300, "s"), "email": f"p{number}@example.com", **fields}
        for number in range(1, many + 1)
    ]


def test_stores_rows_and_calls_nobody(run: CommandLine, stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "in.json").write_bytes(msgspec.json.encode({"tokens": rows(3)}))

    ran = run("accounts", "import", "in.json", "--json")

    assert ran.code == 0, ran.err
    assert ran.json == {"added": 3, "updated": 0, "unchanged": 0, "errors": []}
    assert [account.email for account in stage.tables.accounts.values()] == [f"p{n}@example.com" for n in (1, 2, 3)]
    assert stage.upstream.calls == []


def test_bad_rows_are_told_by_number_and_stop_nothing(run: CommandLine, stage: Stage) -> None:
    given = rows(4)
    given[1]["session_token"] = "eyJcanary"
    given[2]["is_active"] = "canary"

    ran = run("accounts", "import", "-", "--json", stdin=msgspec.json.encode(given))

    assert ran.code == 1
    assert ran.json["added"] == 2
    assert [error["row"] for error in ran.json["errors"]] == [2, 3]
    assert "canary" not in ran.out + ran.err
    assert len(stage.tables.accounts) == 2


def test_people_get_a_summary_and_the_first_bad_rows(run: CommandLine) -> None:
    given = [*rows(1), *[{"session_token": ""}] * 25]

    ran = run("accounts", "import", "-", stdin=msgspec.json.encode(given))

    assert ran.code == 1
    assert ran.out == "Added 1, updated 0, unchanged 0.\n"
    told = ran.err.splitlines()
    assert "25 rows could not be used:" in told
    assert "  row 2: The session token is empty." in told
    assert "  … and more; --json tells all." in told
    assert not any("row 22" in line for line in told)


def test_bad_line_that_is_like_another_one_names_that_line(run: CommandLine) -> None:
    tokens = [f"eyJ{letter}".ljust(300, "s") for letter in "ab"]
    lines = f"# accounts\n{tokens[0]} one@example.com\n\n{tokens[1]} one@example.com\n"

    ran = run("accounts", "import", "-", stdin=lines)

    assert "1 line could not be used:" in ran.err
    assert "  line 4: Line 2 has the same address with another session token." in ran.err


def test_a_file_of_another_form_stores_nothing(run: CommandLine, stage: Stage) -> None:
    ran = run("accounts", "import", "-", stdin="{}")

    assert (ran.code, ran.out) == (1, "")
    assert 'not of the form {"tokens": [...]}' in ran.err
    assert stage.storage.opened == 0


def test_a_file_that_is_too_large_is_refused(run: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flow2api.cli.account_imports.MOST_BYTES", 1024)

    assert "larger than 1 KiB" in run("accounts", "import", "-", stdin=b" " * 1025 + b"[]").err
    assert "larger than 1 KiB" in run("accounts", "import", "-", stdin=b" " * 4096 + b"[]").err
    assert run("accounts", "import", "-", stdin=b" " * 1000 + b"[]").code == 0


def test_a_name_that_is_no_file_is_told(run: CommandLine) -> None:
    assert "No such file" in run("accounts", "import", "nowhere.json").err


def test_empty_file_is_told_as_such(run: CommandLine) -> None:
    ran = run("accounts", "import", "-", stdin=" \n")
    assert (ran.code, ran.err) == (1, "flow2api: The file is empty.\n")


def test_accounts_of_a_file_use_the_proxy_that_is_named(run: CommandLine, stage: Stage) -> None:
    run("proxies", "add", "http://one.example:1", "--pool", "eu")
    given = msgspec.json.encode(rows(2))
    run("accounts", "import", "-", stdin=msgspec.json.encode(rows(1)))

    refused = run("accounts", "import", "-", "--proxy", "euu", stdin=given)
    report = run("accounts", "import", "-", "--proxy", "eu", "--json", stdin=given).json

    assert "Did you mean 'eu'?" in refused.err
    assert (report["added"], report["updated"]) == (1, 1)
    assert [account.proxy for account in stage.tables.accounts.values()] == ["eu", "eu"]
    run("accounts", "import", "-", "--proxy", "global", stdin=given)
    assert [account.proxy for account in stage.tables.accounts.values()] == [None, None]

from pathlib import Path

import pytest

from flow2api.domain.account import AccountStatus, Capacity, RestReason
from tests.command_line import CommandLine
from tests.unit.cli.conftest import Stage

TOKEN = "eyJ" + "x" * 300


def add(run: CommandLine, token: str = TOKEN, *options: str) -> int:
    added = run("accounts", "add", "--session-token-file", "-", "--json", *options, stdin=token)
    assert added.code == 0, added.err
    number: int = added.json["id"]
    return number


def test_add_stores_what_it_is_told_and_calls_nobody(run: CommandLine, stage: Stage, token_file: Path) -> None:
    options = ("--name", "first", "--tag", "team", "--tag", "eu", "--image-slots", "4", "--video-slots", "0")

    ran = run("accounts", "add", "--session-token-file", token_file, "--email", "Me@Example.com", *options, "--json")

    account = stage.tables.accounts[1]
    assert (account.name, account.email) == ("first", "me@example.com")
    assert account.capacity == Capacity(4, 0)
    assert account.tags == {"team", "eu"}
    assert stage.tables.credentials[1].session_token.reveal() == TOKEN
    assert ran.json["tags"] == ["eu", "team"]
    assert (ran.json["image_slots"], ran.json["video_slots"], ran.json["status"]) == (4, 0, "active")
    assert stage.upstream.calls == []


def test_token_is_shown_by_no_command(run: CommandLine, token_file: Path) -> None:
    told = [
        run("accounts", "add", "--session-token-file", token_file),
        run("accounts", "add", "--session-token-file", token_file),
        run("accounts", "list"),
        run("accounts", "list", "--json"),
        run("accounts", "disable", "1", "--json"),
        run("accounts", "remove", "1", "--yes"),
    ]

    assert [ran.code for ran in told] == [0, 1, 0, 0, 0, 0]
    assert all("xxxx" not in ran.out + ran.err for ran in told)


@pytest.mark.parametrize(
    ("token", "problem"),
    [
        ("", "The session token is empty."),
        ("eyJ" + "x" * 20, "The session token has 23 characters; a whole one has 200 or more."),
        ("eyJ" + "x" * 300 + "\nX-Other: 1", "one line"),
        ("session=" + '"' + "x" * 300, "one line"),
        (b"\xff" * 300, "The session token file is no text."),
    ],
)
def test_token_that_cannot_be_one_is_refused(run: CommandLine, stage: Stage, token: str | bytes, problem: str) -> None:
    ran = run("accounts", "add", "--session-token-file", "-", stdin=token)

    assert ran.code == 1
    assert problem in ran.err
    assert stage.tables.accounts == {}


def test_token_file_that_is_missing_is_told(run: CommandLine) -> None:
    ran = run("accounts", "add", "--session-token-file", "nowhere")

    assert ran.err == "flow2api: The session token file nowhere cannot be read: No such file or directory.\n"


def test_unknown_upstream_is_refused_with_the_nearest(run: CommandLine, token_file: Path) -> None:
    ran = run("accounts", "add", "--session-token-file", token_file, "--upstream", "flwo")

    assert (ran.code, ran.err) == (1, "flow2api: There is no upstream 'flwo'. Did you mean flow?\n")


def test_list_tells_how_accounts_stand_and_why(run: CommandLine) -> None:
    add(run, TOKEN, "--name", "works")
    add(run, TOKEN + "2", "--name", "rests")
    run("accounts", "disable", "rests")

    table = run("accounts", "list").out.splitlines()
    listed = run("accounts", "list", "--json").json["accounts"]

    assert [line.split()[:6] for line in table[1:]] == [
        ["1", "works", "flow", "-", "active", "warming"],
        ["2", "rests", "flow", "-", "disabled", "manual"],
    ]
    assert [(one["status"], one["reason"], one["is_warm"]) for one in listed] == [
        ("active", None, False),
        ("disabled", "manual", False),
    ]


def test_list_can_be_narrowed(run: CommandLine) -> None:
    add(run, TOKEN, "--tag", "eu")
    add(run, TOKEN + "2")
    run("accounts", "disable", "2")

    assert [one["id"] for one in run("accounts", "list", "--tag", "eu", "--json").json["accounts"]] == [1]
    assert [one["id"] for one in run("accounts", "list", "--status", "disabled", "--json").json["accounts"]] == [2]


def test_list_of_nothing_says_what_to_do(run: CommandLine) -> None:
    ran = run("accounts", "list")

    assert (ran.code, ran.out) == (0, "")
    assert "flow2api accounts add" in ran.err


def test_a_name_cannot_steer_the_terminal(run: CommandLine, stage: Stage) -> None:
    number = add(run)
    stage.tables.accounts[number] = stage.tables.accounts[number].resting(
        RestReason.UNUSABLE, stage.tables.accounts[number].created_at, why="\x1b[2J"
    )

    assert "\x1b" not in run("accounts", "list").out


def test_disabled_account_can_be_enabled_again(run: CommandLine, stage: Stage) -> None:
    number = add(run)

    assert run("accounts", "disable", str(number), "--json").json["status"] == "disabled"
    assert run("accounts", "enable", str(number), "--json").json["status"] == AccountStatus.ACTIVE
    assert stage.tables.accounts[number].rests == ()


def test_removed_account_is_gone_with_its_secrets(run: CommandLine, stage: Stage) -> None:
    number = add(run)

    ran = run("accounts", "remove", str(number), "--yes", "--json")

    assert ran.json["id"] == number
    assert stage.tables.accounts == {}
    assert stage.tables.credentials == {}


def test_nothing_is_removed_when_nobody_can_be_asked(run: CommandLine, stage: Stage) -> None:
    number = add(run)

    ran = run("accounts", "remove", str(number))

    assert ran.code == 1
    assert "--yes" in ran.err
    assert list(stage.tables.accounts) == [number]


def test_new_account_uses_the_proxy_that_is_named(run: CommandLine, stage: Stage) -> None:
    run("proxies", "add", "http://one.example:1", "--pool", "eu")
    add(run, TOKEN, "--proxy", "eu")
    add(run, TOKEN + "2", "--proxy", "global")
    refused = run("accounts", "add", "--session-token-file", "-", "--proxy", "euu", stdin=TOKEN + "3")

    assert [account.proxy for account in stage.tables.accounts.values()] == ["eu", None]
    assert "Did you mean 'eu'?" in refused.err

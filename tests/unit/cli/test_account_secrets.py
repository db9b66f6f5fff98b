"""Accounts of every kind through the command line: added, changed, brought over, tried."""

from pathlib import Path

import pytest

from flow2api.domain.account import RestReason
from tests.command_line import CommandLine
from tests.unit.cli.conftest import Stage

HOME = "https://media.example.org/v1"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "key"
    file.write_text("canary-1\n")
    return file


def test_account_with_a_key_is_added(run: CommandLine, stage: Stage, key_file: Path) -> None:
    ran = run("accounts", "add", "--upstream", "keyed", "--api-key-file", key_file, "--name", "studio", "--json")

    assert (ran.code, ran.json["id"], ran.json["upstream"], ran.json["name"]) == (0, 1, "keyed", "studio")
    assert ran.json["base_url"] is None
    assert stage.tables.credentials[1].session_token.reveal() == "canary-1"
    assert stage.keyed.calls == []
    assert "canary" not in ran.out + ran.err


def test_account_with_a_key_and_a_base_url_is_added(run: CommandLine, stage: Stage) -> None:
    options = ("--upstream", "hosts", "--base-url", "https://Media.example.org/v1/", "--api-key-file", "-")
    ran = run("accounts", "add", *options, "--json", stdin="canary-1")

    assert (ran.code, ran.json["base_url"]) == (0, HOME)
    assert stage.tables.accounts[1].base_url == HOME


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("keyed",), "wants an API key (--api-key-file): --api-key-file is missing."),
        (("keyed", "--session-token-file", "KEY"), "--session-token-file does not belong to it."),
        (("keyed", "--api-key-file", "KEY", "--base-url", HOME), "--base-url does not belong to it."),
        (("hosts", "--api-key-file", "KEY"), "and a base URL (--base-url): --base-url is missing."),
        (("hosts", "--api-key-file", "KEY", "--base-url", "http://a.b"), "The base URL has to be https"),
        (("hosts", "--api-key-file", "KEY", "--base-url", f"{HOME}?key=x"), "no query"),
        (("flow", "--api-key-file", "KEY"), "wants a session token (--session-token-file)"),
        (("flow",), "--session-token-file is missing."),
        (("hots", "--api-key-file", "KEY"), "There is no upstream 'hots'. Did you mean hosts?"),
        (("keyed", "--api-key-file", "nowhere"), "The API key file nowhere cannot be read"),
        (("keyed", "--api-key-file", "-", "--session-token-file", "-"), "Standard input holds one secret only."),
    ],
)
def test_what_the_upstream_does_not_want_is_refused(
    run: CommandLine, stage: Stage, key_file: Path, options: tuple[str, ...], problem: str
) -> None:
    ran = run("accounts", "add", "--upstream", *(str(key_file) if one == "KEY" else one for one in options))

    assert ran.code != 0
    assert problem in ran.err
    assert "canary" not in ran.out + ran.err
    assert stage.tables.accounts == {}


def test_key_that_is_there_already_is_told(run: CommandLine, key_file: Path) -> None:
    options = ("accounts", "add", "--upstream", "keyed", "--api-key-file", key_file)
    run(*options)

    ran = run(*options)

    assert (ran.code, ran.err) == (1, "flow2api: The account 1 has this API key already.\n")


def test_key_is_replaced_and_a_host_only_with_its_key(run: CommandLine, stage: Stage, key_file: Path) -> None:
    run("accounts", "add", "--upstream", "hosts", "--base-url", HOME, "--api-key-file", key_file, "--name", "h")
    created = stage.tables.accounts[1]
    stage.tables.accounts[1] = created.resting(RestReason.AUTH_EXPIRED, created.created_at)

    alone = run("accounts", "update", "h", "--base-url", "https://new.example.org")
    replaced = run("accounts", "update", "h", "--api-key-file", "-", "--json", stdin="canary-2")
    moved = run(
        "accounts",
        "update",
        "h",
        "--base-url",
        "https://new.example.org",
        "--api-key-file",
        "-",
        "--json",
        stdin="canary-2",
    )
    wrong = run("accounts", "update", "h", "--session-token-file", "-", stdin="canary-3")

    assert (alone.code, "--api-key-file is missing" in alone.err) == (1, True)
    assert (replaced.json["base_url"], replaced.json["status"]) == (HOME, "active")
    assert moved.json["base_url"] == stage.tables.accounts[1].base_url == "https://new.example.org"
    assert stage.tables.credentials[1].session_token.reveal() == "canary-2"
    assert wrong.code == 1
    assert "canary" not in "".join(one.out + one.err for one in (alone, replaced, moved, wrong))
    shown = run("accounts", "show", "h").out + run("accounts", "list").out
    assert "hosts" in shown
    assert "session" not in shown


def test_export_brings_accounts_of_every_kind_over(
    run: CommandLine, stage: Stage, tmp_path: Path, key_file: Path
) -> None:
    run("accounts", "add", "--session-token-file", "-", stdin="eyJ" + "x" * 300)
    run("accounts", "add", "--upstream", "keyed", "--api-key-file", key_file)
    run("accounts", "add", "--upstream", "hosts", "--base-url", HOME, "--api-key-file", "-", stdin="canary-2")
    before = {number: (one.upstream, one.base_url) for number, one in stage.tables.accounts.items()}

    for form in ("json", "csv"):
        file = tmp_path / f"all.{form}"
        assert run("accounts", "export", file, "--plain", "--format", form).code == 0
        assert run("accounts", "import", file, "--json").json["unchanged"] == 3
        for number in list(stage.tables.accounts):
            run("accounts", "remove", str(number), "--yes")
        assert run("accounts", "import", file, "--json").json["added"] == 3
        assert [(one.upstream, one.base_url) for one in stage.tables.accounts.values()] == list(before.values())
        secrets = [one.session_token.reveal() for one in stage.tables.credentials.values()]
        assert secrets == ["eyJ" + "x" * 300, "canary-1", "canary-2"]


def test_refresh_tries_a_key_and_says_what_is_wrong_with_it(run: CommandLine, stage: Stage, key_file: Path) -> None:
    run("accounts", "add", "--upstream", "keyed", "--api-key-file", key_file, "--name", "good")
    run("accounts", "add", "--upstream", "keyed", "--api-key-file", "-", "--name", "bad", stdin="canary-2")
    stage.keyed.add_key("canary-1")

    good, bad = run("accounts", "refresh", "good", "--json"), run("accounts", "refresh", "bad", "--json")
    again = run("accounts", "refresh", "bad", "--json")

    assert (good.json["accounts"][0]["outcome"], good.json["accounts"][0]["tier"]) == ("refreshed", "free")
    assert (bad.code, bad.json["accounts"][0]["problem"]) == (1, "The API key is not accepted.")
    assert stage.tables.accounts[2].rest_of(RestReason.AUTH_EXPIRED) is not None
    assert again.json["accounts"][0]["outcome"] == "skipped"
    assert "--api-key-file FILE" in again.json["accounts"][0]["problem"]
    assert stage.keyed.count("exchange") == 2
    assert "session" not in run("accounts", "list").out + run("accounts", "show", "bad").out

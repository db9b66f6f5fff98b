import asyncio
import io
from pathlib import Path

import click
import pytest

from flow2api.adapters.vault import Argon2Passphrases
from flow2api.domain.operator import Role
from flow2api.domain.second_factor import SecondFactor
from flow2api.domain.secret import Secret
from flow2api.testing.fakes.clock import START
from tests.command_line import CommandLine
from tests.unit.cli.conftest import Stage

GOOD = "quiet maple river lamp"
FROM_STDIN = ("--passphrase-file", "-")


def is_right(passphrase: str, kept: Secret) -> bool:
    return asyncio.run(Argon2Passphrases().verify(Secret(passphrase), kept))


def test_first_one_owns_and_only_the_hash_is_kept(run: CommandLine, stage: Stage) -> None:
    ran = run("operator", "create", *FROM_STDIN, stdin=f"{GOOD}\n")

    assert (ran.code, ran.out) == (0, "Made the owner 'operator' (id 1).\n")
    kept = stage.tables.operators[1].passphrase_hash
    assert kept.reveal().startswith("$argon2id$v=19$")
    assert is_right(GOOD, kept)


def test_passphrase_may_come_from_a_file(run: CommandLine, stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "passphrase").write_text(f"{GOOD}\n")

    made = run("operator", "create", "--name", "Ada", "--passphrase-file", tmp_path / "passphrase", "--json").json

    assert set(made) == {"id", "name", "role", "created_at", "passphrase_changed_at"}
    assert (made["id"], made["name"], made["role"]) == (1, "Ada", "owner")
    assert len(stage.tables.operators) == 1


def test_terminal_asks_twice(run: CommandLine, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def prompt(text: str, *, hide_input: bool, confirmation_prompt: bool, err: bool) -> str:
        asked.append((hide_input, confirmation_prompt))
        return GOOD

    monkeypatch.setattr(click, "prompt", prompt)
    monkeypatch.setattr("flow2api.cli.inputs.sys", _with_terminal())

    assert run("operator", "create").code == 0
    assert asked == [(True, True)]
    assert len(stage.tables.operators) == 1


def test_without_terminal_or_file_nothing_is_made(run: CommandLine, stage: Stage) -> None:
    ran = run("operator", "create")

    assert ran.code == 1
    assert "--passphrase-file" in ran.err
    assert stage.tables.operators == {}


@pytest.mark.parametrize("passphrase", ["admin", "password12345", "operatoroperator", "Correct Horse Battery Staple"])
def test_passphrase_that_everybody_would_try_is_refused(run: CommandLine, stage: Stage, passphrase: str) -> None:
    ran = run("operator", "create", *FROM_STDIN, stdin=passphrase)

    assert ran.code == 1
    assert ran.err.splitlines()[-1].startswith("flow2api: The passphrase ")
    assert passphrase not in ran.err
    assert stage.tables.operators == {}


def test_passphrase_is_never_an_argument(run: CommandLine) -> None:
    assert run("operator", "create", "--passphrase", GOOD).code == 2
    assert run("operator", "create", "ada", GOOD).code == 2


def test_reset_replaces_passphrase_and_stamp(run: CommandLine, stage: Stage) -> None:
    run("operator", "create", *FROM_STDIN, stdin=GOOD)
    before = stage.tables.operators[1]

    ran = run("operator", "reset-password", *FROM_STDIN, stdin="another maple river lamp")

    after = stage.tables.operators[1]
    assert (ran.code, ran.out) == (0, "'operator' (id 1) has a new passphrase.\n")
    assert after.stamp != before.stamp
    assert is_right("another maple river lamp", after.passphrase_hash)


def test_reset_of_one_among_several_needs_its_name_or_id(run: CommandLine) -> None:
    for name in ("ada", "bob"):
        run("operator", "create", "--name", name, *FROM_STDIN, stdin=GOOD)

    refused = run("operator", "reset-password", *FROM_STDIN, stdin=GOOD)

    assert refused.code == 1
    assert "several operators" in refused.err
    assert run("operator", "reset-password", "2", *FROM_STDIN, "--json", stdin=GOOD).json["name"] == "bob"
    assert run("operator", "reset-password", "eve", *FROM_STDIN, stdin=GOOD).code == 1


def test_list_shows_who_there_is_but_no_hash(run: CommandLine, stage: Stage) -> None:
    for name in ("ada", "bob"):
        run("operator", "create", "--name", name, *FROM_STDIN, stdin=GOOD)

    listed, as_json = run("operator", "list"), run("operator", "list", "--json")

    assert [line.split()[:3] for line in listed.out.splitlines()[1:]] == [
        ["1", "ada", "owner"],
        ["2", "bob", "operator"],
    ]
    assert [one["role"] for one in as_json.json["operators"]] == ["owner", "operator"]
    secrets = [text for one in stage.tables.operators.values() for text in (one.passphrase_hash.reveal(), one.stamp)]
    assert [text for text in secrets if text in listed.out + as_json.out] == []


def test_list_of_nobody_says_what_to_do(run: CommandLine) -> None:
    ran = run("operator", "list")

    assert (ran.code, ran.out) == (0, "")
    assert "flow2api operator create" in ran.err


def _with_terminal() -> object:
    """A ``sys`` whose standard input says that somebody sits there."""

    class Sys:
        stdin = io.StringIO()

    Sys.stdin.isatty = lambda: True  # type: ignore[method-assign]
    return Sys


def test_role_is_that_which_was_asked_for_except_of_the_first(run: CommandLine, stage: Stage) -> None:
    for name in ("ada", "bob", "eve"):
        run("operator", "create", "--name", name, "--role", "viewer", *FROM_STDIN, stdin=f"{GOOD}\n")

    assert [one.role for one in stage.tables.operators.values()] == [Role.OWNER, Role.VIEWER, Role.VIEWER]
    assert run("operator", "create", "--role", "king", *FROM_STDIN, stdin=f"{GOOD}\n").code == 2


def test_removed_one_is_gone_and_the_last_owner_stays(run: CommandLine, stage: Stage) -> None:
    for name in ("ada", "bob"):
        run("operator", "create", "--name", name, *FROM_STDIN, stdin=f"{GOOD}\n")

    refused, removed = run("operator", "remove", "ada"), run("operator", "remove", "BOB")

    assert (refused.code, refused.err.splitlines()[-1]) == (
        1,
        "flow2api: Somebody has to own the server; make another operator its owner first.",
    )
    assert (removed.code, removed.out) == (0, "Removed the operator 'bob' (id 2); every session of theirs has ended.\n")
    assert list(stage.tables.operators) == [1]
    entry = stage.tables.audit[-1]
    assert (entry.action, entry.subject) == ("operator.removed", "2")
    assert entry.details == {"name": "bob", "role": "operator"}
    assert run("operator", "remove", "eve").code == 1


def test_role_is_changed_unless_nobody_would_own_the_server(run: CommandLine, stage: Stage) -> None:
    for name in ("ada", "bob"):
        run("operator", "create", "--name", name, *FROM_STDIN, stdin=f"{GOOD}\n")

    refused, changed = run("operator", "set-role", "ada", "viewer"), run("operator", "set-role", "bob", "owner")
    run("operator", "set-role", "bob", "owner")
    given_up = run("operator", "set-role", "1", "viewer", "--json")

    assert refused.code == 1
    assert (changed.code, changed.out) == (0, "'bob' (id 2) is an owner.\n")
    assert given_up.json["role"] == "viewer"
    changes = [(one.subject, one.details) for one in stage.tables.audit if one.action == "operator.role_changed"]
    assert changes == [
        ("2", {"before": {"role": "operator"}, "after": {"role": "owner"}}),
        ("1", {"before": {"role": "owner"}, "after": {"role": "viewer"}}),
    ]
    assert run("operator", "set-role", "bob", "king").code == 2


def test_entry_of_a_new_passphrase_says_whose_it_is(run: CommandLine, stage: Stage) -> None:
    run("operator", "create", *FROM_STDIN, stdin=GOOD)

    run("operator", "reset-password", *FROM_STDIN, stdin="another maple river lamp")

    assert (stage.tables.audit[-1].action, stage.tables.audit[-1].subject) == ("operator.passphrase_changed", "1")


def test_sign_out_ends_every_session_and_keeps_the_passphrase(run: CommandLine, stage: Stage) -> None:
    run("operator", "create", *FROM_STDIN, stdin=GOOD)
    before = stage.tables.operators[1]

    ran = run("operator", "sign-out", "operator")

    after = stage.tables.operators[1]
    assert (ran.code, ran.out) == (0, "Every session of 'operator' (id 1) has ended.\n")
    assert (after.stamp != before.stamp, after.passphrase_hash) == (True, before.passphrase_hash)
    assert (stage.tables.audit[-1].action, stage.tables.audit[-1].subject) == ("operator.sessions_ended", "1")


def test_setup_code_is_printed_and_kept_as_a_hash(run: CommandLine, stage: Stage) -> None:
    ran, as_json = run("operator", "setup-code"), run("operator", "setup-code", "--json").json

    code = ran.out.split()[-1]
    assert len(code.replace("-", "")) == 26
    assert "http://127.0.0.1:8000/setup" in ran.out
    assert set(as_json) == {"code", "expires_at", "url"}
    assert as_json["code"] != code
    assert len(stage.tables.setup_codes) == 2
    assert code not in repr(stage.tables)
    assert [one.action for one in stage.tables.audit] == ["operator.setup_code_made"] * 2


def test_there_is_no_setup_code_once_there_is_an_operator(run: CommandLine, stage: Stage) -> None:
    run("operator", "create", *FROM_STDIN, stdin=GOOD)

    ran = run("operator", "setup-code")

    assert (ran.code, ran.out) == (1, "")
    assert "set up already" in ran.err
    assert stage.tables.setup_codes == {}


def test_second_factor_is_taken_away_on_the_machine(run: CommandLine, stage: Stage) -> None:
    run("operator", "create", *FROM_STDIN, stdin=GOOD)
    stage.tables.second_factors[1] = SecondFactor(operator_id=1, secret=Secret("s" * 32), created_at=START)

    first, second = run("operator", "disable-totp"), run("operator", "disable-totp", "OPERATOR")

    assert (first.code, first.out) == (0, "'operator' (id 1) signs in without a code from now on.\n")
    assert (second.code, second.out) == (0, "'operator' (id 1) has no second factor; nothing was changed.\n")
    assert stage.tables.second_factors == {}
    removed = [(one.action, one.subject) for one in stage.tables.audit if "second_factor" in one.action]
    assert removed == [("operator.second_factor_removed", "1")]
    assert run("operator", "disable-totp", "--json").json["name"] == "operator"
    assert run("operator", "disable-totp", "eve").code == 1

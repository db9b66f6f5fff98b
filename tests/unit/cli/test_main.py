import sys
from pathlib import Path

import pytest

from flow2api.cli.main import main
from tests.command_line import CommandLine
from tests.unit.cli.conftest import Stage


@pytest.mark.parametrize(
    "arguments",
    [
        ("accounts", "list"),
        ("keys", "list"),
        ("operator", "list"),
        ("models",),
        ("plugins",),
        ("policies", "list"),
        ("db", "upgrade"),
        ("doctor",),
    ],
)
def test_every_group_speaks_json_and_takes_a_settings_file(
    run: CommandLine, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "other.toml").write_text('log_level = "error"\n')

    ran = run(*arguments, "--json", "--config", tmp_path / "other.toml")

    assert ran.code == 0, ran.err
    assert isinstance(ran.json, dict)


def test_settings_that_cannot_be_used_end_with_their_own_exit_code(run: CommandLine) -> None:
    ran = run("keys", "list", FLOW2API_PROT="1")

    assert ran.code == 78
    assert ran.err == "flow2api: The settings cannot be used. There is no setting 'prot'. Did you mean 'port'?\n"


def test_a_settings_file_that_is_missing_is_told(run: CommandLine) -> None:
    ran = run("plugins", "--config", "nowhere.toml")

    assert (ran.code, ran.out) == (78, "")
    assert "nowhere.toml cannot be read: No such file" in ran.err


def test_a_settings_file_that_is_no_text_is_told(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe")

    ran = run("plugins", "--config", tmp_path / "bad.toml")

    assert ran.code == 78
    assert "no UTF-8 text" in ran.err


def test_our_errors_are_one_line_and_fail(run: CommandLine) -> None:
    ran = run("keys", "revoke", "a\nb")

    assert ran.code == 1
    assert (
        ran.err.splitlines(keepends=True)[-1]
        == "flow2api: There is no active key 'a\\nb'; `flow2api keys list` shows them.\n"
    )


def test_wrong_usage_ends_with_two(run: CommandLine) -> None:
    assert run("keys", "create", "--colour").code == 2


def test_storage_is_closed_after_an_error(run: CommandLine, stage: Stage) -> None:
    run("accounts", "disable", "7")

    assert (stage.storage.opened, stage.storage.closed) == (1, 1)


@pytest.mark.parametrize(
    ("arguments", "code"), [(["--version"], 0), (["nothing"], 2), (["plugins", "--config", "nowhere.toml"], 78)]
)
def test_the_program_ends_with_the_code_of_its_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str], code: int
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["flow2api", *arguments])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == code


def test_interruption_ends_as_shells_expect(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("flow2api.cli.plugins.print_json", lambda value: interrupted())
    monkeypatch.setattr(sys, "argv", ["flow2api", "plugins", "--json"])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 130

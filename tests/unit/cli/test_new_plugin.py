"""The files of a new plugin."""

import importlib
import tomllib
from pathlib import Path

import pytest

from flow2api.cli.new_plugin import files_of
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.selection import Candidate
from flow2api.extensions import load_extensions
from flow2api.testing.factories import AccountFactory
from flow2api.testing.ready import picks, ready_of
from tests.command_line import CommandLine


@pytest.mark.parametrize("name", ["Thrifty", "two words", "a-b", "1st", "class", "_x", "x__y", "", "../up"])
def test_name_that_a_plugin_cannot_have_is_refused(name: str) -> None:
    with pytest.raises(UnsupportedInputError):
        files_of(name)


@pytest.mark.parametrize("name", ["policies", "random", "flow", "sql", "host", "plugins"])
def test_name_that_the_program_has_taken_is_refused_for_nothing_could_be_loaded_under_it(name: str) -> None:
    with pytest.raises(UnsupportedInputError, match="taken"):
        files_of(name)


@pytest.mark.parametrize(
    "name",
    ["thrifty", "true", "candidate", "need", "ready_set", "named_policy", "settings", "selection_policy", "test"],
)
def test_plugin_is_loaded_whatever_its_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path, text in files_of(name).items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)

    extensions = load_extensions(extra={name: importlib.import_module(f"flow2api_{name}")})

    assert extensions.left_out == ()
    assert picks(extensions.policies[name].build(), ready_of(Candidate(AccountFactory.build(id=7))), 1) == [7]


def test_files_name_the_plugin_and_leave_no_blank() -> None:
    files = files_of("very_thrifty")

    project = tomllib.loads(files["pyproject.toml"])
    assert project["project"]["name"] == "flow2api-very-thrifty"
    assert project["project"]["entry-points"]["flow2api"] == {"very_thrifty": "flow2api_very_thrifty"}
    assert "class VeryThriftyChoice:" in files["flow2api_very_thrifty/policy.py"]
    for path, text in files.items():
        if path.endswith(".py"):
            compile(text, path, "exec")
            assert all(len(line) <= 120 for line in text.splitlines())
        assert not [word for word in ("@name@", "@NAME@", "@Class@", "@dashed@", "@version@") if word in text]


def test_package_is_written_where_it_is_wanted_and_nothing_is_written_over(run: CommandLine, tmp_path: Path) -> None:
    written = run("plugins", "new", "thrifty", "--in", tmp_path / "there")
    again = run("plugins", "new", "thrifty", "--in", tmp_path / "there")

    assert (written.code, again.code) == (0, 1)
    assert (tmp_path / "there" / "flow2api-thrifty" / "flow2api_thrifty" / "policy.py").is_file()
    assert "There is a" in again.err


def test_name_that_cannot_be_is_told_in_one_line(run: CommandLine) -> None:
    ran = run("plugins", "new", "Thrifty")

    assert (ran.code, ran.err.count("\n")) == (1, 1)

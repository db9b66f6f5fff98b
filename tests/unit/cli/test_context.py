import os
from pathlib import Path

import pytest

from flow2api.cli.context import installation
from flow2api.domain.errors import ConfigurationError


def test_settings_file_is_named_by_the_command_line_then_the_environment(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text("port = 1\n")
    (tmp_path / "two.toml").write_text("port = 2\n")
    environment = {"FLOW2API_CONFIG": str(tmp_path / "two.toml")}

    assert installation(environment=environment).settings.port == 2
    assert installation(config=str(tmp_path / "one.toml"), environment=environment).settings.port == 1


def test_environment_wins_over_the_file_and_the_command_line_over_both(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text('port = 1\nhost = "::1"\n')
    config = str(tmp_path / "one.toml")

    assert installation(config=config, environment={"FLOW2API_PORT": "2"}).settings.port == 2
    here = installation({"port": 3, "host": None}, config=config, environment={"FLOW2API_PORT": "2"})
    assert (here.settings.port, here.settings.host) == (3, "::1")


@pytest.mark.parametrize("text", ['plugins = ["nobody"]\n', None])
def test_plugin_that_is_not_installed_is_an_error(tmp_path: Path, text: str | None) -> None:
    (tmp_path / "one.toml").write_text(text or "")
    environment = {} if text else {"FLOW2API_PLUGINS": "nobody"}

    with pytest.raises(ConfigurationError, match="'nobody', which is not installed"):
        installation(config=str(tmp_path / "one.toml"), environment=environment)


def test_file_that_is_no_toml_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text("port = = 1")

    with pytest.raises(ConfigurationError, match="cannot be read"):
        installation(config=str(tmp_path / "one.toml"), environment={})


def test_no_file_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert installation(environment={}).settings.port == 8000
    assert installation(config=os.devnull, environment={}).settings.port == 8000

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

import pytest

from flow2api.cli import context
from flow2api.cli.context import installation
from flow2api.domain.errors import ConfigurationError
from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.ports.storage import Storage
from flow2api.domain.ports.system import Clock
from flow2api.extensions import load_extensions
from flow2api.hookspecs import Section, StorageFactory, hookimpl
from flow2api.testing.fakes.storage import FakeStorage


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
def test_plugin_that_is_not_installed_is_left_out(tmp_path: Path, text: str | None) -> None:
    (tmp_path / "one.toml").write_text(text or "")
    environment = {} if text else {"FLOW2API_PLUGINS": "nobody"}

    (plugin,) = installation(config=str(tmp_path / "one.toml"), environment=environment).extensions.left_out
    assert (plugin.name, plugin.source) == ("nobody", "not found")


def test_file_that_is_no_toml_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text("port = = 1")

    with pytest.raises(ConfigurationError, match="cannot be read"):
        installation(config=str(tmp_path / "one.toml"), environment={})


def test_no_file_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert installation(environment={}).settings.port == 8000
    assert installation(config=os.devnull, environment={}).settings.port == 8000


class SilentStorage:
    """A storage that tells its options only when it is open."""

    def __init__(self, tables: FakeStorage) -> None:
        self.options = tables.options
        self.steps: list[str] = []

    async def open(self) -> None:
        self.steps.append("open")

    async def aclose(self) -> None:
        self.steps.append("close")


async def test_storage_that_cannot_be_peeked_into_is_opened_and_closed_for_the_option(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tables = FakeStorage()
    await tables.options.write({"plugins": ("nobody",)}, "me")
    storage = SilentStorage(tables)
    monkeypatch.setattr(context, "peek_options", lambda *_: None)
    monkeypatch.setattr(context, "build_storage", lambda *_: storage)

    here = installation(config=os.devnull, environment={})

    assert [plugin.name for plugin in here.extensions.left_out] == ["nobody"]
    assert storage.steps == ["open", "close"]


def ends(url: str, section: Section) -> Mapping[str, object]:
    raise SystemExit(3)


def hangs(url: str, section: Section) -> Mapping[str, object]:
    threading.Event().wait()
    return {}


def tells(url: str, section: Section) -> Mapping[str, object]:
    return {"plugins": ["nobody", url]}


@pytest.mark.parametrize(("peek", "named"), [(tells, ["nobody", "mine:x"]), (ends, []), (hangs, [])])
def test_storage_of_a_plugin_tells_the_option_without_being_made_and_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, peek: Callable[[str, Section], Mapping[str, object]], named: list[str]
) -> None:
    def build(url: str, section: Section, cipher: Cipher, clock: Clock) -> Storage:
        raise AssertionError("it was made")

    class Plugin:
        @hookimpl
        def register_storages(self) -> Iterable[StorageFactory]:
            return [StorageFactory("mine", ("mine",), build, peek)]

    monkeypatch.setattr(context, "load_extensions", partial(load_extensions, extra={"mine": Plugin()}))
    monkeypatch.setattr(context, "LOADING_S", 0.05)

    here = installation(config=os.devnull, environment={"FLOW2API_DATABASE_URL": "mine:x"})

    assert [plugin.name for plugin in here.extensions.left_out] == named


def test_storage_that_cannot_be_read_brings_no_plugins_and_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "flow2api.db").write_bytes(b"no database" * 1000)

    here = installation(config=os.devnull, environment={"FLOW2API_DATA_DIR": str(tmp_path)})

    assert here.extensions.left_out == ()

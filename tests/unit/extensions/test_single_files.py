"""Plugins that are one file each: only from places that nobody else can write."""

import os
import sys
from pathlib import Path

import pytest

from flow2api.domain.errors import PluginError
from flow2api.extensions.single_files import PluginFile, plugin_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text("answer = 42\n")
    (tmp_path / "mine.py").chmod(0o600)
    tmp_path.chmod(0o700)
    return tmp_path


def test_files_are_found_by_names_that_plugins_can_have(folder: Path) -> None:
    for name in ("_private.py", "notes.txt", "not-a-name.py"):
        (folder / name).touch()

    assert [file.name for file in plugin_files(folder)] == ["mine"]


def test_file_is_run_once_it_is_asked_for(folder: Path) -> None:
    (file,) = plugin_files(folder)
    assert file.module not in sys.modules

    module = file.load(file.sha256())

    assert (module.answer, module.__file__) == (42, str(folder / "mine.py"))
    assert sys.modules.pop(file.module) is module


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_folder_that_others_can_write_is_refused(folder: Path, mode: int) -> None:
    folder.chmod(mode)

    with pytest.raises(PluginError, match=f"can be written by others .* chmod go-w {folder}"):
        list(plugin_files(folder))


def test_file_that_others_can_write_is_refused(folder: Path) -> None:
    (folder / "mine.py").chmod(0o666)
    (file,) = plugin_files(folder)

    with pytest.raises(PluginError, match="can be written by others"):
        file.load()


def test_folder_below_one_that_others_can_write_is_refused(folder: Path) -> None:
    inner = folder / "inner"
    inner.mkdir(mode=0o700)
    folder.chmod(0o777)

    with pytest.raises(PluginError, match="could be exchanged by others"):
        list(plugin_files(inner))

    folder.chmod(0o1777)  # where each may only remove his own, as in /tmp
    assert list(plugin_files(inner)) == []


def test_folder_of_somebody_else_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() == 0:
        os.chown(folder, 12345, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 12345)

    with pytest.raises(PluginError, match="belongs to another user"):
        list(plugin_files(folder))


def test_file_that_is_another_one_by_now_is_refused(folder: Path) -> None:
    file = PluginFile(folder / "mine.py")
    told = file.sha256()
    file.path.write_text("answer = 43\n")

    with pytest.raises(PluginError, match="was changed while it was loaded"):
        file.load(told)


def test_file_that_fails_leaves_no_module_behind(folder: Path) -> None:
    file = PluginFile(folder / "mine.py")
    file.path.write_text("1 / 0\n")

    with pytest.raises(ZeroDivisionError):
        file.load()

    assert file.module not in sys.modules


def test_what_is_no_file_is_told_and_never_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe.py", 0o600)
    (folder / "inner.py").mkdir(mode=0o700)

    for file in (PluginFile(folder / "pipe.py"), PluginFile(folder / "inner.py")):
        assert file.sha256() is None
        with pytest.raises(PluginError, match="is no file"):
            file.load()


def test_link_to_a_file_is_followed(folder: Path) -> None:
    (folder / "data").mkdir(mode=0o700)
    (folder / "mine.py").rename(folder / "data" / "v1.py")
    (folder / "mine.py").symlink_to("data/v1.py")
    (file,) = plugin_files(folder)

    assert file.load(file.sha256()).answer == 42
    sys.modules.pop(file.module)


def test_link_by_way_of_a_folder_that_others_can_write_is_refused(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shared = tmp_path_factory.mktemp("shared")
    (folder / "mine.py").rename(folder / "v1.py")
    (shared / "hop.py").symlink_to(folder / "v1.py")
    (folder / "mine.py").symlink_to(shared / "hop.py")
    shared.chmod(0o777)

    with pytest.raises(PluginError, match=f"could be exchanged by others, for {shared}"):
        PluginFile(folder / "mine.py").load()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives links away")
def test_link_of_somebody_else_is_refused(folder: Path) -> None:
    (folder / "mine.py").rename(folder / "v1.py")
    (folder / "mine.py").symlink_to("v1.py")
    os.lchown(folder / "mine.py", 12345, -1)

    with pytest.raises(PluginError, match="is a link that belongs to another user"):
        PluginFile(folder / "mine.py").load()


def test_link_that_leads_to_itself_is_told(folder: Path) -> None:
    (folder / "loop.py").symlink_to("loop.py")

    with pytest.raises(PluginError, match="cannot be read"):
        PluginFile(folder / "loop.py").load()

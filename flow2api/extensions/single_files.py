"""Plugins that are one file each, in a folder of the operator's."""

import hashlib
import importlib.util
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from flow2api.domain.errors import PluginError

MODULE_PREFIX = "flow2api_plugin_file_"

_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class PluginFile:
    """A file that may hold a plugin, named by its stem."""

    path: Path

    @property
    def name(self) -> str:
        """Of the plugin."""
        return self.path.stem

    @property
    def module(self) -> str:
        """The name under which it is imported."""
        return MODULE_PREFIX + self.name

    def sha256(self) -> str | None:
        """Of its content; None when it cannot be read."""
        try:
            return hashlib.sha256(self.path.read_bytes()).hexdigest()
        except OSError:
            return None

    def load(self, expected: str | None = None) -> ModuleType:
        """Run it. What is run is what the hash was told of, even if the file changes meanwhile.

        Args:
            expected: Its SHA-256 as it was told.

        Raises:
            PluginError: Others could have written it, or it is no longer the one that was told.
            Exception: Whatever it raises.
        """
        check_not_writable_by_others(self.path)
        content = self.path.read_bytes()
        if expected is not None and hashlib.sha256(content).hexdigest() != expected:
            raise PluginError(f"{self.path} was changed while it was loaded.")
        spec = ModuleSpec(self.module, None, origin=str(self.path))
        module = importlib.util.module_from_spec(spec)
        module.__file__ = str(self.path)
        sys.modules[self.module] = module
        try:
            exec(compile(content, str(self.path), "exec"), module.__dict__)  # noqa: S102 - that is what a plugin is
        except BaseException:
            sys.modules.pop(self.module, None)
            raise
        return module


def plugin_files(folder: Path) -> Iterator[PluginFile]:
    """The files of a folder that have a name that a plugin can have.

    Raises:
        PluginError: The folder is missing, or others than its owner could put files there.
    """
    if not folder.is_dir():
        raise PluginError(f"The setting `plugins_dir` names {folder}, which is no folder.")
    check_not_writable_by_others(folder)
    for path in sorted(folder.glob("*.py")):
        if path.stem.isidentifier() and not path.stem.startswith("_"):
            yield PluginFile(path)


def check_not_writable_by_others(path: Path) -> None:
    """Refuse a place that somebody else than its owner could change, or that is another user's.

    Raises:
        PluginError: With what to do about it.
    """
    place = path.resolve()
    found = place.stat()
    if found.st_mode & _WRITABLE_BY_OTHERS:
        raise PluginError(
            f"{path} can be written by others (mode {stat.S_IMODE(found.st_mode):04o}), so no plugin is loaded from "
            f"there: chmod go-w {path}"
        )
    if found.st_uid not in (0, os.geteuid()):
        raise PluginError(f"{path} belongs to another user, so no plugin is loaded from there.")
    for above in place.parents:
        mode = above.stat().st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise PluginError(
                f"{path} could be exchanged by others, for {above} can be written by them: chmod o-w {above}"
            )

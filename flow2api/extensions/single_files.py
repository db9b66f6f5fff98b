"""Plugins that are one file each, in a folder of the operator's."""

import errno
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
from typing import BinaryIO

from flow2api.domain.errors import PluginError

MODULE_PREFIX = "flow2api_plugin_file_"

_MOST_LINKS = 40
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
            with _opened(self.path) as file:
                return hashlib.sha256(file.read()).hexdigest()
        except (OSError, PluginError):
            return None

    def load(self, expected: str | None = None) -> ModuleType:
        """Run it. What is run is what the hash was told of, even if the file changes meanwhile.

        Args:
            expected: Its SHA-256 as it was told.

        Raises:
            PluginError: Others could have written it, or it is no longer the one that was told.
            Exception: Whatever it raises.
        """
        try:
            check_way(self.path)
            with _opened(self.path) as file:
                _check_owned(self.path, os.fstat(file.fileno()))
                content = file.read()
        except OSError as error:
            raise PluginError(f"{self.path} cannot be read: {error.strerror}.") from error
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
    check_way(folder)
    _check_owned(folder, folder.stat())
    for path in sorted(folder.glob("*.py")):
        if path.stem.isidentifier() and not path.stem.startswith("_"):
            yield PluginFile(path)


def check_way(path: Path) -> None:
    """Refuse a place to which the way leads through a folder or a link that somebody else could exchange.

    Raises:
        PluginError: With what to do about it.
        OSError: The way does not lead to anything.
    """
    hop = path.absolute()
    for _ in range(_MOST_LINKS):
        place = hop.parent.resolve(strict=True)
        for above in (place, *place.parents):
            mode = above.stat().st_mode
            if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
                raise PluginError(
                    f"{path} could be exchanged by others, for {above} can be written by them: chmod o-w {above}"
                )
        hop = place / hop.name
        if not hop.is_symlink():
            return
        if not _is_ours(hop.lstat()):
            raise PluginError(f"{hop} is a link that belongs to another user, so no plugin is loaded from there.")
        hop = place / hop.readlink()
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))


def _check_owned(path: Path, found: os.stat_result) -> None:
    if found.st_mode & _WRITABLE_BY_OTHERS:
        raise PluginError(
            f"{path} can be written by others (mode {stat.S_IMODE(found.st_mode):04o}), so no plugin is loaded from "
            f"there: chmod go-w {path}"
        )
    if not _is_ours(found):
        raise PluginError(f"{path} belongs to another user, so no plugin is loaded from there.")


def _is_ours(found: os.stat_result) -> bool:
    return found.st_uid in (0, os.geteuid())


def _opened(path: Path) -> BinaryIO:
    # What is no file, such as a pipe, could keep whoever opens it waiting for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise PluginError(f"{path} is no file.")
    return os.fdopen(descriptor, "rb")

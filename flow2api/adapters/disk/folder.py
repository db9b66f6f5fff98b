"""The folders under the root of a media store, by blocking calls; threads call it, never the event loop.

Every step down is taken relative to the descriptor of the folder above, and no step follows a symbolic link, so that
nothing outside of the root can be read or written whatever somebody puts into it. The descriptors stay open: each system
call of a thread costs far more than itself while the event loop is busy.
"""

import contextlib
import errno
import fcntl
import itertools
import os
import re
import secrets
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from flow2api.adapters.disk import flushing

_INCOMING = "incoming"
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK a named pipe in the place of a file would hold the thread for ever.
_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_CREATE_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NOT_THERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO})
_STALE_S = 3600
_ADDRESS = re.compile(r"[0-9a-f]{64}")
_SHARD = re.compile(r"[0-9a-f]{2}")
_PROBE = bytes(4096)


@dataclass(slots=True)
class _Descriptors:
    """The open folders.

    Attributes:
        shards: By the first two digits of the addresses in them.
        outdated: Of folders that were removed; a thread may still be in the middle of a call with one of them.
    """

    root: int
    incoming: int
    shards: dict[str, int] = field(default_factory=dict)
    outdated: list[int] = field(default_factory=list)

    def close(self) -> None:
        for descriptor in (*self.shards.values(), *self.outdated, self.incoming, self.root):
            os.close(descriptor)


class MediaFolder:
    """Files under ``root/ab/<address>``, and unfinished ones under ``root/incoming``.

    Args:
        root: Made when it is first used, readable by its owner alone. It may itself be a symbolic link.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._opened: _Descriptors | None = None
        self._lock = threading.Lock()
        self._prefix = secrets.token_hex(12)
        self._numbers = itertools.count()

    def look_up(self, address: str) -> os.stat_result | None:
        """What the file system says of the file of this address; None when there is no regular one."""
        try:
            found = os.stat(address, dir_fd=self._shard(address), follow_symlinks=False)
        except OSError as error:
            if error.errno in _NOT_THERE:
                return None
            raise
        return found if stat.S_ISREG(found.st_mode) else None

    def open_file(self, address: str) -> tuple[int, os.stat_result] | None:
        """A descriptor for reading, and what it leads to; None when there is no regular file of this address."""
        try:
            descriptor = os.open(address, _READ_FLAGS, dir_fd=self._shard(address))
        except OSError as error:
            if error.errno in _NOT_THERE:
                return None
            raise
        found = os.fstat(descriptor)
        if stat.S_ISREG(found.st_mode):
            return descriptor, found
        os.close(descriptor)
        return None

    @contextlib.contextmanager
    def holding(self, address: str) -> Iterator[tuple[int, os.stat_result] | None]:
        """As `open_file`; as long as the block lasts, no other thread or process holds the file."""
        opened = self.open_file(address)
        if opened is None:
            yield None
            return
        descriptor = opened[0]
        try:
            with contextlib.suppress(OSError):  # where the file system has no locks, the window is microseconds
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            found = os.fstat(descriptor)
            yield (descriptor, found) if found.st_nlink else None
        finally:
            os.close(descriptor)

    def shards(self) -> list[str]:
        """The folders in which files stand."""
        return [name for name in _names_in(self._descriptors().root) if _SHARD.fullmatch(name)]

    def addresses(self, shard: str, not_renewed_since_ns: int) -> list[str]:
        """The addresses in one of these folders whose files are not younger than this."""
        try:
            names = _names_in(self._shard(shard))
        except OSError as error:
            if error.errno in _NOT_THERE:
                return []
            raise
        found = ((name, self.look_up(name)) for name in names if _ADDRESS.fullmatch(name))
        return [name for name, file in found if file is not None and file.st_mtime_ns <= not_renewed_since_ns]

    def room(self) -> int:
        """How many bytes may still be written, once a block has been."""
        descriptor, name = self.create()
        try:
            os.write(descriptor, _PROBE)
        finally:
            os.close(descriptor)
            self.discard(name)
        found = os.fstatvfs(self._descriptors().incoming)
        has_names_left = found.f_favail > 0 or found.f_files == 0
        return found.f_bavail * found.f_frsize if has_names_left else 0

    def create(self) -> tuple[int, str]:
        """A new file to write to, with the name by which it is published or discarded."""
        name = f"{self._prefix}-{next(self._numbers)}"
        return os.open(name, _CREATE_FLAGS, 0o600, dir_fd=self._descriptors().incoming), name

    def publish(self, descriptor: int, name: str, address: str, *, lasting: bool) -> None:
        """Put a written file under its address.

        Args:
            lasting: Not before it is on the disk: a power cut afterwards doesn't undo it.
        """
        if lasting:
            os.fsync(descriptor)
        try:
            shard = self._rename(name, address)
        except FileNotFoundError:
            self._make_shard(address[:2])
            shard = self._rename(name, address)
        if lasting:
            os.fsync(shard)

    def flush(self) -> None:
        """Bring everything that was published to the disk, with one call however much it is."""
        flushing.flush_file_system(self._descriptors().root)

    def discard(self, name: str) -> None:
        """Remove an unfinished file, if it is still there."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._descriptors().incoming)

    def remove(self, address: str) -> None:
        """Remove the file of an address, if there is one; whoever has it open reads on."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(address, dir_fd=self._shard(address))

    def remove_unless_renewed(self, address: str, since_ns: int) -> bool:
        """Remove the file of an address unless it is younger than this; whether there is none any more."""
        with self.holding(address) as held:
            if held is not None and held[1].st_mtime_ns > since_ns:
                return False
            if held is not None:
                self.remove(address)
            return True

    def close(self) -> None:
        """Let go of the descriptors; a later call opens them anew."""
        with self._lock:
            opened, self._opened = self._opened, None
            if opened is not None:
                opened.close()

    def _rename(self, name: str, address: str) -> int:
        shard = self._shard(address)
        os.rename(name, address, src_dir_fd=self._descriptors().incoming, dst_dir_fd=shard)
        return shard

    def _descriptors(self) -> _Descriptors:
        opened = self._opened
        if opened is not None:
            return opened
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def _open(self) -> _Descriptors:
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        root = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _make(root, _INCOMING)
            incoming = _step(root, _INCOMING)
        except BaseException:
            os.close(root)
            raise
        _sweep(incoming)
        return _Descriptors(root, incoming)

    def _shard(self, address: str) -> int:
        """The descriptor of the folder in which an address stands."""
        opened, name = self._descriptors(), address[:2]
        shard = opened.shards.get(name)
        if shard is not None:
            return shard
        with self._lock:
            if name not in opened.shards:
                opened.shards[name] = _step(opened.root, name)
            return opened.shards[name]

    def _make_shard(self, name: str) -> None:
        """Make the folder, whether it was never there or has been removed since."""
        opened = self._descriptors()
        _make(opened.root, name)
        with self._lock:
            before = opened.shards.pop(name, None)
            if before is not None:
                opened.outdated.append(before)


def _step(folder: int, name: str) -> int:
    """A descriptor of a folder in a folder."""
    return os.open(name, _FOLDER_FLAGS, dir_fd=folder)


def _names_in(folder: int) -> list[str]:
    return os.listdir(folder)


def _make(folder: int, name: str) -> None:
    """Make a folder in a folder, on the disk before anything is put into it."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=folder)
        os.fsync(folder)


def _sweep(incoming: int) -> None:
    """Remove what a killed process left behind. Younger files may belong to another process that still writes."""
    oldest = time.time() - _STALE_S
    for name in _names_in(incoming):
        with contextlib.suppress(OSError):
            if os.stat(name, dir_fd=incoming, follow_symlinks=False).st_mtime < oldest:
                os.unlink(name, dir_fd=incoming)

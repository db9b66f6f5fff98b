"""The folder tree under the root of a media store, by blocking calls; threads call it, never the event loop.

Every step down is taken relative to the descriptor of the folder above, and no step follows a symbolic link, so that
nothing outside of the root can be read or written whatever somebody puts into the tree.
"""

import contextlib
import errno
import os
import secrets
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_INCOMING = "incoming"
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK a named pipe in the place of a file would hold the thread for ever.
_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_CREATE_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_STALE_S = 3600


class MediaFolder:
    """Files under ``root/ab/cd/<address>``, and unfinished ones under ``root/incoming``.

    Args:
        root: Made when it is first used, readable by its owner alone. It may itself be a symbolic link.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._opened: tuple[int, int] | None = None
        self._lock = threading.Lock()

    def open_file(self, address: str) -> int | None:
        """A descriptor for reading; None when there is no regular file of this address."""
        try:
            with self._shard(address) as folder:
                descriptor = os.open(address, _READ_FLAGS, dir_fd=folder)
        except OSError as error:
            if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO}:
                return None
            raise
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
        return None

    def create(self) -> tuple[int, str]:
        """A new file to write to, with the name by which it is published or discarded."""
        name = secrets.token_hex(16)
        return os.open(name, _CREATE_FLAGS, 0o600, dir_fd=self._descriptors()[1]), name

    def publish(self, descriptor: int, name: str, address: str) -> None:
        """Put a written file under its address, lasting: a power cut afterwards doesn't undo it."""
        os.fsync(descriptor)
        try:
            self._rename(name, address)
        except FileNotFoundError:
            self._make_shard(address)
            self._rename(name, address)

    def discard(self, name: str) -> None:
        """Remove an unfinished file, if it is still there."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._descriptors()[1])

    def remove(self, address: str) -> None:
        """Remove the file of an address, if there is one; whoever has it open reads on."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), self._shard(address) as folder:
            os.unlink(address, dir_fd=folder)

    def close(self) -> None:
        """Let go of the descriptors; a later call opens them anew."""
        with self._lock:
            for descriptor in self._opened or ():
                os.close(descriptor)
            self._opened = None

    def _rename(self, name: str, address: str) -> None:
        with self._shard(address) as folder:
            os.rename(name, address, src_dir_fd=self._descriptors()[1], dst_dir_fd=folder)
            os.fsync(folder)

    def _descriptors(self) -> tuple[int, int]:
        """Of the root and of the folder of unfinished files."""
        with self._lock:
            if self._opened is None:
                self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
                root = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                try:
                    _make(root, _INCOMING)
                    incoming = _step(root, _INCOMING)
                except BaseException:
                    os.close(root)
                    raise
                _sweep(incoming)
                self._opened = root, incoming
            return self._opened

    @contextmanager
    def _shard(self, address: str) -> Iterator[int]:
        """The descriptor of the folder in which an address stands."""
        upper = _step(self._descriptors()[0], address[:2])
        try:
            lower = _step(upper, address[2:4])
        finally:
            os.close(upper)
        try:
            yield lower
        finally:
            os.close(lower)

    def _make_shard(self, address: str) -> None:
        root = self._descriptors()[0]
        _make(root, address[:2])
        upper = _step(root, address[:2])
        try:
            _make(upper, address[2:4])
        finally:
            os.close(upper)


def _step(folder: int, name: str) -> int:
    """A descriptor of a folder in a folder."""
    return os.open(name, _FOLDER_FLAGS, dir_fd=folder)


def _make(folder: int, name: str) -> None:
    """Make a folder in a folder, on the disk before anything is put into it."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=folder)
        os.fsync(folder)


def _sweep(incoming: int) -> None:
    """Remove what a killed process left behind. Younger files may belong to another process that still writes."""
    oldest = time.time() - _STALE_S
    for name in os.listdir(incoming):
        with contextlib.suppress(OSError):
            if os.stat(name, dir_fd=incoming, follow_symlinks=False).st_mtime < oldest:
                os.unlink(name, dir_fd=incoming)

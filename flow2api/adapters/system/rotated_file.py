"""A file that several processes add lines to, of bounded size, with a bounded number of former ones beside it."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


class RotatedFile:
    """``debug.log``, and before it ``debug.log.1``, ``debug.log.2`` and so on; readable by their owner only.

    A lock beside the file keeps two processes from turning it over at once; each notices when another one has.

    Args:
        path: The newest file.
        most_bytes: How large it may become.
        files: How many there may be, the newest included.
    """

    def __init__(self, path: Path, *, most_bytes: int, files: int) -> None:
        self._path = path
        self._most_bytes = most_bytes
        self._files = files
        self._opened: int | None = None

    def write(self, lines: bytes) -> None:
        """Add whole lines.

        Raises:
            OSError: They could not be written.
        """
        with self._locked():
            file = self._current()
            if (size := os.fstat(file).st_size) and size + len(lines) > self._most_bytes:
                self._turn_over()
                file = self._current()
            os.write(file, lines)

    def close(self) -> None:
        """Let go of the file."""
        if self._opened is not None:
            os.close(self._opened)
            self._opened = None

    def _current(self) -> int:
        """The newest file, opened; another process may have turned it over meanwhile."""
        if self._opened is not None and not self._is_newest(self._opened):
            self.close()
        if self._opened is None:
            self._opened = _open(self._path, os.O_APPEND)
        return self._opened

    def _is_newest(self, opened: int) -> bool:
        try:
            return os.path.samestat(os.fstat(opened), self._path.stat())
        except OSError:
            return False

    def _turn_over(self) -> None:
        self.close()
        if self._files == 1:
            self._path.unlink(missing_ok=True)
            return
        names = [self._path, *(self._path.with_name(f"{self._path.name}.{number}") for number in range(1, self._files))]
        for older, newer in reversed(list(zip(names[1:], names, strict=False))):
            with contextlib.suppress(FileNotFoundError):
                newer.replace(older)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        lock = _open(self._path.with_name(f"{self._path.name}.lock"), 0)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _open(path: Path, flags: int) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | flags, 0o600)

"""A content on its way in."""

import hashlib
import os
import threading
import time

from flow2api.adapters.disk.folder import MediaFolder
from flow2api.adapters.disk.integrity import VerifiedFiles


class IncomingFile:
    """Bytes that are written and hashed, then published or discarded. Its methods block; they may come from threads.

    Discarding waits for a write that still runs in another thread, and no write comes after it.
    """

    def __init__(self, folder: MediaFolder, verified: VerifiedFiles) -> None:
        self._folder = folder
        self._verified = verified
        self._digest = hashlib.sha256()
        self._size_bytes = 0
        self._opened: tuple[int, str] | None = None
        self._is_over = False
        self._lock = threading.Lock()

    def write(self, chunks: list[bytes]) -> None:
        """Write and hash some more."""
        with self._lock:
            if not self._is_over:
                if self._opened is None:
                    self._opened = self._folder.create()
                self._update(chunks)
                _write_all(self._opened[0], chunks)

    def finish(self, chunks: list[bytes], *, lasting: bool) -> tuple[str, int]:
        """Write the rest and publish all: the address and the size. What is kept already is not kept twice.

        Args:
            lasting: It is to be on the disk, and not only in its cache, when this returns.
        """
        with self._lock:
            self._update(chunks)
            address = self._digest.hexdigest()
            with self._folder.holding(address) as held:
                if held is None or not self._renew(address, *held):
                    self._publish(chunks, address, lasting=lasting)
            self._end()
            return address, self._size_bytes

    def discard(self) -> None:
        """Leave no trace; after :meth:`finish` there is nothing to do."""
        with self._lock:
            self._end()

    def _renew(self, address: str, descriptor: int, found: os.stat_result) -> bool:
        """Let the age of what is kept already begin anew, so that nobody removes it as forgotten; False if it is damaged."""
        if not self._verified.holds(address, descriptor, found):
            return False
        now_ns = max(time.time_ns(), found.st_mtime_ns)
        os.utime(descriptor, ns=(now_ns, now_ns))
        self._verified.add(address, os.fstat(descriptor))
        return True

    def _publish(self, chunks: list[bytes], address: str, *, lasting: bool) -> None:
        if self._opened is None:
            self._opened = self._folder.create()
        descriptor, name = self._opened
        _write_all(descriptor, chunks)
        self._folder.publish(descriptor, name, address, lasting=lasting)
        self._verified.add(address, os.fstat(descriptor))
        self._close()

    def _update(self, chunks: list[bytes]) -> None:
        for chunk in chunks:
            self._digest.update(chunk)
            self._size_bytes += len(chunk)

    def _close(self) -> str | None:
        """Let go of the file, if there is one; its name."""
        opened, self._opened = self._opened, None
        if opened is None:
            return None
        os.close(opened[0])
        return opened[1]

    def _end(self) -> None:
        self._is_over = True
        name = self._close()
        if name is not None:
            self._folder.discard(name)


def _write_all(descriptor: int, chunks: list[bytes]) -> None:
    for chunk in chunks:
        rest = memoryview(chunk)
        while rest:
            rest = rest[os.write(descriptor, rest) :]

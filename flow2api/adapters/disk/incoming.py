"""A content on its way in."""

import hashlib
import os
import threading

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

    def finish(self, chunks: list[bytes]) -> tuple[str, int]:
        """Write the rest and publish all: the address and the size. What is kept already is not kept twice."""
        with self._lock:
            self._update(chunks)
            address = self._digest.hexdigest()
            if not self._is_kept(address):
                if self._opened is None:
                    self._opened = self._folder.create()
                descriptor, name = self._opened
                _write_all(descriptor, chunks)
                self._folder.publish(descriptor, name, address)
                self._verified.add(address, descriptor)
            self._end()
            return address, self._size_bytes

    def discard(self) -> None:
        """Leave no trace; after :meth:`finish` there is nothing to do."""
        with self._lock:
            self._end()

    def _is_kept(self, address: str) -> bool:
        descriptor = self._folder.open_file(address)
        if descriptor is None:
            return False
        try:
            return self._verified.holds(address, descriptor)
        finally:
            os.close(descriptor)

    def _update(self, chunks: list[bytes]) -> None:
        for chunk in chunks:
            self._digest.update(chunk)
            self._size_bytes += len(chunk)

    def _end(self) -> None:
        self._is_over = True
        if self._opened is not None:
            descriptor, name = self._opened
            self._opened = None
            os.close(descriptor)
            self._folder.discard(name)


def _write_all(descriptor: int, chunks: list[bytes]) -> None:
    for chunk in chunks:
        rest = memoryview(chunk)
        while rest:
            rest = rest[os.write(descriptor, rest) :]

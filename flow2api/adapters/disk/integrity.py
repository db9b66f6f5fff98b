"""Which files are known to hold what their address says."""

import hashlib
import os
import threading
from collections import OrderedDict

_READ_BYTES = 256 * 1024


class VerifiedFiles:
    """Remembers files whose digest was seen to be right, until they are replaced or touched.

    Args:
        at_most: How many are remembered; the rest is hashed again when it is next opened.
    """

    def __init__(self, at_most: int = 8192) -> None:
        self._at_most = at_most
        self._known: OrderedDict[str, tuple[int, int, int]] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, address: str, found: os.stat_result) -> None:
        """Remember a file as right."""
        with self._lock:
            self._known[address] = _identity(found)
            self._known.move_to_end(address)
            while len(self._known) > self._at_most:
                self._known.popitem(last=False)

    def knows(self, address: str, found: os.stat_result) -> bool:
        """Whether this very file was seen to be right."""
        with self._lock:
            return self._known.get(address) == _identity(found)

    def holds(self, address: str, descriptor: int, found: os.stat_result) -> bool:
        """Whether an open file holds the content of this address; it blocks to read it through the first time."""
        if self.knows(address, found):
            return True
        if _digest(descriptor) != address:
            return False
        self.add(address, found)
        return True


def _identity(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_ino, found.st_size, found.st_mtime_ns


def _digest(descriptor: int) -> str:
    digest = hashlib.sha256()
    at = 0
    while chunk := os.pread(descriptor, _READ_BYTES, at):
        digest.update(chunk)
        at += len(chunk)
    return digest.hexdigest()

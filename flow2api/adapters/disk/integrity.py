"""Which files are known to hold what their address says."""

import hashlib
import os
import threading
from collections import OrderedDict

_READ_BYTES = 256 * 1024


class VerifiedFiles:
    """Remembers files whose digest was seen to be right, until they are replaced or touched. Its methods block.

    Args:
        at_most: How many are remembered; the rest is hashed again when it is next opened.
    """

    def __init__(self, at_most: int = 8192) -> None:
        self._at_most = at_most
        self._known: OrderedDict[str, tuple[int, int, int]] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, address: str, descriptor: int) -> None:
        """Remember an open file as right."""
        with self._lock:
            self._known[address] = _identity(descriptor)
            self._known.move_to_end(address)
            while len(self._known) > self._at_most:
                self._known.popitem(last=False)

    def holds(self, address: str, descriptor: int) -> bool:
        """Whether an open file holds the content of this address; read through the first time that it is asked."""
        with self._lock:
            if self._known.get(address) == _identity(descriptor):
                return True
        if _digest(descriptor) != address:
            return False
        self.add(address, descriptor)
        return True


def _identity(descriptor: int) -> tuple[int, int, int]:
    found = os.fstat(descriptor)
    return found.st_ino, found.st_size, found.st_mtime_ns


def _digest(descriptor: int) -> str:
    digest = hashlib.sha256()
    at = 0
    while chunk := os.pread(descriptor, _READ_BYTES, at):
        digest.update(chunk)
        at += len(chunk)
    return digest.hexdigest()

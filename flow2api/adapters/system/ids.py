"""New names for things."""

import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flow2api.domain.ports.system import Ids

_RANDOM_BYTES = 10
_FETCHED_BYTES = 200 * _RANDOM_BYTES


class RandomIds:
    """Ids of 32 hexadecimal characters: twelve of milliseconds, so that they sort by time, and twenty of chance.

    The chance is the operating system's; it is fetched for many ids at a time, for every call of it lets other threads
    take the interpreter away.
    """

    def __init__(self) -> None:
        self._chance = b""
        self._used = 0

    def new(self, prefix: str) -> str:
        """A new id with this prefix."""
        if self._used >= len(self._chance):
            self._chance, self._used = os.urandom(_FETCHED_BYTES), 0
        chance = self._chance[self._used : self._used + _RANDOM_BYTES]
        self._used += _RANDOM_BYTES
        return f"{prefix}_{time.time_ns() // 1_000_000:012x}{chance.hex()}"


if TYPE_CHECKING:
    _: Ids = RandomIds()

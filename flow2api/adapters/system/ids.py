"""New names for things."""

import secrets
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flow2api.domain.ports.system import Ids

_RANDOM_BYTES = 10


class RandomIds:
    """Ids of 32 hexadecimal characters: twelve of milliseconds, so that they sort by time, and twenty of chance."""

    def new(self, prefix: str) -> str:
        """A new id with this prefix."""
        return f"{prefix}_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(_RANDOM_BYTES)}"


if TYPE_CHECKING:
    _: Ids = RandomIds()

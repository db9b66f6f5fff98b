"""HTTP ranges (RFC 9110), as far as players use them: one range of bytes."""

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

_RANGE: Final = re.compile(r"bytes\s*=\s*([0-9]{0,64})\s*-\s*([0-9]{0,64})\s*", re.IGNORECASE)


class Unsatisfiable(Enum):
    """The range lies outside of what there is."""

    OUTSIDE = auto()


OUTSIDE = Unsatisfiable.OUTSIDE


@dataclass(frozen=True, slots=True)
class ByteRange:
    """From ``start`` to before ``stop``."""

    start: int
    stop: int

    @property
    def size(self) -> int:
        """How many bytes."""
        return self.stop - self.start


def byte_range(asked: str | None, size: int) -> ByteRange | Unsatisfiable | None:
    """What a ``Range`` header asks of ``size`` bytes.

    Returns:
        None when everything is to be sent: nothing was asked, it is malformed, or several ranges were asked for (a
        server may ignore those).
    """
    match = _RANGE.fullmatch(asked.strip()) if asked else None
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        wanted = min(int(match[2]), size)
        return ByteRange(size - wanted, size) if wanted else OUTSIDE
    start = int(match[1])
    stop = min(int(match[2]) + 1, size) if match[2] else size
    if match[2] and int(match[2]) < start:
        return None
    return ByteRange(start, stop) if start < size else OUTSIDE


def may_send_range(if_range: str | None, etag: str) -> bool:
    """Whether ``If-Range`` lets a part be sent: only for the very bytes that the client has the rest of."""
    return if_range is None or if_range.strip() == etag


def is_unchanged(if_none_match: str | None, etag: str) -> bool:
    """Whether the client has these bytes already."""
    if if_none_match is None:
        return False
    held = [entry.strip().removeprefix("W/") for entry in if_none_match.split(",")]
    return etag in held or "*" in held

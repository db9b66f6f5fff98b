"""Keys as bytes that sort as their parts do."""

import hashlib
from datetime import UTC, datetime

Part = int | str | bytes | datetime | None
Key = tuple[Part, ...]

_NONE, _NUMBER, _TEXT, _LONG = b"\x00", b"\x01", b"\x02", b"\x03"
_LOWEST = -(2**63)
_LONGEST_BYTES = 128
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def encoded(key: Key) -> bytes:
    """The key as bytes: of two, the one whose first different part is smaller comes first, None before all.

    A text or bytes of more than 128 bytes is kept as its digest, for a key of LMDB has 511 bytes at most: it is found
    again, but does not sort.
    """
    return b"".join(_part(part) for part in key)


def microseconds(moment: datetime) -> int:
    """The moment as a number, without the rounding of floats."""
    passed = moment - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


def _part(part: Part) -> bytes:
    if part is None:
        return _NONE
    if isinstance(part, datetime):
        part = microseconds(part)
    if isinstance(part, int):
        return _NUMBER + (part - _LOWEST).to_bytes(8, "big")
    raw = part.encode() if isinstance(part, str) else part
    if len(raw) > _LONGEST_BYTES:
        return _LONG + hashlib.sha256(raw).digest()
    return _TEXT + raw.replace(b"\x00", b"\x00\xff") + b"\x00\x00"

"""What single cells mean. The old server's columns have no strict types, so anything may stand in any of them."""

import json
import math
from datetime import UTC, datetime
from urllib.parse import urlsplit

from flow2api.domain.account import Tier

MOST_URLS = 16
LONGEST_URL = 2048

_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_LARGEST = 2**53
_YES, _NO = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})
_TIERS = {
    "PAYGATE_TIER_NOT_PAID": Tier.FREE,
    "PAYGATE_TIER_ONE": Tier.PRO,
    "PAYGATE_TIER_TWO": Tier.ULTRA,
}


def text(cell: object, most: int) -> str:
    """The cell in one printable line; empty for none."""
    if cell is None:
        return ""
    plain = cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell)
    return "".join(one if one.isprintable() else " " for one in plain[:most]).strip()


def prose(cell: object, most: int) -> str:
    """The same, with its line breaks."""
    if cell is None:
        return ""
    plain = cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell)
    return "".join(one if one.isprintable() or one in "\n\t" else " " for one in plain[:most]).strip()


def number(cell: object) -> int | None:
    """A whole number."""
    if isinstance(cell, str | bytes):
        try:
            cell = float(cell)
        except ValueError:
            return None
    if isinstance(cell, float):
        return int(cell) if math.isfinite(cell) and abs(cell) < _LARGEST else None
    return cell if isinstance(cell, int) and abs(cell) < _LARGEST else None


def count(cell: object) -> int:
    """How many; what is none is 0."""
    return max(0, number(cell) or 0)


def seconds(cell: object) -> float:
    """A span of time; what is none is 0."""
    if isinstance(cell, str | bytes):
        try:
            cell = float(cell)
        except ValueError:
            return 0.0
    if not isinstance(cell, int | float) or not math.isfinite(cell):
        return 0.0
    return min(max(0.0, float(cell)), 7 * 24 * 3600.0)


def flag(cell: object) -> bool | None:
    """Yes or no; None when the cell says neither."""
    word = text(cell, 16).casefold()
    return True if word in _YES else False if word in _NO else None


def moment(cell: object) -> datetime | None:
    """A moment, in UTC where the cell names no zone; numbers are seconds since 1970."""
    try:
        if isinstance(cell, int | float):
            found = datetime.fromtimestamp(cell, UTC)
        else:
            found = datetime.fromisoformat(text(cell, 64))
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return found if _EARLIEST <= found < _LATEST else None


def day(cell: object) -> str | None:
    """A date as ``2026-11-23``."""
    found = moment(cell)
    return None if found is None else found.date().isoformat()


def tier(cell: object) -> Tier | None:
    """The plan, by the service's own word for it (Flow, 2026-06 era)."""
    return _TIERS.get(text(cell, 64).upper())


def urls(cell: object, most: int) -> tuple[str, ...] | None:
    """The web addresses in a JSON list; None when the cell holds something else."""
    plain = text(cell, most)
    if not plain:
        return ()
    try:
        listed = json.loads(plain)
    except (ValueError, RecursionError):
        return None
    if isinstance(listed, str):
        listed = [listed]
    if not isinstance(listed, list):
        return None
    return tuple(one for one in listed[:MOST_URLS] if isinstance(one, str) and _is_web_address(one))


def _is_web_address(address: str) -> bool:
    if len(address) > LONGEST_URL or not address.isprintable() or " " in address:
        return False
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None

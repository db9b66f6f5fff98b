"""The time zone that the machine is set to."""

import os
from datetime import UTC, tzinfo
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_LOCAL_TIME = Path("/etc/localtime")
_NAME = Path("/etc/timezone")


@cache
def machine_zone() -> tzinfo:
    """The zone of ``TZ``, ``/etc/timezone`` or ``/etc/localtime``, the first that names one; else UTC."""
    for name in (os.environ.get("TZ", "").lstrip(":"), _read(_NAME), _linked(_LOCAL_TIME)):
        if name:
            try:
                return ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                continue
    return UTC


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _linked(file: Path) -> str:
    """The part of the link's target that names the zone."""
    try:
        return str(file.readlink()).partition("zoneinfo/")[2]
    except OSError:
        return ""

"""Time zones by their IANA names."""

from datetime import UTC, tzinfo
from difflib import get_close_matches
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from flow2api.domain.errors import ConfigurationError

UNIVERSAL = "UTC"


def zone_named(name: str) -> tzinfo:
    """The time zone with this IANA name, such as ``Europe/Berlin``. ``UTC`` is known without any data about zones.

    Raises:
        ConfigurationError: There is none; the message names the nearest ones.
    """
    if name == UNIVERSAL:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = {one.lower(): one for one in available_timezones()}
        near = [known[one] for one in get_close_matches(name.lower(), list(known), n=3, cutoff=0.5)]
        if not near:
            tail = [one for one in known if one.rpartition("/")[2] == name.strip().lower().replace(" ", "_")]
            near = [known[one] for one in sorted(tail)[:3]]
        hint = f"did you mean {' or '.join(near)}?" if near else "use an IANA name such as Europe/Berlin."
        raise ConfigurationError(f"There is no time zone {name!r}; {hint}") from None

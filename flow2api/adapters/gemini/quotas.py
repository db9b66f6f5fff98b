"""What a 429 of the Gemini API says: how long to wait, whether for one model, or that there is no claim at all. Pure.

Quota ids, details and the moment at which a day begins: Gemini API, 2026-11.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flow2api.domain.errors import ModelAccessError, UpstreamRateLimitedError

_NO_CLAIM = re.compile(r"\blimit: 0\b")
_DAILY_CODES = frozenset({"quota_exceeded"})


@dataclass(frozen=True, slots=True)
class Violation:
    """One quota that was exceeded.

    Attributes:
        value: How much it allows; None when that is not told.
        is_of_model: It counts the calls of one model only.
    """

    quota_id: str
    value: int | None
    is_of_model: bool


def rate_limit(
    message: str,
    violations: Sequence[Violation],
    *,
    code: str = "",
    retry_after_s: float | None,
    now: datetime,
) -> UpstreamRateLimitedError | ModelAccessError:
    """The error for a 429.

    Args:
        code: The word that interactions have for it.
        retry_after_s: The pause that was asked for.
    """
    said = message.partition("\n")[0][:200] or "no reason given"
    reason = next((one.quota_id for one in violations if one.quota_id), said)
    if any(one.value == 0 for one in violations) or (_NO_CLAIM.search(message) and not _tells_values(violations)):
        return ModelAccessError(f"The project of the key has no quota for this model ({reason}).", reason=reason)
    per_model = any(one.is_of_model for one in violations)
    if code in _DAILY_CODES or any("PerDay" in one.quota_id for one in violations):
        pause_s = max(until_reset(now), retry_after_s or 0.0)
        return UpstreamRateLimitedError(
            f"The project of the key has used up its quota of the day ({reason}).",
            reason=reason,
            retry_after_s=pause_s,
            per_model=per_model or not violations,
            exhausted=True,
        )
    # A refusal that tells no pause, such as that of the spend limit over ten minutes, has the account rest in steps of its own.
    return UpstreamRateLimitedError(
        f"The project of the key asked too much at once ({reason}).",
        reason=reason,
        retry_after_s=retry_after_s,
        per_model=per_model,
    )


def until_reset(now: datetime) -> float:
    """Seconds until the quotas of a day begin anew: at midnight on the Pacific coast."""
    zone = _pacific()
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return (datetime.combine(tomorrow, time(), zone) - now).total_seconds()


def _tells_values(violations: Sequence[Violation]) -> bool:
    return bool(violations) and all(one.value is not None for one in violations)


def _pacific() -> tzinfo:
    try:
        return ZoneInfo("America/Los_Angeles")
    except ZoneInfoNotFoundError:
        return timezone(timedelta(hours=-8))  # a machine without time zones waits an hour too long in summer

"""How the last checks of an account went: renewals of its access token, and generations that it made."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from flow2api.domain.health import HealthKind

SHOWN = 30
"""So many checks of an account are looked at."""

SLOW_S = {"image": 60.0, "video": 300.0}
"""What takes longer than this to be made, waiting for an account not counted, is slow."""

RENEWALS = {HealthKind.ACCESS_RENEWED: True, HealthKind.RENEWAL_FAILED: False}
"""The events that are checks, and whether they went well."""

_RATE_LIMITED, _OURS_OR_THEIRS = 429, 500


class CheckKind(StrEnum):
    """What the account was seen at."""

    RENEWAL = "renewal"
    GENERATION = "generation"


class CheckOutcome(StrEnum):
    """How it went."""

    FINE = "fine"
    SLOW = "slow"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One look at an account that was taken because work was done with it."""

    at: datetime
    kind: CheckKind
    outcome: CheckOutcome


def of_renewal(at: datetime, kind: HealthKind) -> Check:
    """The check that one of `RENEWALS` is."""
    return Check(at, CheckKind.RENEWAL, CheckOutcome.FINE if RENEWALS[kind] else CheckOutcome.FAILED)


def of_generation(at: datetime, kind: str | None, state: str, status: int | None, made_ms: int) -> Check | None:
    """The check that an ended generation is; None when its end tells nothing of the account.

    What somebody cancelled, and what was refused for what was asked, tells nothing.

    Args:
        status: HTTP status that the end has by itself; None is taken for a failure of the service.
        made_ms: How long it took without the waiting.
    """
    if state == "completed":
        is_slow = made_ms > SLOW_S.get(kind or "", SLOW_S["video"]) * 1000
        return Check(at, CheckKind.GENERATION, CheckOutcome.SLOW if is_slow else CheckOutcome.FINE)
    is_failure = status is None or status == _RATE_LIMITED or status >= _OURS_OR_THEIRS
    return Check(at, CheckKind.GENERATION, CheckOutcome.FAILED) if state == "failed" and is_failure else None


def latest(checks: Iterable[Check]) -> Sequence[Check]:
    """The last `SHOWN` of these, oldest first."""
    return sorted(checks, key=lambda check: check.at)[-SHOWN:]

"""What an account goes through, as events: told from what changed, and kept for operators."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from flow2api.domain.account import Account, CallKind, Rest, RestReason

SERVER = "server"
TIME = "time"
OPERATOR = "operator"


class HealthKind(StrEnum):
    """What happened to an account."""

    ADDED = "added"
    IMPORTED = "imported"
    WARMED = "warmed"
    REST_BEGUN = "rest_begun"
    REST_PROLONGED = "rest_prolonged"
    REST_LIFTED = "rest_lifted"
    PROBATION_BEGUN = "probation_begun"
    PROBATION_PASSED = "probation_passed"
    PROBATION_FAILED = "probation_failed"
    ACCESS_RENEWED = "access_renewed"
    RENEWAL_FAILED = "renewal_failed"
    SESSION_ROTATED = "session_rotated"
    SESSION_REPLACED = "session_replaced"
    KEY_REPLACED = "key_replaced"
    TIER_CHANGED = "tier_changed"
    CREDITS_CHANGED = "credits_changed"


@dataclass(frozen=True, slots=True)
class HealthEvent:
    """One thing that happened to one account. It holds no secret.

    Attributes:
        reason: Why it rests, or did; None when the event is about no rest. The same for ``model`` and ``call``.
        until: When the rest, or the new access token, ends by itself.
        cause: What brought it about, as words for people.
        by: Who: ``server``, ``time``, ``operator``, or an operator's name.
        number: Its place in the timeline, given by the storage; 0 before.
    """

    account_id: int
    at: datetime
    kind: HealthKind
    reason: RestReason | None = None
    model: str | None = None
    call: CallKind | None = None
    until: datetime | None = None
    cause: str = ""
    by: str = SERVER
    number: int = 0


def changes(before: Account, after: Account, now: datetime, *, by: str = SERVER) -> Iterator[HealthEvent]:
    """What a change of an account means for its timeline.

    Steps that are forgotten are no event, and neither is a credit more or less: credits count when there are more than
    before, or none any more.
    """
    former = {rest.scope: rest for rest in before.rests}
    for rest in after.rests:
        kind = _of_rest(former.pop(rest.scope, None), rest, now)
        if kind is not None:
            yield _about(after.id, now, kind, rest, rest.why, by)
    for rest in former.values():
        if rest.holds(now):
            yield _about(after.id, now, HealthKind.REST_LIFTED, rest, _cure(rest), by)
        elif rest.reason is RestReason.ERROR_STREAK:
            yield _about(after.id, now, HealthKind.PROBATION_PASSED, rest, "a call succeeded", by)
    if after.tier is not None and before.tier is not None and after.tier is not before.tier:
        cause = f"{before.tier.name.lower()} → {after.tier.name.lower()}"
        yield HealthEvent(after.id, now, HealthKind.TIER_CHANGED, cause=cause, by=by)
    if _is_notable(before.credits, after.credits):
        cause = f"{before.credits} → {after.credits}"
        yield HealthEvent(after.id, now, HealthKind.CREDITS_CHANGED, cause=cause, by=by)
    if after.is_warm and not before.is_warm:
        yield HealthEvent(after.id, now, HealthKind.WARMED, cause="plan, credits and workspace are known", by=by)


def lifted_by_time(account: Account, since: datetime, now: datetime) -> Iterator[HealthEvent]:
    """The rests of an account that have ended by time after ``since``, and up to now."""
    for rest in account.rests:
        if rest.until is None or not since < rest.until <= now:
            continue
        is_streak = rest.reason is RestReason.ERROR_STREAK
        kind = HealthKind.PROBATION_BEGUN if is_streak else HealthKind.REST_LIFTED
        yield _about(account.id, rest.until, kind, rest, "its time is over", TIME)


def _of_rest(before: Rest | None, rest: Rest, now: datetime) -> HealthKind | None:
    """What has become of a rest; None when nothing has."""
    if rest == before:
        return None
    held, holds = before is not None and before.holds(now), rest.holds(now)
    if before is None or not held:
        is_again = before is not None and rest.reason is RestReason.ERROR_STREAK
        return None if not holds else HealthKind.PROBATION_FAILED if is_again else HealthKind.REST_BEGUN
    if not holds:
        return HealthKind.PROBATION_BEGUN
    is_longer = before.until is not None and (rest.until is None or rest.until > before.until)
    return HealthKind.REST_PROLONGED if is_longer else None


def _about(account_id: int, at: datetime, kind: HealthKind, rest: Rest, cause: str, by: str) -> HealthEvent:
    ended = kind in (HealthKind.REST_LIFTED, HealthKind.PROBATION_BEGUN, HealthKind.PROBATION_PASSED)
    until = None if ended else rest.until
    return HealthEvent(account_id, at, kind, rest.reason, rest.model, rest.call, until, cause, by)


_CURED = {
    RestReason.MANUAL: "switched on again",
    RestReason.AUTH_EXPIRED: "it is to sign in anew",
    RestReason.UNUSABLE: "it can be used again",
    RestReason.QUOTA: "credits were seen",
    RestReason.NO_ACCESS: "it has another plan or key",
}


def _cure(rest: Rest) -> str:
    return _CURED.get(rest.reason, "it was lifted")


def _is_notable(before: int | None, after: int | None) -> bool:
    return before is not None and after is not None and (after > before or (after == 0 and before > 0))

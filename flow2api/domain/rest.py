"""Why accounts rest, and what lifts each reason."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from flow2api.domain.media import MediaKind


class AccountStatus(StrEnum):
    """How an account stands, for people and tables."""

    ACTIVE = "active"
    COOLING_DOWN = "cooling_down"
    SUSPENDED = "suspended"
    DISABLED = "disabled"


class RestReason(StrEnum):
    """Why an account rests; each reason is lifted only by its own cure."""

    MANUAL = "manual"
    AUTH_EXPIRED = "auth_expired"
    UNUSABLE = "unusable"
    REFUSED = "refused"
    RATE_LIMITED = "rate_limited"
    QUOTA = "quota"
    NO_ACCESS = "no_access"
    ERROR_STREAK = "error_streak"


class Cure(StrEnum):
    """What can lift a rest besides time."""

    OPERATOR = "operator"
    NEW_CREDENTIAL = "new_credential"
    NEW_KEY = "new_key"
    """An API key may be that of another project, with plans and rights of its own."""
    CREDITS_SEEN = "credits_seen"
    TIER_CHANGED = "tier_changed"
    SEEN_USABLE = "seen_usable"


class CallKind(StrEnum):
    """What an account is asked to do. That it fails at one kind says nothing about the others.

    A download comes from another host than the one that made it: its faults are nobody's.
    """

    PICTURE = "picture"
    VIDEO = "video"
    ENLARGEMENT = "enlargement"
    UPLOAD = "upload"
    DOWNLOAD = "download"

    @classmethod
    def making(cls, kind: MediaKind) -> "CallKind":
        """The call that makes this kind of media."""
        return cls.PICTURE if kind is MediaKind.IMAGE else cls.VIDEO


CURES: dict[RestReason, frozenset[Cure]] = {
    RestReason.MANUAL: frozenset({Cure.OPERATOR}),
    RestReason.AUTH_EXPIRED: frozenset({Cure.NEW_CREDENTIAL, Cure.NEW_KEY}),
    RestReason.UNUSABLE: frozenset({Cure.OPERATOR, Cure.SEEN_USABLE, Cure.NEW_KEY}),
    RestReason.REFUSED: frozenset(),
    RestReason.RATE_LIMITED: frozenset(),
    RestReason.QUOTA: frozenset({Cure.CREDITS_SEEN}),
    RestReason.NO_ACCESS: frozenset({Cure.TIER_CHANGED, Cure.NEW_KEY}),
    RestReason.ERROR_STREAK: frozenset(),
}

STATUS: dict[RestReason, AccountStatus] = {
    RestReason.MANUAL: AccountStatus.DISABLED,
    RestReason.AUTH_EXPIRED: AccountStatus.SUSPENDED,
    RestReason.UNUSABLE: AccountStatus.SUSPENDED,
    RestReason.REFUSED: AccountStatus.COOLING_DOWN,
    RestReason.RATE_LIMITED: AccountStatus.COOLING_DOWN,
    RestReason.QUOTA: AccountStatus.COOLING_DOWN,
    RestReason.NO_ACCESS: AccountStatus.ACTIVE,
    RestReason.ERROR_STREAK: AccountStatus.COOLING_DOWN,
}

SEVERITY = (AccountStatus.DISABLED, AccountStatus.SUSPENDED, AccountStatus.COOLING_DOWN, AccountStatus.ACTIVE)

FORGOTTEN_BY_SUCCESS = frozenset(
    {RestReason.RATE_LIMITED, RestReason.REFUSED, RestReason.QUOTA, RestReason.ERROR_STREAK}
)

RATE_LIMIT_STEPS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=12))
STREAK_STEPS = (timedelta(seconds=30), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=12))
DOUBT_STEPS = STREAK_STEPS[:3]
"""How long an account rests whose session may have ended, or not: when the service is back, so is the account soon."""
LONGEST_REST = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Rest:
    """One reason for rest.

    Attributes:
        until: When time alone lifts it; None when only a cure does.
        model: The model that it is limited to; None for the whole account.
        why: Upstream's or the operator's word for the cause, for people.
        step: How many times in a row this reason came without an end of upstream's own, from 0; a longer rest each time.
        call: The kind of call that it is limited to; None for every kind.
    """

    reason: RestReason
    since: datetime
    until: datetime | None = None
    model: str | None = None
    why: str = ""
    step: int = 0
    call: CallKind | None = None

    @property
    def status(self) -> AccountStatus:
        """How an account stands that rests for this reason as a whole."""
        return STATUS[self.reason]

    @property
    def scope(self) -> tuple[RestReason, str | None, CallKind | None]:
        """What tells it from the other rests of the account."""
        return self.reason, self.model, self.call

    @property
    def is_whole(self) -> bool:
        """Whether it is limited neither to a model nor to a kind of call."""
        return self.model is None and self.call is None

    def holds(self, now: datetime) -> bool:
        """Whether it still keeps the account from work."""
        return self.until is None or now < self.until

    def stops(self, call: CallKind) -> bool:
        """Whether calls of this kind are among those that it keeps the account from."""
        return self.call is None or self.call is call

    def is_cured_by(self, cure: Cure) -> bool:
        """Whether this cure lifts it. Credits say nothing about one model's share of a day."""
        if cure is Cure.CREDITS_SEEN and self.model is not None:
            return False
        return cure in CURES[self.reason]

    def next_step(self, steps: tuple[timedelta, ...], now: datetime) -> int:
        """The step of a rest that begins now for the same reason: the next one, unless this one is still on."""
        return self.step if self.holds(now) else min(self.step + 1, len(steps) - 1)


def asked_pause(retry_after_s: float | None) -> timedelta | None:
    """The pause that upstream asked for: a second at least, and no longer than any rest may be."""
    if retry_after_s is None:
        return None
    return timedelta(seconds=min(max(1.0, retry_after_s), LONGEST_REST.total_seconds()))

"""One identity of the operator at an upstream, why it rests, and what cures it.

Every change of health is a pure function from account to account. Status is never stored: it follows from the reasons
for rest and the time.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from flow2api.domain.media import MediaKind
from flow2api.domain.secret import Secret


class Tier(IntEnum):
    """What plan an account has, least first."""

    FREE = 0
    PRO = 1
    ULTRA = 2


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
    CREDITS_SEEN = "credits_seen"
    TIER_CHANGED = "tier_changed"


_CURES: dict[RestReason, frozenset[Cure]] = {
    RestReason.MANUAL: frozenset({Cure.OPERATOR}),
    RestReason.AUTH_EXPIRED: frozenset({Cure.NEW_CREDENTIAL}),
    RestReason.UNUSABLE: frozenset({Cure.OPERATOR}),
    RestReason.REFUSED: frozenset(),
    RestReason.RATE_LIMITED: frozenset(),
    RestReason.QUOTA: frozenset({Cure.CREDITS_SEEN}),
    RestReason.NO_ACCESS: frozenset({Cure.TIER_CHANGED}),
    RestReason.ERROR_STREAK: frozenset(),
}

_STATUS: dict[RestReason, AccountStatus] = {
    RestReason.MANUAL: AccountStatus.DISABLED,
    RestReason.AUTH_EXPIRED: AccountStatus.SUSPENDED,
    RestReason.UNUSABLE: AccountStatus.SUSPENDED,
    RestReason.REFUSED: AccountStatus.COOLING_DOWN,
    RestReason.RATE_LIMITED: AccountStatus.COOLING_DOWN,
    RestReason.QUOTA: AccountStatus.COOLING_DOWN,
    RestReason.NO_ACCESS: AccountStatus.ACTIVE,
    RestReason.ERROR_STREAK: AccountStatus.COOLING_DOWN,
}

_FORGOTTEN_BY_SUCCESS = frozenset(
    {RestReason.RATE_LIMITED, RestReason.REFUSED, RestReason.QUOTA, RestReason.ERROR_STREAK}
)

_SEVERITY = (AccountStatus.DISABLED, AccountStatus.SUSPENDED, AccountStatus.COOLING_DOWN, AccountStatus.ACTIVE)

RATE_LIMIT_STEPS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=12))
STREAK_STEPS = (timedelta(seconds=30), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=12))
LONGEST_REST = timedelta(hours=12)
RENEWAL_MARGIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Rest:
    """One reason for rest.

    Attributes:
        until: When time alone lifts it; None when only a cure does.
        model: The model that it is limited to; None for the whole account.
        why: Upstream's or the operator's word for the cause, for people.
        step: How many times in a row this reason came, from 0; a longer rest each time.
    """

    reason: RestReason
    since: datetime
    until: datetime | None = None
    model: str | None = None
    why: str = ""
    step: int = 0

    @property
    def status(self) -> AccountStatus:
        """How an account stands that rests for this reason as a whole."""
        return _STATUS[self.reason]

    def holds(self, now: datetime) -> bool:
        """Whether it still keeps the account from work."""
        return self.until is None or now < self.until

    def is_cured_by(self, cure: Cure) -> bool:
        """Whether this cure lifts it. Credits say nothing about one model's share of a day."""
        if cure is Cure.CREDITS_SEEN and self.model is not None:
            return False
        return cure in _CURES[self.reason]


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many generations an account carries at once, by kind of media. None is unlimited, 0 is switched off."""

    image: int | None = None
    video: int | None = None

    def of(self, kind: MediaKind) -> int | None:
        """The limit for this kind."""
        return self.image if kind is MediaKind.IMAGE else self.video


@dataclass(frozen=True, slots=True)
class Credentials:
    """The secrets of one account. ``repr`` shows none of them.

    Attributes:
        session_token: Long-lived; for upstreams with API keys, the key.
        access_token: Short-lived bearer; None until the first exchange.
        expires_at: When the access token ends, by the upstream's word.
        obtained_at: When it was obtained.
    """

    session_token: Secret
    access_token: Secret | None = None
    expires_at: datetime | None = None
    obtained_at: datetime | None = None

    def is_fresh(self, now: datetime, margin: timedelta = timedelta(0)) -> bool:
        """Whether the access token is there and lives longer than ``margin``."""
        return self.access_token is not None and self.expires_at is not None and now + margin < self.expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One identity at an upstream, held in the pool. It holds no secret.

    Attributes:
        id: A small integer, stable, shown to operators.
        email: The identity that the upstream told, folded for comparison; None until the first exchange.
        credits: What the upstream last said was left; None when unknown.
        tier: The plan; None until the keeper has asked (the account is *warming*).
        workspace: Upstream's project that its generations belong to; None until one is made.
        access_expires_at: When its access token ends; None when it has none yet.
        access_obtained_at: When that token was obtained.
        streak: Faults in a row that were its own.
        weight: Share of work within its priority, 1 to 100.
        priority: Lower numbers are tried first.
        proxy: Name of the proxy that it must use; None for the global one.
    """

    id: int
    upstream: str
    name: str
    created_at: datetime
    email: str | None = None
    remark: str = ""
    tier: Tier | None = None
    credits: int | None = None
    capacity: Capacity = field(default_factory=Capacity)
    tags: frozenset[str] = frozenset()
    weight: int = 1
    priority: int = 0
    proxy: str | None = None
    workspace: str | None = None
    access_expires_at: datetime | None = None
    access_obtained_at: datetime | None = None
    rests: tuple[Rest, ...] = ()
    streak: int = 0

    @property
    def is_warm(self) -> bool:
        """Whether it was exchanged, asked for its tier, and has a workspace: ready to serve without a call first."""
        return self.tier is not None and self.access_expires_at is not None and self.workspace is not None

    def renewal_margin(self) -> timedelta:
        """How long before its end the access token is to be renewed: an hour, but at most half of its observed life."""
        if self.access_expires_at is None or self.access_obtained_at is None:
            return RENEWAL_MARGIN
        return min(RENEWAL_MARGIN, (self.access_expires_at - self.access_obtained_at) / 2)

    def status(self, now: datetime) -> AccountStatus:
        """How it stands now."""
        held = {_STATUS[rest.reason] for rest in self.rests if rest.model is None and rest.holds(now)}
        return next((status for status in _SEVERITY if status in held), AccountStatus.ACTIVE)

    def rest_of(self, reason: RestReason, model: str | None = None) -> Rest | None:
        """The recorded rest for this reason and scope, whether it still holds or not."""
        return next((rest for rest in self.rests if rest.reason is reason and rest.model == model), None)

    def blocking_rest(self, now: datetime) -> Rest | None:
        """The gravest reason that keeps the whole account from work now, or None."""
        held = [rest for rest in self.rests if rest.model is None and rest.holds(now)]
        return min(held, key=lambda rest: _SEVERITY.index(_STATUS[rest.reason])) if held else None

    def model_rest(self, model: str, now: datetime) -> Rest | None:
        """The reason that keeps this account from this model now, or None."""
        return next((rest for rest in self.rests if rest.model == model and rest.holds(now)), None)

    def resting(
        self,
        reason: RestReason,
        now: datetime,
        *,
        until: datetime | None = None,
        model: str | None = None,
        why: str = "",
        step: int = 0,
    ) -> "Account":
        """The account with one more reason for rest; it replaces an older one of the same reason and scope."""
        kept = tuple(rest for rest in self.rests if rest.reason is not reason or rest.model != model)
        return replace(self, rests=(*kept, Rest(reason, now, until, model, why, step)))

    def rate_limited(
        self,
        now: datetime,
        *,
        retry_after_s: float | None,
        model: str | None = None,
        why: str = "",
        reason: RestReason = RestReason.RATE_LIMITED,
    ) -> "Account":
        """The account after a refusal for speed, quota or abuse: rests as long as asked (12 h at most), else in steps.

        Refusals that come while it rests belong to calls that were under way: they prolong the rest if they ask for
        more, and are no further step.
        """
        before, asked = self.rest_of(reason, model), _asked_pause(retry_after_s)
        step = _next_step(before, RATE_LIMIT_STEPS, now)
        until = now + (asked or RATE_LIMIT_STEPS[step])
        if before is not None and before.until is not None and before.holds(now):
            until = before.until if asked is None else max(until, before.until)
        return self.resting(reason, now, until=until, model=model, why=why, step=step)

    def faulted(self, now: datetime, *, threshold: int, why: str = "") -> "Account":
        """The account after a fault of its own; at the threshold it rests, after each further one longer.

        Faults that come while it rests belong to calls that were under way, and prolong nothing.
        """
        streak = self.streak + 1
        before = self.rest_of(RestReason.ERROR_STREAK)
        is_on = before is not None and before.holds(now)
        if is_on or (before is None and streak < threshold):
            return replace(self, streak=streak)
        step = _next_step(before, STREAK_STEPS, now)
        rested = self.resting(RestReason.ERROR_STREAK, now, until=now + STREAK_STEPS[step], why=why, step=step)
        return replace(rested, streak=streak)

    def succeeded(self, now: datetime, model: str | None = None) -> "Account":
        """The account after a success: the streak ends, and steps of rests that are over are forgotten."""
        if self.streak == 0 and not self.rests:
            return self
        kept = tuple(
            rest
            for rest in self.rests
            if rest.reason not in _FORGOTTEN_BY_SUCCESS or rest.holds(now) or rest.model not in (None, model)
        )
        return replace(self, rests=kept, streak=0)

    def cured(self, cure: Cure) -> "Account":
        """The account without the rests that this cure lifts, and only those."""
        kept = tuple(rest for rest in self.rests if not rest.is_cured_by(cure))
        return self if len(kept) == len(self.rests) else replace(self, rests=kept)

    def without(self, keep: Callable[[Rest], bool]) -> "Account":
        """The account with only the rests that ``keep`` accepts."""
        return replace(self, rests=tuple(rest for rest in self.rests if keep(rest)))


def _next_step(before: Rest | None, steps: tuple[timedelta, ...], now: datetime) -> int:
    if before is None:
        return 0
    return before.step if before.holds(now) else min(before.step + 1, len(steps) - 1)


def _asked_pause(retry_after_s: float | None) -> timedelta | None:
    """The pause that upstream asked for: a second at least, and no longer than any rest may be."""
    if retry_after_s is None:
        return None
    return timedelta(seconds=min(max(1.0, retry_after_s), LONGEST_REST.total_seconds()))


def fold_email(email: str) -> str:
    """An e-mail address as identity: dots and ``+tag`` stay, for they may tell accounts apart."""
    return email.strip().casefold()

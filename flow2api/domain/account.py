"""One identity of the operator at an upstream, why it rests, and what cures it.

Every change of health is a pure function from account to account. Status is never stored: it follows from the reasons
for rest and the time.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from flow2api.domain.media import MediaKind
from flow2api.domain.rest import (
    FORGOTTEN_BY_SUCCESS,
    RATE_LIMIT_STEPS,
    SEVERITY,
    STATUS,
    STREAK_STEPS,
    AccountStatus,
    CallKind,
    Cure,
    Rest,
    RestReason,
    asked_pause,
)
from flow2api.domain.secret import Secret

__all__ = [
    "Account",
    "AccountStatus",
    "CallKind",
    "Capacity",
    "CredentialKind",
    "Credentials",
    "Cure",
    "Place",
    "Rest",
    "RestReason",
    "Streak",
    "Tier",
    "fold_email",
]


Place = tuple[str, str | None]
"""An upstream, and the base URL of those of its accounts that are served there; None where accounts have none."""


class Tier(IntEnum):
    """What plan an account has, least first."""

    FREE = 0
    PRO = 1
    ULTRA = 2


class CredentialKind(StrEnum):
    """What the accounts of an upstream sign in with."""

    SESSION = "session"
    API_KEY = "api_key"
    API_KEY_AND_BASE_URL = "api_key_and_base_url"

    @property
    def has_key(self) -> bool:
        """Whether it is an API key, which stays as it is until an operator replaces it."""
        return self is not CredentialKind.SESSION

    @property
    def has_base_url(self) -> bool:
        """Whether each account says which host it is of."""
        return self is CredentialKind.API_KEY_AND_BASE_URL

    @property
    def field(self) -> str:
        """What its secret is called in files, bodies and the audit log."""
        return "api_key" if self.has_key else "session_token"

    @property
    def secret(self) -> str:
        """What people call its secret."""
        return "API key" if self.has_key else "session token"


RENEWAL_MARGIN = timedelta(hours=1)

_OF_NO_HOST = frozenset({RestReason.MANUAL, RestReason.AUTH_EXPIRED})
"""What goes along to another host: the operator's word, and that the key is of no use until it was given anew."""

_MAKINGS = tuple(CallKind.making(kind) for kind in MediaKind)


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
        base_url: The host that an exchange is to ask, for upstreams whose accounts say theirs. It is the account's, and
            not stored with its secrets.
    """

    session_token: Secret
    access_token: Secret | None = None
    expires_at: datetime | None = None
    obtained_at: datetime | None = None
    base_url: str | None = None

    def is_fresh(self, now: datetime, margin: timedelta = timedelta(0)) -> bool:
        """Whether the access token is there and lives longer than ``margin``."""
        return self.access_token is not None and self.expires_at is not None and now + margin < self.expires_at


@dataclass(frozen=True, slots=True)
class Streak:
    """Faults of an account's own, in a row, at one kind of call; None when they were of no kind in particular."""

    call: CallKind | None
    faults: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One identity at an upstream, held in the pool. It holds no secret.

    Attributes:
        id: A small integer, stable, shown to operators.
        email: The identity that the upstream told, folded for comparison; None until the first exchange.
        credits: What the upstream last said was left; None when unknown.
        tier: The plan; None until the keeper has asked (the account is *warming*).
        workspace: Upstream's project that its generations belong to; None until one is made.
        workspace_name: What that project is called, or is to be called when one is made; None when nobody has said.
        access_expires_at: When its access token ends; None when it has none yet.
        access_obtained_at: When that token was obtained.
        streaks: Faults in a row that were its own, by kind of call; those without any are not named.
        weight: Share of work within its priority, 1 to 100.
        priority: Lower numbers are tried first.
        proxy: Name of the proxy that it must use; None for the global one.
        base_url: Where it is served, without a slash at the end; None for upstreams that know that themselves.
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
    base_url: str | None = None
    workspace: str | None = None
    workspace_name: str | None = None
    access_expires_at: datetime | None = None
    access_obtained_at: datetime | None = None
    rests: tuple[Rest, ...] = ()
    streaks: tuple[Streak, ...] = ()

    @property
    def place(self) -> Place:
        """Where it is served: what is out of order there, is so for every account of the same place."""
        return self.upstream, self.base_url

    @property
    def is_warm(self) -> bool:
        """Whether it was exchanged, asked for its tier, and has a workspace: ready to serve without a call first."""
        return self.tier is not None and self.access_expires_at is not None and self.workspace is not None

    @property
    def makes(self) -> tuple[CallKind, ...]:
        """What it is to make; what has no slots is not among it, unless nothing has any."""
        return tuple(CallKind.making(kind) for kind in MediaKind if self.capacity.of(kind) != 0) or _MAKINGS

    @property
    def streak(self) -> int:
        """Its longest row of faults at one kind of call."""
        return max((streak.faults for streak in self.streaks), default=0)

    def renewal_margin(self) -> timedelta:
        """How long before its end the access token is to be renewed: an hour, but at most half of its observed life."""
        if self.access_expires_at is None or self.access_obtained_at is None:
            return RENEWAL_MARGIN
        return min(RENEWAL_MARGIN, (self.access_expires_at - self.access_obtained_at) / 2)

    def status(self, now: datetime) -> AccountStatus:
        """How it stands now, at what it does best: who may make pictures and no videos is active."""
        rest = self.blocking_rest(now) if self.rests else None
        return AccountStatus.ACTIVE if rest is None else STATUS[rest.reason]

    def rest_of(self, reason: RestReason, model: str | None = None, call: CallKind | None = None) -> Rest | None:
        """The recorded rest for this reason and scope, whether it still holds or not."""
        return next((rest for rest in self.rests if rest.scope == (reason, model, call)), None)

    def blocking_rest(self, now: datetime, call: CallKind | None = None) -> Rest | None:
        """The gravest reason that keeps the account from work now, whatever the model, or None.

        Args:
            call: What it is to do. None asks for what keeps it from making anything at all of what it is to make.
        """
        if call is None:
            by_kind = [self.blocking_rest(now, making) for making in self.makes]
            return None if None in by_kind else max((rest for rest in by_kind if rest is not None), key=_mildness)
        held = [rest for rest in self.rests if rest.model is None and rest.holds(now) and rest.stops(call)]
        return min(held, key=_mildness) if held else None

    def partial_rest(self, now: datetime) -> Rest | None:
        """The gravest reason that keeps it from one kind of call now, or None."""
        held = [rest for rest in self.rests if rest.model is None and rest.call is not None and rest.holds(now)]
        return min(held, key=_mildness) if held else None

    def model_rest(self, model: str, now: datetime) -> Rest | None:
        """The reason that keeps this account from making this model at all now, or None."""
        limited = (rest for rest in self.rests if rest.model == model and rest.call is None)
        return next((rest for rest in limited if rest.holds(now)), None)

    def probation(self, call: CallKind, now: datetime) -> Rest | None:
        """The streak's rest that is over and has not yet been followed by a success at such a call; None without one."""
        over = (rest for rest in self.rests if rest.reason is RestReason.ERROR_STREAK and not rest.holds(now))
        return next((rest for rest in over if rest.stops(call)), None)

    def resting(
        self,
        reason: RestReason,
        now: datetime,
        *,
        until: datetime | None = None,
        model: str | None = None,
        why: str = "",
        step: int = 0,
        call: CallKind | None = None,
    ) -> "Account":
        """The account with one more reason for rest; it replaces an older one of the same reason and scope."""
        kept = tuple(rest for rest in self.rests if rest.scope != (reason, model, call))
        return replace(self, rests=(*kept, Rest(reason, now, until, model, why, step, call)))

    def rate_limited(
        self,
        now: datetime,
        *,
        retry_after_s: float | None,
        model: str | None = None,
        why: str = "",
        reason: RestReason = RestReason.RATE_LIMITED,
        call: CallKind | None = None,
    ) -> "Account":
        """The account after a refusal for speed, quota or abuse: rests as long as asked (12 h at most), else in steps.

        Refusals that come while it rests belong to calls that were under way: they prolong the rest if they ask for
        more, and are no further step. Neither are those that say themselves how long.
        """
        before, asked = self.rest_of(reason, model, call), asked_pause(retry_after_s)
        step = 0 if before is None else before.step if asked else before.next_step(RATE_LIMIT_STEPS, now)
        until = now + (asked or RATE_LIMIT_STEPS[step])
        if before is not None and before.until is not None and before.holds(now):
            until = before.until if asked is None else max(until, before.until)
        return self.resting(reason, now, until=until, model=model, why=why, step=step, call=call)

    def faulted(
        self,
        now: datetime,
        *,
        threshold: int,
        why: str = "",
        call: CallKind | None = None,
        steps: tuple[timedelta, ...] = STREAK_STEPS,
    ) -> "Account":
        """The account after a fault of its own; at the threshold it rests from such calls, after each further one longer.

        Faults that come while it rests belong to calls that were under way, and prolong nothing.
        """
        faults = next((streak.faults for streak in self.streaks if streak.call is call), 0) + 1
        others = tuple(streak for streak in self.streaks if streak.call is not call)
        counted = replace(self, streaks=(*others, Streak(call, faults)))
        before = self.rest_of(RestReason.ERROR_STREAK, call=call)
        if (before is not None and before.holds(now)) or (before is None and faults < threshold):
            return counted
        step = 0 if before is None else before.next_step(steps, now)
        until = now + steps[step]
        return counted.resting(RestReason.ERROR_STREAK, now, until=until, why=why, step=step, call=call)

    def succeeded(self, now: datetime, model: str | None = None, call: CallKind | None = None) -> "Account":
        """The account after a success at such a call.

        Its streak there ends, and steps of rests that are over are forgotten. A streak's rest that is on is over now, and
        probation begins: who succeeds meanwhile (a call that was under way, or one of a pool in need) is not that ill.
        """
        if not self.streaks and not self.rests:
            return self
        streaks = tuple(streak for streak in self.streaks if streak.call not in (None, call))
        rests = (_after_success(rest, now, model, call) for rest in self.rests)
        return replace(self, rests=tuple(rest for rest in rests if rest is not None), streaks=streaks)

    def working_in(self, workspace: str | None, name: str | None) -> "Account":
        """The account after a word on its project: None stays, an empty text is none.

        The name of a former project is not taken over by another one.
        """
        former = self.workspace_name if workspace in (None, self.workspace) else None
        return replace(
            self,
            workspace=self.workspace if workspace is None else workspace or None,
            workspace_name=former if name is None else name or None,
        )

    def cured(self, cure: Cure) -> "Account":
        """The account without the rests that this cure lifts, and only those."""
        kept = tuple(rest for rest in self.rests if not rest.is_cured_by(cure))
        return self if len(kept) == len(self.rests) else replace(self, rests=kept)

    def with_new_secret(self, kind: CredentialKind) -> "Account":
        """The account once it was given another session token or API key."""
        return self.cured(Cure.NEW_KEY if kind.has_key else Cure.NEW_CREDENTIAL)

    def served_at(self, base_url: str | None) -> "Account":
        """The account at this host. What another one refused it, or failed at, says nothing about this one."""
        if base_url == self.base_url:
            return self
        kept = tuple(rest for rest in self.rests if rest.reason in _OF_NO_HOST)
        return replace(self, base_url=base_url, rests=kept, streaks=())

    def without(self, keep: Callable[[Rest], bool]) -> "Account":
        """The account with only the rests that ``keep`` accepts."""
        return replace(self, rests=tuple(rest for rest in self.rests if keep(rest)))


def _mildness(rest: Rest) -> int:
    return SEVERITY.index(STATUS[rest.reason])


def _after_success(rest: Rest, now: datetime, model: str | None, call: CallKind | None) -> Rest | None:
    """What is left of a rest after a success with this model at such a call."""
    if rest.reason not in FORGOTTEN_BY_SUCCESS or rest.model not in (None, model) or rest.call not in (None, call):
        return rest
    if not rest.holds(now):
        return None
    return replace(rest, until=now) if rest.reason is RestReason.ERROR_STREAK else rest


def fold_email(email: str) -> str:
    """An e-mail address as identity: dots and ``+tag`` stay, for they may tell accounts apart."""
    return email.strip().casefold()

"""Who may serve a request, why others may not, and how one is chosen."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import NamedTuple, Protocol, runtime_checkable

from flow2api.domain.account import Account, CallKind, Tier
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.media import MediaKind

BUSY = "busy"
NO_TIER = "no_tier"
NO_TAG = "no_tag"
SWITCHED_OFF = "switched_off"
WARMING = "warming"
NO_CREDITS = "quota"
NO_PROXY = "no_proxy"
MAX_RUNNING = "max_running"
"""It is ready, but as many generations run in all as the operator allows."""

UNFIT = frozenset({NO_TIER, NO_TAG, SWITCHED_OFF})
"""Refusals of accounts that are not of the kind that is asked for, however well they are."""

FULL = frozenset({BUSY, MAX_RUNNING})
"""Refusals that end when somebody else's generation does."""

OCCUPIED = FULL | {"rate_limited"}
"""Refusals after which the caller is told to come again shortly (429)."""

PASSING = OCCUPIED | frozenset({"quota", "refused", "error_streak", WARMING, NO_PROXY})
"""Refusals that time alone may cure."""


class Signature(NamedTuple):
    """What a request needs of an account, as far as it is the same for very many requests.

    A tuple, because every request makes some and looks them up, and tuples do both several times as fast.
    """

    upstream: str
    kind: MediaKind
    min_tier: Tier
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """What one request needs of an account.

    Attributes:
        sticky: What related requests have in common (a caller, a parent media), for policies that keep them together.
        home: The account that made what the request builds on, where that is known; such policies begin there. It is
            looked up only for a policy with an attribute ``looks_home`` that is true.
        only: The one account that can serve, when the work builds on something that only it has.
        key_id: The API key that asked; waiting is fair between keys.
        limit_s: How long the account may be held at most; None without a limit.
    """

    spec: ModelSpec
    tag: str | None = None
    sticky: str | None = None
    home: int | None = None
    only: int | None = None
    key_id: int | None = None
    limit_s: float | None = None

    @property
    def signature(self) -> Signature:
        """The part that decides which accounts are ready."""
        return Signature(self.spec.upstream, self.spec.kind, self.spec.min_tier, self.tag)


@dataclass(slots=True)
class Candidate:
    """An account as policies see it: its record, and how much it carries now.

    Attributes:
        full: Kinds of which other processes hold every slot, as far as was seen a moment ago.
        has_way: Whether there is a way to upstream for it; not while no proxy that it may use works.
        on_probation: Kinds at which it failed in a row; of each it gets one at a time until one has succeeded.
    """

    account: Account
    images: int = 0
    videos: int = 0
    last_used: float = 0.0
    full: frozenset[MediaKind] = frozenset()
    has_way: bool = True
    on_probation: frozenset[MediaKind] = frozenset()

    def load(self, kind: MediaKind) -> int:
        """Generations of this kind that it carries now."""
        return self.images if kind is MediaKind.IMAGE else self.videos

    def limit(self, kind: MediaKind) -> int | None:
        """How many of this kind it may carry at once now; None is unlimited."""
        limit = self.account.capacity.of(kind)
        return limit if kind not in self.on_probation or limit == 0 else 1

    def has_free_slot(self, kind: MediaKind) -> bool:
        """Whether it may carry one more."""
        if kind in self.full:
            return False
        limit = self.limit(kind)
        return limit is None or self.load(kind) < limit


def refusal(candidate: Candidate, signature: Signature, now: datetime) -> str | None:
    """Why this account may not serve requests of this signature now; None when it may.

    What never passes by itself is named first, then why it rests, then that it is busy.
    """
    account = candidate.account
    if account.upstream != signature.upstream:
        return "other_upstream"
    if account.capacity.of(signature.kind) == 0:
        return SWITCHED_OFF
    if signature.tag is not None and signature.tag not in account.tags:
        return NO_TAG
    if account.tier is not None and account.tier < signature.min_tier:
        return NO_TIER
    if account.rests and (rest := account.blocking_rest(now, CallKind.making(signature.kind))) is not None:
        return rest.reason.value
    if not candidate.has_way:
        return NO_PROXY
    if not account.is_warm:
        return WARMING
    return None if candidate.has_free_slot(signature.kind) else BUSY


def refusal_for(candidate: Candidate, spec: ModelSpec, signature: Signature, now: datetime) -> str | None:
    """Why this account may not serve this very request now; None when it may.

    That it is busy is said only when it could serve otherwise.
    """
    why = refusal(candidate, signature, now)
    if why is None or why == BUSY:
        return model_refusal(candidate, spec, now) or why
    return why


def model_refusal(candidate: Candidate, spec: ModelSpec, now: datetime) -> str | None:
    """Why this account may not make this very model now, though its signature fits; None when it may."""
    account = candidate.account
    if account.rests and (rest := account.model_rest(spec.rests_as, now)) is not None:
        return rest.reason.value
    if account.credits is not None and (price := spec.cost(account.tier)) and account.credits < price:
        return NO_CREDITS
    return None


class ReadySet(Protocol):
    """The accounts that could serve now, for a policy to choose from, without a copy being made.

    Only the best priority that is not empty is shown.
    """

    def __len__(self) -> int:
        """How many there are."""
        ...

    def __iter__(self) -> Iterator[Candidate]:
        """All of them, in no particular order."""
        ...

    def at(self, index: int) -> Candidate:
        """The one at this place; places change as accounts come and go."""
        ...

    def find(self, account_id: int) -> Candidate | None:
        """This very account, if it is among them."""
        ...

    def sample(self, random: Random) -> Candidate:
        """One, each with the same chance."""
        ...

    def sample_by_weight(self, random: Random) -> Candidate:
        """One, each with a chance in proportion to its weight."""
        ...


class SelectionPolicy(Protocol):
    """Chooses one of the accounts that could serve.

    It is asked again, with the same ready set, when its choice turns out not to fit the particular request.
    """

    def select(self, ready: ReadySet, need: Need, random: Random) -> Candidate:
        """The account to use. ``ready`` is never empty."""
        ...


@runtime_checkable
class Explains(Protocol):
    """What a policy may offer besides, so that operators can see why an account was chosen."""

    def explain(self, candidate: Candidate, need: Need) -> str:
        """Why `select` has just chosen this one, as one short clause; asked before anything else is selected."""
        ...

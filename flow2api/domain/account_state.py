"""How an account stands in the eyes of an operator: one state, and what it follows from.

A status tells rests apart by how grave they are; a state also knows how much the account carries and what becomes of its
access token. Like the status it is never stored.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from flow2api.domain.account import Account, Rest, RestReason
from flow2api.domain.media import MediaKind
from flow2api.domain.rest import SEVERITY
from flow2api.domain.selection import Candidate

_SOON = timedelta(minutes=10)
"""An access token that has less left should have been renewed long ago."""


class AccountState(StrEnum):
    """The states of an account, what needs care first."""

    SIGN_IN_EXPIRED = "sign_in_expired"
    UNUSABLE = "unusable"
    TOKEN_SOON = "token_soon"  # noqa: S105 - a state
    OUT_OF_CREDITS = "out_of_credits"
    COOLING_DOWN = "cooling_down"
    WARMING = "warming"
    TESTING = "testing"
    BUSY = "busy"
    READY = "ready"
    PAUSED = "paused"


OF_REST = {
    RestReason.MANUAL: AccountState.PAUSED,
    RestReason.AUTH_EXPIRED: AccountState.SIGN_IN_EXPIRED,
    RestReason.UNUSABLE: AccountState.UNUSABLE,
    RestReason.NO_ACCESS: AccountState.UNUSABLE,
    RestReason.QUOTA: AccountState.OUT_OF_CREDITS,
    RestReason.REFUSED: AccountState.COOLING_DOWN,
    RestReason.RATE_LIMITED: AccountState.COOLING_DOWN,
    RestReason.ERROR_STREAK: AccountState.COOLING_DOWN,
}
"""The state of an account that rests as a whole, by the gravest reason."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of an account, with its reasons.

    Attributes:
        rest: The rest that the state follows from; None when it follows from something else.
        until: When it ends by itself: the rest, or the access token that ends soon. None when nothing is known of that.
        has_way: Whether there is a way to upstream for it; without one it cannot be used.
        others: Further rests that hold now, the gravest first: they keep it from a model, or from one kind of call.
    """

    state: AccountState
    rest: Rest | None = None
    until: datetime | None = None
    has_way: bool = True
    others: tuple[Rest, ...] = ()


def state_of(candidate: Candidate, now: datetime, *, is_testing: bool = False, is_renewed: bool = True) -> AccountState:
    """The state alone, for very many accounts.

    Args:
        is_testing: Whether an operator's test of it is under way.
        is_renewed: Whether access tokens are renewed ahead of their end; where they are not, none ends too soon.
    """
    if is_testing:
        return AccountState.TESTING
    account = candidate.account
    rest = account.blocking_rest(now) if account.rests else None
    return OF_REST[rest.reason] if rest is not None else _of_rested(candidate, account, now, is_renewed=is_renewed)


def standing_of(candidate: Candidate, now: datetime, *, is_testing: bool = False, is_renewed: bool = True) -> Standing:
    """The state with its reasons; see `state_of`."""
    account = candidate.account
    state = state_of(candidate, now, is_testing=is_testing, is_renewed=is_renewed)
    rest = account.blocking_rest(now) if account.rests else None
    others = [one for one in account.rests if one.holds(now) and one is not rest]
    until = account.access_expires_at if state is AccountState.TOKEN_SOON else None
    return Standing(
        state,
        rest,
        until if rest is None else rest.until,
        candidate.has_way,
        tuple(sorted(others, key=lambda one: SEVERITY.index(one.status))),
    )


def _of_rested(candidate: Candidate, account: Account, now: datetime, *, is_renewed: bool) -> AccountState:
    """The state of an account that no rest keeps from all that it makes."""
    capacity = account.capacity
    if capacity.image == 0 and (capacity.video == 0 or account.credits == 0):
        return AccountState.PAUSED if capacity.video == 0 else AccountState.OUT_OF_CREDITS
    if not candidate.has_way:
        return AccountState.UNUSABLE
    if not account.is_warm:
        return AccountState.WARMING
    if is_renewed and _ends_soon(account, now):
        return AccountState.TOKEN_SOON
    has_room = candidate.has_free_slot(MediaKind.IMAGE) or candidate.has_free_slot(MediaKind.VIDEO)
    return AccountState.READY if has_room else AccountState.BUSY


def _ends_soon(account: Account, now: datetime) -> bool:
    """Whether the access token has so little left that its renewal must have failed: it was due long before."""
    ends = account.access_expires_at
    return ends is not None and (left := ends - now) < _SOON and left < account.renewal_margin() / 2

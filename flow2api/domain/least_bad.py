"""Who may serve when over half of the accounts rest because they fail, and nobody else is left."""

from collections.abc import Iterable
from datetime import datetime

from flow2api.domain.account import CallKind, RestReason
from flow2api.domain.media import MediaKind
from flow2api.domain.ready_set import ReadyAccounts
from flow2api.domain.selection import UNFIT, Candidate, Need, refusal_for

LOOKED_AT = 8
"""How many accounts that fail are looked at: a sample, whatever the size of the pool."""


def is_in_need(ready: ReadyAccounts) -> bool:
    """Whether over half of the accounts that are of the kind rest because they fail."""
    failing = ready.reasons[RestReason.ERROR_STREAK]
    return failing > 0 and 2 * failing > ready.ready + sum(n for why, n in ready.reasons.items() if why not in UNFIT)


def least_bad(candidates: Iterable[Candidate], need: Need, now: datetime) -> Candidate | None:
    """The best of accounts that fail: idle, and with nothing else against it. None when no one is left."""
    kind, signature = need.spec.kind, need.signature
    idle = [one for one in candidates if not one.load(kind)]
    fit = [one for one in idle if refusal_for(_forgiven(one), need.spec, signature, now) is None]
    return min(fit, key=lambda one: _badness(one, kind), default=None)


def _forgiven(candidate: Candidate) -> Candidate:
    account = candidate.account.without(lambda rest: rest.reason is not RestReason.ERROR_STREAK)
    return Candidate(account, candidate.images, candidate.videos, full=candidate.full, has_way=candidate.has_way)


def _badness(candidate: Candidate, kind: MediaKind) -> tuple[int, int]:
    """How often in a row it had to rest from making this kind, and its row of faults."""
    call = CallKind.making(kind)
    rests = (rest for rest in candidate.account.rests if rest.reason is RestReason.ERROR_STREAK)
    return max((rest.step for rest in rests if rest.stops(call)), default=0), candidate.account.streak

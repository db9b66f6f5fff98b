"""What others are told while the server runs: accounts that need care, what is down, and generations that have ended.

Each thing that can be told is a pure function here, so that whoever notices it only has to call it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from flow2api.domain.account import Account, CallKind, RestReason, Tier
from flow2api.domain.generation import Generation, State
from flow2api.domain.quantity import counted


class NoticeKind(StrEnum):
    """What a notice is about; the names are public."""

    ACCOUNT_NEEDS_CARE = "account.needs_care"
    ACCOUNT_RECOVERED = "account.recovered"
    CREDITS_LOW = "account.credits_low"
    CREDITS_BACK = "account.credits_back"
    TIER_EMPTY = "pool.tier_empty"
    TIER_SERVED = "pool.tier_served"
    BREAKER_OPENED = "upstream.breaker_opened"
    BREAKER_CLOSED = "upstream.breaker_closed"
    PROXY_DEAD = "proxy.dead"
    PROXY_RECOVERED = "proxy.recovered"
    DISK_FULL = "disk.full"
    DISK_FREED = "disk.freed"
    WEBHOOK_DISABLED = "webhook.disabled"
    GENERATION_COMPLETED = "generation.completed"
    GENERATION_FAILED = "generation.failed"

    @property
    def is_for_operators(self) -> bool:
        """Whether it concerns who runs the server, and not only who asked for a generation."""
        return self not in OF_GENERATIONS

    @property
    def is_trouble(self) -> bool:
        """Whether something has to be done, as against: it is well again."""
        return self in _TROUBLES

    @property
    def is_seen_by_all(self) -> bool:
        """Whether each of several processes on one database notices it by itself."""
        return self in _ENDS or self in _ENDS.values()

    @property
    def topic(self) -> str:
        """What trouble and its end have in common: of two notices on one topic and subject, the later one holds."""
        return _ENDS.get(self, self).value


OF_GENERATIONS = frozenset({NoticeKind.GENERATION_COMPLETED, NoticeKind.GENERATION_FAILED})

_ENDS = {
    NoticeKind.ACCOUNT_RECOVERED: NoticeKind.ACCOUNT_NEEDS_CARE,
    NoticeKind.CREDITS_BACK: NoticeKind.CREDITS_LOW,
    NoticeKind.TIER_SERVED: NoticeKind.TIER_EMPTY,
    NoticeKind.BREAKER_CLOSED: NoticeKind.BREAKER_OPENED,
    NoticeKind.PROXY_RECOVERED: NoticeKind.PROXY_DEAD,
    NoticeKind.DISK_FREED: NoticeKind.DISK_FULL,
}
_TROUBLES = frozenset({*_ENDS.values(), NoticeKind.WEBHOOK_DISABLED})

CARE = frozenset({RestReason.AUTH_EXPIRED, RestReason.UNUSABLE})
"""Why an account rests that only a person can cure, and did not put to rest himself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to tell. It holds no secret and no prompt.

    Attributes:
        subject: What it is about, by a name that stays the same: ``account 7``, ``tier pro``.
        sentence: What happened and what to do, for people.
        facts: The same for programs, as JSON can say it.
        key_id: The API key that asked for the generation; None for what is no generation, or the operator's own.
        results: Ids of the media that came of the generation.
    """

    kind: NoticeKind
    at: datetime
    subject: str
    sentence: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    key_id: int | None = None
    results: tuple[str, ...] = ()

    @property
    def about(self) -> str:
        """What it is about, trouble and its end alike."""
        return f"{self.kind.topic} {self.subject}"

    @property
    def news(self) -> str:
        """What it says, whoever says it: two processes may put the same into other words or figures."""
        return " ".join((self.kind.value, *self.facts.get("reasons", ()), *self.facts.get("lacking", ())))


_CURES = {
    RestReason.AUTH_EXPIRED: "its session has ended. Give it a new session token",
    RestReason.UNUSABLE: "the upstream does not serve it. Look at it there, then enable it again",
}


def account_needs_care(account: Account, at: datetime) -> Notice:
    """The account rests for a reason that an operator has to cure."""
    reasons = [rest for rest in account.rests if rest.reason in CARE and rest.model is None]
    why = "; ".join(_CURES[rest.reason] + (f" ({rest.why})" if rest.why else "") for rest in reasons)
    return Notice(
        kind=NoticeKind.ACCOUNT_NEEDS_CARE,
        at=at,
        subject=f"account {account.id}",
        sentence=f"Account {_called(account)} does not work: {why or 'it rests'}.",
        facts={**_facts_of(account), "reasons": [rest.reason.value for rest in reasons]},
    )


def account_recovered(account: Account, at: datetime) -> Notice:
    """What an operator had to cure is cured."""
    sentence = f"Account {_called(account)} needs no care any more."
    return _of_account(NoticeKind.ACCOUNT_RECOVERED, account, at, sentence)


def credits_low(account: Account, at: datetime, least: int) -> Notice:
    """The account has fewer credits than the operator wants to know of."""
    sentence = f"Account {_called(account)} has {account.credits} credits left, fewer than {least}."
    return _of_account(NoticeKind.CREDITS_LOW, account, at, sentence)


def credits_back(account: Account, at: datetime) -> Notice:
    """It has enough again."""
    sentence = f"Account {_called(account)} has {account.credits} credits again."
    return _of_account(NoticeKind.CREDITS_BACK, account, at, sentence)


_MADE = {CallKind.PICTURE: "pictures", CallKind.VIDEO: "videos"}


def tier_empty(tier: Tier, at: datetime, accounts: int, lacking: frozenset[CallKind], active: int = 0) -> Notice:
    """None of the accounts of a plan can make some kind of media now, or any.

    Args:
        lacking: What none can make.
        active: How many can make something else.
    """
    name = tier.name.lower()
    able = "work" if not active else "make " + " or ".join(_MADE[call] for call in sorted(lacking))
    sentence = (
        f"None of {counted(accounts, f'{name} account')} can {able} now; "
        "`flow2api accounts list` tells why each one rests."
    )
    facts = {"accounts": accounts, "active": active, "lacking": sorted(call.value for call in lacking)}
    return _of(NoticeKind.TIER_EMPTY, "tier", name, at, sentence, **facts)


def tier_served(tier: Tier, at: datetime, accounts: int, active: int) -> Notice:
    """Some of them can again."""
    name = tier.name.lower()
    sentence = f"{active} of {counted(accounts, f'{name} account')} can work again."
    return _of(NoticeKind.TIER_SERVED, "tier", name, at, sentence, accounts=accounts, active=active)


def breaker_opened(upstream: str, at: datetime, why: str) -> Notice:
    """Calls to an upstream are held back, because it fails for everybody."""
    sentence = f"The upstream {upstream} fails for all accounts ({why}); calls to it pause until it answers again."
    return _of(NoticeKind.BREAKER_OPENED, "upstream", upstream, at, sentence, why=why)


def breaker_closed(upstream: str, at: datetime) -> Notice:
    """The upstream answers again."""
    return _of(NoticeKind.BREAKER_CLOSED, "upstream", upstream, at, f"The upstream {upstream} answers again.")


def proxy_dead(name: str, at: datetime, accounts: int) -> Notice:
    """A proxy does not answer.

    Args:
        name: What the proxy is called; never its address, which may hold a password.
        accounts: How many accounts use it.
    """
    sentence = f"The proxy {name} does not answer; {counted(accounts, 'account')} may go through it."
    return _of(NoticeKind.PROXY_DEAD, "proxy", name, at, sentence, accounts=accounts)


def proxy_recovered(name: str, at: datetime) -> Notice:
    """It answers again."""
    return _of(NoticeKind.PROXY_RECOVERED, "proxy", name, at, f"The proxy {name} answers again.")


def disk_full(at: datetime) -> Notice:
    """There is no room to keep results."""
    sentence = "There is no room left to keep results: generations fail. Free space, or keep media for a shorter time."
    return Notice(kind=NoticeKind.DISK_FULL, at=at, subject="disk", sentence=sentence)


def disk_freed(at: datetime) -> Notice:
    """There is room again."""
    return Notice(kind=NoticeKind.DISK_FREED, at=at, subject="disk", sentence="There is room again to keep results.")


def webhook_disabled(name: str, at: datetime, why: str) -> Notice:
    """Nothing is sent to a webhook any more."""
    sentence = f"The webhook {name} is switched off: {why}. `flow2api webhooks enable` switches it on again."
    return _of(NoticeKind.WEBHOOK_DISABLED, "webhook", name, at, sentence, why=why)


def kind_of_end(ended: Generation) -> NoticeKind:
    """What kind of notice tells of this end."""
    is_good = ended.state is State.COMPLETED
    return NoticeKind.GENERATION_COMPLETED if is_good else NoticeKind.GENERATION_FAILED


def generation_ended(ended: Generation, at: datetime) -> Notice:
    """A generation has come to its end, good or bad; one that was cancelled counts as failed, with the code ``cancelled``."""
    fault = None if ended.fault is None else {"code": ended.fault.code, "message": ended.fault.message}
    return Notice(
        kind=kind_of_end(ended),
        at=at,
        subject=ended.id,
        sentence=f"Generation {ended.id} has ended: {ended.state}.",
        facts={
            "id": ended.id,
            "request_id": ended.group_id,
            "kind": ended.kind.value,
            "model": ended.model,
            "door": ended.door,
            "state": ended.state.value,
            "created_at": ended.created_at.isoformat(),
            "ended_at": (ended.ended_at or at).isoformat(),
            "expires_at": None if ended.expires_at is None else ended.expires_at.isoformat(),
            "warnings": list(ended.warnings),
            "error": fault,
        },
        key_id=ended.key_id,
        results=ended.results,
    )


def needs_care(account: Account) -> tuple[str, ...]:
    """The reasons that an operator has to cure; none for an account that is well, or that he has switched off."""
    found = tuple(sorted(rest.reason.value for rest in account.rests if rest.model is None and rest.reason in CARE))
    return () if account.rest_of(RestReason.MANUAL) else found


def _of(kind: NoticeKind, what: str, name: str, at: datetime, sentence: str, **facts: object) -> Notice:
    """A notice about something that has a name; the name is the first of the facts."""
    return Notice(kind=kind, at=at, subject=f"{what} {name}", sentence=sentence, facts={what: name, **facts})


def _of_account(kind: NoticeKind, account: Account, at: datetime, sentence: str) -> Notice:
    return Notice(kind=kind, at=at, subject=f"account {account.id}", sentence=sentence, facts=_facts_of(account))


def _facts_of(account: Account) -> dict[str, Any]:
    return {
        "account_id": account.id,
        "name": account.name,
        "email": account.email,
        "upstream": account.upstream,
        "tier": None if account.tier is None else account.tier.name.lower(),
        "credits": account.credits,
    }


def _called(account: Account) -> str:
    return f"{account.id} ({account.email or account.name})"

"""Addresses that are told of events by signed messages, and what became of each message."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from flow2api.domain.notices import Notice, NoticeKind
from flow2api.domain.secret import Secret

PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
)
"""How long to wait after each try that failed; after the last one no other follows."""

GIVEN_UP_AFTER = timedelta(hours=24)
"""A webhook to which nothing has got through for so long is switched off when a message has run out of tries."""

ECHO = timedelta(minutes=10)
"""Within this time other processes may notice what one has noticed; the same news again is theirs, and is sent by none."""

LONGEST_ASKED_PAUSE = timedelta(hours=12)

SUBSCRIBABLE = tuple(NoticeKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One address of an operator's.

    Attributes:
        id: 0 before it is stored.
        shown: The address without what could be a secret: scheme and host.
        kinds: What it is told.
        key_id: Of generations only those of this API key; None for all.
        disabled_at: When it was switched off; None while it is told.
        disabled_why: Why, for people.
        failing_since: When the first of the failures came that follow the last success; None after a success.
    """

    id: int
    name: str
    url: Secret
    shown: str
    signing: Secret
    kinds: frozenset[NoticeKind]
    created_at: datetime
    key_id: int | None = None
    disabled_at: datetime | None = None
    disabled_why: str = ""
    failing_since: datetime | None = None
    delivered_at: datetime | None = None

    @property
    def is_enabled(self) -> bool:
        """Whether it is told anything."""
        return self.disabled_at is None

    def wants(self, notice: Notice) -> bool:
        """Whether this is for it."""
        if not self.is_enabled or notice.kind not in self.kinds:
            return False
        return notice.kind.is_for_operators or self.key_id is None or self.key_id == notice.key_id


def changed_fields(seen: Webhook, now: Webhook) -> tuple[str, ...]:
    """What of an operator's word about a webhook is different from how it was seen, as people call it."""
    different = {
        "address": seen.url != now.url,
        "secret": seen.signing != now.signing,
        "events": seen.kinds != now.kinds,
        "key": seen.key_id != now.key_id,
    }
    return tuple(name for name, differs in different.items() if differs)


class DeliveryState(StrEnum):
    """What became of a message."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message to one webhook.

    Attributes:
        number: 0 before it is stored.
        message_id: The same at each try, so that a receiver can tell repeats.
        kind: What it tells.
        content: The message as JSON text, without links.
        results: Media that the message links to.
        due_at: When it is to be tried next; meaningless once it has ended.
        about: What it is about, when each of several processes would tell it; else empty.
        news: What it says of that.
        answer: The number that the receiver answered with last; None when no answer came.
        error: Why the last try failed, for people.
    """

    number: int
    webhook_id: int
    message_id: str
    kind: str
    at: datetime
    content: str
    results: tuple[str, ...] = ()
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    due_at: datetime
    answer: int | None = None
    error: str = ""
    ended_at: datetime | None = None
    about: str = ""
    news: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What came of one try.

    Attributes:
        answer: The number that the receiver answered with; None when no answer came.
        error: Why it does not count as delivered; empty when it does.
        is_gone: The receiver wants no more messages, ever.
        retry_after_s: The pause that it asked for.
    """

    answer: int | None
    error: str = ""
    is_gone: bool = False
    retry_after_s: float | None = None

    @property
    def is_good(self) -> bool:
        """Whether the message was taken."""
        return not self.error


def pause_after(attempts: int, receipt: Receipt, spread: float) -> timedelta | None:
    """How long to wait after so many tries have failed; None when there is to be no other.

    Args:
        spread: From 0 to 1; moves the pause by up to a fifth, so that what failed together is not tried together.
    """
    if attempts > len(PAUSES):
        return None
    pause = PAUSES[attempts - 1] * (0.9 + 0.2 * spread)
    if receipt.retry_after_s is not None:
        pause = max(pause, timedelta(seconds=min(receipt.retry_after_s, LONGEST_ASKED_PAUSE.total_seconds())))
    return pause

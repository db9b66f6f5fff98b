"""The log of ended generations."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from flow2api.domain.media import MediaKind
from flow2api.domain.record import Record


@dataclass(frozen=True)
class LogEntry(Record):
    """One ended generation or refused request, for the log and the statistics. It holds no secret.

    Attributes:
        request_id: What the parts of one request share.
        state: How it ended, by the words of `State`, or ``refused``.
        code: Why, when it did not end well.
        status: HTTP status that the outcome has by itself. What ended with 401 is counted, but gets no line of its own.
        message: The code as a sentence.
        attempts: On how many accounts a submit was tried.
        waited_ms: How much of its duration it waited for an account.
        results: How many pictures or videos came of it.
        credits: What it cost its account, where the price is known and in credits; counted, and not kept with the line.
        prompt: As it may be kept.
        body: What was sent, as it may be kept.
    """

    at: datetime
    request_id: str
    key_id: int | None
    door: str
    model: str
    account_id: int | None
    generation_id: str | None
    state: str
    code: str | None
    duration_ms: int
    kind: MediaKind | None = None
    status: int | None = None
    message: str | None = None
    attempts: int = 0
    waited_ms: int = 0
    results: int = 0
    credits: int = 0
    prompt: str | None = None
    body: str | None = None


class Journal(Protocol):
    """Request log and statistics, written in batches behind the requests."""

    def note(self, entry: LogEntry) -> None:
        """Hand over an entry; never blocks and never raises (when full it drops, and counts what it dropped)."""
        ...


@runtime_checkable
class CountsDropped(Protocol):
    """A journal that tells how much found no room. A journal may offer this; whoever wants it asks by ``isinstance``.

    Attributes:
        dropped: Entries that found no room, since the start.
    """

    dropped: int

"""The log of ended generations."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from flow2api.domain.media import MediaKind


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One ended generation, for the log and the statistics. It holds neither prompt nor secret.

    Attributes:
        request_id: What the parts of one request share.
        state: How it ended, by the words of `State`.
        code: Why, when it did not end well.
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


class Journal(Protocol):
    """Request log and statistics, written in batches behind the requests."""

    def note(self, entry: LogEntry) -> None:
        """Hand over an entry; never blocks and never raises (when full it drops, and counts what it dropped)."""
        ...

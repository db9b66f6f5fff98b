"""Requests of former days, to learn from."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PastRequest:
    """What a generation asked of the pool, without what it was about.

    Attributes:
        at: When it came.
        spec_name: The concrete model that served it.
        first_input: Media id of its first input, if it had one.
        held_s: How long it held its account; None when it never got one, or has not ended.
    """

    at: datetime
    spec_name: str
    key_id: int | None
    first_input: str | None
    held_s: float | None


class PastRequests(Protocol):
    """The generations of a span of time, as requests."""

    def between(self, start: datetime, end: datetime) -> AsyncIterator[Sequence[PastRequest]]:
        """Those that came from ``start`` on and before ``end``, in the order of coming, in batches; none is held open."""
        ...

"""When accounts come back by themselves."""

import heapq
from collections.abc import Sequence
from datetime import datetime


class Lifts:
    """The next moment at which each account has to be looked at again, because a rest of it ends."""

    def __init__(self) -> None:
        self._queue: list[tuple[datetime, int]] = []
        self._next: dict[int, datetime] = {}

    def schedule(self, account_id: int, at: datetime) -> None:
        """Note a moment; of several, the earliest counts."""
        known = self._next.get(account_id)
        if known is None or at < known:
            self._next[account_id] = at
            heapq.heappush(self._queue, (at, account_id))

    def forget(self, account_id: int) -> None:
        """The account is gone."""
        self._next.pop(account_id, None)

    def next_s(self, now: datetime) -> float | None:
        """Seconds until the next one; None when there is none."""
        return None if not self._queue else max(0.0, (self._queue[0][0] - now).total_seconds())

    def due(self, now: datetime) -> Sequence[int]:
        """The accounts whose moment has come; each is named once."""
        due = []
        while self._queue and self._queue[0][0] <= now:
            at, account_id = heapq.heappop(self._queue)
            if self._next.get(account_id) == at:
                del self._next[account_id]
                due.append(account_id)
        return due

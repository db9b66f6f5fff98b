"""The history of credits in memory."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from flow2api.testing.fakes.tables import Tables


class FakeCreditsHistory:
    """Keeps it beside the other tables."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._left: dict[tuple[int, str], int] = {}

    async def note(self, day: str, seen: Mapping[int, int]) -> None:
        self._tables.writing()
        self._left.update({(account_id, day): left for account_id, left in seen.items()})

    async def of(self, account_id: int, first: str, last: str) -> Mapping[str, int]:
        mine = {day: left for (one, day), left in sorted(self._left.items()) if one == account_id and day <= last}
        start = max((day for day in mine if day < first), default=first)
        return {day: left for day, left in mine.items() if day >= start}

    async def forget(self, before: str, limit: int) -> int:
        self._tables.writing()
        old = sorted((key for key in self._left if key[1] < before), key=lambda key: key[1])[:limit]
        for key in old:
            del self._left[key]
        return len(old)


if TYPE_CHECKING:
    from flow2api.domain.ports.storage import CreditsHistory

    def _is_a_history(history: FakeCreditsHistory) -> CreditsHistory:
        return history

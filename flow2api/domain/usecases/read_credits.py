"""What accounts had left day by day, and when nothing will be."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta, tzinfo

from flow2api.domain.forecast import CreditsDay, Forecast, forecast
from flow2api.domain.lease import AccountPool
from flow2api.domain.ports.storage import CreditsHistory
from flow2api.domain.ports.storage.credits import POOL
from flow2api.domain.ports.system import Clock
from flow2api.domain.statistics import day_of

MOST_DAYS = 90


@dataclass(frozen=True, slots=True)
class CreditsOutlook:
    """What was left, oldest first, up to today; and where that goes.

    Attributes:
        forecast: None when it cannot be told.
    """

    days: Sequence[CreditsDay]
    forecast: Forecast | None


class ReadCredits:
    """Joins the history with what is known now.

    Args:
        history: None when the storage keeps none; then only today is known.
        zone: The time zone whose days are shown.
    """

    def __init__(
        self, pool: AccountPool, history: CreditsHistory | None, clock: Clock, zone: Callable[[], tzinfo]
    ) -> None:
        self._pool = pool
        self._history = history
        self._clock = clock
        self._zone = zone

    async def of_account(self, account_id: int, days: int = 30) -> CreditsOutlook:
        """One account, whether it is still there or not; 90 days at most.

        Raises:
            StorageError: The database did not tell.
        """
        account = self._pool.get(account_id)
        return await self._outlook(account_id, days, None if account is None else account.credits)

    async def of_pool(self, days: int = 30) -> CreditsOutlook:
        """All accounts together; of today what was last written down, a quarter of an hour ago at most.

        Raises:
            StorageError: The database did not tell.
        """
        return await self._outlook(POOL, days, None)

    async def _outlook(self, account_id: int, count: int, now: int | None) -> CreditsOutlook:
        today = day_of(self._clock.now(), self._zone())
        first = today - timedelta(days=min(max(count, 1), MOST_DAYS) - 1)
        seen = (
            await self._history.of(account_id, first.isoformat(), today.isoformat())
            if self._history is not None
            else {}
        )
        # A day on which nothing was noted is one on which nothing changed: what was left before still was.
        left = next((seen[day] for day in seen if day < first.isoformat()), None)
        days: list[CreditsDay] = []
        for at in range((today - first).days + 1):
            day = first + timedelta(days=at)
            left = seen.get(day.isoformat(), left)
            days.append(CreditsDay(day, left))
        if now is not None:
            days[-1] = CreditsDay(today, now)
        return CreditsOutlook(days, forecast(days))

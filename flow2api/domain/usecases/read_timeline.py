"""What one account went through, for operators."""

from flow2api.domain.errors import AccountNotFoundError
from flow2api.domain.health import HealthEvent
from flow2api.domain.ports.storage import Accounts, HealthLog, Page

LARGEST_PAGE = 1000


class ReadTimeline:
    """The timeline of an account that is still there."""

    def __init__(self, accounts: Accounts, health: HealthLog) -> None:
        self._accounts = accounts
        self._health = health

    async def page(self, account_id: int, *, before: int | None = None, limit: int = 50) -> Page[HealthEvent]:
        """Its events, the latest first, in front of the one with the number ``before``; 1000 at most.

        Raises:
            AccountNotFoundError: It is not there.
        """
        if await self._accounts.get(account_id) is None:
            raise AccountNotFoundError(account_id)
        return await self._health.page(account_id, before=before, limit=min(max(limit, 1), LARGEST_PAGE))

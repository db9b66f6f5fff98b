"""How the last checks of accounts went, for lists of them."""

from collections.abc import Mapping, Sequence

from flow2api.domain.checks import Check
from flow2api.domain.ports.storage import HealthLog, TellsChecks

LARGEST_LIST = 200


class ReadChecks:
    """Asks once for all accounts of a list."""

    def __init__(self, health: HealthLog) -> None:
        self._log = health if isinstance(health, TellsChecks) else None

    async def __call__(self, account_ids: Sequence[int]) -> Mapping[int, Sequence[Check]]:
        """The last checks of these accounts (of 200 at most), oldest first; an account without any has none of them.

        Raises:
            StorageError: The database did not tell.
        """
        wanted = list(dict.fromkeys(account_ids))[:LARGEST_LIST]
        found = await self._log.last_checks(wanted) if self._log is not None and wanted else {}
        return {account_id: found.get(account_id, ()) for account_id in wanted}

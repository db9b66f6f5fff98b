"""Takes the accounts in at the start."""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager

from flow2api.adapters.system.process import building_up
from flow2api.domain.account import Account
from flow2api.domain.lease import AccountPool
from flow2api.domain.ports.storage import Accounts

_MANY = 10_000
_MORE = 2000

_SLICE = 20
"""After so many accounts others have their turn: half a millisecond of work."""


async def load_accounts(accounts: Accounts, pool: AccountPool) -> None:
    """Put every stored account into the pool, without holding the event loop for long."""
    async for batch in accounts.load():
        for start in range(0, len(batch), _SLICE):
            for account in batch[start : start + _SLICE]:
                pool.put(account)
            await asyncio.sleep(0)


class Growth:
    """Leaves accounts alone that come into a running server.

    Each time that some thousand have come, the collector would look through all of them, and nobody is served meanwhile.
    """

    def __init__(self, pool: AccountPool) -> None:
        self._pool = pool
        self._settled = len(pool)
        pool.subscribe(self._take)

    def _take(self, _: Account) -> None:
        count = len(self._pool)
        self._settled = min(self._settled, count)
        if count - self._settled >= _MORE:
            gc.freeze()
            self._settled = count


@contextmanager
def filling(pool: AccountPool) -> Iterator[None]:
    """A time in which memory is filled with accounts and with what belongs to them, and which stays.

    The collector would look through all of it again and again, for a third of a second each time with 100,000 accounts; so it
    rests meanwhile, and leaves many accounts alone afterwards.
    """
    with building_up():
        yield
        if len(pool) >= _MANY:
            gc.freeze()

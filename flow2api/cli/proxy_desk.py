"""What the commands of ``flow2api proxies`` work with while the storage is open."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from flow2api.adapters.system import SystemClock
from flow2api.cli.context import Installation, opened_storage
from flow2api.cli.failures import Failure
from flow2api.domain.options import Options
from flow2api.domain.ports.storage import Storage
from flow2api.domain.proxy import Proxy
from flow2api.domain.usecases.manage_proxies import ManageProxies
from flow2api.settings import parse_options

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ProxyDesk:
    """The storage, what operators do to proxies, and the options as they are stored."""

    storage: Storage
    manage: ManageProxies
    options: Options

    async def named(self, name: str) -> Proxy:
        """The proxy of this name.

        Raises:
            ConflictError: There is no proxy and no pool of this name.
            Failure: It is the name of a pool.
        """
        found = [one for one in await self.manage.find([name]) if one.name == name]
        if not found:
            raise Failure(f"{name!r} is a pool; name one of its proxies.")
        return found[0]


def at_proxy_desk(here: Installation, use: Callable[[ProxyDesk], Awaitable[T]]) -> T:
    """Do this with the storage open."""

    async def run() -> T:
        async with opened_storage(here) as (storage, _):
            options = parse_options({**await storage.options.read(), **here.settings.options})
            return await use(
                ProxyDesk(storage, ManageProxies(storage.proxies, storage.accounts, SystemClock()), options)
            )

    return asyncio.run(run())

"""``/api/admin/proxy-pools``: proxies by the pool that they belong to."""

from collections import Counter
from collections.abc import Sequence

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.resources.queries import PREFIX
from flow2api.domain.proxy import Proxy


class ProxyPool(msgspec.Struct, frozen=True, kw_only=True):
    """A pool of proxies.

    Attributes:
        proxies: How many there are in it.
        enabled: How many of them may be used.
        states: How many of those that may be used stand how: ``unknown``, ``healthy``, ``suspect`` or ``down``.
    """

    name: str
    proxies: int
    enabled: int
    states: dict[str, int]


class ProxyPools(msgspec.Struct, frozen=True, kw_only=True):
    """The pools, in the order of their names."""

    items: tuple[ProxyPool, ...]
    next_cursor: str | None = None


def proxy_pool_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handler."""

    @get(f"{PREFIX}/proxy-pools", tags=["proxies"])
    async def list_proxy_pools() -> ProxyPools:
        """The pools. One begins with its first proxy and ends with its last."""
        known = await doors.proxies.all()
        names = sorted({one.pool for one in known if one.pool is not None})
        return ProxyPools(items=tuple(_pool(name, [one for one in known if one.pool == name]) for name in names))

    return [list_proxy_pools]


def _pool(name: str, members: Sequence[Proxy]) -> ProxyPool:
    states = Counter(one.health.state.value for one in members if one.is_enabled)
    return ProxyPool(name=name, proxies=len(members), enabled=states.total(), states=dict(states))

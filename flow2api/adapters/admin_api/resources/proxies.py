"""``/api/admin/proxies``: the proxies that calls to the upstream leave by."""

from typing import Annotated

import msgspec
from litestar import delete, get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import UNSET, UnsetType

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.guards import LEAST_ROLE, actor_of
from flow2api.adapters.admin_api.resources.queries import PREFIX, HttpRequest, Word
from flow2api.adapters.admin_api.schemas import Body
from flow2api.documents.proxies import ProxyCheck, ProxyView, RefusedProxy, check_view, proxy_view
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.operator import Role
from flow2api.domain.proxy import Proxy

ONE = f"{PREFIX}/proxies/{{name:str}}"
MOST_AT_ONCE = 1000

ProxyName = Annotated[str, PathParameter(max_length=64)]
Urls = Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=MOST_AT_ONCE)]
Names = Annotated[tuple[str, ...], msgspec.Meta(max_length=MOST_AT_ONCE)]


class ProxyViews(msgspec.Struct, frozen=True, kw_only=True):
    """Proxies, in the order of their names."""

    items: tuple[ProxyView, ...]
    next_cursor: str | None = None


class NewProxyBody(Body, frozen=True):
    """A proxy: ``scheme://user:password@host:port`` by http, https, socks5 or socks5h; without a name it gets its host's."""

    url: str
    name: str | None = None
    pool: str | None = None


class ProxyImportBody(Body, frozen=True):
    """Many proxies, 1,000 at most, and the pool that they belong to."""

    urls: Urls
    pool: str | None = None


class ProxyImport(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an import."""

    added: tuple[ProxyView, ...]
    refused: tuple[RefusedProxy, ...]


class ProxyBody(Body, frozen=True):
    """What is to change; what is left out stays. A pool of null takes the proxy out of its pool."""

    url: str | UnsetType = UNSET
    pool: str | UnsetType | None = UNSET
    is_enabled: bool | UnsetType = UNSET


class ProxyTestBody(Body, frozen=True):
    """The proxies or pools to try; all when none is named."""

    names: Names = ()


class ProxyChecks(msgspec.Struct, frozen=True, kw_only=True):
    """What the checks came to; ``ok`` when all did well."""

    ok: bool
    checks: tuple[ProxyCheck, ...]


def proxy_resource_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handlers."""
    return [*_routes_of_many(doors), *_routes_of_one(doors)]


def _routes_of_many(doors: AdminDoors) -> list[HTTPRouteHandler]:
    owner = {LEAST_ROLE: Role.OWNER}

    @get(f"{PREFIX}/proxies", tags=["proxies"])
    async def list_proxies(pool: Word = None) -> ProxyViews:
        """The proxies, of one pool or all."""
        found = [one for one in await doors.proxies.all() if pool in (None, one.pool)]
        return ProxyViews(items=tuple(proxy_view(one) for one in found))

    @post(f"{PREFIX}/proxies", opt=owner, tags=["proxies"])
    async def add_proxy(request: HttpRequest, data: JSONBody[NewProxyBody]) -> ProxyView:
        """Take in a proxy. Its credentials are kept sealed and never shown."""
        actor = actor_of(doors, request.scope)
        added = await doors.proxies.add(data.url, actor, name=data.name, pool=data.pool)
        await doors.reload_proxies()
        return proxy_view(added)

    @post(f"{PREFIX}/proxies/import", status_code=200, opt=owner, tags=["proxies"])
    async def import_proxies(request: HttpRequest, data: JSONBody[ProxyImportBody]) -> ProxyImport:
        """Take in many proxies; one that cannot be used does not stop the others."""
        added, refused, line = [], [], 0
        async for outcome in doors.proxies.add_each(data.urls, actor_of(doors, request.scope), pool=data.pool):
            line += 1
            if isinstance(outcome, Proxy):
                added.append(proxy_view(outcome))
            else:
                refused.append(RefusedProxy(line, outcome.message))
        await doors.reload_proxies()
        return ProxyImport(added=tuple(added), refused=tuple(refused))

    @post(f"{PREFIX}/proxies/test", status_code=200, opt=owner, tags=["proxies"])
    async def test_proxies(request: HttpRequest, data: JSONBody[ProxyTestBody]) -> ProxyChecks:
        """Fetch the address of the option `proxy_check_url` through proxies, and note how they stand."""
        chosen = await doors.proxies.find(data.names)
        checked = await doors.check_proxies.check_and_keep(chosen, actor_of(doors, request.scope))
        await doors.reload_proxies()
        checks = tuple(check_view(one) for one in checked)
        return ProxyChecks(ok=all(one.ok for one in checks), checks=checks)

    return [list_proxies, add_proxy, import_proxies, test_proxies]


def _routes_of_one(doors: AdminDoors) -> list[HTTPRouteHandler]:
    owner = {LEAST_ROLE: Role.OWNER}

    @get(ONE, tags=["proxies"])
    async def show_proxy(name: ProxyName) -> ProxyView:
        """One proxy."""
        return proxy_view(await doors.proxies.named(name))

    @patch(ONE, opt=owner, tags=["proxies"])
    async def change_proxy(request: HttpRequest, name: ProxyName, data: JSONBody[ProxyBody]) -> ProxyView:
        """Let a proxy be somewhere else or in another pool, or be used or not; accounts that name it stay with it."""
        if data == ProxyBody():
            raise UnsupportedInputError("Say what is to be changed: url, pool, is_enabled.")
        proxy, actor = await doors.proxies.named(name), actor_of(doors, request.scope)
        url = None if isinstance(data.url, UnsetType) else data.url
        pool = None if isinstance(data.pool, UnsetType) else data.pool or ""
        changed = await doors.proxies.change(proxy, actor, doors.options(), url=url, pool=pool)
        if not isinstance(data.is_enabled, UnsetType):
            changed = await doors.proxies.set_enabled(changed, actor, enabled=data.is_enabled)
        await doors.reload_proxies()
        return proxy_view(changed)

    @delete(ONE, opt=owner, tags=["proxies"])
    async def remove_proxy(
        request: HttpRequest, name: ProxyName, force: Annotated[bool, QueryParameter()] = False
    ) -> None:
        """Forget a proxy. One that an option or an account needs is refused; ``force=true`` lets those reach nothing."""
        proxy, actor = await doors.proxies.named(name), actor_of(doors, request.scope)
        await doors.proxies.remove(proxy, actor, doors.options(), is_forced=force)
        await doors.reload_proxies()

    return [show_proxy, change_proxy, remove_proxy]

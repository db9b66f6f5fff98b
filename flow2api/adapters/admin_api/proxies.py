"""The proxy that accounts use which name none themselves, as the former server knew it: one for all."""

import asyncio
from collections.abc import Collection
from difflib import get_close_matches
from typing import Annotated, Any

import msgspec
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.guards import LEAST_ROLE, actor_of
from flow2api.adapters.admin_api.schemas import Body, Done
from flow2api.domain.audit import Actor
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.operator import Role
from flow2api.domain.proxy import Proxy, read_proxy_url
from flow2api.domain.usecases.check_proxies import CHECK_TIMEOUT_S

HttpRequest = Request[Any, Any, Any]


class ProxyConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The proxy for all.

    Attributes:
        proxy_url: Its address without credentials; of a pool, its name.
    """

    enabled: bool
    proxy_url: str


class ProxyConfigAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The proxy for all."""

    config: ProxyConfig
    success: bool = True


class FlatProxyConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The same without an envelope."""

    proxy_enabled: bool
    proxy_url: str


class ProxyBody(Body, frozen=True):
    """On or off, and the proxy: its URL with credentials, or the address or name of one that is known."""

    proxy_enabled: bool
    proxy_url: str | None = None


class ProxyTestBody(Body, frozen=True):
    """The URL, address or name of a proxy that is known, and how long it may take, 15 seconds at most."""

    proxy_url: str
    test_url: str | None = None
    timeout_seconds: Annotated[float, msgspec.Meta(gt=0)] | None = None


class ProxyTestAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What came through."""

    success: bool
    message: str
    status_code: int | None
    elapsed_ms: int | None


def proxy_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handlers."""

    @get("/api/config/proxy", tags=["options"])
    async def proxy_config() -> ProxyConfigAnswer:
        """The proxy that accounts use which name none themselves."""
        shown = await _shown(doors)
        return ProxyConfigAnswer(config=ProxyConfig(enabled=bool(shown), proxy_url=shown))

    @get("/api/proxy/config", tags=["options"])
    async def flat_proxy_config() -> FlatProxyConfig:
        """The same without an envelope."""
        shown = await _shown(doors)
        return FlatProxyConfig(proxy_enabled=bool(shown), proxy_url=shown)

    @post(["/api/config/proxy", "/api/proxy/config"], status_code=200, opt={LEAST_ROLE: Role.OWNER}, tags=["options"])
    async def set_proxy(request: HttpRequest, data: JSONBody[ProxyBody]) -> Done:
        """Let accounts that name no proxy themselves use this one; a URL that is not known yet is stored."""
        actor = actor_of(doors, request.scope)
        if not data.proxy_enabled:
            await doors.options.change({"proxy": ""}, actor)
            return Done(message="Accounts that name no proxy go direct.")
        if not data.proxy_url:
            raise UnsupportedInputError("Give the proxy, or switch it off.", param="proxy_url")
        name = await _known_or_new(doors, data.proxy_url, actor)
        await doors.options.change({"proxy": name}, actor)
        return Done(message=f"Accounts that name no proxy use {name}.")

    @post("/api/proxy/test", status_code=200, opt={LEAST_ROLE: Role.OWNER}, tags=["options"])
    async def try_proxy(request: HttpRequest, data: JSONBody[ProxyTestBody]) -> ProxyTestAnswer:
        """Fetch the address of the option `proxy_check_url` through a proxy that is known."""
        if data.test_url not in (None, "", doors.options().proxy_check_url):
            raise UnsupportedInputError(
                "Only the address of the option proxy_check_url is fetched; set that option to try another one.",
                param="test_url",
            )
        proxy = await _known(doors, data.proxy_url)
        if proxy is None:
            raise UnsupportedInputError("This proxy is not known. Store it first, then try it.", param="proxy_url")
        longest_s = CHECK_TIMEOUT_S if data.timeout_seconds is None else min(data.timeout_seconds, CHECK_TIMEOUT_S)
        try:
            async with asyncio.timeout(longest_s):
                (checked,) = await doors.check_proxies.check_and_keep([proxy], actor_of(doors, request.scope))
        except TimeoutError:
            message = f"Nothing came through within {longest_s:g} s."
            return ProxyTestAnswer(success=False, message=message, status_code=None, elapsed_ms=None)
        if checked.passage is None:
            return ProxyTestAnswer(success=False, message=checked.fault or "", status_code=None, elapsed_ms=None)
        return ProxyTestAnswer(
            success=True,
            message="The proxy works.",
            status_code=checked.passage.status,
            elapsed_ms=checked.passage.latency_ms,
        )

    return [proxy_config, flat_proxy_config, set_proxy, try_proxy]


async def _shown(doors: AdminDoors) -> str:
    name = doors.options().proxy
    known = next((one for one in await doors.proxies.all() if one.name == name), None)
    return name if known is None else known.address


async def _known(doors: AdminDoors, given: str) -> Proxy | None:
    known = await doors.proxies.all()
    for one in known:
        if given in (one.name, one.address):
            return one
    if "://" not in given:
        names = {one.name for one in known} | {one.pool for one in known if one.pool}
        raise UnsupportedInputError(_unknown(given, names), param="proxy_url")
    secret, _ = read_proxy_url(given)
    return next((one for one in known if one.url == secret), None)


async def _known_or_new(doors: AdminDoors, given: str, actor: Actor) -> str:
    if any(one.pool == given for one in await doors.proxies.all()):
        return given
    proxy = await _known(doors, given)
    if proxy is None:
        proxy = await doors.proxies.add(given, actor)
        await doors.reload_proxies()
    return proxy.name


def _unknown(name: str, names: Collection[str]) -> str:
    """What is said of a word that is neither a URL nor a name; it is not repeated, for it may hold a secret."""
    near = get_close_matches(name, sorted(names), n=1)
    hint = f"Did you mean {near[0]!r}?" if near else "Give its URL, such as http://user:password@host:port, to add one."
    return f"No proxy or pool of proxies has this name. {hint}"

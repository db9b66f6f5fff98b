"""Sends every call to an upstream along the way of its account, and on to the next one when that is closed."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from flow2api.domain.account import Credentials
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.errors import ProxyUnavailableError
from flow2api.domain.generation import Operation, OperationStatus, Order, Product
from flow2api.domain.ports.upstream import Access, Allowance, Exchanged, UploadedPicture, Upstream
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.choose_proxy import NOBODY, ChooseProxy, Way

T = TypeVar("T")

NO_PROXY = Secret("")
"""Says to a routed upstream that the choice was made already, and is to go direct."""

_WAYS_AT_MOST = 4


class RouteCalls:
    """Makes a call along the way of an account.

    A proxy that lets nothing through is booked. Nothing has reached upstream then, so the call is made again at once if
    the account has got another proxy by that, be it one that spends or not.
    """

    def __init__(self, choose: ChooseProxy) -> None:
        self._choose = choose

    async def along(self, account_id: int, call: Callable[[Way, Way], Awaitable[T]]) -> T:
        """Make a call, which is given the way and the one for downloads.

        Raises:
            ProxyUnavailableError: There is no way (any more).
        """
        tries = 0
        while True:
            way, media_way = self.ways(account_id)
            try:
                answer = await call(way, media_way)
            except ProxyUnavailableError as error:
                tries += 1
                if tries >= _WAYS_AT_MOST or not self.moved_on(account_id, (way, media_way), error):
                    raise
                continue
            self._choose.worked(way)
            return answer

    async def exchange(self, upstream: Upstream, account_id: int, credentials: Credentials) -> Exchanged:
        """Exchange the session token of an account along its own way."""
        return await self.along(
            account_id, lambda way, _: upstream.exchange(credentials, NO_PROXY if way.url is None else way.url)
        )

    def ways(self, account_id: int) -> tuple[Way, Way]:
        """The way of an account, and the one of its downloads."""
        return self._choose.way(account_id), self._choose.media_way(account_id)

    def moved_on(self, account_id: int, before: tuple[Way, Way], error: ProxyUnavailableError) -> bool:
        """Book a failure; whether the account has another way now."""
        self._choose.failed(error)
        try:
            return [way.url for way in self.ways(account_id)] != [way.url for way in before]
        except ProxyUnavailableError:
            return False


class RoutedUpstream:
    """An upstream whose calls leave by the proxies of their accounts.

    What is called without a proxy gets that of the account; an exchange, which names no account, gets the global one.
    """

    def __init__(self, inner: Upstream, routes: RouteCalls) -> None:
        self._inner = inner
        self._routes = routes
        self.name = inner.name
        self.upload_lifetime_s = inner.upload_lifetime_s

    def serves(self, spec: ModelSpec) -> bool:
        """Whether it can make this model as it is configured."""
        return self._inner.serves(spec)

    async def exchange(self, credentials: Credentials, proxy: Secret | None) -> Exchanged:
        """A fresh access token for the session token."""
        if proxy is not None:
            return await self._inner.exchange(credentials, proxy if len(proxy) else None)
        return await self._routes.along(NOBODY, lambda way, _: self._inner.exchange(credentials, way.url))

    async def allowance(self, access: Access) -> Allowance:
        """Plan and credits."""
        return await self._along(access, self._inner.allowance)

    async def open_workspace(self, access: Access, title: str) -> str:
        """Make a project."""
        return await self._along(access, lambda routed: self._inner.open_workspace(routed, title))

    async def upload(self, access: Access, picture: UploadedPicture) -> str:
        """Hand over an input picture."""
        return await self._along(access, lambda routed: self._inner.upload(routed, picture))

    async def produce(self, access: Access, order: Order) -> Sequence[Product]:
        """Make pictures and wait for them."""
        return await self._along(access, lambda routed: self._inner.produce(routed, order))

    async def submit(self, access: Access, order: Order) -> tuple[Operation, int | None]:
        """Begin a video."""
        return await self._along(access, lambda routed: self._inner.submit(routed, order))

    async def poll(self, access: Access, operations: Sequence[Operation]) -> Mapping[str, OperationStatus]:
        """How these operations stand, by name."""
        return await self._along(access, lambda routed: self._inner.poll(routed, operations))

    async def fetch(self, access: Access, product: Product, *, thumbnail: bool = False) -> AsyncGenerator[bytes, None]:
        """The bytes of a product as they come; another way is taken as long as none has come."""
        tries = 0
        while True:
            tries += 1
            ways, has_begun = self._routes.ways(access.account_id), False
            try:
                async with aclosing(
                    self._inner.fetch(_routed(access, *ways), product, thumbnail=thumbnail)  # type: ignore[type-var]
                ) as chunks:
                    async for chunk in chunks:
                        has_begun = True
                        yield chunk
                return
            except ProxyUnavailableError as error:
                if not self._routes.moved_on(access.account_id, ways, error) or has_begun or tries >= _WAYS_AT_MOST:
                    raise

    async def aclose(self) -> None:
        """End its connections."""
        await self._inner.aclose()

    async def _along(self, access: Access, call: Callable[[Access], Awaitable[T]]) -> T:
        return await self._routes.along(access.account_id, lambda way, media_way: call(_routed(access, way, media_way)))


def _routed(access: Access, way: Way, media_way: Way) -> Access:
    if way.proxy is None and media_way.proxy is None:
        return access
    return replace(access, proxy=way.url, media_proxy=NO_PROXY if media_way.url is None else media_way.url)


if TYPE_CHECKING:

    def _fits(routed: RoutedUpstream) -> Upstream:
        return routed

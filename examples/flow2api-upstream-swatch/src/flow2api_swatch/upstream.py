"""The service behind the port that the gateway works with."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

from flow2api.domain.account import Credentials, Tier
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.errors import (
    ContentBlockedError,
    CredentialExpiredError,
    CredentialRevokedError,
    UpstreamNotFoundError,
    UpstreamRejectedError,
)
from flow2api.domain.generation import Operation, OperationStatus, Order, Product
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Access, Allowance, Exchanged, UploadedPicture
from flow2api.domain.secret import Secret
from flow2api_swatch.service import PaintShop, RefusedError

NAME = "swatch"
CHECKED_EVERY = timedelta(hours=24)
WORKSPACE = "default"


class SwatchUpstream:
    """Accounts have an API key, which is their session token; a plan or credits they have not."""

    name = NAME
    upload_lifetime_s = 3600.0

    def __init__(self, shop: PaintShop, clock: Clock) -> None:
        self._shop = shop
        self._clock = clock
        self._numbers = count(1)

    def serves(self, spec: ModelSpec) -> bool:
        """Whether it can make this model."""
        return spec.upstream == NAME and spec.kind is MediaKind.IMAGE

    async def exchange(self, credentials: Credentials, proxy: Secret | None) -> Exchanged:
        """Prove the key; it is its own access token, and proved again a day later."""
        if not self._shop.knows(credentials.session_token.reveal()):
            raise CredentialRevokedError("The key is not known; give the account another one.")
        now = self._clock.now()
        key = credentials.session_token
        return Exchanged(Credentials(key, key, now + CHECKED_EVERY, now), email=None, name=None)

    async def allowance(self, access: Access) -> Allowance:
        """There is one plan, and nothing to use up."""
        self._key(access)
        return Allowance(Tier.FREE, None)

    async def open_workspace(self, access: Access, title: str) -> str:
        """There is one workspace."""
        return WORKSPACE

    async def upload(self, access: Access, picture: UploadedPicture) -> str:
        """The handle of the picture."""
        return self._shop.keep(self._key(access), picture.data)

    async def produce(self, access: Access, order: Order) -> Sequence[Product]:
        """The pictures, with their bytes."""
        key = self._key(access)
        if any(not self._shop.has(key, handle) for _, handle in order.inputs):
            raise UpstreamNotFoundError("The picture is not kept any more.")
        size = order.spec.size
        try:
            # Painting takes time of the processor, which the event loop has not.
            painted = [
                await asyncio.to_thread(self._shop.paint, order.prompt, size.width, size.height, variant)
                for variant in range(order.count)
            ]
        except RefusedError as refusal:
            raise ContentBlockedError(str(refusal)) from refusal
        return [
            Product(f"swatch-{next(self._numbers)}", data=data, width=size.width, height=size.height)
            for data in painted
        ]

    async def submit(self, access: Access, order: Order) -> tuple[Operation, int | None]:
        """Colours do not move."""
        raise UpstreamRejectedError(f"The upstream {NAME!r} makes no videos.")

    async def poll(self, access: Access, operations: Sequence[Operation]) -> Mapping[str, OperationStatus]:
        """Nothing is known of any video."""
        return {}

    async def fetch(self, access: Access, product: Product, *, thumbnail: bool = False) -> AsyncIterator[bytes]:
        """The bytes that came with the product; nothing is kept."""
        if product.data is None:
            raise UpstreamNotFoundError("Pictures are not kept here; they come with the answer.")
        yield product.data

    async def aclose(self) -> None:
        """There is nothing to close."""

    def _key(self, access: Access) -> str:
        key = "" if access.access_token is None else access.access_token.reveal()
        if not self._shop.knows(key):
            raise CredentialExpiredError("The key is not accepted any more.")
        return key


if TYPE_CHECKING:
    from flow2api.domain.ports.upstream import Upstream

    def _is_an_upstream(upstream: SwatchUpstream) -> Upstream:
        return upstream

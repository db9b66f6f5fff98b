"""Fetches what an account has made and keeps it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping

from flow2api.domain.account import Account
from flow2api.domain.errors import (
    UpstreamInvalidError,
    UpstreamNotFoundError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from flow2api.domain.generation import Generation, Input, InputRole, Product
from flow2api.domain.media import Media, MediaKind, MediaRole, StoredBytes, sniff_content_type
from flow2api.domain.options import Options
from flow2api.domain.picture_size import picture_facts
from flow2api.domain.ports.media import MediaStore
from flow2api.domain.ports.system import Clock, Ids
from flow2api.domain.ports.upstream import Access, Upstream
from flow2api.domain.usecases.renew_credentials import RenewCredentials

_PAUSES_S = {MediaKind.IMAGE: (0.5, 2.0, 8.0), MediaKind.VIDEO: (0.5, 2.0, 8.0, 30.0, 60.0)}
"""Between the tries to fetch. A picture can be made again elsewhere; a video was paid for and is worth some patience."""

_VIDEOS_AT_ONCE = 16
"""Downloads of videos that run side by side: one status call may tell of hundreds that have ended, and everybody else
wants answers meanwhile."""

_HEAD_BYTES = 64 * 1024


class KeepProducts:
    """Turns products of an upstream into media of ours. Fetching is safe to repeat, so it is, a few times."""

    def __init__(
        self,
        upstreams: Mapping[str, Upstream],
        credentials: RenewCredentials,
        store: MediaStore,
        ids: Ids,
        clock: Clock,
        options: Callable[[], Options],
    ) -> None:
        self._upstreams = upstreams
        self._credentials = credentials
        self._store = store
        self._ids = ids
        self._clock = clock
        self._options = options
        self._video_turns = asyncio.Semaphore(_VIDEOS_AT_ONCE)

    async def keep(self, account: Account, generation: Generation, product: Product) -> Media:
        """Store the bytes of a product and describe them. The media is not in the index yet.

        Raises:
            UpstreamInvalidError: What came is neither picture nor video.
        """
        for pause_s in _PAUSES_S[generation.kind]:
            try:
                stored, head = await self._fetch_in_turn(account, generation, product)
                break
            except (UpstreamUnavailableError, UpstreamTimeoutError, UpstreamNotFoundError):
                await self._clock.sleep(pause_s)
        else:
            stored, head = await self._fetch_in_turn(account, generation, product)
        return self._describe(account, generation, product, stored, head)

    async def _fetch_in_turn(
        self, account: Account, generation: Generation, product: Product
    ) -> tuple[StoredBytes, bytes]:
        if generation.kind is not MediaKind.VIDEO:
            return await self._fetch(account, product)
        async with self._video_turns:
            return await self._fetch(account, product)

    async def _fetch(self, account: Account, product: Product) -> tuple[StoredBytes, bytes]:
        """What the store knows, and the beginning, in which a picture tells its size."""
        if product.data is not None:
            return await self._store.put(_one(product.data)), product.data
        upstream = self._upstreams[account.upstream]

        async def call(access: Access) -> tuple[StoredBytes, bytes]:
            head = _Head()
            return await self._store.put(head.of(upstream.fetch(access, product))), head.data

        return await self._credentials.call(account, call, with_session=product.url is None)

    def _describe(
        self, account: Account, generation: Generation, product: Product, stored: StoredBytes, head: bytes
    ) -> Media:
        content_type = sniff_content_type(stored.head)
        if content_type is None or not content_type.startswith(generation.kind.value):
            raise UpstreamInvalidError(f"The service sent something that is no {generation.kind.value}.")
        now = self._clock.now()
        facts = picture_facts(head)
        return Media(
            id=self._ids.new("media"),
            key_id=generation.key_id,
            kind=generation.kind,
            role=MediaRole.RESULT,
            content_type=content_type,
            size_bytes=stored.size_bytes,
            sha256=stored.sha256,
            created_at=now,
            expires_at=self._options().retention.expiry(generation.kind, MediaRole.RESULT, now),
            width=product.width if facts is None else facts.width,
            height=product.height if facts is None else facts.height,
            generation_id=generation.id,
            parent_id=_parent(generation.inputs),
            prompt=generation.prompt,
            model=generation.spec_name,
            account_id=account.id,
            workspace=account.workspace,
            upstream_name=product.name,
            upstream_extra=product.extra,
        )


class _Head:
    """Passes chunks on and remembers as many of the first as may hold a picture's size."""

    def __init__(self) -> None:
        self.data = b""

    async def of(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            if len(self.data) < _HEAD_BYTES:
                self.data += chunk[: _HEAD_BYTES - len(self.data)]
            yield chunk


async def _one(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _parent(inputs: tuple[Input, ...]) -> str | None:
    source = next((one.media_id for one in inputs if one.role is InputRole.SOURCE), None)
    return source or next((one.media_id for one in inputs), None)


def product_to_text(product: Product) -> str:
    """A product as JSON text, for the record of a generation whose second step is still to come."""
    kept = {"name": product.name, "url": product.url, "extra": product.extra, "size": [product.width, product.height]}
    return json.dumps(kept)


def product_from_text(text: str) -> Product:
    """The product that `product_to_text` has written down."""
    kept = json.loads(text)
    width, height = kept["size"]
    return Product(name=kept["name"], url=kept["url"], extra=kept["extra"], width=width, height=height)

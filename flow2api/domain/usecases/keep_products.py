"""Fetches what an account has made and keeps it."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from itertools import chain, repeat

from flow2api.domain.account import Account
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.errors import (
    Flow2ApiError,
    StorageError,
    UpstreamInvalidError,
    UpstreamNotFoundError,
    UpstreamRateLimitedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from flow2api.domain.generation import Generation, Input, InputRole, OperationStatus, Product
from flow2api.domain.media import SNIFFED_BYTES, Media, MediaKind, MediaRole, StoredBytes, sniff_content_type
from flow2api.domain.options import Options
from flow2api.domain.picture_size import picture_facts
from flow2api.domain.ports.media import MediaStore
from flow2api.domain.ports.system import Clock, Ids
from flow2api.domain.ports.upstream import Access, Upstream
from flow2api.domain.usecases.renew_credentials import RenewCredentials
from flow2api.domain.usecases.watch_room import WatchRoom

log = logging.getLogger(__name__)

_PAUSES_S = {MediaKind.IMAGE: (0.5, 2.0, 8.0), MediaKind.VIDEO: (0.5, 2.0, 8.0, 30.0, 60.0)}
"""Between the tries to fetch. A picture can be made again elsewhere; a video was paid for and is worth some patience."""

_WORTH_ANOTHER_TRY = (
    UpstreamUnavailableError,
    UpstreamTimeoutError,
    UpstreamNotFoundError,
    UpstreamInvalidError,
    UpstreamRateLimitedError,
)
"""What a later try to fetch may not meet any more: a page of some proxy in place of a video is as passing as a cut."""

_STORE_PAUSES_S = (5.0, 15.0, 30.0)
_LONG_STORE_PAUSE_S = 60.0
_STORE_WITHIN_S = 1800.0
"""How long a video that is made and paid for waits for a media store that takes nothing. A picture doesn't: its caller
waits, and can ask again."""

_VIDEOS_AT_ONCE = 16
"""Downloads of videos that run side by side: one status call may tell of hundreds that have ended, and everybody else
wants answers meanwhile."""

_HEAD_BYTES = 64 * 1024


class KeepProducts:
    """Turns products of an upstream into media of ours.

    Fetching is safe to repeat, so it is, a few times; and what does not begin like what was ordered is never kept.
    """

    def __init__(
        self,
        upstreams: Mapping[str, Upstream],
        credentials: RenewCredentials,
        store: MediaStore,
        room: WatchRoom,
        ids: Ids,
        clock: Clock,
        options: Callable[[], Options],
    ) -> None:
        self._upstreams = upstreams
        self._credentials = credentials
        self._store = store
        self._room = room
        self._ids = ids
        self._clock = clock
        self._options = options
        self._video_turns = asyncio.Semaphore(_VIDEOS_AT_ONCE)

    def check_room(self, spec: ModelSpec) -> None:
        """Refuse what costs credits and could not be kept; asked right before they are spent.

        Raises:
            StorageError: There is too little room, or the media store takes nothing.
        """
        self._room.check(spec)

    async def keep(self, account: Account, generation: Generation, product: Product) -> Media:
        """Store the bytes of a product and describe them. The media is not in the index yet.

        Raises:
            UpstreamInvalidError: What came, each time, is not what was ordered.
            StorageError: They could not be stored; a video was tried for half an hour.
        """
        pauses = iter(_PAUSES_S[generation.kind])
        patience = _Patience(self._clock, generation)
        while True:
            try:
                stored, begun = await self._fetch_in_turn(account, generation, product)
                return self._describe(account, generation, product, stored, begun)
            except _WORTH_ANOTHER_TRY:
                pause_s = None if product.data is not None else next(pauses, None)
                if pause_s is None:
                    raise
                await self._clock.sleep(pause_s)
                product = await self._told_anew(account, generation, product)
            except StorageError as error:
                await patience.wait(error)

    async def _fetch_in_turn(
        self, account: Account, generation: Generation, product: Product
    ) -> tuple[StoredBytes, "_Beginning"]:
        if generation.kind is not MediaKind.VIDEO:
            return await self._fetch(account, generation.kind, product)
        async with self._video_turns:
            return await self._fetch(account, generation.kind, product)

    async def _fetch(self, account: Account, kind: MediaKind, product: Product) -> tuple[StoredBytes, "_Beginning"]:
        """What the store knows, and the beginning, which tells the type and a picture's size."""
        if product.data is not None:
            begun = _Beginning(kind)
            return await self._store.put(begun.of(_one(product.data))), begun
        upstream = self._upstreams[account.upstream]

        async def call(access: Access) -> tuple[StoredBytes, _Beginning]:
            begun, chunks = _Beginning(kind), upstream.fetch(access, product)
            try:
                return await self._store.put(begun.of(chunks)), begun
            finally:
                if isinstance(chunks, AsyncGenerator):
                    await chunks.aclose()

        return await self._credentials.call(account, call, with_session=product.url is None, is_guarded=False)

    async def _told_anew(self, account: Account, generation: Generation, product: Product) -> Product:
        """The product as the upstream tells of it now, perhaps at another address; the same one if it doesn't."""
        operation = generation.operation
        if product.url is None or operation is None:
            return product
        upstream = self._upstreams[account.upstream]

        async def call(access: Access) -> Mapping[str, OperationStatus]:
            return await upstream.poll(access, [operation])

        try:
            status = (await self._credentials.call(account, call)).get(operation.name)
        except Flow2ApiError:
            return product
        told = None if status is None else status.product
        return told if told is not None and told.name == product.name else product

    def _describe(
        self, account: Account, generation: Generation, product: Product, stored: StoredBytes, begun: "_Beginning"
    ) -> Media:
        now = self._clock.now()
        facts = picture_facts(begun.head)
        return Media(
            id=self._ids.new("media"),
            key_id=generation.key_id,
            kind=generation.kind,
            role=MediaRole.RESULT,
            content_type=begun.content_type,
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
            upstream_name=product.name or None,
            upstream_extra=product.extra,
        )


class _Beginning:
    """Passes chunks on once their beginning is that of what was ordered, and remembers it.

    Attributes:
        content_type: Its real type; empty until that is known.
        head: As many of the first bytes as may hold a picture's size.
    """

    def __init__(self, kind: MediaKind) -> None:
        self.content_type = ""
        self.head = b""
        self._kind = kind

    async def of(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The same bytes.

        Raises:
            UpstreamInvalidError: They are something else, or none at all; nothing was passed on.
        """
        held_back = b""
        async for chunk in chunks:
            if len(self.head) < _HEAD_BYTES:
                self.head += chunk[: _HEAD_BYTES - len(self.head)]
            if self.content_type:
                yield chunk
                continue
            held_back += chunk
            if len(held_back) >= SNIFFED_BYTES:
                self.content_type = self._recognised()
                yield held_back
        if not self.content_type:
            raise self._refusal()

    def _recognised(self) -> str:
        content_type = sniff_content_type(self.head)
        if content_type is None or not content_type.startswith(self._kind.value):
            raise self._refusal()
        return content_type

    def _refusal(self) -> UpstreamInvalidError:
        return UpstreamInvalidError(f"The service sent something that is no {self._kind.value}.")


class _Patience:
    """Waits for a media store that takes nothing, longer from time to time, as long as that is worth it."""

    def __init__(self, clock: Clock, generation: Generation) -> None:
        self._clock = clock
        self._generation = generation
        self._pauses = chain(_STORE_PAUSES_S, repeat(_LONG_STORE_PAUSE_S))
        self._until: float | None = None

    async def wait(self, error: StorageError) -> None:
        """Wait until another try makes sense.

        Raises:
            StorageError: It has been waited for long enough; this is the error that was given.
        """
        if self._generation.kind is not MediaKind.VIDEO:
            raise error
        now = self._clock.monotonic()
        if self._until is None:
            self._until = now + _STORE_WITHIN_S
            log.warning(
                "a made video cannot be kept yet: %s", error.message, extra={"generation_id": self._generation.id}
            )
        if now >= self._until:
            raise error
        await self._clock.sleep(next(self._pauses))


async def _one(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _parent(inputs: tuple[Input, ...]) -> str | None:
    source = next((one.media_id for one in inputs if one.role is InputRole.SOURCE), None)
    return source or next((one.media_id for one in inputs), None)


def product_to_text(product: Product) -> str:
    """A product as JSON text, for the record of a generation whose second step is still to come."""
    size = [product.width, product.height]
    kept = {"name": product.name, "url": product.url, "extra": product.extra, "size": size, "seconds": product.seconds}
    return json.dumps(kept)


def product_from_text(text: str) -> Product:
    """The product that `product_to_text` has written down."""
    kept = json.loads(text)
    width, height = kept["size"]
    return Product(
        name=kept["name"],
        url=kept["url"],
        extra=kept["extra"],
        width=width,
        height=height,
        seconds=kept.get("seconds"),  # what an older release has written down has none
    )

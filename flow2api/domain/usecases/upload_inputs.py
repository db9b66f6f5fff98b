"""Hands input pictures to the account that will use them, each once."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from weakref import WeakValueDictionary

from flow2api.domain.account import Account
from flow2api.domain.errors import MediaGoneError
from flow2api.domain.generation import Input, InputRole, Product
from flow2api.domain.media import Media
from flow2api.domain.ports.media import MediaStore
from flow2api.domain.ports.storage import MediaIndex
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Access, UploadedPicture, Upstream
from flow2api.domain.usecases.renew_credentials import RenewCredentials

_HANDLES_HELD = 10_000

_Key = tuple[int, str | None, str]


class UploadInputs:
    """Turns kept media into handles that are good for one account and workspace.

    A handle is used again as long as upstream keeps the picture. What this very account has made is named directly.
    """

    def __init__(
        self,
        upstreams: Mapping[str, Upstream],
        credentials: RenewCredentials,
        media: MediaIndex,
        store: MediaStore,
        clock: Clock,
    ) -> None:
        self._upstreams = upstreams
        self._credentials = credentials
        self._media = media
        self._store = store
        self._clock = clock
        self._handles: OrderedDict[_Key, tuple[str, float]] = OrderedDict()
        self._locks: WeakValueDictionary[_Key, asyncio.Lock] = WeakValueDictionary()

    async def handles(self, account: Account, inputs: Sequence[Input]) -> tuple[tuple[InputRole, str], ...]:
        """Upstream's handles of the inputs, in their order; a source is not among them."""
        wanted = [one for one in inputs if one.role is not InputRole.SOURCE]
        if not wanted:
            return ()
        found = {one.id: one for one in await self._media.get([one.media_id for one in wanted])}
        handles = []
        for one in wanted:
            media = found.get(one.media_id)
            if media is None:
                raise MediaGoneError("An input picture is not kept any more; send it again.")
            handles.append((one.role, await self._handle(account, media)))
        return tuple(handles)

    async def source(self, inputs: Sequence[Input]) -> Product | None:
        """The product to build on, if one of the inputs is one that was made before.

        Raises:
            MediaGoneError: It is not kept any more, or its upstream kept nothing of it.
        """
        wanted = [one.media_id for one in inputs if one.role is InputRole.SOURCE]
        if not wanted:
            return None
        found = await self._media.get(wanted)
        if not found or found[0].upstream_name is None:
            raise MediaGoneError("What is to be built on is not kept any more.")
        return Product(name=found[0].upstream_name, extra=found[0].upstream_extra)

    def forget(self, account_id: int) -> None:
        """The handles of this account are not good any more."""
        for key in [key for key in self._handles if key[0] == account_id]:
            del self._handles[key]

    async def _handle(self, account: Account, media: Media) -> str:
        if media.upstream_name is not None and media.account_id == account.id and media.workspace == account.workspace:
            return media.upstream_name
        key = (account.id, account.workspace, media.sha256)
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        async with lock:
            held = self._handles.get(key)
            if held is not None and self._clock.monotonic() < held[1]:
                return held[0]
            return await self._upload(account, media, key)

    async def _upload(self, account: Account, media: Media, key: _Key) -> str:
        upstream = self._upstreams[account.upstream]
        data = b"".join([chunk async for chunk in self._store.read(media.sha256)])
        picture = UploadedPicture(data, media.content_type, media.width or 0, media.height or 0)

        async def call(access: Access) -> str:
            return await upstream.upload(access, picture)

        handle = await self._credentials.call(account, call)
        self._handles[key] = (handle, self._clock.monotonic() + upstream.upload_lifetime_s)
        if len(self._handles) > _HANDLES_HELD:
            self._handles.popitem(last=False)
        return handle

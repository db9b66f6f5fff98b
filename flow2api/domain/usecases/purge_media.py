"""Lets go of media whose retention is over, and of bytes that belong to none."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from flow2api.domain.errors import Flow2ApiError
from flow2api.domain.ports.media import KnowsAges, MediaStore
from flow2api.domain.ports.storage import MediaIndex
from flow2api.domain.ports.system import Clock

log = logging.getLogger(__name__)

_BATCH = 500
SWEEP_EVERY_S = 300.0
LOOK_EVERY_S = 3600.0
UNNAMED_FOR = timedelta(hours=1)
"""How long bytes may be kept before there is a media that refers to them."""

_MOST_UNNAMED = 10_000
_FEW_UNNAMED = 20


class PurgeMedia:
    """The retention sweep. Bytes go when the last media that refers to them has gone.

    Bytes that no media ever came to refer to, because the server was killed in between, go after an hour.
    """

    def __init__(
        self, media: MediaIndex, store: MediaStore, clock: Clock, ping_storage: Callable[[], Awaitable[None]]
    ) -> None:
        self._media = media
        self._store = store
        self._clock = clock
        self._ping_storage = ping_storage
        self._well_since: float | None = None
        self._look_at = 0.0

    async def __call__(self) -> int:
        """Sweep once.

        Returns:
            How many media have gone.
        """
        gone = 0
        while expired := await self._media.expired(self._clock.now(), _BATCH):
            named_at: dict[str, datetime] = {}
            for one in expired:
                named_at[one.sha256] = max(one.created_at, named_at.get(one.sha256, one.created_at))
            for sha256 in await self._media.remove([one.id for one in expired]):
                await self._let_go(sha256, named_at[sha256])
            gone += len(expired)
        return gone

    async def drop_unnamed(self) -> int:
        """Let go of bytes that nobody has put for an hour and that no media refers to.

        When they are most of what is there, the folder rather belongs to another database: then nothing goes.

        Returns:
            How many contents have gone.
        """
        if not isinstance(self._store, KnowsAges):
            return 0
        moment = self._clock.now() - UNNAMED_FOR
        unnamed, named = await self._unnamed(self._store, moment)
        if len(unnamed) > max(_FEW_UNNAMED, named):
            log.warning(
                "the database knows less than half of what is in the media store, so nothing is deleted there: look "
                "whether they belong together",
                extra={"known": named, "unknown": len(unnamed)},
            )
            return 0
        return sum([await self._store.delete_unless_put_since(sha256, moment) for sha256 in unnamed])

    async def run(self) -> None:
        """Sweep every few minutes, for ever."""
        is_told = False
        while True:
            try:
                await self._sweep()
                is_told = False
            except Flow2ApiError as error:
                self._well_since = None
                if not is_told:
                    log.warning("media not purged: %s", error.message)
                is_told = True
            await self._clock.sleep(SWEEP_EVERY_S)

    async def _sweep(self) -> None:
        await self._ping_storage()
        now = self._clock.monotonic()
        if self._well_since is None:
            self._well_since = now
        if gone := await self():
            log.info("media purged", extra={"count": gone})
        # While the database refused, ends of generations waited to be written; they are within half a minute.
        if now > self._well_since and now >= self._look_at:
            self._look_at = now + LOOK_EVERY_S
            if dropped := await self.drop_unnamed():
                log.info("bytes of no media deleted", extra={"count": dropped})

    async def _unnamed(self, store: KnowsAges, moment: datetime) -> tuple[list[str], int]:
        """Addresses without a media, and how many have one."""
        unnamed: list[str] = []
        named = 0
        async for addresses in store.addresses(not_put_since=moment):
            known = await self._media.named(addresses)
            unnamed += [sha256 for sha256 in addresses if sha256 not in known]
            named += len(known)
            if len(unnamed) >= _MOST_UNNAMED:
                break
        return unnamed, named

    async def _let_go(self, sha256: str, named_at: datetime) -> None:
        try:
            await let_go(self._store, sha256, named_at)
        except Flow2ApiError:
            log.warning("bytes of a media not deleted", extra={"sha256": sha256}, exc_info=True)


async def let_go(store: MediaStore, sha256: str, named_at: datetime) -> None:
    """Let go of bytes after the last media that referred to them, unless they were put again for another one.

    Args:
        named_at: When that media was made. Who has put the same bytes since is about to refer to them.
    """
    if isinstance(store, KnowsAges):
        await store.delete_unless_put_since(sha256, named_at)
    else:
        await store.delete(sha256)

"""Lets go of media whose retention is over."""

import logging

from flow2api.domain.errors import Flow2ApiError
from flow2api.domain.ports.media import MediaStore
from flow2api.domain.ports.storage import MediaIndex
from flow2api.domain.ports.system import Clock

log = logging.getLogger(__name__)

_BATCH = 500
SWEEP_EVERY_S = 300.0


class PurgeMedia:
    """The retention sweep. Bytes go when the last media that refers to them has gone."""

    def __init__(self, media: MediaIndex, store: MediaStore, clock: Clock) -> None:
        self._media = media
        self._store = store
        self._clock = clock

    async def __call__(self) -> int:
        """Sweep once.

        Returns:
            How many media have gone.
        """
        gone = 0
        while expired := await self._media.expired(self._clock.now(), _BATCH):
            for sha256 in await self._media.remove([one.id for one in expired]):
                await self._let_go(sha256)
            gone += len(expired)
        return gone

    async def _let_go(self, sha256: str) -> None:
        try:
            await self._store.delete(sha256)
        except Flow2ApiError:
            log.warning("bytes of a media not deleted", extra={"sha256": sha256}, exc_info=True)

    async def run(self) -> None:
        """Sweep every few minutes, for ever."""
        while True:
            try:
                if gone := await self():
                    log.info("media purged", extra={"count": gone})
            except Flow2ApiError:
                log.warning("media not purged", exc_info=True)
            await self._clock.sleep(SWEEP_EVERY_S)

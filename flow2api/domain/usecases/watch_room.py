"""Knows whether what is made can be kept."""

import asyncio
import logging
from collections.abc import Callable

from flow2api.domain.catalog import ModelSpec
from flow2api.domain.errors import StorageError, StorageFullError
from flow2api.domain.options import Options
from flow2api.domain.ports.media import MediaStore, TellsRoom
from flow2api.domain.ports.system import Clock

log = logging.getLogger(__name__)

LOOK_EVERY_S = 10.0
_ANSWERS_WITHIN_S = 20.0
_MB = 1024 * 1024
_ENOUGH_AGAIN = 1.25
"""How many times the least room there has to be before a shortage counts as over, so that it is not told at each look."""


class WatchRoom:
    """Looks at the room of the media store now and then, so that nothing is paid for that could not be kept.

    Attributes:
        fault: Why media cannot be kept, as of the last look; None when it can.
    """

    def __init__(self, store: MediaStore, clock: Clock, options: Callable[[], Options]) -> None:
        self.fault: StorageError | None = None
        self._store = store if isinstance(store, TellsRoom) else None
        self._clock = clock
        self._options = options

    @property
    def problem(self) -> str | None:
        """What is wrong, as a stable code; None when nothing is."""
        if self.fault is None:
            return None
        return "media_full" if isinstance(self.fault, StorageFullError) else "media_unavailable"

    def check(self, spec: ModelSpec) -> None:
        """Refuse what costs credits and could not be kept.

        Raises:
            StorageFullError: There is too little room.
            StorageError: The media store takes nothing.
        """
        if self.fault is None or spec.is_free:
            return
        if isinstance(self.fault, StorageFullError):
            raise StorageFullError(
                "The server has too little room left to keep the result, so nothing was begun; its operator has to free "
                "space on the disk for media."
            ) from self.fault
        raise StorageError(
            "The server's media store takes nothing, so nothing was begun; its operator finds the cause in the log."
        ) from self.fault

    async def look(self) -> None:
        """Find out how things stand now; every change is told in the log, once."""
        before, self.fault = self.fault, await self._found()
        if self.fault is None and before is not None:
            log.info("media can be kept again")
        elif self.fault is not None and type(self.fault) is not type(before):
            log.warning("media cannot be kept: %s", self.fault.message)

    async def run(self) -> None:
        """Look every few seconds, for ever."""
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            await self.look()

    async def _found(self) -> StorageError | None:
        if self._store is None:
            return None
        try:
            async with asyncio.timeout(_ANSWERS_WITHIN_S):
                room_bytes = await self._store.room()
        except StorageError as error:
            return error
        except TimeoutError:
            return StorageError("The media store does not answer; look at its disk.")
        least_bytes = self._options().media_room_mb * _MB
        if isinstance(self.fault, StorageFullError):
            least_bytes = int(least_bytes * _ENOUGH_AGAIN)
        if room_bytes is None or room_bytes >= least_bytes:
            return None
        return StorageFullError(
            f"There is room for {room_bytes // _MB} MB of media, and the option media_room_mb asks for more; free some "
            "space on the disk."
        )

"""The port ``VideoStills``, by PyAV in worker processes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from flow2api.adapters.imaging.wire import Made, Spritesheet, Thumbnail
from flow2api.adapters.imaging.worker_process import WorkerDiedError
from flow2api.adapters.imaging.workers import Workers, WorkerTimeoutError
from flow2api.domain.errors import MediaError, MediaGoneError

_TIME_LIMIT_S = 30.0


class PyAvVideoStills:
    """Makes previews of MP4 videos, one at a time, so that pictures never wait for videos alone.

    Args:
        workers: Where the decoding is done; closed by whoever made it.
        time_limit_s: For one video, without the wait for a turn.
    """

    def __init__(self, workers: Workers, *, time_limit_s: float = _TIME_LIMIT_S) -> None:
        self._workers = workers
        self._time_limit_s = time_limit_s
        self._turn = asyncio.Semaphore(1)

    async def thumbnail(self, read: Callable[[], AsyncIterator[bytes]], max_side_px: int = 640) -> bytes:
        """The first frame as WebP, never enlarged."""
        return await self._made(Thumbnail(max_side_px), read)

    async def spritesheet(
        self, read: Callable[[], AsyncIterator[bytes]], columns: int = 5, rows: int = 5, tile_width_px: int = 160
    ) -> bytes:
        """Frames at even distances in time, row by row, as JPEG."""
        return await self._made(Spritesheet(columns, rows, tile_width_px), read)

    async def _made(self, task: Thumbnail | Spritesheet, read: Callable[[], AsyncIterator[bytes]]) -> bytes:
        try:
            async with self._turn:
                answer, made = await self._workers.run(task, read, time_limit_s=self._time_limit_s)
        except (WorkerDiedError, WorkerTimeoutError) as cause:
            raise MediaError("No preview of this video could be made in time; the video itself is complete.") from cause
        if not isinstance(answer, Made):
            raise MediaGoneError("No preview can be made: the video's bytes are damaged. Generate the video again.")
        return made


if TYPE_CHECKING:
    from flow2api.domain.ports.media import VideoStills

    _: VideoStills = PyAvVideoStills(Workers())

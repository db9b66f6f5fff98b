"""Room for the large bodies that are in memory at a time.

A body with pictures is there several times over while it is read: as bytes, as text, decoded. What fifty callers send
at once would fill the memory, so only as much is let in as there is room for; the rest waits, unread, in its sender.
"""

import asyncio
from collections import deque
from types import TracebackType

ROOM_BYTES = 64 * 1024 * 1024
FREE_BYTES = 1024 * 1024
"""What every body may have without asking."""


class BodyRoom:
    """Gives room in the order of asking. A body that is larger than all the room has it alone.

    Args:
        most_bytes: Size of the bodies that are held at the same time.
    """

    def __init__(self, most_bytes: int = ROOM_BYTES) -> None:
        self._most_bytes = most_bytes
        self._taken_bytes = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def is_contended(self) -> bool:
        """Whether somebody waits."""
        return bool(self._waiting)

    def place(self) -> "Place":
        """A place for one body, to be entered; it is empty at first, and given back at the end of the block."""
        return Place(self)

    async def enter(self, size_bytes: int) -> None:
        """Wait until there is room for so much."""
        if not self._waiting and self._fits(size_bytes):
            self._taken_bytes += size_bytes
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size_bytes, turn))
        try:
            await turn
        except asyncio.CancelledError:
            self.leave(0 if turn.cancelled() else size_bytes)
            raise

    def leave(self, size_bytes: int) -> None:
        """Give so much back, to who has waited longest."""
        self._taken_bytes -= size_bytes
        self._call_next()

    def _fits(self, size_bytes: int) -> bool:
        return self._taken_bytes == 0 or self._taken_bytes + size_bytes <= self._most_bytes

    def _call_next(self) -> None:
        while self._waiting:
            size_bytes, turn = self._waiting[0]
            if turn.cancelled():
                self._waiting.popleft()
            elif self._fits(size_bytes):
                self._waiting.popleft()
                self._taken_bytes += size_bytes
                turn.set_result(None)
            else:
                return


class Place:
    """What one body has of the room.

    Attributes:
        size_bytes: How much; 0 while the body is small.
    """

    __slots__ = ("_room", "size_bytes")

    def __init__(self, room: BodyRoom) -> None:
        self._room = room
        self.size_bytes = 0

    async def __aenter__(self) -> "Place":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._room.leave(self.size_bytes)

    @property
    def is_wanted(self) -> bool:
        """Whether somebody else waits for room that this one has."""
        return self.size_bytes > 0 and self._room.is_contended

    async def take(self, size_bytes: int, *, within_s: float) -> None:
        """Have room for a body of this size; asking again changes nothing.

        Raises:
            TimeoutError: There was none in time.
        """
        if self.size_bytes or size_bytes <= FREE_BYTES:
            return
        async with asyncio.timeout(within_s):
            await self._room.enter(size_bytes)
        self.size_bytes = size_bytes

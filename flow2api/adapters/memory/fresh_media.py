"""The port ``MediaStore`` in front of another one: what was just kept is first read from memory."""

from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flow2api.domain.media import StoredBytes
from flow2api.domain.ports.media import KnowsAges, MediaStore, TellsRoom

LARGEST_BYTES = 1024 * 1024
ROOM_BYTES = 16 * 1024 * 1024
_CHUNK_BYTES = 256 * 1024


@dataclass(slots=True)
class _Held:
    """A content in memory.

    Attributes:
        reads: How often it is still to be handed out from here: once for each time that it was put.
    """

    data: bytes
    reads: int


class FreshMedia:
    """Saves the way back to the store for a picture that is made, kept and answered within a moment.

    A content that was just put is handed out from memory the first time that it is read, and comes from the store from
    then on. Large ones are never held.

    Args:
        store: Where everything is kept; nothing counts as kept before it says so.
        room_bytes: How much is held at most; what was put first goes first.
    """

    def __init__(self, store: MediaStore, *, room_bytes: int = ROOM_BYTES) -> None:
        self._store = store
        self._room_bytes = room_bytes
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._held_bytes = 0

    async def put(self, chunks: AsyncIterator[bytes]) -> StoredBytes:
        """Keep bytes in the store, and hold on to them if they are few."""
        seen = _Seen()
        stored = await self._store.put(seen.of(chunks))
        if seen.chunks is not None:
            self._hold(stored.sha256, seen.chunks)
        return stored

    async def size(self, sha256: str) -> int | None:
        """How many bytes are kept under this address; None when there are none."""
        held = self._held.get(sha256)
        return await self._store.size(sha256) if held is None else len(held.data)

    async def read(self, sha256: str, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        """The bytes from ``start`` to before ``stop``, in chunks."""
        data = self._hand_out(sha256)
        if data is not None and (stop is None or stop <= len(data)):
            end = len(data) if stop is None else stop
            for at in range(start, end, _CHUNK_BYTES):
                yield data[at : min(at + _CHUNK_BYTES, end)]
            return
        chunks = self._store.read(sha256, start, stop)
        try:
            async for chunk in chunks:
                yield chunk
        finally:
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()

    async def delete(self, sha256: str) -> None:
        """Let go of the bytes, here and in the store."""
        self._let_go(sha256)
        await self._store.delete(sha256)

    async def addresses(self, *, not_put_since: datetime) -> AsyncGenerator[Sequence[str], None]:
        """As the store tells; nothing when it knows no ages."""
        if isinstance(self._store, KnowsAges):
            async for addresses in self._store.addresses(not_put_since=not_put_since):
                yield addresses

    async def delete_unless_put_since(self, sha256: str, moment: datetime) -> bool:
        """As the store does; one that knows no ages lets go of the bytes anyway."""
        if isinstance(self._store, KnowsAges):
            has_gone = await self._store.delete_unless_put_since(sha256, moment)
        else:
            await self._store.delete(sha256)
            has_gone = True
        if has_gone:
            self._let_go(sha256)
        return has_gone

    async def room(self) -> int | None:
        """As the store tells; None when it tells nothing."""
        return await self._store.room() if isinstance(self._store, TellsRoom) else None

    async def aclose(self) -> None:
        """Forget what is held, and stop the store."""
        self._held.clear()
        self._held_bytes = 0
        await self._store.aclose()

    def _hold(self, sha256: str, chunks: list[bytes]) -> None:
        held = self._held.get(sha256)
        if held is not None:
            held.reads += 1
            return
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        self._held[sha256] = _Held(data, 1)
        self._held_bytes += len(data)
        while self._held_bytes > self._room_bytes:
            self._let_go(next(iter(self._held)))

    def _hand_out(self, sha256: str) -> bytes | None:
        held = self._held.get(sha256)
        if held is None:
            return None
        held.reads -= 1
        if held.reads <= 0:
            self._let_go(sha256)
        return held.data

    def _let_go(self, sha256: str) -> None:
        held = self._held.pop(sha256, None)
        if held is not None:
            self._held_bytes -= len(held.data)


class _Seen:
    """Passes chunks on and remembers them, until they are too many.

    Attributes:
        chunks: None when they were too many.
    """

    def __init__(self) -> None:
        self.chunks: list[bytes] | None = []
        self._size_bytes = 0

    async def of(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            if self.chunks is not None:
                self._size_bytes += len(chunk)
                self.chunks.append(chunk)
                if self._size_bytes > LARGEST_BYTES:
                    self.chunks = None
            yield chunk


if TYPE_CHECKING:

    def _is_a_media_store(fresh: FreshMedia) -> tuple[MediaStore, KnowsAges, TellsRoom]:
        return fresh, fresh, fresh

"""The port ``MediaStore`` on a local file system."""

import asyncio
import contextlib
import errno
import logging
import os
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from flow2api.adapters.disk.folder import MediaFolder
from flow2api.adapters.disk.grouping import GroupedPuts, Kept
from flow2api.adapters.disk.incoming import IncomingFile
from flow2api.adapters.disk.integrity import VerifiedFiles
from flow2api.domain.apart import apart
from flow2api.domain.errors import MediaGoneError, StorageError, StorageFullError
from flow2api.domain.media import StoredBytes

_log = logging.getLogger(__name__)

FLUSH_WITHIN_S = 1.0

_CHUNK_BYTES = 256 * 1024
_SMALL_BYTES = 1024 * 1024
_HEAD_BYTES = 64
_ADDRESS = re.compile(r"[0-9a-f]{64}")
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

P = ParamSpec("P")
T = TypeVar("T")


class DiskMediaStore:
    """Keeps each content once under its SHA-256, whole or not at all, in files that only the owner may read.

    A large content (a video) is on the disk, not only in its cache, before :meth:`put` returns. Small ones (pictures) are
    whole under their address at once and are brought to the disk together, within ``flush_within_s``: waiting for the
    disk twice for each would cost more than everything else that is done for a picture. A file is hashed when this
    process first opens it; one that is damaged, by a power cut say, counts as gone, and is written anew when its content
    is put again. Text that is no address names nothing.

    Args:
        root: The folder; made when it is first used.
        threads: How many calls may wait for the disk at once; one of them is kept for small contents.
        flush_within_s: How long a power cut may undo a small content; 0 waits for the disk before :meth:`put` returns.
    """

    def __init__(self, root: Path, *, threads: int = 4, flush_within_s: float = FLUSH_WITHIN_S) -> None:
        self._folder = MediaFolder(root)
        self._verified = VerifiedFiles()
        self._threads = ThreadPoolExecutor(threads - 1, thread_name_prefix="media-disk")
        self._small_thread = ThreadPoolExecutor(1, thread_name_prefix="media-disk-small")
        self._small = GroupedPuts(self._write_small)
        self._flush_within_s = flush_within_s
        self._unflushed = False
        self._flushing: asyncio.Task[None] | None = None

    async def put(self, chunks: AsyncIterator[bytes]) -> StoredBytes:
        """Take in bytes as they come, in constant memory; nothing partial is ever seen under the address.

        Raises:
            StorageFullError: There is no room.
            StorageError: The disk refused for another reason.
        """
        head = b""
        gathered: list[bytes] = []
        gathered_bytes = 0
        chunks = aiter(chunks)
        async for chunk in chunks:
            if len(head) < _HEAD_BYTES:
                head += chunk[: _HEAD_BYTES - len(head)]
            gathered.append(chunk)
            gathered_bytes += len(chunk)
            if gathered_bytes > _SMALL_BYTES:
                return await self._put_large(head, gathered, chunks)
        if self._flush_within_s <= 0:
            return await self._put_large(head, gathered, chunks)
        try:
            sha256, size_bytes = await self._small.put(gathered)
        except OSError as error:
            raise _in_words(error) from error
        self._flush_soon()
        return StoredBytes(sha256, size_bytes, head)

    async def size(self, sha256: str) -> int | None:
        """How many bytes are kept under this address; None when there are none."""
        return await self._in_thread(self._size, sha256) if _ADDRESS.fullmatch(sha256) else None

    async def read(self, sha256: str, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        """The bytes from ``start`` to before ``stop``, in chunks of 256 KiB.

        Raises:
            MediaGoneError: Nothing is kept under this address, it is damaged, or it ends before ``stop``.
        """
        if not _ADDRESS.fullmatch(sha256):
            raise _gone()
        opening = asyncio.ensure_future(self._in_thread(self._open, sha256, start, stop))
        try:
            descriptor, end, chunk = await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close_late)
            raise
        try:
            while start < end:
                if not chunk:
                    raise _gone()
                yield chunk
                start += len(chunk)
                chunk = b"" if start >= end else await self._in_thread(_read_at, descriptor, start, end)
        finally:
            os.close(descriptor)

    async def delete(self, sha256: str) -> None:
        """Let go of the bytes; those being read stay readable to the end."""
        if _ADDRESS.fullmatch(sha256):
            await self._in_thread(self._folder.remove, sha256)

    async def addresses(self, *, not_put_since: datetime) -> AsyncGenerator[Sequence[str], None]:
        """The addresses of all that nobody has put after this moment, a folder's at a time."""
        since_ns = _nanoseconds(not_put_since)
        for shard in await self._in_thread(self._folder.shards):
            if found := await self._in_thread(self._folder.addresses, shard, since_ns):
                yield found

    async def delete_unless_put_since(self, sha256: str, moment: datetime) -> bool:
        """Let go of the bytes unless somebody has put them after this moment; False when they stay."""
        if not _ADDRESS.fullmatch(sha256):
            return True
        return await self._in_thread(self._folder.remove_unless_renewed, sha256, _nanoseconds(moment))

    async def room(self) -> int:
        """How many bytes the disk has room for; a block is written to find out.

        Raises:
            StorageFullError: There is no room.
            StorageError: The disk refused for another reason.
        """
        return await self._in_thread(self._folder.room)

    async def aclose(self) -> None:
        """Finish what is being written, bring it to the disk, and stop."""
        await self._small.drain()
        if self._flushing is not None:
            self._flushing.cancel()
            await asyncio.wait([self._flushing])
        if self._unflushed:
            await self._flush()
        await asyncio.to_thread(self._small_thread.shutdown)
        await asyncio.to_thread(self._threads.shutdown)
        self._folder.close()

    async def _put_large(self, head: bytes, gathered: list[bytes], rest: AsyncIterator[bytes]) -> StoredBytes:
        """Go on with a content in a file of its own, and wait for the disk at its end."""
        incoming = IncomingFile(self._folder, self._verified)
        waiting_bytes = sum(map(len, gathered))
        most = _SMALL_BYTES
        try:
            while True:
                if waiting_bytes > most:
                    await self._in_thread(incoming.write, gathered)
                    gathered.clear()
                    waiting_bytes, most = 0, _CHUNK_BYTES
                chunk = await anext(rest, None)
                if chunk is None:
                    break
                gathered.append(chunk)
                waiting_bytes += len(chunk)
            sha256, size_bytes = await self._in_thread(incoming.finish, gathered, lasting=True)
        except BaseException:
            await asyncio.shield(self._in_thread(incoming.discard))
            raise
        return StoredBytes(sha256, size_bytes, head)

    async def _write_small(self, contents: Sequence[list[bytes]]) -> Sequence[Kept | OSError]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._small_thread, self._write_each, contents)

    def _write_each(self, contents: Sequence[list[bytes]]) -> Sequence[Kept | OSError]:
        return [self._write_one(chunks) for chunks in contents]

    def _write_one(self, chunks: list[bytes]) -> Kept | OSError:
        incoming = IncomingFile(self._folder, self._verified)
        try:
            return incoming.finish(chunks, lasting=False)
        except OSError as error:
            with contextlib.suppress(OSError):
                incoming.discard()
            return error

    def _flush_soon(self) -> None:
        self._unflushed = True
        if self._flushing is None:
            self._flushing = apart(self._flush_while_needed(), name="media-flush")

    async def _flush_while_needed(self) -> None:
        try:
            while self._unflushed:
                await asyncio.sleep(self._flush_within_s)
                await self._flush()
        finally:
            self._flushing = None

    async def _flush(self) -> None:
        self._unflushed = False
        try:
            await asyncio.shield(self._in_thread(self._folder.flush))
        except StorageError as error:
            _log.error("new media may not outlive a power cut: %s", error.message)

    def _size(self, sha256: str) -> int | None:
        found = self._folder.look_up(sha256)
        return None if found is None else found.st_size

    def _open(self, sha256: str, start: int, stop: int | None) -> tuple[int, int, bytes]:
        """Descriptor, end and first chunk of what is to be read."""
        opened = self._folder.open_file(sha256)
        if opened is None:
            raise _gone()
        descriptor, found = opened
        try:
            end = self._checked_end(sha256, descriptor, found, stop)
            return descriptor, end, _read_at(descriptor, start, end)
        except BaseException:
            os.close(descriptor)
            raise

    def _checked_end(self, sha256: str, descriptor: int, found: os.stat_result, stop: int | None) -> int:
        is_beyond = stop is not None and stop > found.st_size
        if is_beyond or not self._verified.holds(sha256, descriptor, found):
            raise _gone()
        return found.st_size if stop is None else stop

    async def _in_thread(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, partial(call, *args, **kwargs))
        except OSError as error:
            raise _in_words(error) from error


def _nanoseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def _in_words(error: OSError) -> StorageError:
    if error.errno in _FULL:
        return StorageFullError("There is no room left for media; free some space on the disk.")
    why = f"{error.strerror}, {errno.errorcode.get(error.errno or 0, 'unknown')}"
    return StorageError(f"The media folder cannot be used ({why}); check the disk and the folder's owner.")


def _read_at(descriptor: int, start: int, stop: int) -> bytes:
    return os.pread(descriptor, max(0, min(_CHUNK_BYTES, stop - start)), start)


def _close_late(opening: asyncio.Future[tuple[int, int, bytes]]) -> None:
    """Close a file whose reader was cancelled while a thread opened it."""
    if not opening.cancelled() and opening.exception() is None:
        os.close(opening.result()[0])


def _gone() -> MediaGoneError:
    return MediaGoneError("The media's bytes are not kept any more, or they are damaged.")


if TYPE_CHECKING:
    from flow2api.domain.ports.media import KnowsAges, MediaStore, TellsRoom

    def _is_a_media_store(store: DiskMediaStore) -> tuple[MediaStore, KnowsAges, TellsRoom]:
        return store, store, store

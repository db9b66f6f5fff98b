"""What was just put is read from memory once for each put; nothing else about the store changes."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from flow2api.adapters.memory import FreshMedia
from flow2api.adapters.memory.fresh_media import LARGEST_BYTES
from flow2api.domain.errors import MediaGoneError
from flow2api.testing.fakes.media import FakeMediaStore, in_chunks

CONTENT = b"a hill" * 100


class Disk(FakeMediaStore):
    """Counts how often it is read."""

    reads = 0

    async def read(self, sha256: str, start: int = 0, stop: int | None = None):  # type: ignore[no-untyped-def]
        self.reads += 1
        async for chunk in super().read(sha256, start, stop):
            yield chunk


@pytest.fixture
def disk() -> Disk:
    return Disk()


async def put(fresh: FreshMedia, data: bytes = CONTENT) -> str:
    return (await fresh.put(in_chunks(data))).sha256


async def read(fresh: FreshMedia, address: str, start: int = 0, stop: int | None = None) -> bytes:
    return b"".join([chunk async for chunk in fresh.read(address, start, stop)])


async def test_first_reading_comes_from_memory_and_later_ones_from_the_store(disk: Disk) -> None:
    fresh = FreshMedia(disk)
    address = await put(fresh)
    assert await read(fresh, address) == CONTENT
    assert disk.reads == 0
    assert await read(fresh, address) == CONTENT
    assert disk.reads == 1


async def test_content_that_two_have_put_is_read_from_memory_twice(disk: Disk) -> None:
    fresh = FreshMedia(disk)
    address = await put(fresh)
    assert await put(fresh) == address
    for _ in range(3):
        assert await read(fresh, address) == CONTENT
    assert disk.reads == 1


@pytest.mark.parametrize(("start", "stop"), [(0, 1), (5, 20), (10, None), (600, 600), (599, 600)])
async def test_part_is_the_same_from_memory_as_from_the_store(disk: Disk, start: int, stop: int | None) -> None:
    fresh = FreshMedia(disk)
    address = await put(fresh)
    assert await read(fresh, address, start, stop) == CONTENT[start:stop] == await read(fresh, address, start, stop)
    assert disk.reads == 1


async def test_part_beyond_the_end_is_judged_by_the_store(disk: Disk) -> None:
    fresh = FreshMedia(disk)
    with pytest.raises(MediaGoneError):
        await read(fresh, await put(fresh), 0, len(CONTENT) + 1)


async def test_large_content_is_never_held(disk: Disk) -> None:
    fresh, large = FreshMedia(disk), b"x" * (LARGEST_BYTES + 1)
    assert await read(fresh, await put(fresh, large)) == large
    assert disk.reads == 1


async def test_oldest_gives_way_when_there_is_no_room(disk: Disk) -> None:
    fresh = FreshMedia(disk, room_bytes=25)
    addresses = [await put(fresh, b"%010d" % number) for number in range(3)]
    contents = [await read(fresh, address) for address in addresses]
    assert contents == [b"%010d" % number for number in range(3)]
    assert disk.reads == 1


async def test_room_is_free_again_once_a_content_was_handed_out(disk: Disk) -> None:
    fresh = FreshMedia(disk, room_bytes=25)
    for number in range(10):
        await read(fresh, await put(fresh, b"%010d" % number))
    assert disk.reads == 0


async def test_deleted_content_is_gone_from_memory_too(disk: Disk) -> None:
    fresh = FreshMedia(disk)
    address = await put(fresh)
    await fresh.delete(address)
    assert await fresh.size(address) is None
    with pytest.raises(MediaGoneError):
        await read(fresh, address)


async def test_content_that_the_store_refused_is_not_held(disk: Disk) -> None:
    fresh, disk.fault = FreshMedia(disk), OSError("full")
    with pytest.raises(OSError, match="full"):
        await put(fresh)
    assert await fresh.size(hashlib.sha256(CONTENT).hexdigest()) is None


async def test_content_that_nobody_has_put_since_is_gone_from_memory_too(disk: Disk) -> None:
    fresh = FreshMedia(disk)
    address = await put(fresh)
    assert not await fresh.delete_unless_put_since(address, datetime.now(UTC) - timedelta(hours=1))
    assert await read(fresh, address) == CONTENT
    await put(fresh)
    assert await fresh.delete_unless_put_since(address, datetime.now(UTC))
    assert await fresh.size(address) is None
    with pytest.raises(MediaGoneError):
        await read(fresh, address)


class Plain:
    """A store that can do what each one can, and no more."""

    def __init__(self, disk: Disk) -> None:
        self.put, self.read, self.size, self.delete, self.aclose = (
            disk.put,
            disk.read,
            disk.size,
            disk.delete,
            disk.aclose,
        )


async def test_store_that_knows_neither_ages_nor_room_is_not_asked_for_them(disk: Disk) -> None:
    fresh = FreshMedia(Plain(disk))
    address = await put(fresh)
    later = datetime.now(UTC) + timedelta(hours=1)
    assert [some async for some in fresh.addresses(not_put_since=later)] == []
    assert await fresh.room() is None
    assert await fresh.delete_unless_put_since(address, later - timedelta(hours=2))
    assert disk.contents == {}

"""What a media store promises."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flow2api.domain.errors import MediaGoneError
from flow2api.domain.ports.media import KnowsAges, MediaStore, TellsRoom
from flow2api.testing.fakes.media import in_chunks

NO_ADDRESSES = ["", "0" * 63, "0" * 65, "A" * 64, "../" * 21 + "x", "/etc/passwd", "0" * 63 + "/", "0" * 64 + "\n"]
UNKNOWN = "0" * 64


async def content(store: MediaStore, sha256: str, start: int = 0, stop: int | None = None) -> bytes:
    """The bytes, read to their end."""
    return b"".join([chunk async for chunk in store.read(sha256, start, stop)])


async def old_ones(store: KnowsAges, moment: datetime) -> set[str]:
    """The addresses of what nobody has put since then."""
    return {address async for some in store.addresses(not_put_since=moment) for address in some}


class MediaStoreContract:
    """Everything that a media store promises: subclass it, and define the fixture ``store``, one with nothing in it.

    What it may offer besides (`KnowsAges`, `TellsRoom`) is asked of those that offer it.
    """

    @pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 262_144, 1_048_576, 1_048_577, 3_000_000])
    async def test_gives_back_what_it_took(self, store: MediaStore, size: int) -> None:
        data = (bytes(range(251)) * (size // 251 + 1))[:size]

        stored = await store.put(in_chunks(data))

        assert (stored.sha256, stored.size_bytes) == (hashlib.sha256(data).hexdigest(), size)
        assert stored.head == data[:64]
        assert await store.size(stored.sha256) == size
        assert await content(store, stored.sha256) == data

    async def test_head_is_whole_when_bytes_come_one_by_one(self, store: MediaStore) -> None:
        stored = await store.put(in_chunks(bytes(range(100)), size=1))

        assert stored.head == bytes(range(64))

    @given(start=st.integers(0, 600_000), length=st.integers(0, 600_000))
    @settings(
        max_examples=30,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
    )
    async def test_gives_any_range(self, store: MediaStore, start: int, length: int) -> None:
        data = bytes(range(256)) * 2400
        stored = await store.put(in_chunks(data))
        stop = min(start + length, len(data))

        assert await content(store, stored.sha256, start, stop) == data[start:stop]

    async def test_refuses_a_range_beyond_the_end(self, store: MediaStore) -> None:
        stored = await store.put(in_chunks(b"short"))

        with pytest.raises(MediaGoneError):
            await content(store, stored.sha256, 0, 6)

    async def test_keeps_same_content_once(self, store: MediaStore) -> None:
        first, second = await asyncio.gather(store.put(in_chunks(b"same")), store.put(in_chunks(b"same", size=1)))
        await store.delete(first.sha256)

        assert first == second
        assert await store.size(second.sha256) is None

    @pytest.mark.parametrize("address", [UNKNOWN, *NO_ADDRESSES])
    async def test_knows_nothing_under_a_foreign_address(self, store: MediaStore, address: str) -> None:
        await store.delete(address)

        assert await store.size(address) is None
        with pytest.raises(MediaGoneError):
            await content(store, address)

    async def test_deleted_content_is_gone_and_can_come_back(self, store: MediaStore) -> None:
        stored = await store.put(in_chunks(b"again"))
        await store.delete(stored.sha256)

        with pytest.raises(MediaGoneError):
            await content(store, stored.sha256)
        assert await store.put(in_chunks(b"again")) == stored
        assert await content(store, stored.sha256) == b"again"

    async def test_reader_reads_on_when_content_is_deleted(self, store: MediaStore) -> None:
        data = bytes(1_500_000)
        stored = await store.put(in_chunks(data))

        reading = store.read(stored.sha256)
        got = await anext(reading)
        await store.delete(stored.sha256)
        got += b"".join([chunk async for chunk in reading])

        assert got == data

    async def test_keeps_nothing_when_its_source_fails(self, store: MediaStore) -> None:
        async def cut_off() -> AsyncIterator[bytes]:
            yield bytes(2_000_000)
            raise ConnectionError

        with pytest.raises(ConnectionError):
            await store.put(cut_off())

        assert await store.size(hashlib.sha256(bytes(2_000_000)).hexdigest()) is None

    @pytest.fixture
    def aged(self, store: MediaStore) -> KnowsAges:
        if not isinstance(store, KnowsAges):
            pytest.skip("it does not know ages")
        return store

    async def test_tells_what_nobody_has_put_for_a_while(self, store: MediaStore, aged: KnowsAges) -> None:
        before = datetime.now(UTC) - timedelta(seconds=1)
        stored = [await store.put(in_chunks(data)) for data in (b"small", bytes(2_000_000))]
        after = datetime.now(UTC) + timedelta(seconds=1)

        assert await old_ones(aged, before) == set()
        assert await old_ones(aged, after) == {one.sha256 for one in stored}

    @pytest.mark.parametrize("size", [10, 2_000_000])
    async def test_put_of_what_is_there_already_makes_it_young_again(
        self, store: MediaStore, aged: KnowsAges, size: int
    ) -> None:
        stored = await store.put(in_chunks(bytes(size)))
        moment = datetime.now(UTC)
        await asyncio.sleep(0.002)
        await store.put(in_chunks(bytes(size)))

        assert await old_ones(aged, moment) == set()
        assert not await aged.delete_unless_put_since(stored.sha256, moment)
        assert await content(store, stored.sha256) == bytes(size)

    async def test_deletes_what_nobody_has_put_since(self, store: MediaStore, aged: KnowsAges) -> None:
        stored = await store.put(in_chunks(b"old"))
        moment = datetime.now(UTC) + timedelta(seconds=1)

        assert await aged.delete_unless_put_since(stored.sha256, moment)
        assert await store.size(stored.sha256) is None
        assert await aged.delete_unless_put_since(stored.sha256, moment)

    @pytest.mark.parametrize("address", [UNKNOWN, *NO_ADDRESSES])
    async def test_deletes_nothing_under_a_foreign_address(self, aged: KnowsAges, address: str) -> None:
        assert await aged.delete_unless_put_since(address, datetime.now(UTC))

    async def test_tells_its_room(self, store: MediaStore) -> None:
        if not isinstance(store, TellsRoom):
            pytest.skip("it does not tell its room")
        room = await store.room()

        assert room is None or room > 0

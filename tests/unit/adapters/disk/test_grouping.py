"""Grouped puts: what comes while one trip is under way goes together with the next, and each has its own outcome."""

import asyncio
from collections.abc import Sequence

import pytest

from flow2api.adapters.disk.grouping import GroupedPuts, Kept


class Trips:
    """Stands for the thread: keeps what each trip carried, and waits for the test to let it end."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.gate = asyncio.Event()
        self.fault: Exception | None = None

    async def __call__(self, contents: Sequence[list[bytes]]) -> Sequence[Kept | OSError]:
        self.sizes.append(len(contents))
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        joined = [b"".join(chunks) for chunks in contents]
        return [OSError("bad sector") if data == b"bad" else (data.decode(), len(data)) for data in joined]


async def begun(puts: GroupedPuts, *contents: bytes) -> list["asyncio.Task[Kept]"]:
    tasks = [asyncio.create_task(puts.put([content])) for content in contents]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_lone_content_goes_at_once_and_the_rest_together() -> None:
    trips = Trips()
    puts = GroupedPuts(trips)
    first = await begun(puts, b"a")
    later = await begun(puts, b"b", b"cc", b"d")
    assert trips.sizes == [1]
    trips.gate.set()
    assert await asyncio.gather(*first, *later) == [("a", 1), ("b", 1), ("cc", 2), ("d", 1)]
    assert trips.sizes == [1, 3]


async def test_error_of_one_content_is_nobody_elses() -> None:
    trips = Trips()
    trips.gate.set()
    puts = GroupedPuts(trips)
    good, bad, other = await asyncio.gather(
        *(puts.put([data]) for data in (b"a", b"bad", b"c")), return_exceptions=True
    )
    assert (good, other) == (("a", 1), ("c", 1))
    assert isinstance(bad, OSError)


async def test_trip_that_fails_is_told_to_all_of_it_and_the_next_goes_well() -> None:
    trips = Trips()
    trips.gate.set()
    trips.fault = RuntimeError("no thread")
    puts = GroupedPuts(trips)
    ends = await asyncio.gather(puts.put([b"a"]), puts.put([b"b"]), return_exceptions=True)
    assert [type(end) for end in ends] == [RuntimeError, RuntimeError]
    trips.fault = None
    assert await puts.put([b"c"]) == ("c", 1)


async def test_content_of_a_caller_who_went_away_is_written_all_the_same() -> None:
    trips = Trips()
    puts = GroupedPuts(trips)
    (first,) = await begun(puts, b"a")
    gone, stayed = await begun(puts, b"b", b"c")
    gone.cancel()
    trips.gate.set()
    assert await stayed == ("c", 1)
    assert await first == ("a", 1)
    assert trips.sizes == [1, 2]


async def test_draining_waits_for_everything_that_came() -> None:
    trips = Trips()
    puts = GroupedPuts(trips)
    await puts.drain()
    tasks = await begun(puts, b"a", b"b")
    draining = asyncio.create_task(puts.drain())
    await asyncio.sleep(0)
    assert not draining.done()
    trips.gate.set()
    await draining
    assert all(task.done() for task in tasks)


@pytest.mark.parametrize("count", [1, 200])
async def test_trips_are_few_however_many_come_at_once(count: int) -> None:
    trips = Trips()
    trips.gate.set()
    puts = GroupedPuts(trips)
    await asyncio.gather(*(puts.put([b"%d" % number]) for number in range(count)))
    assert len(trips.sizes) <= 2

import threading

import pytest

from flow2api.libcurl.bodies import LARGE_BYTES, in_turn, read


@pytest.mark.parametrize("size", [10, 1_000_000])
async def test_large_and_small_bodies_are_read_alike(size: int) -> None:
    assert await read(len, bytes(size)) == size


async def test_only_large_bodies_leave_the_thread_of_the_event_loop() -> None:
    here = threading.get_ident()

    assert await in_turn(threading.get_ident, LARGE_BYTES - 1) == here
    assert await in_turn(threading.get_ident, LARGE_BYTES) != here

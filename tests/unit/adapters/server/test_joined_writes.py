"""A short piece waits for the next one, for one turn of the loop at most, and nothing changes its order or is lost."""

import asyncio
from typing import Any

import pytest

from flow2api.adapters.server.joined_writes import SHORT_BYTES, JoinedWrites


class Wire(asyncio.Transport):
    """Keeps what each system call would have sent."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[bytes] = []
        self.is_closed = False
        self.is_aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.calls.append(bytes(data))

    def writelines(self, list_of_data: Any) -> None:
        self.calls.append(b"".join(list_of_data))

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.is_closed or self.is_aborted

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_aborted = True


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
async def joined(wire: Wire) -> JoinedWrites:
    return JoinedWrites(wire, asyncio.get_running_loop())


async def test_head_and_body_go_in_one_call(joined: JoinedWrites, wire: Wire) -> None:
    joined.write(b"head ")
    joined.write(b"body")
    assert wire.calls == [b"head body"]
    await asyncio.sleep(0)
    assert wire.calls == [b"head body"]


async def test_lone_piece_goes_at_the_next_turn(joined: JoinedWrites, wire: Wire) -> None:
    joined.write(b"alone")
    assert wire.calls == []
    await asyncio.sleep(0)
    assert wire.calls == [b"alone"]


async def test_an_empty_piece_sends_what_waits_at_once(joined: JoinedWrites, wire: Wire) -> None:
    joined.write(b"head")
    joined.write(b"")
    assert wire.calls == [b"head"]
    joined.write(b"")
    await asyncio.sleep(0)
    assert wire.calls == [b"head"]


async def test_large_piece_does_not_wait_and_takes_the_held_one_along(joined: JoinedWrites, wire: Wire) -> None:
    large = b"x" * (SHORT_BYTES + 1)
    joined.write(large)
    assert wire.calls == [large]
    joined.write(b"head")
    joined.write(large)
    assert wire.calls == [large, b"head" + large]


async def test_order_is_kept(joined: JoinedWrites, wire: Wire) -> None:
    pieces = [b"%d," % number for number in range(50)]
    for number, piece in enumerate(pieces):
        joined.write(piece)
        if number % 7 == 0:
            await asyncio.sleep(0)
    joined.close()
    assert b"".join(wire.calls) == b"".join(pieces)


async def test_reused_buffer_does_not_change_what_waits(joined: JoinedWrites, wire: Wire) -> None:
    buffer = bytearray(b"first")
    joined.write(buffer)
    buffer[:] = b"later"
    await asyncio.sleep(0)
    assert wire.calls == [b"first"]


async def test_closing_sends_what_waits_and_aborting_drops_it(joined: JoinedWrites, wire: Wire) -> None:
    joined.write(b"bye")
    joined.close()
    assert (wire.calls, wire.is_closed) == ([b"bye"], True)
    other = Wire()
    dropped = JoinedWrites(other, asyncio.get_running_loop())
    dropped.write(b"never")
    dropped.abort()
    await asyncio.sleep(0)
    assert (other.calls, other.is_aborted) == ([], True)


async def test_nothing_is_written_to_a_connection_that_was_closed_meanwhile(joined: JoinedWrites, wire: Wire) -> None:
    joined.write(b"too late")
    wire.is_closed = True
    await asyncio.sleep(0)
    assert wire.calls == []

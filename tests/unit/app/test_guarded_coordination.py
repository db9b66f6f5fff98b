"""What cannot be counted is refused in bounded time, and asked again when there is hope."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from flow2api.app.deadlines import COORDINATION, Deadlines, with_deadlines
from flow2api.app.guarded_coordination import GuardedCoordination, GuardedSlots, Reach
from flow2api.domain.errors import CoordinationError
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.coordination import RefundsUses
from flow2api.plugins.coordination_memory import MemoryCoordination
from flow2api.testing.contracts import CoordinationContract, NewProcess
from flow2api.testing.contracts.events import until
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.coordination import FakeCoordination, Meeting

IMAGE = MediaKind.IMAGE


@pytest.fixture
def meeting() -> Meeting:
    return Meeting()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def guarded(meeting: Meeting, clock: FakeClock) -> AsyncIterator[GuardedCoordination]:
    soon = Deadlines(CoordinationError, 0.01, {"listen": None})
    coordination = GuardedCoordination(with_deadlines(FakeCoordination(meeting), "theirs", soon), clock.monotonic)
    yield coordination
    await coordination.aclose()


class TestGuardedCoordination(CoordinationContract):
    @pytest.fixture
    def new_process(self, meeting: Meeting, clock: FakeClock) -> NewProcess:
        return lambda: GuardedCoordination(
            with_deadlines(FakeCoordination(meeting), "theirs", COORDINATION), clock.monotonic
        )

    @pytest.fixture
    def pass_time(self, meeting: Meeting) -> object:
        async def passed(seconds: float) -> None:
            meeting.time_s += seconds

        return passed


async def test_whatever_is_raised_becomes_an_error_of_ours(guarded: GuardedCoordination, meeting: Meeting) -> None:
    meeting.lose(ZeroDivisionError("no divisor"))

    with pytest.raises(CoordinationError, match="nothing was begun; try again") as caught:
        await guarded.slots.take(1, IMAGE, 1)

    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert caught.value.code == "coordination_unavailable"


async def test_what_gives_no_answer_ends_in_time(guarded: GuardedCoordination, meeting: Meeting) -> None:
    meeting.is_stuck = True

    with pytest.raises(CoordinationError):
        await guarded.limits.spend("a", 1, 1, 60.0)


async def test_after_a_failure_nobody_waits_for_another_one(
    guarded: GuardedCoordination, meeting: Meeting, clock: FakeClock
) -> None:
    meeting.fault = ConnectionError("gone")
    for _ in range(20):
        with pytest.raises(CoordinationError):
            await guarded.slots.take(1, IMAGE, 1)
        with pytest.raises(CoordinationError):
            await guarded.limits.spend("a", 1, 1, 60.0)
    assert (meeting.calls["take"], meeting.calls["spend"]) == (1, 0)
    meeting.fault = None
    clock.advance(1.0)

    assert await guarded.slots.take(1, IMAGE, 1) is not None
    assert await guarded.limits.spend("a", 1, 1, 60.0) is None


async def test_slot_that_comes_late_is_given_back(meeting: Meeting, clock: FakeClock) -> None:
    slots = GuardedSlots(FakeCoordination(meeting), Reach(clock.monotonic), answered_within_s=0.01)
    meeting.is_stuck = True
    with pytest.raises(CoordinationError):
        await slots.take(1, IMAGE, 1)
    meeting.go_on()
    await until(lambda: meeting.calls["give_back"] == 1)

    clock.advance(1.0)
    assert await slots.take(1, IMAGE, 1) is not None


async def test_slot_that_comes_when_its_caller_has_gone_is_given_back(meeting: Meeting, clock: FakeClock) -> None:
    slots = GuardedSlots(FakeCoordination(meeting), Reach(clock.monotonic))
    meeting.is_stuck = True
    taking = asyncio.create_task(slots.take(1, IMAGE, 1))
    await until(lambda: meeting.calls["take"] == 1)
    taking.cancel()
    await asyncio.wait([taking])
    meeting.go_on()

    await until(lambda: meeting.calls["give_back"] == 1)
    assert meeting.tickets == {}


async def test_late_slot_that_cannot_be_given_back_is_told(meeting: Meeting, clock: FakeClock) -> None:
    class Forgetful(FakeCoordination):
        async def give_back(self, ticket: str) -> None:
            raise ConnectionError("gone")

    slots = GuardedSlots(Forgetful(meeting), Reach(clock.monotonic), answered_within_s=0.01)
    meeting.is_stuck = True
    with capture_logs() as logs:
        with pytest.raises(CoordinationError):
            await slots.take(1, IMAGE, 1)
        meeting.go_on()
        await until(lambda: len(logs) == 2)

    assert logs[1]["event"] == "slot that came late not given back; it ends with its time limit"


async def test_slot_is_given_back_even_so(guarded: GuardedCoordination, meeting: Meeting) -> None:
    ticket = await guarded.slots.take(1, IMAGE, 1)
    assert ticket is not None
    meeting.fault = ConnectionError("gone")
    with pytest.raises(CoordinationError):
        await guarded.slots.take(2, IMAGE, 1)
    meeting.fault = None

    await guarded.slots.give_back(ticket)

    assert meeting.tickets == {}


async def test_use_is_refunded_even_so(guarded: GuardedCoordination, meeting: Meeting) -> None:
    limits = guarded.limits
    assert isinstance(limits, RefundsUses)
    await limits.spend("a", 1, 1, 60.0)
    meeting.fault = ConnectionError("gone")
    with pytest.raises(CoordinationError):
        await limits.spend("a", 1, 1, 60.0)
    meeting.fault = None

    await limits.refund("a", 1)

    assert meeting.windows["a"] == (60.0, 0)


def test_limits_that_take_nothing_back_do_not_seem_to(clock: FakeClock) -> None:
    class Plain:
        spend = FakeCoordination.spend

    coordination: Any = FakeCoordination()
    coordination.limits = Plain()
    assert not isinstance(GuardedCoordination(coordination, clock.monotonic).limits, RefundsUses)


async def test_what_cannot_be_closed_is_told_and_stops_nobody(clock: FakeClock, meeting: Meeting) -> None:
    class Gone(FakeCoordination):
        async def aclose(self) -> None:
            raise ConnectionError("gone")

    with capture_logs() as logs:
        await GuardedCoordination(Gone(meeting), clock.monotonic).aclose()

    assert [one["event"] for one in logs] == ["coordination not closed; what it holds ends with its time limit"]


async def test_log_tells_the_beginning_and_the_end(
    guarded: GuardedCoordination, meeting: Meeting, clock: FakeClock
) -> None:
    with capture_logs() as logs:
        meeting.fault = ConnectionError("gone")
        for _ in range(3):
            with pytest.raises(CoordinationError):
                await guarded.slots.take(1, IMAGE, 1)
            clock.advance(1.0)
        meeting.fault = None
        for _ in range(3):
            await guarded.slots.take(1, IMAGE, None)

    assert [one["event"] for one in logs] == [
        "coordination cannot be reached, nothing that needs it is begun",
        "coordination can be reached again",
    ]


def test_parts_that_ask_nobody_else_are_left_as_they_are(clock: FakeClock) -> None:
    memory = MemoryCoordination()
    guarded = GuardedCoordination(memory, clock.monotonic)

    assert (guarded.slots, guarded.limits, guarded.events) == (memory.slots, memory.limits, memory.events)
    assert not guarded.is_shared

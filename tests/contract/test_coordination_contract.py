"""What every coordination promises, asked of the fake, of memory, and of one that shares a file."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from flow2api.plugins.coordination_memory import MemoryCoordination, MemoryLimits
from flow2api.testing.contracts import CoordinationContract, NewProcess
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.coordination import FakeCoordination, Meeting
from tests.shared_file import FileCoordination


class TestFakeCoordination(CoordinationContract):
    @pytest.fixture
    def meeting(self) -> Meeting:
        return Meeting()

    @pytest.fixture
    def new_process(self, meeting: Meeting) -> NewProcess:
        return lambda: FakeCoordination(meeting)

    @pytest.fixture
    def pass_time(self, meeting: Meeting) -> Callable[[float], Awaitable[None]]:
        async def passed(seconds: float) -> None:
            meeting.time_s += seconds

        return passed


class TestMemoryCoordination(CoordinationContract):
    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock()

    @pytest.fixture
    def new_process(self, clock: FakeClock) -> NewProcess:
        coordination = MemoryCoordination()
        coordination.limits = MemoryLimits(clock.monotonic)
        return lambda: coordination

    @pytest.fixture
    def pass_time(self, clock: FakeClock) -> Callable[[float], Awaitable[None]]:
        return clock.sleep


class TestFileCoordination(CoordinationContract):
    @pytest.fixture
    def new_process(self, tmp_path: Path) -> NewProcess:
        return lambda: FileCoordination(tmp_path / "meeting.db")

"""What options switch while the program runs."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from flow2api.adapters.system.time_zone import machine_zone
from flow2api.app.current_options import CurrentOptions
from flow2api.app.recording import Recording, build_recording
from flow2api.domain.options import Options
from flow2api.settings import Settings
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.storage import FakeStorage

OURS = logging.getLogger("flow2api.planted")


class Program:
    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.storage = FakeStorage(self.clock)
        policies = frozenset({Options().policy})
        self.options = CurrentOptions(self.storage.options, {}, lambda: policies, self.clock)
        self.recording: Recording = build_recording(
            replace(Settings(), data_dir=folder), self.storage, self.storage.journal, self.options, self.clock
        )
        self.options.tell(self.recording.follow_options)

    async def another_process_sets(self, **values: object) -> None:
        await self.storage.options.write(values, "somebody")
        await self.options.reload()


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    made = Program(tmp_path)
    yield made
    made.recording.debug_log.close()


async def test_debug_log_follows_its_option(program: Program, tmp_path: Path) -> None:
    OURS.debug("before")
    await program.another_process_sets(debug_log=True)
    OURS.debug("meanwhile")
    await program.another_process_sets(debug_log=None)
    OURS.debug("after")
    program.recording.debug_log.close()

    text = (tmp_path / "debug.log").read_text()
    assert "meanwhile" in text
    assert "before" not in text
    assert "after" not in text


async def test_days_are_the_machines_until_a_zone_is_set(program: Program) -> None:
    assert program.recording.zone() == machine_zone()

    await program.another_process_sets(time_zone="Asia/Kathmandu")
    assert str(program.recording.statistics.zone) == "Asia/Kathmandu"

    await program.another_process_sets(time_zone="UTC")
    assert program.recording.zone() == UTC


async def test_zone_that_is_none_leaves_the_former_one_in_force_and_nothing_else(program: Program) -> None:
    await program.another_process_sets(time_zone="Asia/Kathmandu", log_days=3)

    await program.another_process_sets(time_zone="Asia/Katmandoo", log_days=4)

    assert program.options().time_zone == "Asia/Kathmandu"
    assert program.options().log_days == 4


@pytest.mark.parametrize(("name", "value"), [("log_prompts", "some"), ("log_days", -1), ("log_bodies", "perhaps")])
async def test_values_that_cannot_be_are_not_taken(program: Program, name: str, value: object) -> None:
    await program.another_process_sets(**{name: value})

    assert program.options() == Options()

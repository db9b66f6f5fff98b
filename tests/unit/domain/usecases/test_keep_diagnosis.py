"""What the doctor found last."""

import asyncio
from collections.abc import AsyncIterator

from flow2api.domain.usecases.diagnose import CheckState, Diagnosis, Finding
from flow2api.domain.usecases.keep_diagnosis import EVERY_S, FIRST_AFTER_S, KeepDiagnosis
from flow2api.testing.fakes.clock import START, FakeClock

OF = {
    "a": CheckState.OK,
    "b": CheckState.WARN,
    "c": CheckState.FAIL,
    "d": CheckState.WARN,
}


class Doctor:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.times = 0
        self.kept = KeepDiagnosis(self.look, self.clock)

    async def look(self) -> AsyncIterator[Diagnosis]:
        self.times += 1
        for name, state in OF.items():
            yield Diagnosis(name, Finding(state, "A sentence."))
            await asyncio.sleep(0)


async def test_findings_are_kept_worst_first() -> None:
    doctor = Doctor()
    assert doctor.kept.latest is None
    found = await doctor.kept()
    assert doctor.kept.latest is found
    assert [one.name for one in found.diagnoses] == ["c", "b", "d", "a"]
    assert (found.at, found.took_s) == (START, 0.0)
    assert [found.count(state) for state in CheckState] == [1, 2, 1]


async def test_who_asks_while_checks_run_gets_the_same_findings() -> None:
    doctor = Doctor()
    first, second = await asyncio.gather(doctor.kept(), doctor.kept())
    assert first is second
    assert doctor.times == 1
    await doctor.kept()
    assert doctor.times == 2


async def test_checks_run_soon_after_the_start_and_once_a_day() -> None:
    doctor = Doctor()
    running = asyncio.create_task(doctor.kept.run())
    while doctor.times < 3:
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])
    assert doctor.clock.slept[:3] == [FIRST_AFTER_S, EVERY_S, EVERY_S]

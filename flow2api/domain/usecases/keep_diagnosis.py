"""What the doctor found last, for all who want to know."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from flow2api.domain.ports.system import Clock
from flow2api.domain.usecases.diagnose import CheckState, Diagnosis

FIRST_AFTER_S = 20.0
EVERY_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found, and when.

    Attributes:
        diagnoses: Worst first; among equals in the order in which they were looked at.
        took_s: How long the looking took.
    """

    at: datetime
    took_s: float
    diagnoses: Sequence[Diagnosis]

    def count(self, state: CheckState) -> int:
        """How many came to this."""
        return sum(one.finding.state is state for one in self.diagnoses)


_ORDER = (CheckState.FAIL, CheckState.WARN, CheckState.OK)


class KeepDiagnosis:
    """Has the checks run when somebody asks, once a day, and soon after the start.

    Attributes:
        latest: None until they have run.
    """

    def __init__(self, diagnose: Callable[[], AsyncIterator[Diagnosis]], clock: Clock) -> None:
        self.latest: Examined | None = None
        self._diagnose = diagnose
        self._clock = clock
        self._running: asyncio.Task[Examined] | None = None

    async def __call__(self) -> Examined:
        """Run them now; who asks while they run gets the same findings."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run_once(), name="diagnose")
        return await asyncio.shield(self._running)

    async def run(self) -> None:
        """Run them now and then, for ever."""
        await self._clock.sleep(FIRST_AFTER_S)
        while True:
            await self()
            await self._clock.sleep(EVERY_S)

    async def _run_once(self) -> Examined:
        began = self._clock.monotonic()
        found = [one async for one in self._diagnose()]
        found.sort(key=lambda one: _ORDER.index(one.finding.state))
        self.latest = Examined(self._clock.now(), self._clock.monotonic() - began, found)
        return self.latest

"""The one task that writes: what arrives while a commit runs, or in the pause after it, goes into the next transaction."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection

from flow2api.adapters.persistence.database import Step
from flow2api.adapters.persistence.errors import is_busy, translate
from flow2api.domain.company import Company
from flow2api.domain.errors import StorageBusyError, StorageError

T = TypeVar("T")

LONGEST_BATCH = 1000
PACE_S = 0.012
"""From one batch to the next while several callers write."""

_WAITED_ENOUGH_S = 2.5
"""Who has waited for a foreign lock as long as this, behind others, is told with them."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one step: its value, or the error that undid it."""

    value: Any = None
    error: Exception | None = None


def carry_out(connection: Connection, steps: Sequence[Step[Any]]) -> Sequence[Outcome]:
    """Carry out steps in one transaction; when one of them fails, each in a transaction of its own.

    Never raises. A lock that somebody else holds is waited for only once for all of them.
    """
    try:
        with connection.begin():
            return [Outcome(step(connection)) for step in steps]
    except Exception as error:  # noqa: BLE001 - it is handed to whoever waits
        if len(steps) == 1 or is_busy(error):
            return [Outcome(error=translate(error)) for _ in steps]
    return [outcome for step in steps for outcome in carry_out(connection, (step,))]


@dataclass(frozen=True, slots=True)
class _Waiting:
    step: Step[Any]
    future: asyncio.Future[Any]
    since: float


class Writer:
    """Groups the steps of concurrent callers. A lone step is begun at once, and so is the next one after it.

    Args:
        run: Carries out a batch as :func:`carry_out` does, away from the event loop.
        pace_s: How far apart batches begin while there is company.
    """

    def __init__(
        self, run: Callable[[Sequence[Step[Any]]], Awaitable[Sequence[Outcome]]], *, pace_s: float = PACE_S
    ) -> None:
        self._run_batch = run
        self._company = Company(pace_s)
        self._waiting: list[_Waiting] = []
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="database writer")

    async def write(self, step: Step[T]) -> T:
        """Have a step carried out as :meth:`Database.write` promises."""
        if self._task is None or self._closing:
            raise StorageError("The database is not open; nothing can be written.")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append(_Waiting(step, future, loop.time()))
        self._arrived.set()
        return await future

    async def aclose(self) -> None:
        """Write what is waiting, and stop."""
        self._closing = True
        self._arrived.set()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        while self._waiting or not self._closing:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                batch, self._waiting = self._waiting[:LONGEST_BATCH], self._waiting[LONGEST_BATCH:]
                self._company.begin()
                await self._write(batch)
                if not self._closing:
                    await self._company.gather(is_alone=len(batch) == 1 and not self._waiting)

    async def _write(self, batch: Sequence[_Waiting]) -> None:
        try:
            outcomes = await self._run_batch([waiting.step for waiting in batch])
        except Exception as error:  # noqa: BLE001 - the writer outlives whatever befell this batch
            outcomes = [Outcome(error=translate(error)) for _ in batch]
        if all(isinstance(outcome.error, StorageBusyError) for outcome in outcomes):
            behind = self._waited_enough()
            batch, outcomes = [*batch, *behind], [*outcomes, *(outcomes[0] for _ in behind)]
        for waiting, outcome in zip(batch, outcomes, strict=True):
            if waiting.future.done():
                continue
            if outcome.error is not None:
                waiting.future.set_exception(outcome.error)
            else:
                waiting.future.set_result(outcome.value)

    def _waited_enough(self) -> Sequence[_Waiting]:
        """Take those out of the line that would wait for the lock twice as long as others."""
        since = asyncio.get_running_loop().time() - _WAITED_ENOUGH_S
        behind = [waiting for waiting in self._waiting if waiting.since <= since]
        self._waiting = [waiting for waiting in self._waiting if waiting.since > since]
        return behind

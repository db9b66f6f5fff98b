"""The few worker processes: started when needed, kept while busy, ended when idle, stuck or done with."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextvars import Context
from pathlib import Path
from typing import Any

from flow2api.adapters.imaging.limits import WorkerLimits
from flow2api.adapters.imaging.wire import Answer, Job, Task
from flow2api.adapters.imaging.worker_process import WorkerDiedError, WorkerProcess
from flow2api.domain.apart import apart

_GRACE_S = 1.0


class WorkerTimeoutError(Exception):
    """The job took longer than it may."""


class Workers:
    """Runs jobs in at most so many processes; more jobs wait their turn.

    It belongs to one event loop from its first job on, and ends with :meth:`aclose`. Its processes also end by
    themselves when the server is gone.

    Args:
        at_most: How many processes there may be.
        scratch: Folder for videos that are too large for memory; None takes the system's.
    """

    def __init__(self, *, at_most: int = 2, limits: WorkerLimits | None = None, scratch: Path | None = None) -> None:
        self._limits = limits or WorkerLimits()
        self._scratch = scratch
        self._turns = asyncio.Semaphore(at_most)
        self._idle: list[tuple[WorkerProcess, asyncio.TimerHandle]] = []
        self._endings: set[asyncio.Task[None]] = set()

    async def run(
        self, task: Task, chunks: Callable[[], AsyncIterator[bytes]], *, time_limit_s: float
    ) -> tuple[Answer, bytes]:
        """Have a task done: the answer, and what was made.

        Args:
            chunks: Gives the input; called again when a process that had been idle turns out to be dead.
            time_limit_s: For the work and the input together, without the wait for a turn.

        Raises:
            WorkerTimeoutError: It took longer.
            WorkerDiedError: The process ended over it.
            Flow2ApiError: No process could be started.
        """
        # The worker's own alarm is for the case that nobody is left to end it.
        job = Job(task, time_limit_s + _GRACE_S)
        async with self._turns:
            while (worker := self._take_idle()) is not None:
                try:
                    return await self._attempt(worker, job, chunks(), time_limit_s)
                except WorkerDiedError:
                    continue
            worker = await WorkerProcess.start(self._limits, self._scratch)
            return await self._attempt(worker, job, chunks(), time_limit_s)

    async def _attempt(
        self, worker: WorkerProcess, job: Job, chunks: AsyncIterator[bytes], time_limit_s: float
    ) -> tuple[Answer, bytes]:
        limit = asyncio.timeout(time_limit_s)
        try:
            async with limit:
                result = await worker.do(job, chunks)
        except BaseException as cause:
            await asyncio.shield(self._end(worker.kill()))
            if isinstance(cause, TimeoutError) and limit.expired():
                raise WorkerTimeoutError from cause
            raise
        self._keep(worker)
        return result

    def _take_idle(self) -> WorkerProcess | None:
        while self._idle:
            worker, timer = self._idle.pop()
            timer.cancel()
            if worker.is_alive:
                return worker
        return None

    def _keep(self, worker: WorkerProcess) -> None:
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self._limits.idle_s, self._retire, worker, context=Context())
        self._idle.append((worker, timer))

    def _retire(self, worker: WorkerProcess) -> None:
        self._idle = [entry for entry in self._idle if entry[0] is not worker]
        self._end(worker.stop())

    def _end(self, ending: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """End a process in a task of its own, which goes on when the caller is cancelled meanwhile."""
        task = apart(ending, name="picture-worker-ends")
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)
        return task

    async def aclose(self) -> None:
        """End all processes; call it when no job runs any more."""
        for worker, timer in self._idle:
            timer.cancel()
            self._end(worker.stop())
        self._idle.clear()
        await asyncio.gather(*self._endings)

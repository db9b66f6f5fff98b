"""The jobs of this process: started, cancelled, drained, handed over."""

import asyncio
import logging

from flow2api.domain.errors import Flow2ApiError, GenerationFailedError, ShuttingDownError
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.storage import Journal, LogEntry
from flow2api.domain.ports.system import Clock
from flow2api.domain.usecases.job import Job
from flow2api.domain.usecases.run_generation import RunGeneration

log = logging.getLogger(__name__)

_HAND_OVER_S = 5.0


class Work:
    """Runs jobs apart from whoever asked for them: a client that goes away ends nothing.

    Attributes:
        owner: The name under which this process holds its generations.
    """

    def __init__(self, owner: str, run: RunGeneration, journal: Journal, clock: Clock) -> None:
        self.owner = owner
        self._run = run
        self._journal = journal
        self._clock = clock
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._jobs: dict[str, Job] = {}
        self._cancelled: set[str] = set()
        self.is_open = True

    def __contains__(self, generation_id: str) -> bool:
        return generation_id in self._tasks

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, job: Job, *, resumed: bool = False) -> None:
        """Begin work on a job, or go on with one that was begun before."""
        generation_id = job.generation.id
        self._jobs[generation_id] = job
        self._tasks[generation_id] = asyncio.create_task(self._work(job, resumed=resumed), name=generation_id)

    async def cancel(self, generation_id: str) -> bool:
        """Stop working on it and record that somebody asked for this.

        Returns:
            False when this process does not work on it.
        """
        task = self._tasks.get(generation_id)
        if task is None:
            return False
        self._cancelled.add(generation_id)
        task.cancel()
        await asyncio.wait([task])
        return True

    async def drain(self, limit_s: float) -> None:
        """Take no new work, let pictures come to their end, and hand videos over with what they need to go on.

        Args:
            limit_s: How long pictures have at most.
        """
        self.is_open = False
        pictures = [task for one, task in self._tasks.items() if self._jobs[one].spec.kind is MediaKind.IMAGE]
        if pictures:
            await asyncio.wait(pictures, timeout=limit_s)
        rest = list(self._tasks.values())
        for task in rest:
            task.cancel()
        if rest:
            await asyncio.wait(rest, timeout=_HAND_OVER_S)

    async def _work(self, job: Job, *, resumed: bool) -> None:
        generation_id = job.generation.id
        began = self._clock.monotonic()
        try:
            await (self._run.resume(job) if resumed else self._run(job))
            self._write_down(job, began)
        except asyncio.CancelledError:
            if generation_id not in self._cancelled:
                job.leave(
                    ShuttingDownError("The server is stopping; the work goes on when it is back. Ask again then.")
                )
                raise
            await self._record_cancel(job)
            self._write_down(job, began)
        finally:
            self._cancelled.discard(generation_id)
            self._tasks.pop(generation_id, None)
            self._jobs.pop(generation_id, None)

    def _write_down(self, job: Job, began: float) -> None:
        """One line of the request log, which the statistics are made of; it is written behind the request."""
        ended = job.generation
        self._journal.note(
            LogEntry(
                at=self._clock.now(),
                request_id=ended.group_id,
                key_id=ended.key_id,
                door=ended.door,
                model=ended.spec_name,
                account_id=ended.account_id,
                generation_id=ended.id,
                state=ended.state.value,
                code=None if ended.fault is None else ended.fault.code,
                duration_ms=int((self._clock.monotonic() - began) * 1000),
                kind=ended.kind,
            )
        )

    async def _record_cancel(self, job: Job) -> None:
        ended = job.generation.cancelled(self._clock.now())
        error = GenerationFailedError("The generation was cancelled.", code="cancelled")
        try:
            await job.end(ended, error)
        except Flow2ApiError:
            log.exception("cancellation not written", extra={"generation_id": job.generation.id})

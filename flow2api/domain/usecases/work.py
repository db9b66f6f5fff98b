"""The jobs of this process: started, cancelled, drained, handed over."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextvars import Context
from dataclasses import dataclass

from flow2api.domain.account import Tier
from flow2api.domain.catalog import CostUnit, ModelSpec
from flow2api.domain.errors import Flow2ApiError, GenerationFailedError, ShuttingDownError
from flow2api.domain.generation import Generation, State
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.storage import Journal, LogEntry
from flow2api.domain.ports.system import Clock
from flow2api.domain.request_log import ASKING
from flow2api.domain.usecases.job import Job
from flow2api.domain.usecases.run_generation import RunGeneration

log = logging.getLogger(__name__)

_HAND_OVER_S = 5.0


@dataclass(frozen=True, slots=True)
class _Running:
    """A job and its task; ``began`` is monotonic time in seconds."""

    job: Job
    task: "asyncio.Task[None]"
    began: float


class Work:
    """Runs jobs apart from whoever asked for them: a client that goes away ends nothing.

    Attributes:
        owner: The name under which this process holds its generations.
        is_held: Nothing new is taken for now; what was begun goes on.
    """

    def __init__(
        self,
        owner: str,
        run: RunGeneration,
        journal: Journal,
        clock: Clock,
        context_of: Callable[[Generation], Context] = lambda _: Context(),
        tier_of: Callable[[int], Tier | None] = lambda _: None,
    ) -> None:
        """Put it together.

        Args:
            context_of: The context for work that goes on without the request that asked for it.
            tier_of: The plan of an account, which prices depend on.
        """
        self.owner = owner
        self._run = run
        self._journal = journal
        self._clock = clock
        self._context_of = context_of
        self._tier_of = tier_of
        self._running: dict[str, _Running] = {}
        self._cancelled: set[str] = set()
        self._listeners: list[Callable[[Generation], None]] = []
        self._end_listeners: list[Callable[[Generation], None]] = []
        self._by_key: dict[int | None, dict[str, Job]] = {}
        self.is_held = False
        self._is_stopping = False

    def subscribe(self, listener: Callable[[Generation], None]) -> None:
        """Call this with every generation that was accepted, when it has ended; it must be quick and must not raise."""
        self._listeners.append(listener)

    def subscribe_to_ends(self, listener: Callable[[Generation], None]) -> None:
        """Call this with every generation that has ended, those that no account would serve included; it must be quick."""
        self._end_listeners.append(listener)

    @property
    def is_open(self) -> bool:
        """Whether new work is taken: nobody holds it back, and the server is not being stopped."""
        return not (self.is_held or self._is_stopping)

    def __contains__(self, generation_id: str) -> bool:
        return generation_id in self._running

    def __len__(self) -> int:
        return len(self._running)

    @property
    def rows(self) -> int:
        """How many unfinished records in storage are worked on."""
        return sum(1 for running in self._running.values() if running.job.is_stored and not running.job.is_over)

    @property
    def jobs(self) -> Sequence[Job]:
        """Everything that this process works on, in the order in which it began."""
        return tuple(running.job for running in self._running.values())

    def job(self, generation_id: str) -> Job | None:
        """The job on this generation, while this process works on it."""
        running = self._running.get(generation_id)
        return None if running is None else running.job

    def under_way(self, key_id: int | None) -> int:
        """How many generations of a key wait or run in this process."""
        return sum(not job.is_over for job in self._by_key.get(key_id, {}).values())

    def of_group(self, group_id: str) -> Sequence[Job]:
        """The jobs of this process on the parts of one request, in the order in which they were begun."""
        return [running.job for running in self._running.values() if running.job.generation.group_id == group_id]

    def start(self, job: Job, *, resumed: bool = False) -> None:
        """Begin work on a job, or go on with one that was begun before."""
        generation_id = job.generation.id
        if (asking := ASKING.get()) is not None:
            asking.has_begun = True
        task = asyncio.create_task(
            self._run.resume(job) if resumed else self._run(job),
            name=generation_id,
            context=self._context_of(job.generation) if resumed else None,
        )
        running = self._running[generation_id] = _Running(job, task, self._clock.monotonic())
        self._by_key.setdefault(job.generation.key_id, {})[generation_id] = job
        task.add_done_callback(lambda _: self._ended(running))

    async def cancel(self, generation_id: str) -> bool:
        """Stop working on it and record that somebody asked for this; what ends meanwhile by itself stays as it is.

        Returns:
            False when this process does not work on it.
        """
        running = self._running.get(generation_id)
        if running is None:
            return False
        self._cancelled.add(generation_id)
        running.task.cancel()
        try:
            await asyncio.wait([running.task])
            if not running.job.is_over:
                await self._record_cancel(running)
        finally:
            self._cancelled.discard(generation_id)
        return True

    async def drain(self, limit_s: float) -> None:
        """Take no new work, let pictures come to their end, and hand videos over with what they need to go on.

        A video that is just being submitted comes so far that it can be handed over.

        Args:
            limit_s: How long that may take at most.
        """
        self._is_stopping = True
        for running in self._running.values():
            if running.job.spec.kind is MediaKind.VIDEO:
                running.task.cancel()
        await self._wait(limit_s)
        for running in self._running.values():
            running.task.cancel()
        await self._wait(_HAND_OVER_S)

    async def _wait(self, limit_s: float) -> None:
        tasks = [running.task for running in self._running.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=limit_s)

    def _ended(self, running: "_Running") -> None:
        job, generation_id = running.job, running.job.generation.id
        if self._running.get(generation_id) is running:
            del self._running[generation_id]
            self._forget_of_key(job)
        if job.is_over:
            self._write_down(running)
        elif not job.has_left and generation_id not in self._cancelled:
            job.leave(ShuttingDownError("The server is stopping; the work goes on when it is back. Ask again then."))

    def _forget_of_key(self, job: Job) -> None:
        of_key = self._by_key[job.generation.key_id]
        del of_key[job.generation.id]
        if not of_key:
            del self._by_key[job.generation.key_id]

    def _write_down(self, running: "_Running") -> None:
        """One line of the request log, which the statistics are made of; it is written behind the request."""
        ended = running.job.generation
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
                duration_ms=int((self._clock.monotonic() - running.began) * 1000),
                kind=ended.kind,
                message=None if ended.fault is None else ended.fault.message,
                attempts=ended.attempts,
                waited_ms=int(running.job.waited_s * 1000),
                results=len(ended.results),
                credits=self.spent(running.job.spec, ended),
                prompt=ended.prompt,
            )
        )
        for listener in self._end_listeners:
            listener(ended)
        if running.job.is_accepted or running.job.is_stored:
            for listener in self._listeners:
                listener(ended)

    def spent(self, spec: ModelSpec, ended: Generation) -> int:
        """The credits that a generation cost its account, by the price list; 0 unless it ended well."""
        if not spec.costs or spec.cost_unit is not CostUnit.CREDITS:
            return 0
        if ended.state is not State.COMPLETED or ended.account_id is None:
            return 0
        return spec.cost(self._tier_of(ended.account_id))

    async def _record_cancel(self, running: "_Running") -> None:
        job = running.job
        ended = job.generation.cancelled(self._clock.now())
        error = GenerationFailedError("The generation was cancelled.", code="cancelled")
        try:
            await job.end(ended, error)
        except Flow2ApiError as unwritten:
            log.exception("cancellation not written", extra={"generation_id": job.generation.id})
            job.leave(unwritten)
        self._write_down(running)

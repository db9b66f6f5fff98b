"""What operators make by hand in the console, without a key."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from flow2api.domain.api_key import Caller
from flow2api.domain.audit import Actor, AuditAction, AuditEntry, AuditFilter
from flow2api.domain.errors import GenerationNotFoundError, StorageError
from flow2api.domain.generation import Generation, GenerationRequest
from flow2api.domain.ports.audit_log import AuditLog
from flow2api.domain.ports.storage import Generations
from flow2api.domain.ports.system import Clock
from flow2api.domain.usecases.generate import Generate
from flow2api.domain.usecases.job import Job
from flow2api.domain.usecases.work import Work

PLAYGROUND = "playground"
"""The door that the request log names."""

OPERATORS = Caller(key_id=None)
"""Whom operators make things for: all of them share what they have made."""

MOST_KEPT = 20
"""How many of an operator's runs are told."""

_REMEMBERED = 256

_PRESSED_TWICE = timedelta(seconds=3)
"""The same request of the same operator within this time is one press of a button that came twice, and is paid once."""


@dataclass(frozen=True, slots=True)
class PlaygroundRun:
    """One request of an operator.

    Attributes:
        id: What its generations have in common (their ``group_id``).
        generations: Its parts, as far as they are still known.
    """

    id: str
    started_at: datetime
    generations: tuple[Generation, ...]

    @property
    def is_over(self) -> bool:
        """Whether nothing of it will change any more."""
        return all(one.state.is_final for one in self.generations)


class RunInPlayground:
    """Begins runs, puts down in the audit log who did, and finds an operator's own runs by it."""

    def __init__(
        self, generate: Generate, work: Work, generations: Generations, audit_log: AuditLog, clock: Clock
    ) -> None:
        self._generate = generate
        self._work = work
        self._generations = generations
        self._audit_log = audit_log
        self._clock = clock
        self._entries: OrderedDict[str, AuditEntry] = OrderedDict()
        self._presses: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._latest: dict[int, tuple[GenerationRequest, AuditEntry]] = {}

    async def start(self, request: GenerationRequest, actor: Actor) -> PlaygroundRun:
        """Begin what is asked for; it goes on whoever looks. A press that came twice begins one run.

        Raises:
            PoolError: No account can serve it.
            StorageError: It could not be put down who asks, and what was begun was stopped.
        """
        operator_id = actor.operator_id or 0
        pressing = self._presses.get(operator_id)
        if pressing is None:
            pressing = self._presses[operator_id] = asyncio.Lock()
        async with pressing:
            latest = self._latest.get(operator_id)
            if latest is not None and latest[0] == request and self._clock.now() - latest[1].at < _PRESSED_TWICE:
                return await self._run(latest[1])
            entry = await self._begin(request, actor)
            self._latest[operator_id] = request, entry
        return await self._run(entry)

    async def _begin(self, request: GenerationRequest, actor: Actor) -> AuditEntry:
        events = await self._generate(request, OPERATORS)
        async with aclosing(events):
            group_id = (await anext(events)).generation.group_id
        entry = AuditEntry(
            at=self._clock.now(),
            actor=actor,
            action=AuditAction.PLAYGROUND_RUN,
            subject=group_id,
            details={"model": request.model, "count": request.count},
        )
        try:
            await self._audit_log.note(entry)
        except StorageError:
            await self._stop(group_id)
            raise
        self._remember(entry)
        return entry

    async def get(self, run_id: str, operator_id: int) -> PlaygroundRun:
        """A run of this operator.

        Raises:
            GenerationNotFoundError: There is none with this id.
        """
        return await self._run(await self._entry(run_id, operator_id))

    async def recent(self, operator_id: int, name: str) -> Sequence[PlaygroundRun]:
        """The operator's newest runs of which something is still known, 20 at most, newest first."""
        wanted = AuditFilter(action=AuditAction.PLAYGROUND_RUN, actor=name)
        entries = await self._audit_log.page(before=None, limit=MOST_KEPT, wanted=wanted)
        runs = [await self._run(entry) for entry in entries if entry.actor.operator_id == operator_id]
        return [run for run in runs if run.generations]

    async def cancel(self, run_id: str, actor: Actor) -> int:
        """Stop what of a run is still under way here, and put it down.

        Returns:
            How many generations were stopped; what ends by itself meanwhile stays as it is.

        Raises:
            GenerationNotFoundError: The operator has no such run.
            StorageError: It could not be put down; nothing was stopped.
        """
        await self._entry(run_id, actor.operator_id)
        action = AuditAction.PLAYGROUND_CANCELLED
        await self._audit_log.note(AuditEntry(at=self._clock.now(), actor=actor, action=action, subject=run_id))
        return await self._stop(run_id)

    async def _stop(self, run_id: str) -> int:
        return sum([await self._work.cancel(job.generation.id) for job in self._work.of_group(run_id)])

    async def _entry(self, run_id: str, operator_id: int | None) -> AuditEntry:
        entry = self._entries.get(run_id)
        if entry is None:
            wanted = AuditFilter(action=AuditAction.PLAYGROUND_RUN, subject=run_id)
            entry = next(iter(await self._audit_log.page(before=None, limit=1, wanted=wanted)), None)
        if entry is None or entry.actor.operator_id != operator_id:
            raise GenerationNotFoundError(run_id)
        self._remember(entry)
        return entry

    def _remember(self, entry: AuditEntry) -> None:
        self._entries[entry.subject or ""] = entry
        self._entries.move_to_end(entry.subject or "")
        while len(self._entries) > _REMEMBERED:
            self._entries.popitem(last=False)

    async def _run(self, entry: AuditEntry) -> PlaygroundRun:
        run_id = entry.subject or ""
        jobs = {job.generation.id: job for job in self._work.of_group(run_id)}
        written = {one.id: one for one in await self._generations.of_group(run_id) if one.deleted_at is None}
        known = [_as_known(jobs.get(one), written.get(one)) for one in {**jobs, **written}]
        return PlaygroundRun(run_id, entry.at, tuple(sorted(known, key=_order)))


def _as_known(job: Job | None, written: Generation | None) -> Generation:
    """By its job while that goes on, for a picture has no record until it is made; then by its record."""
    if job is None or (written is not None and written.state.is_final):
        assert written is not None  # noqa: S101 - one of the two has named it
        return written
    return job.before_end if job.is_over else job.generation


def _order(one: Generation) -> tuple[datetime, str]:
    return one.created_at, one.id

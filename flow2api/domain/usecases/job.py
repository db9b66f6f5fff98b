"""A generation while this process works on it."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import chain, repeat

from flow2api.domain.catalog import ModelSpec
from flow2api.domain.errors import ConflictError, Flow2ApiError, StorageError
from flow2api.domain.generation import (
    Accepted,
    Failed,
    Finished,
    Generation,
    GenerationEvent,
    GenerationRequest,
    InputRole,
    MediaReady,
    Order,
    Phase,
    Product,
    Progressed,
    Stage,
    in_place_of,
)
from flow2api.domain.media import Media
from flow2api.domain.ports.storage import Generations
from flow2api.domain.ports.system import Clock
from flow2api.domain.uncut import uncut
from flow2api.domain.waiting_line import Turn

log = logging.getLogger(__name__)

_SAVE_PAUSES_S = (0.2, 1.0, 3.0, 10.0)
_LONG_PAUSE_S = 30.0


def _nowhere() -> Turn | None:
    return None


def order_of(job: "Job", handles: tuple[tuple[InputRole, str], ...], source: Product | None) -> Order:
    """The first call that is made for a job: to make it, or to enlarge what was made before.

    Args:
        handles: The inputs, as the account that is asked knows them.
        source: What it builds on.
    """
    generation = job.generation
    if job.spec.enlarges:
        return Order(spec=job.spec, stage=Stage.ENLARGE, source=source)
    return Order(
        spec=job.spec,
        prompt=generation.prompt,
        count=generation.count,
        seed=generation.seed,
        inputs=handles,
        source=source,
    )


class TakenOverError(Flow2ApiError):
    """Another process works on this generation now; what this one still does is not written."""

    code = "taken_over"


class Audience:
    """Who watches which generation. Watching costs a queue; nobody is waited for."""

    def __init__(self) -> None:
        self._queues: defaultdict[str, list[asyncio.Queue[GenerationEvent]]] = defaultdict(list)

    def join(self, generation_id: str, queue: asyncio.Queue[GenerationEvent]) -> None:
        """Send what happens to this generation into the queue from now on."""
        self._queues[generation_id].append(queue)

    def leave(self, generation_id: str, queue: asyncio.Queue[GenerationEvent]) -> None:
        """Stop sending."""
        queues = self._queues.get(generation_id)
        if queues is not None and queue in queues:
            queues.remove(queue)
            if not queues:
                del self._queues[generation_id]

    def tell(self, event: GenerationEvent) -> None:
        """Hand an event to everybody who watches."""
        for queue in self._queues.get(event.generation.id, ()):
            queue.put_nowait(event)


class Job:
    """The one owner of a generation's record while work goes on.

    Every change goes through it, so that row, memory and audience agree.

    Attributes:
        generation: The record as it is now.
        has_asked: A submit was begun, here or by an earlier owner.
        has_spent: A submit that may have cost credits went out: nothing is tried on another account any more.
        before_end: The record as it was before its end, which counts for others when it is written.
        stands: Tells where it stands in the waiting line; None while it does not wait.
        has_left: This process works on it no more, though it has not ended; who joins now would hear nothing.
        waited_s: How long it has waited for accounts.
        routes: What is asked for in the form of each model that may serve it, in the order in which they are tried; empty
            where only one may.
        leased_for: Names of the models for which it has held an account.
        avoid: Accounts that must not serve it.
    """

    def __init__(
        self,
        generation: Generation,
        spec: ModelSpec,
        *,
        generations: Generations,
        audience: Audience,
        clock: Clock,
        lease_s: float = 45.0,
        tag: str | None = None,
        is_stored: bool = False,
        is_accepted: bool = False,
        avoid: frozenset[int] = frozenset(),
    ) -> None:
        self.generation = generation
        self.spec = spec
        self.tag = tag
        self._lease_s = lease_s
        self.is_stored = is_stored
        self.is_accepted = is_accepted
        self.has_asked = generation.attempts > 0
        self.has_spent = False
        self.before_end = generation
        self.stands: Callable[[], Turn | None] = _nowhere
        self.has_left = False
        self.waited_s = 0.0
        self.routes: Sequence[GenerationRequest] = ()
        self.leased_for: set[str] = set()
        self.avoid = avoid
        self._generations = generations
        self._audience = audience
        self._clock = clock

    def accept(self) -> None:
        """Tell the audience, once, that work has begun or waits its turn."""
        if not self.is_accepted:
            self.is_accepted = True
            self._audience.tell(Accepted(self.generation))

    def enter(self, phase: Phase, note: str = "") -> None:
        """Go into a phase, in memory."""
        self.generation = self.generation.entering(phase, self._clock.now())
        self._audience.tell(Progressed(self.generation, note or phase.value))

    def waits(self, turn: Turn) -> None:
        """Say where it stands in the waiting line."""
        self._audience.tell(Progressed(self.generation, str(turn)))

    def progress(self, percent: int, note: str = "") -> None:
        """Say how far it is; only a step forward is told."""
        moved = self.generation.progressed(percent)
        if moved.progress != self.generation.progress:
            self.generation = moved
            self._audience.tell(Progressed(moved, note))

    def note(self, **changes: object) -> None:
        """Change fields of the record, in memory."""
        self.generation = self.generation.changed(**changes)

    def take_route(self, request: GenerationRequest) -> None:
        """Be made by another model from now on; for as long as nothing was spent.

        Args:
            request: One of the routes.
        """
        first, self.spec = self.routes[0], request.spec
        told = request if request is first else in_place_of(first, request)
        self.note(
            spec_name=told.spec.name,
            inputs=told.inputs,
            size=told.size,
            seconds=told.seconds,
            warnings=told.warnings,
        )

    def warn(self, sentence: str) -> None:
        """Add a sentence for the caller."""
        self.generation = self.generation.warned(sentence)

    def stands_by(self, where: Callable[[], Turn | None]) -> None:
        """Take what tells where it stands in the waiting line."""
        self.stands = where

    def stands_nowhere(self) -> None:
        """It waits no more."""
        self.stands = _nowhere

    async def save(self, media: Sequence[Media] = ()) -> None:
        """Write the record.

        Raises:
            TakenOverError: Another process owns it now.
        """
        if not self.is_stored:
            await self._add()
            if not media:
                return
        written = self.generation
        while not await self._generations.save(written, media):
            if self.generation.fence == written.fence:
                raise TakenOverError("Another process has taken this generation over.")
            written = self.generation  # it was taken by this very process meanwhile, and is kept

    async def save_surely(self) -> None:
        """Write the record; a database that is busy for a moment is asked again.

        Raises:
            StorageError: It stayed so.
            TakenOverError: Another process owns it now.
        """
        for pause_s in _SAVE_PAUSES_S:
            try:
                await self.save()
            except StorageError:
                await self._clock.sleep(pause_s)
            else:
                return
        await self.save()

    async def finish(self, media: Sequence[Media], expires_at: datetime | None) -> None:
        """End well: write record and media in one step, then tell. It cannot be cut in between."""
        results = tuple(one.id for one in media)
        self.before_end = self.generation
        self.generation = self.generation.completed(results, self._clock.now(), expires_at)
        ready = [MediaReady(self.generation, one) for one in media]
        await uncut(self._end((*ready, Finished(self.generation, tuple(media))), media))

    async def end(self, ended: Generation, error: Exception) -> None:
        """End without a result: write the record if it was accepted, then tell.

        What the database itself was the reason for is told first: writing it meets the same fault again.
        """
        self.before_end, self.generation = self.generation, ended
        event = Failed(self.generation, error)
        is_written = self.is_accepted or self.is_stored
        is_told = not is_written or isinstance(error, StorageError)
        if is_told:
            self._audience.tell(event)
        if is_written:
            await uncut(self._end((event,), (), is_told=is_told))

    def leave(self, error: Exception) -> None:
        """Tell the audience that this process goes away; the record stays as it is for the next owner."""
        self.has_left = True
        self._audience.tell(Failed(self.generation, error))

    def keep(self, taken: Generation) -> bool:
        """Go on under a lease that had run out and was taken again by this very process.

        Args:
            taken: The record as it was taken over.

        Returns:
            False when that cannot be: this job was left, or another process has had the record in between.
        """
        if self.has_left or taken.fence != self.generation.fence + 1:
            return False
        self.note(fence=taken.fence, rescues=taken.rescues)
        return True

    async def _add(self) -> None:
        self.note(lease_until=self._clock.now() + timedelta(seconds=self._lease_s))
        await self._generations.add([self.generation])
        self.is_stored = True

    async def _end(self, events: Sequence[GenerationEvent], media: Sequence[Media], *, is_told: bool = False) -> None:
        """Write the end and tell it.

        However long the database refuses, what was begun must not stay without an end; but nobody is kept waiting for
        bad news, nor for long.
        """
        pauses = chain(_SAVE_PAUSES_S, repeat(_LONG_PAUSE_S))
        while True:
            pause_s = next(pauses)
            try:
                await self._write_end(media)
                break
            except StorageError as error:
                log.warning("end of a generation not written yet", extra={"generation_id": self.generation.id})
                is_late = pause_s == _LONG_PAUSE_S
                if is_late and not self.is_stored:
                    break
                if not is_told and (is_late or isinstance(events[0], Failed)):
                    self._audience.tell(events[0] if isinstance(events[0], Failed) else Failed(self.generation, error))
                    is_told = True
            await self._clock.sleep(pause_s)
        for event in () if is_told else events:
            self._audience.tell(event)

    async def _write_end(self, media: Sequence[Media]) -> None:
        try:
            await self.save(media)
        except ConflictError:
            written = await self._generations.get(self.generation.id)
            if written is None or not written.state.is_final:
                raise

    @property
    def can_be_joined(self) -> bool:
        """Whether who joins the audience now will hear how it ends."""
        return not self.is_over and not self.has_left

    @property
    def is_over(self) -> bool:
        """Whether it has reached a final state."""
        return self.generation.state.is_final

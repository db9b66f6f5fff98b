"""A request that repeats an earlier one hears what becomes of that."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from flow2api.domain.errors import Flow2ApiError, GenerationFailedError
from flow2api.domain.generation import Accepted, Failed, Fault, Finished, Generation, GenerationEvent, State
from flow2api.domain.ports.storage import Generations, MediaIndex
from flow2api.domain.ports.system import Clock
from flow2api.domain.usecases.job import Audience
from flow2api.domain.usecases.relay_events import ENDED, RelayEvents, set_within
from flow2api.domain.usecases.watch_parts import watch_parts
from flow2api.domain.usecases.work import Work

_LOOK_AGAIN_S = 1.0


class RejoinGenerations:
    """The events of generations that an earlier request has begun, here or in another process."""

    def __init__(
        self,
        work: Work,
        generations: Generations,
        media: MediaIndex,
        audience: Audience,
        clock: Clock,
        relay: RelayEvents | None,
    ) -> None:
        self._work = work
        self._generations = generations
        self._media = media
        self._audience = audience
        self._clock = clock
        self._relay = relay

    async def __call__(self, parts: Sequence[Generation]) -> AsyncGenerator[GenerationEvent, None]:
        """What has happened and happens yet to them, to be read or closed."""
        queue: asyncio.Queue[GenerationEvent] = asyncio.Queue()
        lookers = []
        for part in parts:
            job = self._work.job(part.id)
            # Its end may be told this moment: either it is heard or looked up, never both.
            if job is None or not job.can_be_joined:
                lookers.append(asyncio.create_task(self._look_up(part, queue), name=f"look-up-{part.id}"))
                continue
            self._audience.join(part.id, queue)
            if job.is_accepted:
                queue.put_nowait(Accepted(job.generation, replayed=True))
        try:
            async with aclosing(watch_parts(queue, self._audience, parts)) as events:
                async for event in events:
                    yield replace(event, replayed=True) if isinstance(event, Accepted) else event
        finally:
            for looker in lookers:
                looker.cancel()

    async def _look_up(self, part: Generation, queue: "asyncio.Queue[GenerationEvent]") -> None:
        """Follow a generation that this process does not work on by its record."""
        queue.put_nowait(Accepted(part, replayed=True))
        try:
            end = await self._awaited_end(part)
        except Flow2ApiError as error:
            end = Failed(part, error)
        queue.put_nowait(end)

    async def _awaited_end(self, part: Generation) -> Finished | Failed:
        """Look until it has ended; sooner when the process that works on it says so."""
        if self._relay is None:
            while (end := await self._end_of(part)) is None:
                await self._clock.sleep(_LOOK_AGAIN_S)
            return end
        with self._relay.expecting(ENDED, part.id) as news:
            while (end := await self._end_of(part)) is None:
                await set_within(news, _LOOK_AGAIN_S)
            return end

    async def _end_of(self, part: Generation) -> Finished | Failed | None:
        """How it ended; None while it has not."""
        current = await self._generations.get(part.id)
        if current is None:
            return Failed(part, GenerationFailedError("It was not begun.", code="not_begun"))
        if current.state is State.COMPLETED:
            return Finished(current, tuple(await self._media.get(current.results)))
        if not current.state.is_final:
            return None
        fault = current.fault or Fault("internal_error", "The generation failed.")
        return Failed(current, GenerationFailedError(fault.message, code=fault.code))

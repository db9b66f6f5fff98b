"""The one way in: from a canonical request to the events of its generations."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from datetime import timedelta

from flow2api.domain.account import Place
from flow2api.domain.api_key import Caller
from flow2api.domain.errors import (
    ConflictError,
    Flow2ApiError,
    GenerationFailedError,
    IdempotencyConflictError,
    ShuttingDownError,
)
from flow2api.domain.generation import (
    Accepted,
    Failed,
    Fault,
    Finished,
    Generation,
    GenerationEvent,
    GenerationRequest,
    State,
    in_place_of,
)
from flow2api.domain.lease import AccountPool
from flow2api.domain.media import MediaKind
from flow2api.domain.options import Options
from flow2api.domain.ports.storage import Generations, IdempotencyClaim, MediaIndex
from flow2api.domain.ports.system import Clock, Ids
from flow2api.domain.selection import Need
from flow2api.domain.usecases.job import Audience, Job
from flow2api.domain.usecases.limit_requests import LimitRequests
from flow2api.domain.usecases.relay_events import ENDED, RelayEvents, set_within
from flow2api.domain.usecases.watch_room import WatchRoom
from flow2api.domain.usecases.work import Work

_LOOK_AGAIN_S = 1.0
_LEAST_REMEMBERED = 256
_REPEATED_WITHIN = timedelta(minutes=3)
"""For how long after its end a repeat hears of what has spent credits: a restart lies in between, and the client's pauses."""

_TRIES = 3
"""How often a request looks for an earlier one with its key when others with the same key are faster."""


@dataclass(frozen=True, slots=True)
class Idempotency:
    """What tells a repeat from a new request.

    Attributes:
        key: The caller's ``Idempotency-Key``, if there was one.
        body_digest: SHA-256 of what was asked.
        is_retry: The client says that it has sent the same before.
    """

    key: str | None
    body_digest: bytes
    is_retry: bool = False


class Generate:
    """Starts generations and lets the caller watch them. Closing the events ends no work."""

    def __init__(
        self,
        work: Work,
        pool: AccountPool,
        generations: Generations,
        media: MediaIndex,
        audience: Audience,
        ids: Ids,
        clock: Clock,
        options: Callable[[], Options],
        *,
        room: WatchRoom,
        lease_s: float = 45.0,
        left_alone_s: Callable[[str], float | None] = lambda upstream: None,
        places_left_alone: Callable[[], Sequence[Place]] = tuple,
        limit: LimitRequests | None = None,
        relay: RelayEvents | None = None,
    ) -> None:
        """Put it together.

        Args:
            left_alone_s: For how many seconds an upstream is not called; None while it is.
            places_left_alone: The hosts that are not called now, of upstreams with several.
            limit: Counts what keys begin; None for no limit.
            relay: Tells when generations end on which other processes work; None to look once a second.
        """
        self._left_alone_s = left_alone_s
        self._places_left_alone = places_left_alone
        self._limit = limit
        self._relay = relay
        self._work = work
        self._pool = pool
        self._room = room
        self._generations = generations
        self._media = media
        self._audience = audience
        self._ids = ids
        self._clock = clock
        self._options = options
        self._lease_s = lease_s
        self._running: dict[tuple[int | None, bytes], tuple[Generation, ...]] = {}
        self._prune_at = _LEAST_REMEMBERED

    async def __call__(
        self, request: GenerationRequest, caller: Caller, *, idempotency: Idempotency | None = None
    ) -> AsyncGenerator[GenerationEvent, None]:
        """The events of the request's generations, or of an earlier request's that this one repeats.

        First comes one `Accepted` for each part, then whatever happens; each part ends in `Finished` or `Failed`. The
        first of them tells by what it raises that nothing could begin: a `PoolError` that no account can serve.

        Returns:
            The events; they have to be read or closed.

        Raises:
            StorageError: It costs credits, and the result could not be kept; nothing was begun.
            IdempotencyConflictError: The idempotency key was used with another body.
            KeyLimitError: The key has begun as many requests as it may for now.
        """
        self._check_open()
        limit = self._limit if self._limit is not None and self._limit.is_limited(caller) else None
        for _ in range(_TRIES + (limit is not None)):
            earlier = await self._earlier(request, caller, idempotency)
            is_refused = all(self._as_known(part).was_refused for part in earlier)
            if earlier and not is_refused:
                return self._replay(earlier)
            if limit is not None:
                await limit.count(caller)
                limit = None
                continue  # the same may have been begun meanwhile
            refused = earlier[0].group_id if earlier else None
            with suppress(ConflictError):
                return await self._begin(self._routes(request, caller), caller, idempotency, refused)
        raise ConflictError("This Idempotency-Key is in use by another request.")

    async def begin(self, request: GenerationRequest, caller: Caller) -> Sequence[Generation]:
        """Start the request's generations and watch none of them; each has its record before anything is made of it.

        Other models than the request's own do not serve it.

        Raises:
            ShuttingDownError: Nothing new is taken.
            StorageError: It costs credits, and the result could not be kept, or the records could not be written.
        """
        self._check_open()
        request = self._within_means(request, caller)
        self._room.check(request.spec)
        parts = self._parts(request, caller, None, is_free=True)
        await self._generations.add(parts)
        for part in parts:
            self._work.start(self._job(part, request, caller, is_stored=True))
        return parts

    def _check_open(self) -> None:
        if not self._work.is_open:
            raise ShuttingDownError("The server is stopping and takes no new work; try again in a moment.")

    def _routes(self, request: GenerationRequest, caller: Caller) -> Sequence[GenerationRequest]:
        """The request in the form of each model that may serve it, in order."""
        return [self._within_means(one, caller) for one in (request, *request.others)]

    def _by_route(self, models: Sequence[GenerationRequest], caller: Caller) -> GenerationRequest:
        """The request for the first model that an account is free for, else for the first that one could ever serve."""
        wanted = models[0]
        if len(models) == 1:
            return wanted
        called = [one for one in models if self._left_alone_s(one.spec.upstream) is None]
        needs = [(one, Need(one.spec, tag=caller.tag)) for one in called]
        away = self._pool.hosts.at_any(self._places_left_alone())
        free = (one for one, need in needs if self._pool.can_serve(need, away))
        possible = (one for one, need in needs if self._pool.has_any_for(need.signature))
        chosen = next(free, None) or next(possible, wanted)
        if chosen is wanted:
            return wanted
        return in_place_of(wanted, chosen)

    def _within_means(self, request: GenerationRequest, caller: Caller) -> GenerationRequest:
        """The modest form of the request where the pool has nobody for the full one."""
        if request.modest is None or self._pool.has_any_for(Need(request.spec, tag=caller.tag).signature):
            return request
        return request.modest

    # --- new work -----------------------------------------------------------------------------------------------------

    async def _begin(
        self,
        routes: Sequence[GenerationRequest],
        caller: Caller,
        idempotency: Idempotency | None,
        refused: str | None,
    ) -> AsyncGenerator[GenerationEvent, None]:
        """Start the work; what is returned has to be read or closed.

        Args:
            routes: The request in the form of each model that may serve it, in order.
            refused: The group of an earlier request with the same key that the pool refused.

        Raises:
            ConflictError: Another request with the same key was faster.
        """
        request = self._by_route(routes, caller)
        self._room.check(request.spec)
        is_free = all(one.spec.is_free for one in routes)
        parts = self._parts(request, caller, idempotency, is_free=is_free)
        claim = self._claim(parts, caller, idempotency, refused)
        if claim is not None:
            await self._generations.add(parts, claim)
        queue: asyncio.Queue[GenerationEvent] = asyncio.Queue()
        for part in parts:
            self._audience.join(part.id, queue)
            job = self._job(part, request, caller, is_stored=claim is not None)
            job.routes = routes if len(routes) > 1 else ()
            self._work.start(job)
        if idempotency is not None:
            self._remember((caller.key_id, idempotency.body_digest), parts)
        return self._watch(queue, parts)

    def _watch(
        self, queue: "asyncio.Queue[GenerationEvent]", parts: Sequence[Generation]
    ) -> AsyncGenerator[GenerationEvent, None]:
        def leave() -> None:
            for part in parts:
                self._audience.leave(part.id, queue)

        return _in_order(queue, len(parts), leave)

    def _parts(
        self, request: GenerationRequest, caller: Caller, idempotency: Idempotency | None, *, is_free: bool
    ) -> tuple[Generation, ...]:
        is_marked = idempotency is not None and idempotency.key is None and not is_free
        digest = idempotency.body_digest if idempotency is not None and is_marked else None
        per_call = 1 if request.spec.kind is MediaKind.VIDEO else max(1, self._options().pictures_per_call)
        group_id = self._ids.new("req")
        counts = [min(per_call, request.count - done) for done in range(0, request.count, per_call)]
        return tuple(
            self._generation(request, caller, group_id, count, index, digest) for index, count in enumerate(counts)
        )

    def _generation(
        self, request: GenerationRequest, caller: Caller, group_id: str, count: int, index: int, digest: bytes | None
    ) -> Generation:
        now = self._clock.now()
        return Generation(
            id=self._ids.new("video" if request.spec.kind is MediaKind.VIDEO else "gen"),
            key_id=caller.key_id,
            kind=request.spec.kind,
            model=request.model,
            spec_name=request.spec.name,
            prompt=request.prompt,
            created_at=now,
            group_id=group_id,
            door=request.door,
            inputs=request.inputs,
            count=count,
            seed=None if request.seed is None else request.seed + index,
            size=request.size,
            seconds=request.seconds,
            warnings=request.warnings,
            parent_id=request.parent_id,
            owner=self._work.owner,
            lease_until=now + timedelta(seconds=self._lease_s),
            body_digest=digest,
        )

    def _job(self, part: Generation, request: GenerationRequest, caller: Caller, *, is_stored: bool) -> Job:
        return Job(
            part,
            request.spec,
            generations=self._generations,
            audience=self._audience,
            clock=self._clock,
            lease_s=self._lease_s,
            tag=caller.tag,
            is_stored=is_stored,
            avoid=request.avoid,
        )

    # --- repeats ------------------------------------------------------------------------------------------------------

    def _claim(
        self, parts: Sequence[Generation], caller: Caller, idempotency: Idempotency | None, refused: str | None
    ) -> IdempotencyClaim | None:
        if idempotency is None or idempotency.key is None:
            return None
        return IdempotencyClaim(
            key_id=caller.key_id,
            idempotency_key=idempotency.key,
            body_digest=idempotency.body_digest,
            group_id=parts[0].group_id,
            expires_at=self._clock.now() + timedelta(hours=self._options().idempotency_h),
            in_place_of=refused,
        )

    async def _earlier(
        self, request: GenerationRequest, caller: Caller, idempotency: Idempotency | None
    ) -> Sequence[Generation]:
        """The generations that were begun for this request before, if it is a repeat."""
        if idempotency is None:
            return ()
        if idempotency.key is None:
            return await self._repeated(request, caller, idempotency) if idempotency.is_retry else ()
        claim = await self._generations.claimed(caller.key_id, idempotency.key)
        if claim is None:
            return ()
        if claim.body_digest != idempotency.body_digest:
            raise IdempotencyConflictError(
                "This Idempotency-Key was used before with another body; use a new key for a new request.",
                param="Idempotency-Key",
            )
        return await self._generations.of_group(claim.group_id)

    def _remember(self, twin: tuple[int | None, bytes], parts: tuple[Generation, ...]) -> None:
        if len(self._running) >= self._prune_at:
            self._running = {
                key: kept for key, kept in self._running.items() if any(one.id in self._work for one in kept)
            }
            self._prune_at = max(_LEAST_REMEMBERED, 2 * len(self._running))
        self._running[twin] = parts

    def _running_twin(self, caller: Caller, idempotency: Idempotency) -> Sequence[Generation]:
        parts = self._running.get((caller.key_id, idempotency.body_digest), ())
        return parts if any(self._can_be_joined(part) for part in parts) else ()

    async def _repeated(
        self, request: GenerationRequest, caller: Caller, idempotency: Idempotency
    ) -> Sequence[Generation]:
        """What a client repeats that sends no key: what runs here, or what spends and was begun before a restart."""
        twin = self._running_twin(caller, idempotency)
        if twin or all(one.spec.is_free for one in (request, *request.others)):
            return twin
        since = self._clock.now() - _REPEATED_WITHIN
        found = await self._generations.repeated(caller.key_id, idempotency.body_digest, ended_since=since)
        return () if all(part.may_be_repeated for part in found) else found

    def _as_known(self, part: Generation) -> Generation:
        """With its end, though that may not be written yet."""
        job = self._work.job(part.id)
        return job.generation if job is not None and job.is_over else part

    def _can_be_joined(self, part: Generation) -> bool:
        job = self._work.job(part.id)
        return job is not None and (job.is_stored or job.can_be_joined)

    async def _replay(self, parts: Sequence[Generation]) -> AsyncGenerator[GenerationEvent, None]:
        """The events of generations that an earlier request has begun, here or in another process."""
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
            async with aclosing(self._watch(queue, parts)) as events:
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


async def _in_order(
    queue: "asyncio.Queue[GenerationEvent]", parts: int, leave: Callable[[], None]
) -> AsyncGenerator[GenerationEvent, None]:
    """The events of all parts, every `Accepted` before anything else; raises when no part was accepted.

    Args:
        leave: Called at the end, however that comes.
    """
    ended: set[str] = set()
    try:
        for event in await _beginning(queue, parts):
            yield event
            if isinstance(event, Finished | Failed):
                ended.add(event.generation.id)
        while len(ended) < parts:
            event = await queue.get()
            yield event
            if isinstance(event, Finished | Failed):
                ended.add(event.generation.id)
    finally:
        leave()


async def _beginning(queue: "asyncio.Queue[GenerationEvent]", parts: int) -> Sequence[GenerationEvent]:
    """What has happened once every part was accepted or refused, in the order in which it is told."""
    accepted: dict[str, GenerationEvent] = {}
    held_back: list[GenerationEvent] = []
    refused: list[Failed] = []
    while len(accepted) + len(refused) < parts:
        event = await queue.get()
        if isinstance(event, Accepted):
            accepted[event.generation.id] = event
        elif isinstance(event, Failed) and event.generation.id not in accepted:
            refused.append(event)
        else:
            held_back.append(event)
    if not accepted:
        raise refused[0].error
    return [*accepted.values(), *refused, *held_back]

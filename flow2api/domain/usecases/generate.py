"""The one way in: from a canonical request to the events of its generations."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from datetime import timedelta

from flow2api.domain.account import Place
from flow2api.domain.api_key import Caller
from flow2api.domain.errors import ConflictError, ShuttingDownError
from flow2api.domain.generation import Generation, GenerationEvent, GenerationRequest, in_place_of
from flow2api.domain.key_lines import KeyLines
from flow2api.domain.lease import AccountPool
from flow2api.domain.media import MediaKind
from flow2api.domain.options import Options
from flow2api.domain.ports.storage import Generations, MediaIndex
from flow2api.domain.ports.system import Clock, Ids
from flow2api.domain.selection import Need
from flow2api.domain.usecases.job import Audience, Job
from flow2api.domain.usecases.limit_requests import LimitRequests
from flow2api.domain.usecases.recall_requests import Idempotency, RecallRequests
from flow2api.domain.usecases.rejoin_generations import RejoinGenerations
from flow2api.domain.usecases.relay_events import RelayEvents
from flow2api.domain.usecases.watch_parts import watch_parts
from flow2api.domain.usecases.watch_room import WatchRoom
from flow2api.domain.usecases.work import Work

_TRIES = 3
"""How often a request looks for an earlier one with its key when others with the same key are faster."""


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
        lines: KeyLines,
        lease_s: float = 45.0,
        left_alone_s: Callable[[str], float | None] = lambda upstream: None,
        places_left_alone: Callable[[], Sequence[Place]] = tuple,
        limit: LimitRequests | None = None,
        relay: RelayEvents | None = None,
    ) -> None:
        """Put it together.

        Args:
            lines: A repeat is known by what its line of keys has begun.
            left_alone_s: For how many seconds an upstream is not called; None while it is.
            places_left_alone: The hosts that are not called now, of upstreams with several.
            limit: Counts what keys begin; None for no limit.
            relay: Tells when generations end on which other processes work; None to look once a second.
        """
        self._left_alone_s = left_alone_s
        self._places_left_alone = places_left_alone
        self._limit = limit
        self._work = work
        self._pool = pool
        self._room = room
        self._generations = generations
        self._audience = audience
        self._ids = ids
        self._clock = clock
        self._options = options
        self._lease_s = lease_s
        self._recall = RecallRequests(work, generations, clock, options, lines)
        self._rejoin = RejoinGenerations(work, generations, media, audience, clock, relay)

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
            KeyLimitError: The key has begun as much as it may for now.
        """
        self._check_open()
        if self._limit is None or not self._limit.is_limited(caller):
            return (await self._found_or_begun(request, caller, idempotency))[0]
        earlier = await self._recall.earlier(request, caller, idempotency)
        if earlier and not self._recall.were_refused(earlier):
            return self._rejoin(earlier)
        async with self._limit.counting(caller, results=request.count, parts=self._part_count(request)) as counting:
            events, counting.is_begun = await self._found_or_begun(request, caller, idempotency)
            return events

    async def _found_or_begun(
        self, request: GenerationRequest, caller: Caller, idempotency: Idempotency | None
    ) -> tuple[AsyncGenerator[GenerationEvent, None], bool]:
        """The events of an earlier request that this one repeats, else of its own; and whether they are its own."""
        for _ in range(_TRIES):
            earlier = await self._recall.earlier(request, caller, idempotency)
            if earlier and not self._recall.were_refused(earlier):
                return self._rejoin(earlier), False
            refused = earlier[0].group_id if earlier else None
            with suppress(ConflictError):
                return await self._begin(self._routes(request, caller), caller, idempotency, refused), True
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
        claim = self._recall.claim(parts, caller, idempotency, refused)
        if claim is not None:
            await self._generations.add(parts, claim)
        queue: asyncio.Queue[GenerationEvent] = asyncio.Queue()
        for part in parts:
            self._audience.join(part.id, queue)
            job = self._job(part, request, caller, is_stored=claim is not None)
            job.routes = routes if len(routes) > 1 else ()
            self._work.start(job)
        if idempotency is not None:
            self._recall.remember(caller, idempotency, parts)
        return watch_parts(queue, self._audience, parts)

    def _parts(
        self, request: GenerationRequest, caller: Caller, idempotency: Idempotency | None, *, is_free: bool
    ) -> tuple[Generation, ...]:
        is_marked = idempotency is not None and idempotency.key is None and not is_free
        digest = idempotency.body_digest if idempotency is not None and is_marked else None
        per_call = self._per_call(request)
        group_id = self._ids.new("req")
        counts = [min(per_call, request.count - done) for done in range(0, request.count, per_call)]
        return tuple(
            self._generation(request, caller, group_id, count, index, digest) for index, count in enumerate(counts)
        )

    def _per_call(self, request: GenerationRequest) -> int:
        return 1 if request.spec.kind is MediaKind.VIDEO else max(1, self._options().pictures_per_call)

    def _part_count(self, request: GenerationRequest) -> int:
        return -(-request.count // self._per_call(request))

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

"""Generations, their leases, and the idempotency keys of the requests that began them."""

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from flow2api.domain.errors import ConflictError
from flow2api.domain.generation import Generation, State
from flow2api.domain.media import Media, MediaKind
from flow2api.domain.ports.storage import GenerationFilter, IdempotencyClaim, Page, PastRequest
from flow2api.domain.prompt_search import FoundGenerations, found_among, has_words
from flow2api_lmdb.engine import Engine
from flow2api_lmdb.repositories.media import add_media
from flow2api_lmdb.schema import CLAIMS, GENERATIONS, KeptGeneration
from flow2api_lmdb.slices import first
from flow2api_lmdb.tables import Step

BATCH = 500
LOOKED_AT = 2000


class LmdbGenerations:
    """Generations by id. Leases go by the clock of the process; keep the clocks of several machines together."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def add(self, generations: Sequence[Generation], claim: IdempotencyClaim | None = None) -> None:
        def work(step: Step) -> None:
            if claim is not None:
                _claim(step, claim)
            for generation in generations:
                if step.has(GENERATIONS, generation.id):
                    raise ConflictError("A generation with this id exists already.")
                add_generation(step, generation)

        await self._engine.write(work)

    async def save(self, generation: Generation, media: Sequence[Media] = ()) -> bool:
        def work(step: Step) -> bool:
            kept = step.get(GENERATIONS, generation.id)
            if kept is None or kept.generation.fence > generation.fence:
                return False
            add_media(step, media)
            saved = _with_longest_lease(generation, kept.generation)
            step.put(GENERATIONS, (saved.id,), KeptGeneration(kept.order, saved))
            return True

        return await self._engine.write(work)

    async def get(self, generation_id: str) -> Generation | None:
        kept = await self._engine.read(lambda step: step.get(GENERATIONS, generation_id))
        return None if kept is None else kept.generation

    async def of_group(self, group_id: str) -> Sequence[Generation]:
        return await self._engine.read(lambda step: _of_group(step, group_id))

    async def claimed(self, key_id: int | None, idempotency_key: str) -> IdempotencyClaim | None:
        return await self._engine.read(lambda step: _held(step, key_id, idempotency_key))

    async def repeated(
        self, key_ids: Collection[int | None], body_digest: bytes, *, ended_since: datetime
    ) -> Sequence[Generation]:
        def counts(kept: KeptGeneration) -> bool:
            one = kept.generation
            return one.deleted_at is None and (one.ended_at is None or one.ended_at > ended_since)

        def work(step: Step) -> Sequence[Generation]:
            asked = (step.by(GENERATIONS, "body", key_id, body_digest, backwards=True) for key_id in key_ids)
            newest = [kept for of_key in asked for kept in first(1, filter(counts, of_key))]
            return _of_group(step, max(newest, key=lambda kept: kept.order).generation.group_id) if newest else []

        return await self._engine.read(work)

    async def page(
        self, *, key_ids: Collection[int | None], kind: MediaKind, after: str | None, limit: int, newest_first: bool
    ) -> Page[Generation]:
        def work(step: Step) -> Page[Generation]:
            place: tuple[datetime, int] | None = None
            if after is not None:
                mark = step.get(GENERATIONS, after)
                if mark is None or mark.generation.key_id not in key_ids or mark.generation.kind != kind:
                    return Page((), has_more=False)
                place = _place(mark)
            found: list[KeptGeneration] = []
            for key_id in key_ids:
                edge = None if place is None else (key_id, kind.value, *place)
                listed = step.by(
                    GENERATIONS,
                    "listed",
                    key_id,
                    kind.value,
                    before=edge if newest_first else None,
                    after=None if newest_first else edge,
                    backwards=newest_first,
                )
                found += first(limit + 1, (kept for kept in listed if _is_shown(kept.generation, step.now)))
            found.sort(key=_place, reverse=newest_first)
            return Page(tuple(kept.generation for kept in found[:limit]), has_more=len(found) > limit)

        return await self._engine.read(work)

    async def renew(self, owner: str, seconds: float) -> int:
        def work(step: Step) -> int:
            held = [kept for kept in _unfinished(step) if kept.generation.owner == owner]
            for kept in held:
                _put(step, kept, replace(kept.generation, lease_until=step.now + timedelta(seconds=seconds)))
            return len(held)

        return await self._engine.write(work)

    async def held(self, owner: str) -> Sequence[str]:
        return await self._engine.read(
            lambda step: [kept.generation.id for kept in _unfinished(step) if kept.generation.owner == owner]
        )

    async def take_over(self, owner: str, seconds: float, limit: int) -> Sequence[Generation]:
        def work(step: Step) -> Sequence[Generation]:
            left = first(limit, (kept for kept in _unfinished(step) if _is_left(kept.generation, step.now)))
            taken = [_taken_over(kept.generation, owner, step.now + timedelta(seconds=seconds)) for kept in left]
            for kept, generation in zip(left, taken, strict=True):
                _put(step, kept, generation)
            return taken

        return await self._engine.write(work)

    async def release(self, owner: str) -> None:
        def work(step: Step) -> None:
            for kept in [kept for kept in _unfinished(step) if kept.generation.owner == owner]:
                _put(step, kept, replace(kept.generation, owner=None, lease_until=None))

        await self._engine.write(work)


class LmdbGenerationDirectory:
    """Walks back through all generations until enough are found."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def page(
        self, wanted: GenerationFilter, *, after: str | None, limit: int, before: str | None = None
    ) -> Page[Generation]:
        def work(step: Step) -> Page[Generation]:
            every = _from(step, after, before)
            found = first(limit + 1, (one for one in every if _passes(one, wanted)))
            shown = found[:limit] if before is None else found[:limit][::-1]
            return Page(tuple(shown), has_more=len(found) > limit)

        return await self._engine.read(work)

    async def find(
        self,
        words: Sequence[str],
        wanted: GenerationFilter,
        *,
        after: str | None,
        limit: int,
        most: int,
        before: str | None = None,
    ) -> FoundGenerations:
        def work(step: Step) -> FoundGenerations:
            # Each of them is read as a whole, which takes longer than to look at its prompt.
            reach, is_back = min(most, LOOKED_AT), before is not None
            read = first(reach + 1, _from(step, after, before))
            looked_at = read[:reach][::-1] if is_back else read[:reach]
            found = [one for one in looked_at if _passes(one, wanted) and has_words(one.prompt, words)]
            return found_among(looked_at, found, limit, is_back=is_back, has_more=len(read) > reach)

        return await self._engine.read(work)


def _from(step: Step, after: str | None, before: str | None) -> Iterator[Generation]:
    """Those that were added before one, the latest first, or behind one, the earliest first; none when it is not there."""
    mark = after if before is None else before
    marked = None if mark is None else step.get(GENERATIONS, mark)
    if mark is not None and marked is None:
        return
    place = None if marked is None else (marked.order,)
    if before is None:
        kept = step.by(GENERATIONS, "order", before=place, backwards=True)
    else:
        kept = step.by(GENERATIONS, "order", after=place)
    for one in kept:
        yield one.generation


class LmdbPastRequests:
    """The generations of a span of time, batch by batch."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def between(self, start: datetime, end: datetime) -> AsyncIterator[Sequence[PastRequest]]:
        behind: tuple[datetime, int] = (start, -1)
        while batch := await self._engine.read(
            lambda step: first(BATCH, step.by(GENERATIONS, "created", after=behind, before=(end,)))  # noqa: B023
        ):
            yield [_past(kept.generation) for kept in batch]
            behind = (batch[-1].generation.created_at, batch[-1].order)


def add_generation(step: Step, generation: Generation) -> None:
    """Write one that is not there yet."""
    step.put(GENERATIONS, (generation.id,), KeptGeneration(step.new_number("generation"), generation))


def _claim(step: Step, claim: IdempotencyClaim) -> None:
    held = _held(step, claim.key_id, claim.idempotency_key)
    if held is not None and held.group_id != claim.in_place_of:
        raise ConflictError("This Idempotency-Key is in use by another request.")
    step.put(CLAIMS, (claim.key_id, claim.idempotency_key), replace(claim, in_place_of=None))


def _place(kept: KeptGeneration) -> tuple[datetime, int]:
    """Where it stands in lists."""
    return kept.generation.created_at, kept.order


def _held(step: Step, key_id: int | None, idempotency_key: str) -> IdempotencyClaim | None:
    claim = step.get(CLAIMS, key_id, idempotency_key)
    return claim if claim is not None and claim.expires_at > step.now else None


def _of_group(step: Step, group_id: str) -> list[Generation]:
    return [kept.generation for kept in step.by(GENERATIONS, "group", group_id)]


def _unfinished(step: Step) -> Iterator[KeptGeneration]:
    return step.by(GENERATIONS, "unfinished")


def _put(step: Step, kept: KeptGeneration, generation: Generation) -> None:
    step.put(GENERATIONS, (generation.id,), KeptGeneration(kept.order, generation))


def _passes(generation: Generation, wanted: GenerationFilter) -> bool:
    fault = generation.fault
    return (
        all(
            asked in (None, found)
            for asked, found in (
                (wanted.key_id, generation.key_id),
                (wanted.account_id, generation.account_id),
                (wanted.kind, generation.kind),
                (wanted.state, generation.state),
                (wanted.model, generation.model),
                (wanted.code, fault and fault.code),
                (wanted.parent_id, generation.parent_id),
            )
        )
        and (wanted.since is None or generation.created_at >= wanted.since)
        and not (wanted.is_operators and generation.key_id is not None)
        and not (wanted.is_unfinished and generation.state.is_final)
        and (wanted.kept_at is None or _is_kept(generation, wanted.kept_at))
    )


def _is_kept(generation: Generation, now: datetime) -> bool:
    is_expired = generation.expires_at is not None and generation.expires_at <= now
    return generation.state is State.COMPLETED and generation.deleted_at is None and not is_expired


def _is_left(generation: Generation, now: datetime) -> bool:
    return generation.lease_until is None or generation.lease_until < now


def _is_shown(generation: Generation, now: datetime) -> bool:
    return generation.deleted_at is None and (generation.expires_at is None or generation.expires_at > now)


def _taken_over(generation: Generation, owner: str, until: datetime) -> Generation:
    rescues = generation.rescues + (generation.owner is not None)
    return replace(generation, owner=owner, lease_until=until, fence=generation.fence + 1, rescues=rescues)


def _with_longest_lease(new: Generation, kept: Generation) -> Generation:
    """The new one; an old copy of its owner must not shorten the lease that was renewed meanwhile."""
    if kept.owner is None or kept.owner != new.owner or new.lease_until is None or kept.lease_until is None:
        return new
    return replace(new, lease_until=max(kept.lease_until, new.lease_until))


def _past(generation: Generation) -> PastRequest:
    held_s = None
    if generation.started_at is not None and generation.ended_at is not None:
        held_s = (generation.ended_at - generation.started_at).total_seconds()
    first_input = generation.inputs[0].media_id if generation.inputs else None
    return PastRequest(generation.created_at, generation.spec_name, generation.key_id, first_input, held_s)

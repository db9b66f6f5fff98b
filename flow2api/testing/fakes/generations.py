"""Generations and their media in memory."""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from flow2api.domain.errors import ConflictError
from flow2api.domain.generation import Generation, State
from flow2api.domain.media import Media, MediaKind
from flow2api.domain.ports.storage import (
    GenerationFilter,
    IdempotencyClaim,
    NameCount,
    Page,
    PastRequest,
)
from flow2api.domain.prompt_search import FoundGenerations, found_among, has_words
from flow2api.testing.fakes.tables import Tables

_NEVER = datetime.min.replace(tzinfo=UTC)


class FakeGenerations:
    """Generations and claims in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def add(self, generations: Sequence[Generation], claim: IdempotencyClaim | None = None) -> None:
        self._tables.writing()
        held = None if claim is None else await self.claimed(claim.key_id, claim.idempotency_key)
        if claim is not None and held is not None and held.group_id != claim.in_place_of:
            raise ConflictError("This Idempotency-Key is in use by another request.")
        if any(generation.id in self._tables.generations for generation in generations):
            raise ConflictError("A generation with this id exists already.")
        self._tables.generations.update({generation.id: generation for generation in generations})
        if claim is not None:
            self._tables.claims[claim.key_id, claim.idempotency_key] = replace(claim, in_place_of=None)

    async def save(self, generation: Generation, media: Sequence[Media] = ()) -> bool:
        self._tables.writing()
        kept = self._tables.generations.get(generation.id)
        if kept is None or kept.fence > generation.fence:
            return False
        _add_media(self._tables, media)
        if kept.owner is not None and kept.owner == generation.owner and generation.lease_until is not None:
            generation = replace(generation, lease_until=max(kept.lease_until or _NEVER, generation.lease_until))
        self._tables.generations[generation.id] = generation
        return True

    async def get(self, generation_id: str) -> Generation | None:
        return self._tables.generations.get(generation_id)

    async def of_group(self, group_id: str) -> Sequence[Generation]:
        return [generation for generation in self._tables.generations.values() if generation.group_id == group_id]

    async def claimed(self, key_id: int | None, idempotency_key: str) -> IdempotencyClaim | None:
        claim = self._tables.claims.get((key_id, idempotency_key))
        return claim if claim is not None and claim.expires_at > self._tables.now() else None

    async def repeated(
        self, key_ids: Collection[int | None], body_digest: bytes, *, ended_since: datetime
    ) -> Sequence[Generation]:
        found = [
            one
            for one in self._tables.generations.values()
            if one.key_id in key_ids
            and one.body_digest == body_digest
            and one.deleted_at is None
            and (one.ended_at is None or one.ended_at > ended_since)
        ]
        return await self.of_group(found[-1].group_id) if found else []

    async def page(
        self, *, key_ids: Collection[int | None], kind: MediaKind, after: str | None, limit: int, newest_first: bool
    ) -> Page[Generation]:
        mine = [item for item in self._tables.generations.values() if item.key_id in key_ids and item.kind is kind]
        places = {item.id: (item.created_at, place) for place, item in enumerate(self._tables.generations.values())}
        mine.sort(key=lambda item: places[item.id], reverse=newest_first)
        if after is not None:
            ids = [item.id for item in mine]
            mine = mine[ids.index(after) + 1 :] if after in ids else []
        now = self._tables.now()
        shown = [
            item for item in mine if item.deleted_at is None and (item.expires_at is None or item.expires_at > now)
        ]
        return Page(tuple(shown[:limit]), has_more=len(shown) > limit)

    async def renew(self, owner: str, seconds: float) -> int:
        self._tables.writing()
        until = self._tables.now() + timedelta(seconds=seconds)
        held = [generation for generation in self._unfinished() if generation.owner == owner]
        self._tables.generations.update({one.id: replace(one, lease_until=until) for one in held})
        return len(held)

    async def held(self, owner: str) -> Sequence[str]:
        return [generation.id for generation in self._unfinished() if generation.owner == owner]

    async def take_over(self, owner: str, seconds: float, limit: int) -> Sequence[Generation]:
        self._tables.writing()
        now = self._tables.now()
        left = [item for item in self._unfinished() if item.lease_until is None or item.lease_until < now]
        taken = [
            replace(
                generation,
                owner=owner,
                lease_until=now + timedelta(seconds=seconds),
                fence=generation.fence + 1,
                rescues=generation.rescues + (generation.owner is not None),
            )
            for generation in sorted(left, key=lambda item: item.created_at)[:limit]
        ]
        self._tables.generations.update({generation.id: generation for generation in taken})
        return taken

    async def release(self, owner: str) -> None:
        self._tables.writing()
        for generation in self._unfinished():
            if generation.owner == owner:
                self._tables.generations[generation.id] = replace(generation, owner=None, lease_until=None)

    def _unfinished(self) -> Sequence[Generation]:
        return [generation for generation in self._tables.generations.values() if not generation.state.is_final]


class FakeGenerationDirectory:
    """Looks through the generations in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def page(
        self, wanted: GenerationFilter, *, after: str | None, limit: int, before: str | None = None
    ) -> Page[Generation]:
        newest_first = self._from(after, before)
        found = [one for one in newest_first if _passes(one, wanted)]
        return Page(tuple(found[:limit] if before is None else found[-limit:]), has_more=len(found) > limit)

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
        every, is_back = self._from(after, before), before is not None
        looked_at = every[-most:] if is_back else every[:most]
        found = [one for one in looked_at if _passes(one, wanted) and has_words(one.prompt, words)]
        return found_among(looked_at, found, limit, is_back=is_back, has_more=len(every) > most)

    def _from(self, after: str | None, before: str | None) -> list[Generation]:
        """The one that was added last first, from some place on."""
        newest_first = [*self._tables.generations.values()][::-1]
        ids = [one.id for one in newest_first]
        if after is not None:
            newest_first = newest_first[ids.index(after) + 1 :] if after in ids else []
        if before is not None:
            newest_first = newest_first[: ids.index(before)] if before in ids else []
        return newest_first

    async def count_names(self, names: Collection[str], newest: int) -> tuple[Sequence[NameCount], datetime | None]:
        looked_at = [*self._tables.generations.values()][-newest:]
        counted: dict[tuple[str, int | None], list[datetime]] = {}
        for one in looked_at:
            if one.model in names:
                counted.setdefault((one.model, one.key_id), []).append(one.created_at)
        calls = [NameCount(*who, len(times), max(times)) for who, times in counted.items()]
        return calls, min((one.created_at for one in looked_at), default=None)


class FakeMediaIndex:
    """What is known of media, in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def add(self, media: Sequence[Media]) -> None:
        self._tables.writing()
        _add_media(self._tables, media)

    async def get(self, media_ids: Sequence[str]) -> Sequence[Media]:
        return [self._tables.media[media_id] for media_id in media_ids if media_id in self._tables.media]

    async def expired(self, now: datetime, limit: int) -> Sequence[Media]:
        expired = [media for media in self._tables.media.values() if media.is_expired(now)]
        return sorted(expired, key=lambda media: (media.expires_at or now, media.id))[:limit]

    async def remove(self, media_ids: Sequence[str]) -> Sequence[str]:
        self._tables.writing()
        removed = [self._tables.media.pop(media_id) for media_id in media_ids if media_id in self._tables.media]
        kept = {media.sha256 for media in self._tables.media.values()}
        return sorted({media.sha256 for media in removed} - kept)

    async def named(self, digests: Sequence[str]) -> frozenset[str]:
        return frozenset(digests) & {media.sha256 for media in self._tables.media.values()}


class FakePastRequests:
    """Tells of the generations in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def between(self, start: datetime, end: datetime) -> AsyncIterator[Sequence[PastRequest]]:
        found = [one for one in self._tables.generations.values() if start <= one.created_at < end]
        for one in sorted(found, key=lambda one: one.created_at):
            ran = one.started_at is not None and one.ended_at is not None
            held_s = (one.ended_at - one.started_at).total_seconds() if ran else None  # type: ignore[operator]
            first = one.inputs[0].media_id if one.inputs else None
            yield [PastRequest(one.created_at, one.spec_name, one.key_id, first, held_s)]


def _add_media(tables: Tables, media: Iterable[Media]) -> None:
    media = tuple(media)
    if any(item.id in tables.media for item in media):
        raise ConflictError("A media with this id exists already.")
    tables.media.update({item.id: item for item in media})


def _passes(one: Generation, wanted: GenerationFilter) -> bool:
    return (
        wanted.key_id in (None, one.key_id)
        and wanted.account_id in (None, one.account_id)
        and wanted.kind in (None, one.kind)
        and wanted.state in (None, one.state)
        and wanted.model in (None, one.model)
        and wanted.code in (None, one.fault and one.fault.code)
        and wanted.parent_id in (None, one.parent_id)
        and (wanted.since is None or one.created_at >= wanted.since)
        and not (wanted.is_operators and one.key_id is not None)
        and not (wanted.is_unfinished and one.state.is_final)
        and (wanted.kept_at is None or _is_kept(one, wanted.kept_at))
    )


def _is_kept(one: Generation, now: datetime) -> bool:
    is_expired = one.expires_at is not None and one.expires_at <= now
    return one.state is State.COMPLETED and one.deleted_at is None and not is_expired

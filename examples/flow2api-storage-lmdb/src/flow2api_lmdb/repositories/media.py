"""What is known of media."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from flow2api.domain.errors import ConflictError
from flow2api.domain.media import Media
from flow2api_lmdb.engine import Engine
from flow2api_lmdb.schema import MEDIA
from flow2api_lmdb.slices import first
from flow2api_lmdb.tables import Step


class LmdbMediaIndex:
    """Media by id."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def add(self, media: Sequence[Media]) -> None:
        await self._engine.write(lambda step: add_media(step, media))

    async def get(self, media_ids: Sequence[str]) -> Sequence[Media]:
        found = await self._engine.read(lambda step: [step.get(MEDIA, media_id) for media_id in media_ids])
        return [media for media in found if media is not None]

    async def expired(self, now: datetime, limit: int) -> Sequence[Media]:
        end = (now + timedelta(microseconds=1),)
        return await self._engine.read(lambda step: first(limit, step.by(MEDIA, "expiry", before=end)))

    async def remove(self, media_ids: Sequence[str]) -> Sequence[str]:
        def work(step: Step) -> Sequence[str]:
            removed = set()
            for media_id in media_ids:
                media = step.get(MEDIA, media_id)
                if media is not None:
                    step.delete(MEDIA, media_id)
                    removed.add(media.sha256)
            return sorted(digest for digest in removed if not _is_named(step, digest))

        return await self._engine.write(work)

    async def named(self, digests: Sequence[str]) -> frozenset[str]:
        return await self._engine.read(lambda step: frozenset(digest for digest in digests if _is_named(step, digest)))


def add_media(step: Step, media: Iterable[Media]) -> None:
    """Write new media.

    Raises:
        ConflictError: One has the id of another.
    """
    for one in media:
        if step.has(MEDIA, one.id):
            raise ConflictError("A media with this id exists already.")
        step.put(MEDIA, (one.id,), one)


def _is_named(step: Step, digest: str) -> bool:
    return bool(first(1, step.by(MEDIA, "digest", digest)))

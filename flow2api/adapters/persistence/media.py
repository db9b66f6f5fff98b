"""What is known of kept media, in the database."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select

from flow2api.adapters.persistence.database import Database, Step
from flow2api.adapters.persistence.hot_statement import HotStatement
from flow2api.adapters.persistence.rows import MediaRow
from flow2api.adapters.persistence.rows.base import table_of, to_instant, to_moment
from flow2api.domain.media import Media, MediaKind, MediaRole

MEDIA = table_of(MediaRow)

AT_ONCE = 500
"""Ids that one statement names."""

_INSERT = HotStatement(insert(MEDIA), MEDIA.c.keys())
_GET = select(MEDIA).where(MEDIA.c.id.in_(bindparam("ids", expanding=True)))
_EXPIRED = (
    select(MEDIA)
    .where(MEDIA.c.expires_at <= bindparam("until"))
    .order_by(MEDIA.c.expires_at, MEDIA.c.id)
    .limit(bindparam("most"))
)
_REMOVE = delete(MEDIA).where(MEDIA.c.id.in_(bindparam("ids", expanding=True))).returning(MEDIA.c.sha256)
_KEPT = select(MEDIA.c.sha256).where(MEDIA.c.sha256.in_(bindparam("digests", expanding=True)))


def insert_media(connection: Connection, media: Sequence[Media]) -> None:
    """Add rows, within a step of whoever calls."""
    for each in media:
        _INSERT.execute(connection, media_to_row(each))


class SqlMediaIndex:
    """Media as rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, media: Sequence[Media]) -> None:
        await self._database.write(lambda connection: insert_media(connection, media))

    async def get(self, media_ids: Sequence[str]) -> Sequence[Media]:
        rows: dict[str, RowMapping] = {}
        for ids in _portions(media_ids):
            rows |= {row["id"]: row for row in await self._database.read(_getting(ids))}
        return [row_to_media(rows[media_id]) for media_id in media_ids if media_id in rows]

    async def expired(self, now: datetime, limit: int) -> Sequence[Media]:
        values = {"until": to_instant(now), "most": limit}
        rows = await self._database.read(lambda connection: connection.execute(_EXPIRED, values).mappings().all())
        return [row_to_media(row) for row in rows]

    async def remove(self, media_ids: Sequence[str]) -> Sequence[str]:
        def step(connection: Connection) -> Sequence[str]:
            removed: set[str] = set()
            for ids in _portions(media_ids):
                removed.update(connection.execute(_REMOVE, {"ids": ids}).scalars())
            kept: set[str] = set()
            for digests in _portions(sorted(removed)):
                kept.update(connection.execute(_KEPT, {"digests": digests}).scalars())
            return sorted(removed - kept)

        return await self._database.write(step)

    async def named(self, digests: Sequence[str]) -> frozenset[str]:
        kept: set[str] = set()
        for some in _portions(digests):
            kept.update(await self._database.read(_naming(some)))
        return frozenset(kept)


def media_to_row(media: Media) -> dict[str, Any]:
    """The columns of a media."""
    return {
        "id": media.id,
        "key_id": media.key_id,
        "kind": media.kind.value,
        "role": media.role.value,
        "content_type": media.content_type,
        "size_bytes": media.size_bytes,
        "sha256": media.sha256,
        "created_at": to_instant(media.created_at),
        "expires_at": to_instant(media.expires_at),
        "width": media.width,
        "height": media.height,
        "generation_id": media.generation_id,
        "parent_id": media.parent_id,
        "prompt": media.prompt,
        "model": media.model,
        "account_id": media.account_id,
        "workspace": media.workspace,
        "upstream_name": media.upstream_name,
        "upstream_extra": media.upstream_extra,
    }


def row_to_media(row: RowMapping) -> Media:
    """The media of a row."""
    return Media(
        id=row["id"],
        key_id=row["key_id"],
        kind=MediaKind(row["kind"]),
        role=MediaRole(row["role"]),
        content_type=row["content_type"],
        size_bytes=row["size_bytes"],
        sha256=row["sha256"],
        created_at=to_moment(row["created_at"]),
        expires_at=to_moment(row["expires_at"]),
        width=row["width"],
        height=row["height"],
        generation_id=row["generation_id"],
        parent_id=row["parent_id"],
        prompt=row["prompt"],
        model=row["model"],
        account_id=row["account_id"],
        workspace=row["workspace"],
        upstream_name=row["upstream_name"],
        upstream_extra=row["upstream_extra"],
    )


def _portions(values: Sequence[str]) -> Iterator[Sequence[str]]:
    return (values[start : start + AT_ONCE] for start in range(0, len(values), AT_ONCE))


def _getting(ids: Sequence[str]) -> Step[Sequence[RowMapping]]:
    return lambda connection: connection.execute(_GET, {"ids": ids}).mappings().all()


def _naming(digests: Sequence[str]) -> Step[Sequence[str]]:
    return lambda connection: connection.execute(_KEPT, {"digests": digests}).scalars().all()


if TYPE_CHECKING:
    from flow2api.domain.ports.storage import MediaIndex

    def _is_a_media_index(index: SqlMediaIndex) -> MediaIndex:
        return index

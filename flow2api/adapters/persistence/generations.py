"""Generations in the database. Adding and saving are the hot writes: Core statements that are built once."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    bindparam,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.generation_mapping import (
    FIXED,
    claim_to_row,
    generation_to_row,
    row_to_claim,
    row_to_generation,
)
from flow2api.adapters.persistence.hot_statement import HotStatement
from flow2api.adapters.persistence.leases import GENERATIONS, holding, kept_lease, releasing, renewing, taking_over
from flow2api.adapters.persistence.media import insert_media
from flow2api.adapters.persistence.rows import ClaimRow
from flow2api.adapters.persistence.rows.base import table_of, to_instant
from flow2api.domain.errors import ConflictError
from flow2api.domain.generation import Generation
from flow2api.domain.media import Media, MediaKind
from flow2api.domain.ports.storage import IdempotencyClaim, Page
from flow2api.domain.ports.system import Clock

CLAIMS = table_of(ClaimRow)

_MICROSECONDS = 1_000_000

_COLUMNS = frozenset(GENERATIONS.c.keys()) - {"number"}
_INSERT = HotStatement(insert(GENERATIONS), _COLUMNS)
_SAVE = HotStatement(
    update(GENERATIONS)
    .where(GENERATIONS.c.id == bindparam("of"), GENERATIONS.c.fence <= bindparam("mine"))
    .values(lease_until=kept_lease()),
    _COLUMNS - FIXED - {"lease_until"},
)
_GET = select(GENERATIONS).where(GENERATIONS.c.id == bindparam("of"))
_OF_GROUP = select(GENERATIONS).where(GENERATIONS.c.group_id == bindparam("of")).order_by(GENERATIONS.c.number)
_REPEATED = (
    select(GENERATIONS)
    .where(
        GENERATIONS.c.group_id
        == select(GENERATIONS.c.group_id)
        .where(
            GENERATIONS.c.body_digest == bindparam("digest"),
            GENERATIONS.c.key_id.in_(bindparam("of", expanding=True))
            | (GENERATIONS.c.key_id.is_(None) & bindparam("operators", type_=Boolean)),
            GENERATIONS.c.deleted_at.is_(None),
            GENERATIONS.c.ended_at.is_(None) | (GENERATIONS.c.ended_at > bindparam("since")),
        )
        .order_by(GENERATIONS.c.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    .order_by(GENERATIONS.c.number)
)
_HELD = holding()
_CLAIMED = select(CLAIMS).where(
    CLAIMS.c.key_id == bindparam("of"),
    CLAIMS.c.idempotency_key == bindparam("named"),
    CLAIMS.c.expires_at > bindparam("now"),
)


class SqlGenerations:
    """Generations as rows."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._renew = renewing(database.now)
        self._release = releasing()
        self._take_over = taking_over(database.now)

    async def add(self, generations: Sequence[Generation], claim: IdempotencyClaim | None = None) -> None:
        rows = [generation_to_row(generation) for generation in generations]

        def step(connection: Connection) -> bool:
            if claim is not None and not self._hold(connection, claim):
                return False
            for row in rows:
                _INSERT.execute(connection, row)
            return True

        if not await self._database.write(step):
            raise ConflictError("This Idempotency-Key is in use by another request.")

    async def save(self, generation: Generation, media: Sequence[Media] = ()) -> bool:
        values = generation_to_row(generation)
        values |= {
            "of": generation.id,
            "mine": generation.fence,
            "by": generation.owner,
            "lease": values["lease_until"],
        }

        def step(connection: Connection) -> bool:
            if not _SAVE.execute(connection, values):
                return False
            insert_media(connection, media)
            return True

        return await self._database.write(step)

    async def get(self, generation_id: str) -> Generation | None:
        rows = await self._rows(_GET, of=generation_id)
        return row_to_generation(rows[0]) if rows else None

    async def of_group(self, group_id: str) -> Sequence[Generation]:
        return [row_to_generation(row) for row in await self._rows(_OF_GROUP, of=group_id)]

    async def claimed(self, key_id: int | None, idempotency_key: str) -> IdempotencyClaim | None:
        rows = await self._rows(_CLAIMED, of=key_id or 0, named=idempotency_key, now=to_instant(self._clock.now()))
        return row_to_claim(rows[0]) if rows else None

    async def repeated(
        self, key_ids: Collection[int | None], body_digest: bytes, *, ended_since: datetime
    ) -> Sequence[Generation]:
        keys, since = [one for one in key_ids if one is not None], to_instant(ended_since)
        rows = await self._rows(_REPEATED, of=keys, operators=None in key_ids, digest=body_digest, since=since)
        return [row_to_generation(row) for row in rows]

    async def page(
        self, *, key_ids: Collection[int | None], kind: MediaKind, after: str | None, limit: int, newest_first: bool
    ) -> Page[Generation]:
        # Key by key, for over several at once the index would sort all that they ever made.
        now, whose = to_instant(self._clock.now()), tuple(key_ids)
        asked = [_paging(one, whose, kind, after, now, newest_first=newest_first).limit(limit + 1) for one in whose]
        rows = await self._database.read(
            lambda connection: [row for query in asked for row in connection.execute(query).mappings()]
        )
        rows.sort(key=lambda row: (row["created_at"], row["number"]), reverse=newest_first)
        return Page(tuple(row_to_generation(row) for row in rows[:limit]), has_more=len(rows) > limit)

    async def renew(self, owner: str, seconds: float) -> int:
        values = {"by": owner, "span": round(seconds * _MICROSECONDS)}
        return await self._database.write(lambda connection: connection.execute(self._renew, values).rowcount)

    async def held(self, owner: str) -> Sequence[str]:
        return await self._database.read(lambda connection: connection.execute(_HELD, {"by": owner}).scalars().all())

    async def take_over(self, owner: str, seconds: float, limit: int) -> Sequence[Generation]:
        values = {"by": owner, "span": round(seconds * _MICROSECONDS), "most": limit}
        rows = await self._database.write(
            lambda connection: connection.execute(self._take_over, values).mappings().all()
        )
        in_order = sorted(rows, key=lambda row: (row["created_at"], row["number"]))
        return [row_to_generation(row) for row in in_order]

    async def release(self, owner: str) -> None:
        await self._database.write(lambda connection: connection.execute(self._release, {"by": owner}).rowcount)

    async def _rows(self, query: Select[Any], **values: object) -> Sequence[RowMapping]:
        return await self._database.read(lambda connection: connection.execute(query, values).mappings().all())

    def _hold(self, connection: Connection, claim: IdempotencyClaim) -> bool:
        """Take the claim, or take it over from one that has expired or gives way; the unique index decides a race."""
        taken = self._database.insert(CLAIMS)
        taken = taken.on_conflict_do_update(
            index_elements=[CLAIMS.c.key_id, CLAIMS.c.idempotency_key],
            set_={name: taken.excluded[name] for name in ("body_digest", "group_id", "expires_at")},
            where=(CLAIMS.c.expires_at <= to_instant(self._clock.now())) | (CLAIMS.c.group_id == claim.in_place_of),
        )
        return connection.execute(taken, claim_to_row(claim)).rowcount == 1


def _made_for(key_id: int | None, kind: MediaKind) -> ColumnElement[bool]:
    whose = GENERATIONS.c.key_id.is_(None) if key_id is None else GENERATIONS.c.key_id == key_id
    return whose & (GENERATIONS.c.kind == kind.value)


def _paging(
    key_id: int | None,
    listed: Collection[int | None],
    kind: MediaKind,
    after: str | None,
    now: int,
    *,
    newest_first: bool,
) -> Select[Any]:
    """What one key has in a list of several."""
    place = tuple_(GENERATIONS.c.created_at, GENERATIONS.c.number)
    is_kept = GENERATIONS.c.expires_at.is_(None) | (GENERATIONS.c.expires_at > now)
    query = select(GENERATIONS).where(_made_for(key_id, kind), GENERATIONS.c.deleted_at.is_(None), is_kept)
    if after is not None:
        cursor = (
            select(GENERATIONS.c.created_at, GENERATIONS.c.number)
            .where(GENERATIONS.c.id == after, or_(*(_made_for(one, kind) for one in listed)))
            .scalar_subquery()
        )
        query = query.where(place < cursor if newest_first else place > cursor)
    order = (GENERATIONS.c.created_at, GENERATIONS.c.number)
    return query.order_by(*(column.desc() if newest_first else column.asc() for column in order))


if TYPE_CHECKING:
    from flow2api.domain.ports.storage import Generations

    def _is_generations(generations: SqlGenerations) -> Generations:
        return generations

"""Requests of former days, read from the rows of generations."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import RowMapping, bindparam, select

from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.generation_mapping import EMPTY
from flow2api.adapters.persistence.leases import GENERATIONS
from flow2api.adapters.persistence.rows.base import to_instant, to_moment
from flow2api.domain.generation import Input
from flow2api.domain.ports.storage.past_requests import PastRequest

BATCH = 1000
_MICROSECONDS = 1_000_000

_decode_inputs = msgspec.json.Decoder(tuple[Input, ...]).decode

# Numbers grow with time, so that one walk along the primary key, from batch to batch, finds a day.
_BEHIND = (
    select(
        *(GENERATIONS.c[name] for name in ("number", "created_at", "spec_name", "key_id", "inputs")),
        *(GENERATIONS.c[name] for name in ("started_at", "ended_at")),
    )
    .where(
        GENERATIONS.c.number > bindparam("behind"),
        GENERATIONS.c.created_at >= bindparam("start"),
        GENERATIONS.c.created_at < bindparam("end"),
    )
    .order_by(GENERATIONS.c.number)
    .limit(BATCH)
)


class SqlPastRequests:
    """Past requests as rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def between(self, start: datetime, end: datetime) -> AsyncIterator[Sequence[PastRequest]]:
        span, behind = {"start": to_instant(start), "end": to_instant(end)}, 0
        while rows := await self._rows({**span, "behind": behind}):
            yield sorted((_past(row) for row in rows), key=lambda one: one.at)
            behind = rows[-1]["number"]

    async def _rows(self, values: dict[str, int | None]) -> Sequence[RowMapping]:
        return await self._database.read(lambda connection: connection.execute(_BEHIND, values).mappings().all())


def _past(row: RowMapping) -> PastRequest:
    started, ended = row["started_at"], row["ended_at"]
    return PastRequest(
        at=to_moment(row["created_at"]),
        spec_name=row["spec_name"],
        key_id=row["key_id"],
        first_input=None if row["inputs"] == EMPTY else _decode_inputs(row["inputs"])[0].media_id,
        held_s=None if started is None or ended is None else max(0, ended - started) / _MICROSECONDS,
    )


if TYPE_CHECKING:
    from flow2api.domain.ports.storage import PastRequests

    def _is_past_requests(requests: SqlPastRequests) -> PastRequests:
        return requests

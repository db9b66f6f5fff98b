"""Looking through the generations in the database."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Connection, func, select

from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.generation_mapping import row_to_generation
from flow2api.adapters.persistence.leases import GENERATIONS
from flow2api.adapters.persistence.rows.base import to_moment
from flow2api.domain.generation import Generation
from flow2api.domain.ports.storage import GenerationFilter, NameCount, Page


class SqlGenerationDirectory:
    """Pages by number, which is the primary key, so that the hundredth page costs what the first one does."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, wanted: GenerationFilter, *, after: str | None, limit: int) -> Page[Generation]:
        number = GENERATIONS.c.number
        query = select(GENERATIONS).where(*_conditions(wanted)).order_by(number.desc()).limit(limit + 1)
        if after is not None:
            query = query.where(number < select(number).where(GENERATIONS.c.id == after).scalar_subquery())
        rows = await self._database.read(lambda connection: connection.execute(query).mappings().all())
        return Page(tuple(row_to_generation(row) for row in rows[:limit]), has_more=len(rows) > limit)

    async def count_names(self, names: Collection[str], newest: int) -> tuple[Sequence[NameCount], datetime | None]:
        columns = (GENERATIONS.c[name] for name in ("model", "key_id", "created_at"))
        looked_at = select(*columns).order_by(GENERATIONS.c.number.desc()).limit(newest).subquery()
        counted = (
            select(looked_at.c.model, looked_at.c.key_id, func.count(), func.max(looked_at.c.created_at))
            .where(looked_at.c.model.in_(list(names)))
            .group_by(looked_at.c.model, looked_at.c.key_id)
        )
        oldest = select(func.min(looked_at.c.created_at))

        def step(connection: Connection) -> tuple[Sequence[NameCount], datetime | None]:
            found = [NameCount(row[0], row[1], row[2], to_moment(row[3])) for row in connection.execute(counted)]
            return found, to_moment(connection.execute(oldest).scalar())

        return await self._database.read(step)


def _conditions(wanted: GenerationFilter) -> list[ColumnElement[bool]]:
    asked = (
        (GENERATIONS.c.key_id, wanted.key_id),
        (GENERATIONS.c.account_id, wanted.account_id),
        (GENERATIONS.c.kind, None if wanted.kind is None else wanted.kind.value),
        (GENERATIONS.c.state, None if wanted.state is None else wanted.state.value),
        (GENERATIONS.c.model, wanted.model),
    )
    return [column == value for column, value in asked if value is not None]


if TYPE_CHECKING:
    from flow2api.domain.ports.storage import CountsNames, GenerationDirectory

    def _is_a_directory(directory: SqlGenerationDirectory) -> GenerationDirectory:
        return directory

    def _counts_names(directory: SqlGenerationDirectory) -> CountsNames:
        return directory

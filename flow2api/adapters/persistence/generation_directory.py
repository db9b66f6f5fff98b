"""Looking through the generations in the database."""

from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, select

from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.generation_mapping import row_to_generation
from flow2api.adapters.persistence.leases import GENERATIONS
from flow2api.domain.generation import Generation
from flow2api.domain.ports.storage import GenerationFilter, Page


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
    from flow2api.domain.ports.storage import GenerationDirectory

    def _is_a_directory(directory: SqlGenerationDirectory) -> GenerationDirectory:
        return directory

"""Looking through the generations in the database."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Connection, RowMapping, TextClause, func, or_, select, text

from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.generation_mapping import row_to_generation
from flow2api.adapters.persistence.leases import GENERATIONS
from flow2api.adapters.persistence.rows.base import to_instant, to_moment
from flow2api.adapters.persistence.rows.generations import FAILURES, UNFINISHED
from flow2api.domain.generation import Generation, State
from flow2api.domain.ports.storage import GenerationFilter, NameCount, Page
from flow2api.domain.prompt_search import FoundGenerations

_NUMBER = GENERATIONS.c.number
_PLACE = select(GENERATIONS.c.number, GENERATIONS.c.id, GENERATIONS.c.created_at)


class SqlGenerationDirectory:
    """Pages by number, which is the primary key, so that the hundredth page costs what the first one does."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, wanted: GenerationFilter, *, after: str | None, limit: int, before: str | None = None
    ) -> Page[Generation]:
        number = GENERATIONS.c.number
        # Few are unfinished and they have an index, which is not used where the order already comes from another one.
        order = number + 0 if _is_unfinished(wanted) or wanted.parent_id is not None else number
        query = select(GENERATIONS).where(*_conditions(wanted)).limit(limit + 1)
        query = query.order_by(order.desc() if before is None else order)
        if after is not None:
            query = query.where(number < select(number).where(GENERATIONS.c.id == after).scalar_subquery())
        if before is not None:
            query = query.where(number > select(number).where(GENERATIONS.c.id == before).scalar_subquery())
        rows = await self._database.read(lambda connection: connection.execute(query).mappings().all())
        found = [row_to_generation(row) for row in rows[:limit]]
        return Page(tuple(found if before is None else found[::-1]), has_more=len(rows) > limit)

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
        is_back, mark = before is not None, after if before is None else before

        def step(connection: Connection) -> FoundGenerations:
            start = None if mark is None else connection.scalar(select(_NUMBER).where(GENERATIONS.c.id == mark))
            if mark is not None and start is None:
                return FoundGenerations((), None, None)
            beyond: list[ColumnElement[bool]] = []
            if start is not None:
                beyond = [start < _NUMBER if is_back else start > _NUMBER]
            edge, is_last = _edge(connection, beyond, most, is_back=is_back)
            if edge is None:
                return FoundGenerations((), None, None)
            within = edge["number"] >= _NUMBER if is_back else edge["number"] <= _NUMBER
            query = select(GENERATIONS).where(*beyond, within, *_conditions(wanted), *map(_has, words)).limit(limit + 1)
            rows = connection.execute(query.order_by(_NUMBER if is_back else _NUMBER.desc())).mappings().all()
            shown = rows[:limit]
            has_more = len(rows) > limit or not is_last
            if len(rows) > limit:
                edge = shown[-1]
            elif wanted.since is not None and not is_back and edge["created_at"] < to_instant(wanted.since):
                has_more = False
            found = [row_to_generation(row) for row in (shown[::-1] if is_back else shown)]
            return FoundGenerations(tuple(found), edge["id"] if has_more else None, to_moment(edge["created_at"]))

        return await self._database.read(step)

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


def _edge(
    connection: Connection, beyond: Sequence[ColumnElement[bool]], most: int, *, is_back: bool
) -> tuple[RowMapping | None, bool]:
    """The last of the rows that are to be looked at, and whether none follows it; None when there are none at all."""
    outwards, inwards = (_NUMBER, _NUMBER.desc()) if is_back else (_NUMBER.desc(), _NUMBER)
    far = connection.execute(_PLACE.where(*beyond).order_by(outwards).offset(most - 1).limit(2)).mappings().all()
    if far:
        return far[0], len(far) == 1
    return connection.execute(_PLACE.where(*beyond).order_by(inwards).limit(1)).mappings().first(), True


def _has(word: str) -> ColumnElement[bool]:
    """Whether a prompt has a word in it; the database itself knows the capitals of ASCII only."""
    written = dict.fromkeys((word,) if word.isascii() else (word, word.lower(), word.upper(), word.capitalize()))
    return or_(*(GENERATIONS.c.prompt.contains(one, autoescape=True) for one in written))


def _is_unfinished(wanted: GenerationFilter) -> bool:
    return wanted.is_unfinished or wanted.state in (State.QUEUED, State.RUNNING)


def _conditions(wanted: GenerationFilter) -> list[ColumnElement[bool] | TextClause]:
    asked = (
        (GENERATIONS.c.key_id, wanted.key_id),
        (GENERATIONS.c.account_id, wanted.account_id),
        (GENERATIONS.c.kind, None if wanted.kind is None else wanted.kind.value),
        (GENERATIONS.c.state, None if wanted.state is None else wanted.state.value),
        (GENERATIONS.c.model, wanted.model),
        (GENERATIONS.c.fault_code, wanted.code),
        (GENERATIONS.c.parent_id, wanted.parent_id),
    )
    conditions: list[ColumnElement[bool] | TextClause] = [
        column == value for column, value in asked if value is not None
    ]
    if wanted.since is not None:
        conditions.append(GENERATIONS.c.created_at >= to_instant(wanted.since))
    if wanted.is_operators:
        conditions.append(GENERATIONS.c.key_id.is_(None))
    if _is_unfinished(wanted):
        conditions.append(text(UNFINISHED))
    if wanted.code is not None or wanted.state in (State.FAILED, State.CANCELLED):
        conditions.append(text(FAILURES))  # only these have a code
    if wanted.kept_at is not None:
        expires_at = GENERATIONS.c.expires_at
        conditions += [
            GENERATIONS.c.state == State.COMPLETED.value,
            GENERATIONS.c.deleted_at.is_(None),
            expires_at.is_(None) | (expires_at > to_instant(wanted.kept_at)),
        ]
    return conditions


if TYPE_CHECKING:
    from flow2api.domain.ports.storage import CountsNames, FindsPrompts, GenerationDirectory

    def _is_a_directory(directory: SqlGenerationDirectory) -> GenerationDirectory:
        return directory

    def _counts_names(directory: SqlGenerationDirectory) -> CountsNames:
        return directory

    def _finds_prompts(directory: SqlGenerationDirectory) -> FindsPrompts:
        return directory

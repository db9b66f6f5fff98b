"""A look for words of prompts reads so many rows and no more, and ends where the span does."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from flow2api.adapters.persistence import SqlStorage
from flow2api.adapters.persistence.generation_directory import SqlGenerationDirectory
from flow2api.domain.generation import State
from flow2api.domain.ports.storage import GenerationFilter
from flow2api.testing.samples import NOW, generation_of
from tests.integration.persistence.databases import storage_at

ROWS = 3000


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqlStorage]:
    opened = storage_at(tmp_path / "flow2api.db")
    await opened.open()
    await opened.generations.add(
        [replace(generation_of(f"gen_{at:05}", after_s=at), prompt=f"a boat, number {at}") for at in range(ROWS)]
    )
    yield opened
    await opened.aclose()


def finder(storage: SqlStorage) -> SqlGenerationDirectory:
    directory = storage.generation_directory
    assert isinstance(directory, SqlGenerationDirectory)
    return directory


async def steps_of(storage: SqlStorage, most: int) -> int:
    """In how many hundreds of steps the database looks for what is not there."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    def count_steps(connection: object, record: object, proxy: object) -> None:
        record.driver_connection.set_progress_handler(step, 100)  # type: ignore[attr-defined]

    event.listen(Engine, "checkout", count_steps)
    try:
        await finder(storage).find(["nothing"], GenerationFilter(), after=None, limit=50, most=most)
    finally:
        event.remove(Engine, "checkout", count_steps)
    return count


async def test_look_costs_by_what_it_looks_at_and_not_by_what_there_is(storage: SqlStorage) -> None:
    few, some, every = [await steps_of(storage, most) for most in (100, 1000, ROWS)]

    assert 0 < few < some / 5 < every / 10


async def test_look_ends_where_the_span_does(storage: SqlStorage) -> None:
    wanted = GenerationFilter(since=NOW + timedelta(seconds=ROWS - 50))
    page = await finder(storage).find(["boat"], wanted, after=None, limit=60, most=100)

    assert len(page.items) == 50
    assert page.further is None
    assert page.looked_to == NOW + timedelta(seconds=ROWS - 100)


async def test_look_among_failures_reads_only_these(storage: SqlStorage) -> None:
    failed = replace(generation_of("gen_failed", after_s=ROWS), prompt="a boat that sank", state=State.FAILED)
    await storage.generations.add([failed])

    page = await finder(storage).find(
        ["sank"], GenerationFilter(state=State.FAILED), after=None, limit=5, most=ROWS + 1
    )

    assert page.items == (failed,)
    assert page.further is None

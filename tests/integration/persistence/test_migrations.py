"""Databases of former releases come to today's schema with what they hold."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from flow2api.adapters.persistence import schema
from flow2api.domain.request_log import LogFilter
from flow2api.domain.statistics import Counts, Dimension, Scope
from tests.integration.persistence.databases import operator_of, storage_at


def config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


FORMER = [
    script.revision
    for script in ScriptDirectory.from_config(config()).walk_revisions()
    if script.revision != schema.HEAD
]


_DAYS_ONLY = "0002"
"""The last schema with nothing but days in its figures."""


def database_at(path: Path, revision: str) -> None:
    """A database with the schema of then, and in it what was written before figures were counted by quarter hours."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        here = config()
        here.attributes["connection"] = connection
        command.upgrade(here, min(revision, _DAYS_ONLY))
        connection.exec_driver_sql(
            "INSERT INTO api_keys (name, prefix, digest, created_at) VALUES ('laptop', 'f2a_abcdef', x'00', 1)"
        )
        connection.exec_driver_sql(
            "INSERT INTO daily_statistics (day, account_id, key_id, model, images, videos, errors) VALUES"
            " ('2026-11-01', 7, 1, 'paint', 3, 0, 1), ('2026-11-02', 7, 1, 'paint', 2, 0, 0), ('2026-11-02', 0, 1, 'x', 0, 0, 4)"
        )
        connection.exec_driver_sql(
            "INSERT INTO request_log (at, request_id, door, model, state, duration_ms) VALUES"
            " (1, 'req_1', 'images', 'paint', 'completed', 12)"
        )
        command.upgrade(here, revision)
    engine.dispose()


@pytest.mark.parametrize("revision", FORMER)
async def test_database_of_every_former_schema_is_brought_up_to_date(tmp_path: Path, revision: str) -> None:
    path = tmp_path / "flow2api.db"
    database_at(path, revision)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(revision,)]

    storage = storage_at(path)
    await storage.open()
    try:
        assert [key.name for key in await storage.api_keys.all()] == ["laptop"]
        assert (await storage.operators.add(operator_of("ada"))).id == 1
        totals = await storage.statistics.totals(Dimension.ACCOUNT, Scope())
        assert totals == {0: Counts(errors=4), 7: Counts(images=5, succeeded=5, errors=1)}
        assert await storage.statistics.totals(Dimension.KEY, Scope()) == {1: Counts(images=5, succeeded=5, errors=5)}
        days = await storage.statistics.by_day("2026-11-01", "2026-11-02", Scope(account_id=7))
        assert {day: counts.images for day, counts in days.items()} == {"2026-11-01": 3, "2026-11-02": 2}
        (line,) = await storage.request_log.page(LogFilter(), None, 10)
        assert (line.request_id, line.status, line.attempts) == ("req_1", None, 0)
    finally:
        await storage.aclose()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(schema.HEAD,)]

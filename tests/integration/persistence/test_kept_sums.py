"""Figures of everything cost the same for one account and for very many."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert

from flow2api.adapters.persistence.journal import SqlJournal
from flow2api.adapters.persistence.sqlite import SqliteDatabase
from flow2api.adapters.persistence.statistics import SqlStatistics
from flow2api.adapters.persistence.tallies import OVERALL, TOTALS
from flow2api.domain.ports.storage import LogEntry
from flow2api.domain.statistics import Counts, Dimension, Scope
from tests.integration.persistence.counting import Counting
from tests.integration.persistence.databases import NOW

ACCOUNTS = 3000


def entry(number: int) -> LogEntry:
    return LogEntry(
        at=NOW,
        request_id=f"req_{number}",
        key_id=number % 2 + 1,
        door="images",
        model="film" if number % 3 else "paint",
        account_id=number,
        generation_id=None,
        state="failed",
        code="internal",
        duration_ms=1,
    )


async def counted(database: SqliteDatabase, entries: int) -> None:
    journal = SqlJournal(database, interval_s=0)
    for number in range(entries):
        journal.note(entry(number))
    journal.start()
    await journal.aclose()


async def test_sums_of_all_accounts_are_those_of_each_added_up(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "flow2api.db")
    await database.open()
    try:
        for _ in range(2):
            await counted(database, 60)
        statistics = SqlStatistics(database)
        of_each = await statistics.totals(Dimension.ACCOUNT, Scope())
        assert len(of_each) == 60
        assert await statistics.totals(None, Scope()) == {"": sum(of_each.values(), Counts())}
        for by in (Dimension.KEY, Dimension.MODEL):
            for scope in (Scope(), Scope(key_id=2), Scope(model="film")):
                summed: dict[Any, Counts] = {}
                for account_id in range(60):
                    part = await statistics.totals(by, replace(scope, account_id=account_id))
                    for name, counts in part.items():
                        summed[name] = summed.get(name, Counts()) + counts
                assert await statistics.totals(by, scope) == summed
    finally:
        await database.aclose()


async def test_nothing_of_single_accounts_is_read_for_all_of_them(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "flow2api.db")
    await database.open()

    def fill(connection: Connection) -> None:
        rows = [{"account_id": number, "key_id": 1, "model": "paint", "images": 2} for number in range(ACCOUNTS)]
        connection.execute(insert(TOTALS), rows)
        connection.execute(insert(OVERALL), {"key_id": 1, "model": "paint", "images": 2 * ACCOUNTS})

    await database.write(fill)
    counting = Counting(database)
    statistics = SqlStatistics(counting)
    try:
        await statistics.oldest_quarter()  # the connection has read the schema
        for by in (None, Dimension.KEY, Dimension.MODEL):
            counting.steps = 0
            (counts,) = (await statistics.totals(by, Scope())).values()
            assert counts.images == 2 * ACCOUNTS
            assert counting.steps <= 300
    finally:
        await database.aclose()

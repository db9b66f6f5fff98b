"""Pages of the request log that nothing stands on cost no more than others, whatever is filtered by."""

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from flow2api.adapters.persistence.journal import LOG
from flow2api.adapters.persistence.request_log import SqlRequestLog
from flow2api.adapters.persistence.rows.base import to_instant
from flow2api.adapters.persistence.sqlite import SqliteDatabase
from flow2api.domain.request_log import LogFilter
from tests.integration.persistence.counting import Counting
from tests.integration.persistence.databases import NOW

LINES = 6000
FILTERS: dict[str, dict[str, Any]] = {
    "account": {"account_id": 7},
    "key": {"key_id": 2},
    "model": {"model": "film"},
    "state": {"state": "failed"},
    "code": {"code": "rare"},
    "time": {"since": NOW - timedelta(hours=1), "until": NOW},
    "text": {"text": "00000"},
}


def line(number: int) -> dict[str, Any]:
    """Key 1 uses ``film``, key 2 never does; a line of twenty has failed, one of two hundred for something rare."""
    key_id, failed = number % 2 + 1, number % 20 == 0
    return {
        "at": to_instant(NOW) - number * 1_000_000,
        "request_id": f"req_{number:05}",
        "key_id": key_id,
        "door": "images",
        "model": "film" if key_id == 1 and number % 3 else "paint",
        "account_id": number % 40,
        "generation_id": f"gen_{number:05}",
        "state": "failed" if failed else "completed",
        "code": ("rare" if number % 200 == 0 else "usual") if failed else None,
        "duration_ms": 1,
        "attempts": 1,
        "waited_ms": 0,
        "results": 1,
    }


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    opened = SqliteDatabase(tmp_path / "flow2api.db")
    await opened.open()
    await opened.write(lambda connection: connection.execute(insert(LOG), [line(number) for number in range(LINES)]))
    yield opened
    await opened.aclose()


async def test_every_combination_of_filters_finds_what_it_should(database: SqliteDatabase) -> None:
    lines = [line(number) for number in range(LINES)]
    for names in (names for count in range(1, 5) for names in combinations(FILTERS, count)):
        asked = {name: value for filtered in names for name, value in FILTERS[filtered].items()}
        found = await SqlRequestLog(database).page(LogFilter(**asked), None, LINES)
        assert [one.request_id for one in found] == [one["request_id"] for one in lines if passes(one, asked)], names


def passes(one: dict[str, Any], asked: dict[str, Any]) -> bool:
    """Whether a line is one of those that are asked for."""
    return (
        all(one[name] == value for name, value in asked.items() if name in one)
        and ("since" not in asked or one["at"] >= to_instant(asked["since"]))
        and ("until" not in asked or one["at"] < to_instant(asked["until"]))
        and ("text" not in asked or one["request_id"].startswith(f"req_{asked['text']}"))
    )


async def test_filters_that_never_meet_cost_no_walk_along_the_log(database: SqliteDatabase) -> None:
    counting = Counting(database)
    log = SqlRequestLog(counting)
    assert len(await log.page(LogFilter(), None, 50)) == 50  # the connection has read the schema
    for wanted in (
        LogFilter(key_id=2, model="film"),
        LogFilter(key_id=2, model="film", state="completed"),
        LogFilter(key_id=2, model="film", since=NOW - timedelta(days=9)),
        LogFilter(model="nobody's"),
        LogFilter(key_id=2, code="none"),
    ):
        counting.steps = 0
        assert await log.page(wanted, None, 50) == []
        assert counting.steps <= 300, wanted


async def test_the_filter_with_the_fewest_lines_leads_whichever_it_is(database: SqliteDatabase) -> None:
    busy = [{**line(number), "account_id": 99, "key_id": 9, "model": "draw"} for number in range(4001) if number % 4]
    await database.write(lambda connection: connection.execute(insert(LOG), busy))
    counting = Counting(database)
    log = SqlRequestLog(counting)
    assert len(await log.page(LogFilter(), None, 50)) == 50  # the connection has read the schema
    for wanted in (
        LogFilter(account_id=99, code="rare"),
        LogFilter(account_id=99, key_id=2, code="rare"),
        LogFilter(account_id=7, key_id=9),
        LogFilter(account_id=7, model="draw"),
        LogFilter(account_id=99, model="draw", code="rare", state="failed"),
        LogFilter(account_id=99, key_id=9, until=NOW - timedelta(hours=2)),
    ):
        counting.steps = 0
        assert await log.page(wanted, None, 50) == []
        assert counting.steps <= 6000, wanted

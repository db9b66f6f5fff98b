"""What a page of the request log costs among a million lines, and how long forgetting holds the writer.

    python bench/request_log.py [--lines 1000000] [--folder FOLDER]

The worst of 20 tries counts. Values are spread as they are in use: few keys and models, many accounts, 5 % failures; one key
never uses one model, so that two wide filters meet in nothing.
"""

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from sqlalchemy import Connection, insert

from flow2api.adapters.persistence.journal import LOG
from flow2api.adapters.persistence.request_log import SqlRequestLog
from flow2api.adapters.persistence.rows.base import to_instant
from flow2api.adapters.persistence.sqlite import SqliteDatabase
from flow2api.adapters.persistence.statistics import SqlStatistics
from flow2api.adapters.persistence.tallies import QUARTERS, SUMS
from flow2api.adapters.system import SystemClock
from flow2api.domain.options import Options
from flow2api.domain.request_log import LogFilter, position_of
from flow2api.domain.statistics import Dimension, Scope, quarter_of
from flow2api.domain.usecases.forget_records import ForgetRecords

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAYS = 30
TRIES = 20
PAGE = 50
LONGEST_S = 30.0


def lines(count: int) -> Iterator[dict[str, Any]]:
    chance = random.Random(20261123)
    for number in range(count):
        key_id = chance.choice((1, 1, 1, 2, 2, 3))
        failed = chance.random() < 0.05
        yield {
            "at": to_instant(NOW - timedelta(days=DAYS) + timedelta(days=DAYS) * (number / count)),
            "request_id": f"req_{chance.getrandbits(128):032x}",
            "key_id": key_id,
            "door": "images.generations",
            "model": chance.choice(("paint", "sketch", "film") if key_id != 3 else ("paint", "sketch")),
            "account_id": chance.randrange(1, 201),
            "generation_id": f"gen_{chance.getrandbits(128):032x}",
            "state": "failed" if failed else "completed",
            "code": chance.choice(("upstream_error", "upstream_timeout", "rare")) if failed else None,
            "duration_ms": chance.randrange(500, 60_000),
            "kind": "image",
            "status": 502 if failed else 200,
            "message": "The service failed." if failed else None,
            "attempts": 1,
            "waited_ms": 0,
            "results": 0 if failed else 1,
        }


def quarters() -> Iterator[dict[str, Any]]:
    last = quarter_of(NOW)
    for quarter in range(last - 96 * 10, last):
        for account_id in range(1, 201):
            sums = dict.fromkeys(SUMS, 0) | {"images": 3, "succeeded": 3, "took_5": 3}
            yield {"quarter": quarter, "account_id": account_id, "key_id": 1, "model": "paint", **sums}


async def filled(database: SqliteDatabase, count: int) -> None:
    for table, rows in ((LOG, lines(count)), (QUARTERS, quarters())):
        while batch := list(islice(rows, 20_000)):

            def step(connection: Connection, table: Any = table, batch: Any = batch) -> None:
                connection.execute(insert(table), batch)

            await database.write(step)


async def worst_ms(call: Callable[[], Awaitable[Any]]) -> float:
    worst = 0.0
    for _ in range(TRIES):
        began = time.perf_counter()
        await call()
        worst = max(worst, time.perf_counter() - began)
    return worst * 1000


async def forgotten(log: SqlRequestLog, statistics: SqlStatistics) -> None:
    """Forget and condense as a server does, for half a minute at most, and tell what each step took."""
    took: list[float] = []
    worked_off = 0

    def timed(step: Callable[..., Awaitable[int]]) -> Callable[..., Awaitable[int]]:
        async def call(*arguments: Any) -> int:
            nonlocal worked_off
            began = time.perf_counter()
            done = await step(*arguments)
            took.append(time.perf_counter() - began)
            worked_off += done
            return done

        return call

    log.forget = timed(log.forget)  # type: ignore[method-assign, assignment]
    statistics.condense = timed(statistics.condense)  # type: ignore[method-assign, assignment]
    options = Options(log_days=DAYS / 2)
    forget = ForgetRecords(log, statistics, SystemClockAt(), lambda: options, lambda: UTC)
    began = time.perf_counter()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LONGEST_S):
            await forget()
    took.sort()
    p50, p99, worst = took[len(took) // 2], took[len(took) * 99 // 100], took[-1]
    print(
        f"{worked_off:,} rows in {len(took):,} steps and {time.perf_counter() - began:.0f} s: the writer is held for "
        f"{p50 * 1000:.0f} ms (p50), {p99 * 1000:.0f} ms (p99), {worst * 1000:.0f} ms (worst)"
    )


class SystemClockAt(SystemClock):
    """The real clock, set to the time of the lines."""

    def now(self) -> datetime:
        return NOW


async def main(count: int, folder: Path) -> None:
    database = SqliteDatabase(folder / "bench.db")
    await database.open()
    began = time.perf_counter()
    await filled(database, count)
    size = (folder / "bench.db").stat().st_size
    print(f"{count:,} lines and 192,000 quarters in {time.perf_counter() - began:.0f} s, {size / 1e6:.0f} MB")
    log, statistics = SqlRequestLog(database), SqlStatistics(database)
    middle = NOW - timedelta(days=DAYS / 2)
    asked = {
        "no filter": LogFilter(),
        "time": LogFilter(since=middle - timedelta(hours=1), until=middle),
        "account": LogFilter(account_id=77),
        "key": LogFilter(key_id=2),
        "key, model": LogFilter(key_id=1, model="film"),
        "key and model that never meet": LogFilter(key_id=3, model="film"),
        "failed": LogFilter(state="failed"),
        "code, account, old": LogFilter(code="rare", account_id=77, until=middle),
        "model that is not there": LogFilter(model="none"),
        "state that is not there, key": LogFilter(state="cancelled", key_id=1),
        "account, key, model, state, time": LogFilter(
            account_id=77, key_id=3, model="paint", state="failed", since=middle
        ),
        "beginning of an id": LogFilter(text="00abc"),
    }
    for name, wanted in asked.items():
        first = await log.page(wanted, None, PAGE)
        second = position_of(first[-1]) if first else None
        print(
            f"{name:34} {len(first):3} lines, first page {await worst_ms(partial(log.page, wanted, None, PAGE)):6.1f} ms, "
            f"next {await worst_ms(partial(log.page, wanted, second, PAGE)):6.1f} ms"
        )
    today = range(quarter_of(NOW) - 96, quarter_of(NOW))
    for by in (None, *Dimension):
        told = f"a day's figures by {by or 'nothing'}"
        print(f"{told:34} {await worst_ms(partial(statistics.of_quarters, today, by, Scope())):6.1f} ms")
    await forgotten(log, statistics)
    await database.aclose()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        asyncio.run(main(given.lines, given.folder or Path(made)))

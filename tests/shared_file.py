"""A coordination as somebody else would write it: processes on one machine share a file. It is right, and not fast.

The module is a plugin: copied into a folder of plugins it serves the scheme ``shared-file``.
"""

import asyncio
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from flow2api.domain.media import MediaKind
from flow2api.domain.ports.coordination import Coordination
from flow2api.hookspecs import CoordinationFactory, Section, hookimpl

LIFE_S = 30.0
"""A process of which nothing was seen for so long is dead, and its slots are free."""

LOOK_EVERY_S = 0.03

SCHEMA = """
    create table if not exists processes (name text primary key, alive_until real not null);
    create table if not exists slots (ticket text primary key, process text, account integer, kind text);
    create table if not exists windows (subject text primary key, ends real not null, used integer not null);
    create table if not exists events (number integer primary key autoincrement, topic text, about text);
"""


class FileCoordination:
    """Slots, limits and events in one; each call is a short transaction in a thread."""

    is_shared = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self._name = secrets.token_hex(8)
        self.slots = self.limits = self.events = self

    async def take(self, account_id: int, kind: MediaKind, limit: int | None) -> str | None:
        return await asyncio.to_thread(self._take, account_id, kind.value, limit)

    async def give_back(self, ticket: str) -> None:
        await asyncio.to_thread(self._execute, "delete from slots where ticket = ?", ticket)

    async def spend(self, subject: str, amount: int, limit: int, window_s: float) -> float | None:
        return await asyncio.to_thread(self._spend, subject, amount, limit, window_s)

    async def refund(self, subject: str, amount: int) -> None:
        less = "update windows set used = max(used - ?, 0) where subject = ? and ends > ?"
        await asyncio.to_thread(self._execute, less, amount, subject, time.time())

    async def publish(self, topic: str, about: str) -> None:
        await asyncio.to_thread(self._execute, "insert into events (topic, about) values (?, ?)", topic, about)

    async def listen(self, heard: Callable[[str, str], None]) -> None:
        last = await asyncio.to_thread(self._last)
        seen_at = time.monotonic()
        while True:
            if time.monotonic() - seen_at > LIFE_S / 3:
                await self.ping()  # any call is a sign of life
                seen_at = time.monotonic()
            for number, topic, about in await asyncio.to_thread(self._behind, last):
                last = number
                heard(topic, about)
            await asyncio.sleep(LOOK_EVERY_S)

    async def ping(self) -> None:
        await asyncio.to_thread(self._last)

    async def aclose(self) -> None:
        await asyncio.to_thread(self._execute, "delete from slots where process = ?", self._name)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=30.0, isolation_level=None)) as connection:
            connection.executescript(SCHEMA)
            connection.execute("begin immediate")
            alive = (self._name, time.time() + LIFE_S)
            connection.execute("insert or replace into processes values (?, ?)", alive)
            yield connection
            connection.execute("commit")

    def _execute(self, statement: str, *values: object) -> None:
        with self._transaction() as connection:
            connection.execute(statement, values)

    def _take(self, account_id: int, kind: str, limit: int | None) -> str | None:
        ticket = secrets.token_hex(8)
        with self._transaction() as connection:
            living = "select name from processes where alive_until > ?"
            connection.execute(f"delete from slots where process not in ({living})", (time.time(),))
            (taken,) = connection.execute(
                "select count(*) from slots where account = ? and kind = ?", (account_id, kind)
            ).fetchone()
            if limit is not None and taken >= limit:
                return None
            connection.execute("insert into slots values (?, ?, ?, ?)", (ticket, self._name, account_id, kind))
        return ticket

    def _spend(self, subject: str, amount: int, limit: int, window_s: float) -> float | None:
        now = time.time()
        with self._transaction() as connection:
            found = connection.execute("select ends, used from windows where subject = ?", (subject,)).fetchone()
            ends, used = found if found is not None and found[0] > now else (now + window_s, 0)
            if used + amount > limit:
                return float(ends - now)
            connection.execute("insert or replace into windows values (?, ?, ?)", (subject, ends, used + amount))
        return None

    def _last(self) -> int:
        with self._transaction() as connection:
            return int(connection.execute("select coalesce(max(number), 0) from events").fetchone()[0])

    def _behind(self, last: int) -> list[tuple[int, str, str]]:
        with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=30.0)) as connection:
            return connection.execute(
                "select number, topic, about from events where number > ? order by number", (last,)
            ).fetchall()


def build(url: str, section: Section) -> Coordination:
    return FileCoordination(Path(url.partition(":")[2]))


@hookimpl
def register_coordinations() -> Iterable[CoordinationFactory]:
    return [CoordinationFactory("shared_file", ("shared-file",), build)]

"""A running server with many accounts: what operators' lists cost over HTTP, and what an import does to clients.

    python bench/many_accounts.py [--accounts 100000] [--lines 100000] [--tries 30] [--rows 100000]

Each list is asked for again and again, one request at a time. Beside that a client asks for the models every few milliseconds,
and a monitor for the health twice a second, which tells whether anybody else is held up.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).parents[1]))

import httpx
import msgspec
import uvloop
from choose_account import account
from client import Connection, Spans, connections, quantile, request_bytes
from load_accounts import BATCH, storage_in
from process_costs import cpu_ms
from request_log import lines
from sqlalchemy import Connection as Transaction
from sqlalchemy import insert
from stage import machine, pid_of

from flow2api.adapters.persistence.journal import LOG
from flow2api.adapters.persistence.sqlite import SqliteDatabase
from flow2api.adapters.persistence.tallies import SUMS, TOTALS
from flow2api.domain.account import Credentials, RestReason
from flow2api.domain.secret import Secret
from tests.command_line import CommandLine
from tests.e2e.processes import Process, free_port

PASSPHRASE = "rather long, and only for this"
STARTS_WITHIN_S = 60.0
ASKED_EVERY_S = {"/v1/models": 0.005, "/health": 0.5}


def lists(count: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is asked for, by what it is called here."""
    yield "first page", {}
    yield "middle page", {"cursor": count // 2}
    yield "last page", {"cursor": count - 50}
    yield "1,000 of them", {"cursor": count // 2, "limit": 1000}
    for state in ("active", "cooling_down", "suspended", "disabled"):
        yield f"{state}", {"state": state}
        yield f"{state}, far in", {"state": state, "cursor": count - count // 10}
    yield "all have it", {"q": "player"}
    yield "one letter", {"q": "a", "cursor": count // 2}
    yield "one has it", {"q": f"player{count - 1}@"}
    yield "few have it", {"q": f"{count // 100}"}
    yield "nobody has it", {"q": "nobody"}
    yield "nobody has it, long", {"q": "player " * 14}
    yield "search and state that never meet", {"q": "player1", "state": "suspended"}
    yield "all have it, rare state", {"q": "example", "state": "disabled"}


async def fill(folder: Path, accounts: int, count: int) -> None:
    """Accounts with tokens, figures of each, and lines of the request log."""
    storage = storage_in(folder)
    await storage.open()
    now = storage.accounts._clock.now()
    for first in range(1, accounts + 1, BATCH):
        batch = [made(number, now) for number in range(first, min(first + BATCH, accounts + 1))]
        await storage.accounts.add(
            [
                (one, Credentials(Secret(f"{one.id:0700}"), Secret(f"{one.id:0300}"), one.access_expires_at, now))
                for one in batch
            ]
        )
    await storage.aclose()
    database = SqliteDatabase(folder / "flow2api.db")
    await database.open()
    sums = dict.fromkeys(SUMS, 0) | {"images": 3, "succeeded": 3}
    figures = (
        {"account_id": number, "key_id": key_id, "model": model, **sums}
        for number in range(1, accounts + 1)
        for key_id in (1, 2)
        for model in ("paint", "film")
    )
    logged = ({**line, "account_id": number % accounts + 1} for number, line in enumerate(lines(count)))
    for table, rows in ((TOTALS, figures), (LOG, logged)):
        while part := list(islice(rows, 20_000)):

            def step(connection: Transaction, table: Any = table, part: Any = part) -> None:
                connection.execute(insert(table), part)

            await database.write(step)
    await database.aclose()


def made(number: int, now: Any) -> Any:
    """An account; one of a hundred is off, and one of fifty rests for one model."""
    one = replace(
        account(number, excluded=number % 50 == 0),
        email=f"player{number}@example.com",
        name=f"Player {number}",
        remark="lent by somebody" if number % 3 else "bought",
    )
    return one.resting(RestReason.MANUAL, now) if number % 100 == 1 else one


@dataclass(frozen=True)
class Server:
    """A running server, with a client's key and an operator's session."""

    url: str
    key: str
    session: str
    process: Process
    accounts: int

    def asks(self, path: str, **query: Any) -> bytes:
        """A request of the operator's."""
        target = f"{self.url}{path}" + (f"?{urlencode(query)}" if query else "")
        return request_bytes("GET", target, headers={"authorization": f"Bearer {self.session}"})


@contextmanager
def server(folder: Path, accounts: int) -> Iterator[Server]:
    """The server on a data folder, with an upstream that is not there."""
    port = free_port()
    environment = {
        "FLOW2API_DATA_DIR": str(folder),
        "FLOW2API_PORT": str(port),
        "FLOW2API_FLOW__LABS_BASE_URL": "http://127.0.0.1:9/fx/api",
        "FLOW2API_FLOW__API_BASE_URL": "http://127.0.0.1:9/v1",
    }
    run = CommandLine({**os.environ, **environment})
    passphrase = folder / "passphrase"
    passphrase.write_text(PASSPHRASE)
    operator = run("operator", "create", "--name", "bench", "--passphrase-file", str(passphrase))
    made_key = run("keys", "create", "--name", "bench", "--json")
    assert operator.code == made_key.code == 0, operator.err + made_key.err
    key = str(made_key.json["key"])
    process = Process([sys.executable, "-m", "flow2api", "serve"], folder / "server.log", environment)
    process.start()
    try:
        url = f"http://127.0.0.1:{port}"
        yield Server(url, key, signed_in(url, process), process, accounts)
    finally:
        process.stop()


def signed_in(url: str, process: Process) -> str:
    """A session, as soon as the server gives one."""
    deadline = time.monotonic() + STARTS_WITHIN_S
    while True:
        try:
            answer = httpx.post(f"{url}/api/login", json={"username": "bench", "password": PASSPHRASE}, timeout=30)
            return str(answer.json()["token"])
        except httpx.HTTPError:
            if time.monotonic() > deadline:
                process.fail("the server did not start")
            time.sleep(0.2)


async def ask_again(at: Server, path: str, every_s: float, spans: Spans) -> None:
    """Ask for this every so often, for ever."""
    request = request_bytes("GET", f"{at.url}{path}", headers={"authorization": f"Bearer {at.key}"})
    async with connections(at.url, 1) as (connection,):
        while True:
            spans.add(await connection.ask(request))
            await asyncio.sleep(every_s)


@asynccontextmanager
async def asked_meanwhile(at: Server) -> AsyncIterator[dict[str, Spans]]:
    """A time in which a client asks for the models, and a monitor for the health; what that took."""
    spans = {path: Spans() for path in ASKED_EVERY_S}
    asking = [asyncio.create_task(ask_again(at, path, every_s, spans[path])) for path, every_s in ASKED_EVERY_S.items()]
    try:
        yield spans
    finally:
        for task in asking:
            task.cancel()


async def time_lists(at: Server, accounts: int, tries: int) -> None:
    async with connections(at.url, 1) as (connection,), asked_meanwhile(at) as asked:
        for name, query in lists(accounts):
            await time_list(connection, name, at.asks("/api/tokens", **{"limit": 50, **query}), tries)
        for path in ("/api/stats", "/api/logs"):
            await time_list(connection, path, at.asks(path), tries)
    tell(asked, "meanwhile")


def tell(asked: dict[str, Spans], when: str) -> None:
    for path, spans in asked.items():
        print(told(f"{path} {when}", spans.total_ms))


async def time_list(connection: Connection, name: str, request: bytes, tries: int) -> None:
    answers = [await connection.ask(request) for _ in range(tries)]
    assert all(answer.status == 200 for answer in answers), answers[0].body
    shown = msgspec.json.decode(answers[0].body)
    print(told(f"{name} ({len(shown):,})", [answer.total_ms for answer in answers]))


def told(name: str, took_ms: list[float]) -> str:
    """One line."""
    p50, p99 = quantile(took_ms, 0.5), quantile(took_ms, 0.99)
    return f"{name:42} p50 {p50:6.1f}   p99 {p99:6.1f}   max {max(took_ms):6.1f} ms"


async def time_imports(at: Server, folder: Path, rows: int) -> None:
    async with asked_meanwhile(at) as alone:
        await asyncio.sleep(5)
    tell(alone, "with nothing beside")
    await time_import(at, "the command line", by_command(at, folder, rows), rows, 1)
    await time_import(at, "HTTP", by_http(at, rows), rows, 2)


async def time_import(at: Server, name: str, importing: Awaitable[int], rows: int, turn: int) -> None:
    before, began = cpu_ms(pid_of(at.process)), time.perf_counter()
    async with asked_meanwhile(at) as asked:
        added = await importing
        assert added == rows, added
        print(f"{rows:,} rows imported by {name} in {time.perf_counter() - began:.0f} s")
        while await known(at) < rows * turn:  # noqa: ASYNC110 - another process tells
            await asyncio.sleep(1)
    print(f"the server has them after {time.perf_counter() - began:.0f} s, ", end="")
    print(f"and took {(cpu_ms(pid_of(at.process)) - before) / 1000:.1f} CPU-s for that and for its clients")
    tell(asked, "meanwhile")


async def by_command(at: Server, folder: Path, rows: int) -> int:
    """Import beside the server; how many accounts were added."""
    file = folder / "import.csv"
    lines_of = (f"new{number}@example.net,new{number:0700},true" for number in range(rows))
    file.write_text("\n".join(("email,session_token,is_active", *lines_of)))
    importing = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "flow2api", "accounts", "import", str(file), "--json"),
        env=at.process.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    out, _ = await importing.communicate()
    return int(msgspec.json.decode(out)["added"])


async def by_http(at: Server, rows: int) -> int:
    """Import through the server, in requests of at most ten thousand; how many accounts were added."""
    added = 0
    async with connections(at.url, 1) as (connection,):
        for start in range(0, rows, 10_000):
            some = [
                {"session_token": f"far{number:0700}", "email": f"far{number}@example.net"}
                for number in range(start, min(start + 10_000, rows))
            ]
            target = f"{at.url}/api/tokens/import"
            headers = {"authorization": f"Bearer {at.session}"}
            answer = await connection.ask(request_bytes("POST", target, headers=headers, document={"tokens": some}))
            assert answer.status == 200, answer.body
            added += int(answer.json()["added"])
    return added


async def known(at: Server) -> int:
    """How many accounts the server has in memory, less those that it began with."""
    async with connections(at.url, 1) as (connection,):
        answer = await connection.ask(at.asks("/api/stats"))
    return int(answer.json()["total_tokens"]) - at.accounts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--tries", type=int, default=30)
    parser.add_argument("--rows", type=int, default=100_000)
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory(prefix="flow2api-bench-") as name:
        folder = Path(name)
        asyncio.run(fill(folder, options.accounts, options.lines))
        with server(folder, options.accounts) as running:
            uvloop.run(time_lists(running, options.accounts, options.tries))
            if options.rows:
                uvloop.run(time_imports(running, folder, options.rows))


if __name__ == "__main__":
    main()

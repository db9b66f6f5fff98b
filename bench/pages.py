"""What the server needs for a page of the console in a large installation, and what tabs cost that stay open.

    python bench/pages.py [--accounts 100000] [--lines 1000000] [--generations 200000] [--tries 30] [--tabs 50] [--rows 100000]

Each page is asked for again and again, one request at a time; the budget is 80 ms at p95, 100 ms for a part of a page.
Some pages are looked at once after nobody has looked for a while: 250 ms at most. Then so many tabs follow the overview
for half a minute; together they may take 5 % of a core and 40 MB. At last so many rows are imported through the page of that,
while somebody asks for the health all the time: nobody may wait for more than 50 ms.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import httpx
import uvloop
from client import Spans, quantile
from many_accounts import PASSPHRASE, Server, ask_again, fill, server, told
from process_costs import cpu_ms, memory_kb
from request_log import QUARTERS, quarters
from sqlalchemy import Connection, Table, insert
from stage import machine, pid_of

from flow2api.adapters.persistence.credits import CREDITS
from flow2api.adapters.persistence.rows import GenerationRow
from flow2api.adapters.persistence.rows.base import table_of, to_instant
from flow2api.adapters.persistence.sqlite import SqliteDatabase

PAGE_MS = 80.0
PART_MS = 100.0
FIRST_LOOK_MS = 250.0
HELD_MS = 50.0
TABS_S = 30.0
WARM_UP = 3
IDLE_S = 30.0
IMPORT_WITHIN_S = 300.0

PAGES = (
    "/console",
    "/console?span=7d",
    "/console?span=30d",
    "/console/accounts",
    "/console/accounts?q=player9",
    "/console/accounts?state=ready",
    "/console/accounts?sort=credits",
    "/console/accounts/77",
    "/console/accounts/add",
    "/console/accounts/import",
    "/console/generations",
    "/console/generations?state=failed",
    "/console/generations?state=cancelled",
    "/console/generations?q=lighthouse",
    "/console/generations?q=nothing+like+it",
    "/console/generations/gallery",
    "/console/generations/gallery?q=lighthouse",
    "/console/search?q=lighthouse",
    "/console/playground",
    "/console/keys",
    "/console/models",
    "/console/requests",
    "/console/requests?state=failed",
    "/console/requests?code=rare",
    "/console/connect",
    "/console/settings/balancing",
    "/console/you",
    "/console/plugins",
    "/console/system",
    "/console/audit",
    "/console/search?q=player12",
)
PARTS = {
    "/console/generations": ("finished", "jobs"),
    "/console/requests?state=failed": ("request-rows",),
}
FIRST_LOOKS = (
    "/console",
    "/console/accounts",
    "/console/accounts?sort=credits",
    "/console/search?q=player12",
    "/console/generations",
    "/console/requests?state=failed",
    "/console/models",
)
GENERATIONS = table_of(GenerationRow)


def generations(count: int, accounts: int) -> Iterator[dict[str, Any]]:
    """What was made in thirty days; one in twenty failed."""
    chance, now = random.Random(20261123), datetime.now(UTC)
    for number in range(count):
        at = now - timedelta(days=30) * (1 - number / count)
        failed = chance.random() < 0.05
        yield dict.fromkeys(column.name for column in GENERATIONS.columns if column.nullable) | {
            "number": number + 1,
            "id": f"gen_{number:032x}",
            "key_id": chance.choice((1, 1, 2, 3)),
            "kind": chance.choice(("image", "image", "video")),
            "model": "gemini-3.0-pro-image-square",
            "spec_name": "gemini-3.0-pro-image",
            "prompt": f"A {chance.choice(('lighthouse', 'river', 'street'))} at dusk, number {number}",
            "created_at": to_instant(at),
            "group_id": f"grp_{number:032x}",
            "door": "images.generations",
            "inputs": "[]",
            "count": 1,
            "size": "1024x1024",
            "warnings": "[]",
            "state": "failed" if failed else "completed",
            "stage": "make",
            "progress": 100,
            "account_id": chance.randrange(1, accounts + 1),
            "results": "[]",
            "fault_code": "upstream_error" if failed else None,
            "fault_message": "The service failed." if failed else None,
            "started_at": to_instant(at),
            "ended_at": to_instant(at + timedelta(seconds=20)),
            "fence": 1,
            "rescues": 0,
            "attempts": 1,
        }


def credits_left() -> Iterator[dict[str, Any]]:
    """What all had left on each of thirty days."""
    today = datetime.now(UTC).date()
    for back in range(30):
        yield {"account_id": 0, "day": (today - timedelta(days=back)).isoformat(), "credits": 1_000_000 + 1000 * back}


async def fill_history(folder: Path, accounts: int, count: int) -> None:
    """Generations, quarter hours of ten days and credits of thirty."""
    database = SqliteDatabase(folder / "flow2api.db")
    await database.open()
    every: tuple[tuple[Table, Iterator[dict[str, Any]]], ...] = (
        (GENERATIONS, generations(count, accounts)),
        (QUARTERS, quarters()),
        (CREDITS, credits_left()),
    )
    for table, rows in every:
        while part := list(islice(rows, 20_000)):

            def step(connection: Connection, table: Table = table, part: list[dict[str, Any]] = part) -> None:
                connection.execute(insert(table), part)

            await database.write(step)
    await database.aclose()


@asynccontextmanager
async def visitor(at: Server) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who is signed in."""
    limits = httpx.Limits(max_connections=200)
    async with httpx.AsyncClient(base_url=at.url, timeout=60, limits=limits) as browser:
        fields = {"name": "bench", "passphrase": PASSPHRASE}
        answer = await browser.post("/login", data=fields, headers=_from_here(at))
        if answer.status_code != 303:
            at.process.fail(f"nobody could sign in: {answer.status_code}")
        yield browser


def _from_here(at: Server) -> dict[str, str]:
    return {"origin": at.url, "sec-fetch-site": "same-origin"}


async def time_page(
    browser: httpx.AsyncClient, at: Server, path: str, tries: int, part: str = "", budget_ms: float = PAGE_MS
) -> bool:
    """Tell what the page takes, or the part of it; whether that keeps to the budget."""
    headers = {"hx-request": "true", "hx-request-type": "partial", "hx-target": f"div#{part}"} if part else {}
    name = f"{path} #{part}" if part else path
    for _ in range(WARM_UP):
        answer = await browser.get(path, headers=headers)
    if answer.status_code != 200:
        print(f"{name:44} answers {answer.status_code}")
        return False
    took, began_cpu = list[float](), cpu_ms(pid_of(at.process))
    for _ in range(tries):
        began = time.perf_counter()
        await browser.get(path, headers=headers)
        took.append((time.perf_counter() - began) * 1000)
    cost = (cpu_ms(pid_of(at.process)) - began_cpu) / tries
    took.sort()
    p95 = quantile(took, 0.95)
    size = len(answer.content) / 1024
    print(f"{name:44} p50 {quantile(took, 0.5):6.1f}  p95 {p95:6.1f} ms  {cost:6.1f} CPU-ms  {size:6.1f} KiB")
    return p95 <= budget_ms


async def time_first_looks(browser: httpx.AsyncClient, idle_s: float) -> None:
    """Tell what a page takes that nobody has looked at for a while."""
    for path in FIRST_LOOKS:
        await asyncio.sleep(idle_s)
        took = []
        for _ in range(2):
            began = time.perf_counter()
            await browser.get(path)
            took.append((time.perf_counter() - began) * 1000)
        told_of = "" if took[0] <= FIRST_LOOK_MS else ": over"
        print(f"{path:44} first look after {idle_s:.0f} s {took[0]:6.1f} ms, the next one {took[1]:6.1f} ms{told_of}")


async def follow(browser: httpx.AsyncClient) -> None:
    """A tab that shows the overview."""
    async with browser.stream("GET", "/console/events?view=overview") as stream:
        async for _ in stream.aiter_raw():
            pass


async def time_tabs(browser: httpx.AsyncClient, at: Server, tabs: int) -> None:
    """Tell what tabs cost that stay open."""
    pid = pid_of(at.process)
    await asyncio.sleep(2)
    memory, began = memory_kb(pid), cpu_ms(pid)
    await asyncio.sleep(10)
    idle = (cpu_ms(pid) - began) / 10_000
    following = [asyncio.create_task(follow(browser)) for _ in range(tabs)]
    await asyncio.sleep(5)
    began = cpu_ms(pid)
    await asyncio.sleep(TABS_S)
    share = (cpu_ms(pid) - began) / (TABS_S * 1000) - idle
    grown = (memory_kb(pid) - memory) / 1024
    for task in following:
        task.cancel()
    print(f"{tabs} tabs: {share:.1%} of a core, {grown:.0f} MB; without them {idle:.1%}")


async def time_import(browser: httpx.AsyncClient, at: Server, rows: int) -> None:
    """Tell how long others wait while accounts are imported through the page: read, looked at, stored."""
    lines = "\n".join(f"page{number}@example.org,page{number:0700},true" for number in range(rows))
    data = f"email,session_token,is_active\n{lines}\n".encode()
    page = await browser.get("/console/accounts/import")
    token = page.text.partition('name="_csrf"')[2].partition('value="')[2].partition('"')[0]
    path = ""

    async def give() -> None:
        nonlocal path
        answer = await browser.post(
            "/console/accounts/import",
            data={"_csrf": token, "text": "", "form": "csv", "proxy": "", "key": ""},
            files={"file": ("accounts.csv", data)},
            headers=_from_here(at),
        )
        path = answer.headers.get("location", "")
        if answer.status_code != 303:
            at.process.fail(f"the file was not taken: {answer.status_code}")
        await _until(browser, path, lambda html: "/start" in html)

    async def start() -> None:
        run = path.partition("run=")[2]
        await browser.post(f"/console/accounts/import/{run}/start", data={"_csrf": token}, headers=_from_here(at))
        await _until(browser, path, lambda html: "To the accounts" in html)

    for name, step in {"reading": give, "storing": start}.items():
        spans, began = Spans(), time.perf_counter()
        asking = asyncio.create_task(ask_again(at, "/v1/models", 0.002, spans))
        await step()
        took_s = time.perf_counter() - began
        asking.cancel()
        worst = max(spans.total_ms)
        print(told(f"{name} {rows:,} rows ({took_s:.1f} s), others wait", spans.total_ms), end="")
        print("" if worst <= HELD_MS else ": over")


async def _until(browser: httpx.AsyncClient, path: str, is_so: Callable[[str], bool]) -> None:
    async with asyncio.timeout(IMPORT_WITHIN_S):
        while not is_so((await browser.get(path)).text):  # noqa: ASYNC110 - another process tells
            await asyncio.sleep(0.5)


async def measure(at: Server, tries: int, tabs: int, rows: int, idle_s: float = IDLE_S) -> None:
    async with visitor(at) as browser:
        within = [await time_page(browser, at, path, tries) for path in PAGES]
        print(f"{sum(within)} of {len(PAGES)} pages within {PAGE_MS:.0f} ms")
        for path, parts in PARTS.items():
            for part in parts:
                await time_page(browser, at, path, tries, part, PART_MS)
        await time_first_looks(browser, idle_s)
        await time_tabs(browser, at, tabs)
        if rows:
            await time_import(browser, at, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--generations", type=int, default=200_000)
    parser.add_argument("--tries", type=int, default=30)
    parser.add_argument("--tabs", type=int, default=50)
    parser.add_argument("--rows", type=int, default=100_000)
    arguments = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory(prefix="flow2api-bench-") as name:
        folder = Path(name)
        asyncio.run(fill(folder, arguments.accounts, arguments.lines))
        asyncio.run(fill_history(folder, arguments.accounts, arguments.generations))
        with server(folder, arguments.accounts) as at:
            uvloop.run(measure(at, arguments.tries, arguments.tabs, arguments.rows))


if __name__ == "__main__":
    main()

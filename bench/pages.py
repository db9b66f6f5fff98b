"""What the server needs for a page of the console in a large installation, and what tabs cost that stay open.

    python bench/pages.py [--accounts 100000] [--lines 1000000] [--tries 30] [--tabs 50]

Each page is asked for again and again, one request at a time; the budget is 80 ms at p95. Then so many tabs follow the
overview for half a minute; together they may take 5 % of a core and 40 MB.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import httpx
from client import quantile
from many_accounts import PASSPHRASE, Server, fill, server
from process_costs import cpu_ms, memory_kb
from stage import machine, pid_of

BUDGET_MS = 80.0
TABS_S = 30.0
WARM_UP = 3

PAGES = (
    "/console",
    "/console?span=30d",
    "/console/accounts",
    "/console/accounts?text=player9",
    "/console/accounts?state=ready",
    "/console/accounts?sort=credits",
    "/console/accounts/77",
    "/console/generations",
    "/console/generations?state=failed",
    "/console/generations/gallery",
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


async def visitor(at: Server) -> httpx.AsyncClient:
    """Somebody who is signed in."""
    browser = httpx.AsyncClient(base_url=at.url, timeout=60, limits=httpx.Limits(max_connections=200))
    fields = {"name": "bench", "passphrase": PASSPHRASE}
    answer = await browser.post("/login", data=fields, headers={"origin": at.url, "sec-fetch-site": "same-origin"})
    if answer.status_code != 303:
        at.process.fail(f"nobody could sign in: {answer.status_code}")
    return browser


async def time_page(browser: httpx.AsyncClient, path: str, tries: int) -> bool:
    """Tell what the page takes; whether that keeps to the budget."""
    for _ in range(WARM_UP):
        answer = await browser.get(path)
    if answer.status_code != 200:
        print(f"{path:40} answers {answer.status_code}")
        return False
    took = []
    for _ in range(tries):
        began = time.perf_counter()
        await browser.get(path)
        took.append((time.perf_counter() - began) * 1000)
    took.sort()
    p95 = quantile(took, 0.95)
    size = len(answer.content) / 1024
    print(f"{path:40} p50 {quantile(took, 0.5):6.1f} ms  p95 {p95:6.1f} ms  {size:6.1f} KiB")
    return p95 <= BUDGET_MS


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


async def measure(at: Server, tries: int, tabs: int) -> None:
    browser = await visitor(at)
    async with browser:
        within = [await time_page(browser, path, tries) for path in PAGES]
        print(f"{sum(within)} of {len(PAGES)} pages within {BUDGET_MS:.0f} ms")
        await time_tabs(browser, at, tabs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--tries", type=int, default=30)
    parser.add_argument("--tabs", type=int, default=50)
    arguments = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asyncio.run(fill(folder, arguments.accounts, arguments.lines))
        with server(folder, arguments.accounts) as at:
            asyncio.run(measure(at, arguments.tries, arguments.tabs))


if __name__ == "__main__":
    main()

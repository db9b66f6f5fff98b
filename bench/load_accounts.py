"""What taking in a large pool at the start costs: time, memory, and how long the event loop is held at a time.

    python bench/load_accounts.py [--accounts 100000] [--busy 4]

The accounts stand in an SQLite file with fresh access tokens, as the server finds them when it starts again. With ``--busy``
as many processes work beside it for nothing: what holds the loop then is mostly the wait for a core.
"""

import argparse
import asyncio
import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from choose_account import SLOTS, WallClock, account, kinds_of_requests
from process_costs import own_memory_kb

from flow2api.adapters.persistence import SqliteDatabase, SqlStorage
from flow2api.adapters.vault import AesGcmCipher, KeyRing, KeySource
from flow2api.app.loading import filling, load_accounts
from flow2api.domain.account import Credentials
from flow2api.domain.lease import AccountPool
from flow2api.domain.secret import Secret
from flow2api.plugins.coordination_memory import MemorySlots

BATCH = 5000
SESSION, ACCESS = "s" * 700, "a" * 300
LONGEST_S = 120
"""After so many seconds a process that only keeps a core busy ends by itself."""


@dataclass
class Watch:
    """How long the loop did not come back to a task that wants nothing but its turn, and what it worked meanwhile."""

    worst_s: float = 0.0
    worst_own_s: float = 0.0
    task: "asyncio.Task[None]" = field(init=False)

    def start(self) -> None:
        self.task = asyncio.create_task(self._look())

    async def _look(self) -> None:
        seen, own = time.perf_counter(), time.thread_time()
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            self.worst_s = max(self.worst_s, now - seen - 0.001)
            self.worst_own_s = max(self.worst_own_s, time.thread_time() - own)
            seen, own = time.perf_counter(), time.thread_time()


def storage_in(folder: Path) -> SqlStorage:
    ring = KeyRing(KeySource(value=None, file=None, default_file=folder / "secret.key"))
    return SqlStorage(SqliteDatabase(folder / "flow2api.db"), AesGcmCipher(ring), WallClock())


async def fill(folder: Path, count: int) -> None:
    storage = storage_in(folder)
    await storage.open()
    for first in range(1, count + 1, BATCH):
        batch = range(first, min(first + BATCH, count + 1))
        now = WallClock().now()
        secrets = [
            Credentials(Secret(f"{SESSION}{number}"), Secret(f"{ACCESS}{number}"), now + timedelta(hours=24), now)
            for number in batch
        ]
        await storage.accounts.add(list(zip((account(n, excluded=n % 50 == 0) for n in batch), secrets, strict=True)))
    await storage.aclose()


async def load(folder: Path) -> None:
    storage = storage_in(folder)
    await storage.open()
    gc.collect()
    before_kb, watch = own_memory_kb(os.getpid()), Watch()
    pool = AccountPool(MemorySlots(), WallClock())
    pool.prepare(kinds_of_requests())
    watch.start()
    began = time.perf_counter()
    tokens = dict[int, Credentials]()
    with filling(pool):
        await load_accounts(storage.accounts, pool)
        async for some in storage.vault.load():
            tokens |= {number: Credentials(Secret(""), one.access_token, one.expires_at) for number, one in some}
    took_s = time.perf_counter() - began
    await asyncio.sleep(0.01)
    watch.task.cancel()
    print(
        f"{len(pool):,} accounts, {SLOTS} picture slots each, {len(kinds_of_requests())} kinds of requests,"
        f" {len(tokens):,} access tokens"
    )
    print(f"loaded in {took_s:.1f} s, {(own_memory_kb(os.getpid()) - before_kb) / 1024:.0f} MB; ", end="")
    print(f"the loop was held for {watch.worst_s * 1000:.0f} ms at most, ", end="")
    print(f"{watch.worst_own_s * 1000:.0f} ms of them at work")
    await storage.aclose()


@contextmanager
def busy_machine(processes: int) -> Iterator[None]:
    """A time in which others want the cores, too."""
    waste = f"import time\nend = time.time() + {LONGEST_S}\nwhile time.time() < end: sum(range(1000))"
    others = [subprocess.Popen([sys.executable, "-c", waste]) for _ in range(processes)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--busy", type=int, default=0, help="processes that keep the cores busy meanwhile")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(fill(Path(folder), options.accounts))
        with busy_machine(options.busy):
            asyncio.run(load(Path(folder)))


if __name__ == "__main__":
    main()

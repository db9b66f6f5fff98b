"""What taking in a large pool at the start costs: time, memory, and how long the event loop is held at a time.

    python bench/load_accounts.py [--accounts 100000]

The accounts stand in an SQLite file, as the server finds them when it starts.
"""

import argparse
import asyncio
import gc
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from choose_account import SLOTS, WallClock, account, kinds_of_requests
from process_costs import own_memory_kb

from flow2api.adapters.persistence import SqliteDatabase, SqlStorage
from flow2api.adapters.vault import AesGcmCipher, KeyRing, KeySource
from flow2api.app.loading import load_accounts
from flow2api.domain.account import Credentials
from flow2api.domain.lease import AccountPool
from flow2api.domain.secret import Secret
from flow2api.plugins.coordination_memory import MemorySlots

BATCH = 5000


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
        secrets = [Credentials(Secret(f"session-{number}")) for number in batch]
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
    await load_accounts(storage.accounts, pool)
    took_s = time.perf_counter() - began
    await asyncio.sleep(0.01)
    watch.task.cancel()
    print(f"{len(pool):,} accounts, {SLOTS} picture slots each, {len(kinds_of_requests())} kinds of requests")
    print(f"loaded in {took_s:.1f} s, {(own_memory_kb(os.getpid()) - before_kb) / 1024:.0f} MB; ", end="")
    print(f"the loop was held for {watch.worst_s * 1000:.0f} ms at most, ", end="")
    print(f"{watch.worst_own_s * 1000:.0f} ms of them at work")
    await storage.aclose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(fill(Path(folder), options.accounts))
        asyncio.run(load(Path(folder)))


if __name__ == "__main__":
    main()

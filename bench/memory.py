"""What the gateway takes: idle, while large media passes through, and until its first answer (rows 14, 15, 16).

python bench/memory.py [--megabytes 200] [--accounts 1000]

A large video comes from the simulator, is kept, and goes out to a client that reads as fast as it can, then to one that
reads slowly. Counted is the peak of the process's resident memory over what it was before.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import uvloop

sys.path.insert(0, str(Path(__file__).parents[1]))

from client import Connection, connections, median, request_bytes
from figures import Figure
from process_costs import forget_peak, memory_kb, own_memory_kb, peak_memory_kb
from stage import gateway, machine, pid_of, settle, simulator
from videos import MODEL

from tests.e2e.processes import Gateway, Simulator

MIB = 1024 * 1024
SLOW_MIB_PER_S = 40
STARTS = 5
LIMIT_S = 120.0


def script_fault(upstream: Simulator, **fields: Any) -> None:
    """Have the simulator misbehave."""
    url = f"{upstream.ready['base_url']}/_sim/faults"
    request = urllib.request.Request(url, data=json.dumps(fields).encode(), method="POST")
    urllib.request.urlopen(request, timeout=10).close()


class Transfers:
    """Makes the gateway take in and give out one large video."""

    def __init__(self, ours: Gateway) -> None:
        self._url, self._pid = ours.url, pid_of(ours)
        self._headers = {"authorization": f"Bearer {ours.key}"}

    def ask(self, method: str, path: str, document: object = None) -> bytes:
        return request_bytes(method, f"{self._url}/v1{path}", headers=self._headers, document=document)

    async def video(self) -> str:
        """Have a video made; its id, once it is kept."""
        async with asyncio.timeout(LIMIT_S), connections(self._url, 1) as (connection,):
            made = (await connection.ask(self.ask("POST", "/videos", {"model": MODEL, "prompt": "a river"}))).json()
            while made["status"] in ("queued", "in_progress"):
                await asyncio.sleep(0.1)
                made = (await connection.ask(self.ask("GET", f"/videos/{made['id']}"))).json()
        assert made["status"] == "completed", made
        return str(made["id"])

    async def content(self, video_id: str, *, is_slow: bool = False) -> int:
        """Read its bytes; how many there were is told by the answer's head, and all of them have to come."""
        async with asyncio.timeout(LIMIT_S), connections(self._url, 1, keep_bodies=False) as (connection,):
            holding = asyncio.create_task(_hold_back(connection)) if is_slow else None
            answer = await connection.ask(self.ask("GET", f"/videos/{video_id}/content"))
            if holding is not None:
                holding.cancel()
        assert answer.status == 200, answer.status
        return connection.body_bytes

    async def peak_over_before_kb(self, step: Any) -> int:
        """How far the step drives the memory of the process over what it was."""
        await asyncio.to_thread(settle, self._pid)
        forget_peak(self._pid)
        before = own_memory_kb(self._pid)
        await step()
        return peak_memory_kb(self._pid) - before


async def _hold_back(connection: Connection) -> None:
    """Read no faster than a slow line would bring it."""
    while True:
        connection.hold_back()
        await asyncio.sleep(0.02)
        wanted = connection.received_bytes + SLOW_MIB_PER_S * MIB // 40
        connection.read_on()
        while connection.received_bytes < wanted:  # noqa: ASYNC110 - the client has nothing else to do
            await asyncio.sleep(0.001)


async def transfers(ours: Gateway, upstream: Simulator, megabytes: int) -> Figure:
    way = Transfers(ours)
    small = await way.video()
    for is_slow in (False, True):
        await way.content(small, is_slow=is_slow)
    script_fault(upstream, kind="padded", call="download_video", size_bytes=megabytes * MIB)
    large = ""

    async def take_in() -> None:
        nonlocal large
        large = await way.video()

    async def give_out(*, is_slow: bool) -> None:
        received = await way.content(large, is_slow=is_slow)
        assert received == megabytes * MIB, received

    peaks = {
        "in": await way.peak_over_before_kb(take_in),
        "out": await way.peak_over_before_kb(lambda: give_out(is_slow=False)),
        "out, slow client": await way.peak_over_before_kb(lambda: give_out(is_slow=True)),
    }
    told = ", ".join(f"{name} {kb / 1024:.1f}" for name, kb in peaks.items())
    worst = max(peaks.values())
    return Figure("15", f"extra memory of a {megabytes} MB transfer", "2 MB", "0.5 MB", f"{told} MB", worst <= 2048)


def start_s(ours: Gateway) -> float:
    """Seconds from the start of a process to its first answer."""
    ours.stop()
    request = urllib.request.Request(f"{ours.url}/v1/models", headers={"authorization": f"Bearer {ours.key}"})
    began = time.monotonic()
    ours.start()
    while time.monotonic() - began < LIMIT_S:
        try:
            with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
                answer.read()
            return time.monotonic() - began
        except urllib.error.URLError:
            time.sleep(0.005)
    raise TimeoutError("the gateway did not answer")


def measure(megabytes: int = 200, accounts: int = 1000) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="flow2api-bench-") as name:
        folder = Path(name)
        few = simulator(folder / "few", 10, video_s=0.2)
        with few as upstream, gateway(folder / "gateway", upstream) as ours:
            idle_mb = memory_kb(pid_of(ours)) / 1024
            passing = uvloop.run(transfers(ours, upstream, megabytes))
        with simulator(folder / "many", accounts) as upstream, gateway(folder / "crowd", upstream) as ours:
            starts = sorted(start_s(ours) for _ in range(STARTS))
            print(f"starts: {', '.join(f'{one:.2f}' for one in starts)} s")
    first_s = median(starts)
    return [
        Figure("14", "memory idle, without a console", "140 MB", "110 MB", f"{idle_mb:.0f} MB", idle_mb <= 140),
        passing,
        Figure("16", f"start to first answer, {accounts} accounts", "1.5 s", "1 s", f"{first_s:.2f} s", first_s <= 1.5),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--accounts", type=int, default=1000)
    arguments = parser.parse_args()
    print(machine())
    for figure in measure(arguments.megabytes, arguments.accounts):
        print(figure)


if __name__ == "__main__":
    main()

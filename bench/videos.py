"""1,000 videos in flight and 200 streams open on one process: what they cost, and whether everybody else still gets answers.

Usage: python bench/videos.py [--videos 1000] [--streams 200] [--accounts 10] [--seconds 30]
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from client import quantile
from process_costs import cpu_ms, own_memory_kb, threads
from stage import counters, gateway, machine, pid_of, simulator

from flow2api.testing.simulator import SimulatorControl
from tests.e2e.processes import Gateway

MODEL = "veo_3_1_t2v_fast_landscape"
INTERVAL_S = 3.0
AT_ONCE = 50
ENDS_WITHIN_S = 240.0


@dataclass
class Load:
    """One run, and what was seen in it."""

    running: Gateway
    ids: list[str] = field(default_factory=list)
    opened: int = 0
    ended: int = 0
    latencies_ms: list[float] = field(default_factory=list)
    refused: Counter[int] = field(default_factory=Counter)

    async def call(self, method: str, path: str, document: Any = None) -> tuple[int, bytes]:
        """Status and body of one answer, over a connection of its own."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.running.port)
        body = b"" if document is None else json.dumps(document).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {self.running.key}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        writer.write(head.encode() + body)
        raw = await reader.read()
        writer.close()
        status, _, rest = raw.partition(b"\r\n\r\n")
        return int(status.split()[1]), rest

    async def submit(self, count: int) -> None:
        """Ask for this many videos."""
        limit = asyncio.Semaphore(AT_ONCE)

        async def one(number: int) -> None:
            async with limit:
                status, body = await self.call(
                    "POST", "/v1/videos", {"model": MODEL, "prompt": f"waves {number}", "size": "1280x720"}
                )
            if status == 200:
                self.ids.append(json.loads(body)["id"])
            else:
                self.refused[status] += 1

        await asyncio.gather(*(one(number) for number in range(count)))

    async def watch_stream(self, number: int) -> None:
        """Ask for a video through chat and read its stream to the end."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.running.port)
        document = {"model": MODEL, "stream": True, "messages": [{"role": "user", "content": f"stream {number}"}]}
        body = json.dumps(document).encode()
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {self.running.key}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        while line := await reader.readline():
            if b'"role":"assistant"' in line:
                self.opened += 1
            if b"[DONE]" in line:
                self.ended += 1
                break
        writer.close()

    async def look_at_models(self, until: asyncio.Event) -> None:
        """Ask for the models over one kept connection, ten times a second, and note how long each answer took."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.running.port)
        request = f"GET /v1/models HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {self.running.key}\r\n\r\n".encode()
        while not until.is_set():
            began = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split()[0])
            await reader.readexactly(length)
            self.latencies_ms.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(0.1)
        writer.close()

    async def outcomes(self) -> Counter[str]:
        """How the videos stand, by status and code."""
        found: Counter[str] = Counter()
        after = ""
        while True:
            _, body = await self.call("GET", f"/v1/videos?limit=100{after}")
            page = json.loads(body)
            for one in page["data"]:
                error = one["error"]
                found[one["status"] if error is None else f"{one['status']}: {error['code']}"] += 1
            if not page["has_more"]:
                return found
            after = f"&after={page['last_id']}"


async def run(arguments: argparse.Namespace, running: Gateway, control: SimulatorControl) -> None:
    """One run over a gateway that stands ready."""
    pid, load = pid_of(running), Load(running)
    idle_kb, idle_cpu = own_memory_kb(pid), cpu_ms(pid)
    until = asyncio.Event()
    looking = asyncio.create_task(load.look_at_models(until))
    began = time.monotonic()
    await load.submit(arguments.videos - arguments.streams)
    streams = [asyncio.create_task(load.watch_stream(number)) for number in range(arguments.streams)]
    submitted_s = time.monotonic() - began
    await asyncio.sleep(5)
    held_kb, held_threads, opened = own_memory_kb(pid), threads(pid), load.opened
    await asyncio.sleep(arguments.seconds)
    found = await load.outcomes()
    while found.keys() & {"queued", "in_progress"} and time.monotonic() - began < ENDS_WITHIN_S:
        await asyncio.sleep(5)
        found = await load.outcomes()
    await asyncio.wait(streams, timeout=30)
    until.set()
    await looking
    whole_s = time.monotonic() - began
    spent = cpu_ms(pid) - idle_cpu
    print(f"submitted in {submitted_s:.1f} s, all ended after {whole_s:.1f} s; refused: {dict(load.refused)}")
    print(f"outcomes: {dict(found)}; streams opened {opened}, ended well {load.ended}")
    print(f"memory of one: {(held_kb - idle_kb) / arguments.videos:.1f} KB (idle {idle_kb / 1024:.0f} MB)")
    print(f"CPU of one: {spent / arguments.videos:.2f} ms, with the clients' questions; threads {held_threads}")
    p50, p99 = quantile(load.latencies_ms, 0.5), quantile(load.latencies_ms, 0.99)
    print(f"/v1/models meanwhile: p50 {p50:.1f} ms, p99 {p99:.1f} ms, worst {max(load.latencies_ms):.1f} ms")
    await tell_polls(arguments, control)


async def tell_polls(arguments: argparse.Namespace, control: SimulatorControl) -> None:
    """Status calls by the simulator's own record."""
    times: defaultdict[str | None, list[float]] = defaultdict(list)
    for request in await control.requests(call="poll_videos"):
        times[request.account].append(request.at)
    polls = sum(len(each) for each in times.values())
    gaps = [b - a for each in times.values() for a, b in zip(sorted(each), sorted(each)[1:], strict=False)]
    expected = arguments.accounts / arguments.videos * arguments.seconds / INTERVAL_S
    print(
        f"status calls: {polls} in all, {polls / arguments.videos:.3f} a video (1.5 x = {1.5 * expected:.3f}), "
        f"shortest pause for one account {min(gaps, default=0):.2f} s"
    )
    resting = [one for one in await control.accounts() if one.running_jobs]
    print(f"accounts with jobs left at the simulator: {len(resting)}")


async def main() -> None:
    """Build everything, run, tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=1000)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--accounts", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=30.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        upstream = simulator(place / "upstream", arguments.accounts, video_s=arguments.seconds, record_limit=200_000)
        with upstream, gateway(place / "gateway", upstream) as running:
            print(machine())
            async with SimulatorControl(upstream.ready["base_url"]) as control:
                await run(arguments, running, control)
            print(f"simulator: {counters(upstream)['submits']} submits")
            listed = json.loads(running.run("accounts", "list", "--json"))
            rows = listed["accounts"] if isinstance(listed, dict) else listed
            print(f"accounts by status: {dict(Counter(row['status'] for row in rows))}")


if __name__ == "__main__":
    asyncio.run(main())

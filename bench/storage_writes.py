"""What the two durable writes of a picture cost: its row before the submit, its end with one media after it.

    python bench/storage_writes.py [--requests 4000] [--at-once 16] [--rounds 5]

CPU is that of the whole process, divided by the requests; the least of the rounds counts, for others use the machine, too.
"""

import argparse
import asyncio
import base64
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from flow2api.adapters.persistence import SqlStorage, open_url
from flow2api.adapters.vault import AesGcmCipher, KeyRing, KeySource
from flow2api.domain.generation import Generation, Phase, State
from flow2api.domain.media import Media, MediaKind, MediaRole
from flow2api.domain.secret import Secret


class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass(frozen=True)
class Round:
    cpu_ms: float
    per_second: float
    p50_ms: float
    p99_ms: float


def begun(number: str) -> Generation:
    now = datetime.now(UTC)
    return Generation(
        id=f"gen_{number}",
        key_id=1,
        kind=MediaKind.IMAGE,
        model="picture-model",
        spec_name="picture-model-landscape",
        prompt="A lighthouse on a cliff at dusk, long exposure, the beam just above the horizon " * 2,
        created_at=now,
        group_id=f"req_{number}",
        door="images",
        state=State.RUNNING,
        phase=Phase.SUBMITTING,
        account_id=7,
        workspace="5f2b8c1e-0d0a-4f6b-9f59-5f0a4b3a9d11",
        started_at=now,
        owner="bench",
        lease_until=now + timedelta(seconds=45),
        attempts=1,
    )


def result_of(generation: Generation) -> Media:
    return Media(
        id=f"med_{generation.id}",
        key_id=generation.key_id,
        kind=MediaKind.IMAGE,
        role=MediaRole.RESULT,
        content_type="image/png",
        size_bytes=1_400_000,
        sha256=os.urandom(32).hex(),
        created_at=generation.created_at,
        expires_at=generation.created_at + timedelta(days=7),
        width=1344,
        height=768,
        generation_id=generation.id,
        prompt=generation.prompt,
        model=generation.model,
        account_id=generation.account_id,
        workspace=generation.workspace,
        upstream_name=f"name-{generation.id}",
    )


Request = tuple[Generation, Generation, Media]


def prepared(number: str) -> Request:
    """What is written for one request; made beforehand, for it is not the storage's work."""
    generation = begun(number)
    media = result_of(generation)
    return generation, generation.completed((media.id,), datetime.now(UTC), media.expires_at), media


async def one_request(storage: SqlStorage, request: Request) -> float:
    generation, ended, media = request
    started = time.perf_counter()
    await storage.generations.add([generation])
    assert await storage.generations.save(ended, [media])
    return (time.perf_counter() - started) * 1000


async def one_round(storage: SqlStorage, name: str, requests: int, at_once: int) -> Round:
    waiting = iter([prepared(f"{name}_{number:08}") for number in range(requests)])
    spans: list[float] = []

    async def client() -> None:
        spans.extend([await one_request(storage, request) for request in waiting])

    cpu, wall = time.process_time(), time.perf_counter()
    async with asyncio.TaskGroup() as clients:
        for _ in range(at_once):
            clients.create_task(client())
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    quantiles = statistics.quantiles(spans, n=100)
    return Round(cpu / requests * 1000, requests / wall, quantiles[49], quantiles[98])


async def measure(requests: int, at_once: int, rounds: int) -> None:
    key = Secret(base64.urlsafe_b64encode(os.urandom(32)).decode())
    with tempfile.TemporaryDirectory() as folder:
        cipher = AesGcmCipher(KeyRing(KeySource(key, None, Path(folder, "unused"))))
        storage = open_url(f"sqlite:///{folder}/bench.db", cipher, WallClock())
        await storage.open()
        await one_round(storage, "warm", 200, at_once)
        done = [await one_round(storage, f"r{number}", requests, at_once) for number in range(rounds)]
        await storage.aclose()
    best = min(done, key=lambda each: each.cpu_ms)
    print(f"two durable writes, {at_once} at once, {requests} requests, best of {rounds} rounds:")
    print(f"  {best.cpu_ms:.3f} CPU-ms a request, {best.per_second:,.0f} requests/s")
    print(f"  both writes p50 {best.p50_ms:.1f} ms, p99 {best.p99_ms:.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--at-once", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    asyncio.run(measure(arguments.requests, arguments.at_once, arguments.rounds))


if __name__ == "__main__":
    main()

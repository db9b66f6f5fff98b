"""``GET /v1/models`` with the key check beside a fixed JSON answer of the framework, in turns (row 4), and start to first
answer with 1,000 accounts and the memory of an idle process (rows 14 and 16).

python bench/models.py [--rounds 5] [--requests 4000]
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from client import load, median, request_bytes
from process_costs import cpu_ms, own_memory_kb, threads
from stage import gateway, machine, pid_of, served, simulator


async def cost_ms(url: str, pid: int, request: bytes, count: int) -> float:
    """CPU milliseconds of the server for one request, 16 at once."""
    before = cpu_ms(pid)
    spans = await load(url, request, count=count, at_once=16)
    if spans.failed:
        raise SystemExit(f"{spans.failed} of {count} requests to {url} were refused")
    return (cpu_ms(pid) - before) / count


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=4000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        with (
            simulator(place / "upstream", 1000) as upstream,
            gateway(place / "gateway", upstream) as running,
            served("fixed_json.py", place) as (fixed_url, fixed),
        ):
            print(machine())
            ours = request_bytes("GET", f"{running.url}/v1/models", headers={"authorization": f"Bearer {running.key}"})
            theirs = request_bytes("GET", f"{fixed_url}/v1/models", headers={})
            ratios = []
            for _ in range(arguments.rounds):
                floor = asyncio.run(cost_ms(fixed_url, pid_of(fixed), theirs, arguments.requests))
                cost = asyncio.run(cost_ms(running.url, pid_of(running), ours, arguments.requests))
                ratios.append(cost / floor)
                print(f"fixed JSON {floor:.3f} CPU-ms, /v1/models {cost:.3f} CPU-ms, ratio {cost / floor:.2f}")
            print(f"ratio, median: {median(ratios):.2f}")
            print(f"idle with 1,000 accounts: {own_memory_kb(pid_of(running)) / 1024:.0f} MB, {threads(pid_of(running))} threads")
            running.stop()
            began = time.monotonic()
            running.start()
            running.wait_until_ready()
            print(f"start to first answer, 1,000 accounts: {time.monotonic() - began:.2f} s")


if __name__ == "__main__":
    main()

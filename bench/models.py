"""What ``GET /v1/models`` with its key check costs, beside Litestar's fixed JSON answer, in turns (row 4).

python bench/models.py [--rounds 7] [--requests 4000] [--at-once 16]
"""

import argparse
import sys
import tempfile
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parents[1]))

from client import load, median, quantile, request_bytes
from figures import Figure
from process_costs import cpu_ms
from stage import gateway, machine, pid_of, served, simulator


async def compare(rounds: int, requests: int, at_once: int, servers: list[tuple[str, int, bytes]]) -> Figure:
    """The ratio of the second server's cost to the first one's."""
    costs: dict[str, list[float]] = {url: [] for url, _, _ in servers}
    latencies: dict[str, list[float]] = {url: [] for url, _, _ in servers}
    for url, _, request in servers:
        await load(url, request, count=500, at_once=at_once)
    for _ in range(rounds):
        for url, pid, request in servers:
            before = cpu_ms(pid)
            spans = await load(url, request, count=requests, at_once=at_once)
            assert not spans.failed, f"{spans.failed} requests failed"
            costs[url].append((cpu_ms(pid) - before) / requests)
            latencies[url] += spans.total_ms
    fixed, ours = (costs[url] for url, _, _ in servers)
    ratio = median([mine / other for mine, other in zip(ours, fixed, strict=True)])
    for name, (url, _, _) in zip(("fixed JSON", "gateway"), servers, strict=True):
        print(
            f"{name:12} {median(costs[url]):.3f} CPU-ms   p50 {median(latencies[url]):.2f}"
            f" p99 {quantile(latencies[url], 0.99):.2f} ms"
        )
    return Figure(
        "4", "`GET /v1/models` with the key check", "2.5 x fixed JSON", "1.5 x", f"{ratio:.2f} x", ratio <= 2.5
    )


def measure(rounds: int = 7, requests: int = 4000, at_once: int = 16) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="flow2api-bench-") as name:
        folder = Path(name)
        with simulator(folder, 1) as upstream, served("fixed_json.py", folder) as (fixed_url, fixed):
            with gateway(folder / "gateway", upstream) as ours:
                headers = {"authorization": f"Bearer {ours.key}"}
                servers = [
                    (fixed_url, pid_of(fixed), request_bytes("GET", f"{fixed_url}/v1/models")),
                    (ours.url, pid_of(ours), request_bytes("GET", f"{ours.url}/v1/models", headers=headers)),
                ]
                return [uvloop.run(compare(rounds, requests, at_once, servers))]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--at-once", type=int, default=16)
    arguments = parser.parse_args()
    print(machine())
    for figure in measure(arguments.rounds, arguments.requests, arguments.at_once):
        print(figure)


if __name__ == "__main__":
    main()

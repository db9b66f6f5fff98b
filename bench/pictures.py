"""What one picture request costs the gateway, beside the floor app, in turns (rows 1, 2 and 5 of the budgets).

python bench/pictures.py [--rounds 5] [--requests 1200] [--at-once 16] [--accounts 10] [--many 10000] [--media small]

CPU is that of the server process and its children; the simulator and this client are other processes. Added latency is
against this client making the two upstream calls of a picture itself. ``--many 0`` leaves row 2 out.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parents[1]))

from client import Spans, connections, load, median, quantile
from direct_calls import DirectCalls
from process_costs import cpu_ms
from stage import gateway, machine, picture_request, pid_of, served, simulator

ONE_BY_ONE = 150


@dataclass(slots=True)
class Server:
    """One of the servers that take turns."""

    name: str
    url: str
    pid: int
    key: str = ""
    cpu: dict[bool, list[float]] = field(default_factory=lambda: {False: [], True: []})
    crowded: dict[bool, Spans] = field(default_factory=lambda: {False: Spans(), True: Spans()})
    alone: dict[bool, Spans] = field(default_factory=lambda: {False: Spans(), True: Spans()})

    async def take_turn(self, requests: int, at_once: int, *, stream: bool) -> None:
        """One round of load."""
        request = picture_request(self.url, self.key, stream=stream)
        before = cpu_ms(self.pid)
        spans = await load(self.url, request, count=requests, at_once=at_once)
        self.cpu[stream].append((cpu_ms(self.pid) - before) / requests)
        _collect(self.crowded[stream], spans)

    async def take_turn_alone(self, *, stream: bool) -> None:
        """Some requests one after the other."""
        request = picture_request(self.url, self.key, stream=stream)
        _collect(self.alone[stream], await load(self.url, request, count=ONE_BY_ONE, at_once=1))


def _collect(into: Spans, spans: Spans) -> None:
    into.first_ms += spans.first_ms
    into.total_ms += spans.total_ms
    into.failed += spans.failed


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the rounds' ratios."""
    return median([mine / other for mine, other in zip(ours, theirs, strict=True)])


async def compare(servers: Sequence[Server], direct: DirectCalls, rounds: int, requests: int, at_once: int) -> None:
    for server in servers:
        for stream in (False, True):
            await load(server.url, picture_request(server.url, server.key, stream=stream), count=200, at_once=at_once)
    for number in range(rounds):
        for stream in (False, True):
            for server in servers if number % 2 else reversed(servers):
                await server.take_turn(requests, at_once, stream=stream)
            for server in servers:
                await server.take_turn_alone(stream=stream)
        await direct.take_turn(ONE_BY_ONE)


def report(servers: Sequence[Server], direct: DirectCalls) -> None:
    floor = servers[0]
    print(f"direct calls, one by one: p50 {median(direct.total_ms):.2f} ms")
    for stream in (False, True):
        print("streamed" if stream else "JSON")
        for server in servers:
            crowded, alone = server.crowded[stream], server.alone[stream]
            print(
                f"  {server.name:22} {median(server.cpu[stream]):5.2f} CPU-ms"
                f"   ratio {ratio(server.cpu[stream], floor.cpu[stream]):4.2f}"
                f"   crowded p50 {median(crowded.total_ms):6.1f} p99 {quantile(crowded.total_ms, 0.99):6.1f} ms"
                f"   alone: added p50 {median(alone.total_ms) - median(direct.total_ms):5.2f} ms"
                f", first byte p50 {median(alone.first_ms):5.2f} ms"
                f" (ratio {median(alone.first_ms) / median(floor.alone[stream].first_ms):4.2f})"
                f"   failed {crowded.failed + alone.failed}"
            )
    if len(servers) > 2:
        few, many = servers[1], servers[2]
        both = [ratio(many.cpu[stream], few.cpu[stream]) for stream in (False, True)]
        print(f"row 2: many accounts cost {both[0]:.3f} (JSON), {both[1]:.3f} (streamed) of what few cost")


async def measure(arguments: argparse.Namespace, folder: Path) -> None:
    few = simulator(folder / "few-upstream", arguments.accounts, media=arguments.media)
    with few, served("floor_app.py", folder, str(few.ready_file)) as (floor_url, floor):
        with gateway(folder / "few", few) as ours:
            servers = [
                Server("floor app", floor_url, pid_of(floor)),
                Server(f"gateway, {arguments.accounts} accounts", ours.url, pid_of(ours), ours.key),
            ]
            direct = DirectCalls(few.ready, count=arguments.accounts)
            async with connections(few.ready["base_url"], 1) as (connection,):
                await direct.open(connection)
                if not arguments.many:
                    await compare(servers, direct, arguments.rounds, arguments.requests, arguments.at_once)
                    report(servers, direct)
                    return
                many = simulator(folder / "many-upstream", arguments.many, media=arguments.media)
                with many, gateway(folder / "many", many) as crowd:
                    servers.append(Server(f"gateway, {arguments.many} accounts", crowd.url, pid_of(crowd), crowd.key))
                    await compare(servers, direct, arguments.rounds, arguments.requests, arguments.at_once)
                    report(servers, direct)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=1200)
    parser.add_argument("--at-once", type=int, default=16)
    parser.add_argument("--accounts", type=int, default=10)
    parser.add_argument("--many", type=int, default=10_000)
    parser.add_argument("--media", choices=("small", "full"), default="small")
    arguments = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory(prefix="flow2api-bench-") as folder:
        uvloop.run(measure(arguments, Path(folder)))


if __name__ == "__main__":
    main()

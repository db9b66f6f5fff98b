"""What one picture request costs the gateway, beside the floor app, in turns (rows 1, 2 and 5).

python bench/pictures.py [--rounds 5] [--requests 1200] [--at-once 16] [--accounts 10] [--many 10000] [--media small]

CPU is that of the server process and its children; the simulator and this client are other processes. Added latency is
against this client making the two upstream calls of a picture itself. ``--many 0`` leaves row 2 out.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parents[1]))

from client import Spans, connections, load, median, quantile
from direct_calls import DirectCalls
from figures import Figure
from process_costs import cpu_ms
from stage import gateway, machine, picture_request, pid_of, served, simulator

from tests.e2e.processes import Simulator

ONE_BY_ONE = 150
WARM_UP = 300


@dataclass(slots=True)
class Server:
    """One of the servers that take turns, with what its rounds have cost.

    Attributes:
        cpu: CPU milliseconds of a request in each round.
        crowded: What requests took with others beside them.
        alone: What they took one after the other.
    """

    name: str
    url: str
    pid: int
    key: str = ""
    cpu: dict[bool, list[float]] = field(default_factory=lambda: {False: [], True: []})
    crowded: dict[bool, Spans] = field(default_factory=lambda: {False: Spans(), True: Spans()})
    alone: dict[bool, Spans] = field(default_factory=lambda: {False: Spans(), True: Spans()})

    async def warm_up(self, at_once: int) -> None:
        for stream in (False, True):
            await load(self.url, picture_request(self.url, self.key, stream=stream), count=WARM_UP, at_once=at_once)

    async def take_turn(self, requests: int, at_once: int, *, stream: bool) -> None:
        """One round of load."""
        request = picture_request(self.url, self.key, stream=stream)
        before = cpu_ms(self.pid)
        spans = await load(self.url, request, count=requests, at_once=at_once)
        self.cpu[stream].append((cpu_ms(self.pid) - before) / requests)
        self.crowded[stream].join(spans)

    async def take_turn_alone(self, *, stream: bool) -> None:
        """Some requests one after the other."""
        request = picture_request(self.url, self.key, stream=stream)
        self.alone[stream].join(await load(self.url, request, count=ONE_BY_ONE, at_once=1))


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the rounds' ratios."""
    return median([mine / other for mine, other in zip(ours, theirs, strict=True)])


async def compare(servers: Sequence[Server], upstream: Simulator, arguments: argparse.Namespace) -> DirectCalls:
    """Let the servers take turns, in changing order."""
    direct = DirectCalls(upstream.ready, count=arguments.accounts)
    for server in servers:
        await server.warm_up(arguments.at_once)
    async with connections(upstream.ready["base_url"], 1) as (connection,):
        await direct.open(connection)
        for number in range(arguments.rounds):
            in_order = servers if number % 2 else list(reversed(servers))
            for stream in (False, True):
                for server in in_order:
                    await server.take_turn(arguments.requests, arguments.at_once, stream=stream)
                for server in in_order:
                    await server.take_turn_alone(stream=stream)
            await direct.take_turn(ONE_BY_ONE)
    return direct


def tell(servers: Sequence[Server], direct: DirectCalls) -> None:
    """Print what was measured, in words."""
    print(f"direct calls, one by one: p50 {median(direct.total_ms):.2f} ms")
    for stream in (False, True):
        for server in servers:
            crowded, alone = server.crowded[stream], server.alone[stream]
            print(
                f"{'streamed' if stream else 'JSON':8} {server.name:24} {median(server.cpu[stream]):5.2f} CPU-ms,"
                f" crowded p50 {median(crowded.total_ms):5.1f} p99 {quantile(crowded.total_ms, 0.99):5.1f} ms,"
                f" alone p50 {median(alone.total_ms):5.2f} ms (added {median(alone.total_ms) - median(direct.total_ms):.2f}),"
                f" first byte {median(alone.first_ms):.2f} ms, failed {crowded.failed + alone.failed}"
            )


def figures(servers: Sequence[Server]) -> list[Figure]:
    """The rows of the budgets."""
    floor, few, *crowd = servers
    json, streamed = (ratio(few.cpu[stream], floor.cpu[stream]) for stream in (False, True))
    first = median(few.alone[True].first_ms) / median(floor.alone[True].first_ms)
    costs = f"{json:.2f} x JSON, {streamed:.2f} x streamed"
    found = [
        Figure(
            "1", "CPU of one picture request, 16 at once", "2.0 x floor app", "1.5 x", costs, max(json, streamed) <= 2
        )
    ]
    for many in crowd:
        json, streamed = (ratio(many.cpu[stream], few.cpu[stream]) for stream in (False, True))
        costs = f"{json:.2f} x JSON, {streamed:.2f} x streamed"
        found.append(
            Figure("2", f"the same with {many.name}", "1.1 x row 1", "1.03 x", costs, max(json, streamed) <= 1.1)
        )
    found.append(Figure("5", "first byte of a stream", "2 x floor app", "1.3 x", f"{first:.2f} x", first <= 2))
    return found  # fmt: skip


def measure(arguments: argparse.Namespace) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="flow2api-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        few = stack.enter_context(simulator(folder / "few-upstream", arguments.accounts, media=arguments.media))
        floor_url, floor = stack.enter_context(served("floor_app.py", folder, str(few.ready_file)))
        servers = [Server("floor app", floor_url, pid_of(floor)), _gateway(stack, folder / "few", few)]
        if arguments.many:
            many = stack.enter_context(simulator(folder / "many-upstream", arguments.many, media=arguments.media))
            servers.append(_gateway(stack, folder / "many", many))
        direct = uvloop.run(compare(servers, few, arguments))
        tell(servers, direct)
        return figures(servers)


def _gateway(stack: ExitStack, folder: Path, upstream: Simulator) -> Server:
    ours = stack.enter_context(gateway(folder, upstream))
    return Server(f"{len(upstream.ready['accounts']):,} accounts", ours.url, pid_of(ours), ours.key)


def parsed(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=1200)
    parser.add_argument("--at-once", type=int, default=16)
    parser.add_argument("--accounts", type=int, default=10)
    parser.add_argument("--many", type=int, default=10_000)
    parser.add_argument("--media", choices=("small", "full"), default="small")
    return parser.parse_args(words)


def main() -> None:
    print(machine())
    for figure in measure(parsed()):
        print(figure)


if __name__ == "__main__":
    main()

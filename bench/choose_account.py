"""What choosing an account costs, and the lease that goes with it, for small and large pools.

    python bench/choose_account.py [--sizes 10,1000,100000] [--rounds 20000] [--excluded 0]

Half of the accounts are busy; there are three plans, tags, two priorities and four weights. Every policy that is built in
chooses from the same pool. A lease is chosen, taken and given back, slots counted in memory. The last column is the cost
of the largest pool divided by that of the smallest: it should stay near 1.
"""

import argparse
import asyncio
import gc
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1]))

from flow2api.domain.account import Account, Capacity, Rest, RestReason, Tier
from flow2api.domain.catalog import LANDSCAPE, Mode, ModelSpec, Size
from flow2api.domain.lease import AccountPool
from flow2api.domain.media import MediaKind
from flow2api.domain.selection import Need, SelectionPolicy, Signature
from flow2api.plugins.coordination_memory import MemorySlots
from flow2api.plugins.policies import register_selection_policies

NOW = datetime.now(UTC)
PICTURE = ModelSpec(
    name="picture-model",
    upstream="flow",
    kind=MediaKind.IMAGE,
    mode=Mode.TEXT,
    line="picture-model",
    aspect_ratio=LANDSCAPE,
    size=Size(1376, 768),
)
NEED = Need(PICTURE)
SLOTS = 2


class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass(frozen=True)
class Cost:
    """Microseconds."""

    p50: float
    p99: float


def account(number: int, *, excluded: bool) -> Account:
    rest = Rest(RestReason.QUOTA, NOW, NOW + timedelta(hours=12), PICTURE.name)
    return Account(
        id=number,
        upstream="flow",
        name=f"account {number}",
        created_at=NOW,
        tier=Tier(number % 3),
        credits=number % 1000,
        capacity=Capacity(image=SLOTS, video=1),
        tags=frozenset({"eu"}) if number % 5 == 0 else frozenset(),
        weight=(1, 2, 5, 10)[number % 4],
        priority=number % 2,
        workspace="workspace",
        access_expires_at=NOW + timedelta(hours=24),
        access_obtained_at=NOW,
        rests=(rest,) if excluded else (),
    )


def kinds_of_requests() -> list[Signature]:
    tags = (None, "eu")
    return [Signature("flow", kind, tier, tag) for kind in MediaKind for tier in Tier for tag in tags]


async def half_busy_pool(size: int, *, excluded_percent: int = 0) -> AccountPool:
    """A pool in which every second account, by chance, has no free slot."""
    random = Random(size)
    pool = AccountPool(MemorySlots(), WallClock(), random)
    pool.prepare(kinds_of_requests())
    for number in range(1, size + 1):
        # Two of ten at least can serve, so that there is something to choose.
        pool.put(account(number, excluded=number > 2 and random.random() * 100 < excluded_percent))
    for number in range(3, size + 1):
        if random.random() < 0.5:
            for _ in range(SLOTS):
                await pool.take(number, MediaKind.IMAGE)
    return pool


def percentiles(samples: list[float]) -> Cost:
    cuts = statistics.quantiles(samples, n=100)
    return Cost(p50=cuts[49] * 1e6, p99=cuts[98] * 1e6)


def measure_choice(pool: AccountPool, policy: SelectionPolicy, rounds: int) -> Cost:
    """The choice alone, as the pool makes it: policy, fit of the model, exclusions."""
    samples = []
    for _ in range(rounds):
        begun = time.perf_counter()
        pool.choose(NEED, policy, ())
        samples.append(time.perf_counter() - begun)
    return percentiles(samples)


async def measure_lease(pool: AccountPool, policy: SelectionPolicy, rounds: int) -> Cost:
    """Choosing and taking; giving back is not counted."""
    samples = []
    for _ in range(rounds):
        begun = time.perf_counter()
        lease = await pool.acquire(NEED, policy)
        samples.append(time.perf_counter() - begun)
        await lease.release()
    return percentiles(samples)


async def measure(size: int, rounds: int, excluded_percent: int) -> dict[str, tuple[Cost, Cost]]:
    pool = await half_busy_pool(size, excluded_percent=excluded_percent)
    gc.collect()
    gc.freeze()
    costs = {}
    for named in register_selection_policies():
        policy = named.build()
        measure_choice(pool, policy, 200)
        costs[named.name] = (measure_choice(pool, policy, rounds), await measure_lease(pool, policy, rounds))
    gc.unfreeze()
    return costs


def ratio(
    costs: dict[int, dict[str, tuple[Cost, Cost]]], name: str, pick: Callable[[tuple[Cost, Cost]], Cost]
) -> float:
    return pick(costs[max(costs)][name]).p50 / pick(costs[min(costs)][name]).p50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="10,1000,100000")
    parser.add_argument("--rounds", type=int, default=20_000)
    parser.add_argument("--excluded", type=int, default=0, help="percent of the accounts that rest for the model")
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    costs = {size: asyncio.run(measure(size, options.rounds, options.excluded)) for size in sizes}
    print("choice | lease, in us, p50 / p99")
    print(f"{'policy':<22}" + "".join(f"{size:>30,}" for size in sizes) + f"{'ratio':>14}")
    for name in costs[sizes[0]]:
        cells = ""
        for size in sizes:
            choice, lease = costs[size][name]
            cells += f"{choice.p50:>9.1f} /{choice.p99:>5.1f} |{lease.p50:>5.1f} /{lease.p99:>5.1f}"
        chosen, leased = ratio(costs, name, lambda pair: pair[0]), ratio(costs, name, lambda pair: pair[1])
        print(f"{name:<22}{cells}{chosen:>8.1f} |{leased:>4.1f}")


if __name__ == "__main__":
    main()

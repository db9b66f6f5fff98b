"""``flow2api policies simulate``: a stored day, replayed under each policy."""

import asyncio
import functools
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import click

from flow2api.cli.context import Installation, json_option, opened_services, with_installation
from flow2api.cli.output import print_json, print_table
from flow2api.domain.guarded_policy import GuardedPolicy
from flow2api.domain.replay import Replay
from flow2api.domain.usecases.replay_requests import ReplayRequests
from flow2api.plugins.coordination_memory import MemorySlots


class _Day(click.ParamType[date]):
    name = "date"

    def convert(self, value: str | date, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no day; write it as 2026-11-23.", param, ctx)


@click.command("simulate")
@click.option("--day", type=_Day(), help="The day whose requests are replayed, in UTC.  [default: yesterday]")
@click.option("--policy", "names", multiple=True, help="A policy to try; may be given several times.  [default: all]")
@json_option
@with_installation
def simulate_policies(here: Installation, day: date | None, names: tuple[str, ...], as_json: bool) -> None:
    """Replay the requests of a stored day under each policy, and compare how long they wait and where they go.

    Nothing is sent to any service and nothing is written. Accounts are taken as they are now, rested; each request holds its
    account as long as it did on its day. Requests that were refused at once are not among them.

    JSON: {"day": "2026-11-22", "requests": 0, "policies": [{"policy": "random", "served": 0, "failures": {}, "waited": 0,
    "wait_p50_s": 0.0, "wait_p95_s": 0.0, "wait_max_s": 0.0, "accounts": 0, "used": 0, "most": 0, "least": 0,
    "gini": 0.0}]}.
    """
    known = here.extensions.policies
    for name in names:
        if name not in known:
            raise click.BadParameter(
                f"there is no policy {name!r}; there are {', '.join(sorted(known))}.", param_hint="--policy"
            )
    chosen = tuple(dict.fromkeys(names)) or tuple(sorted(known))
    day = day or datetime.now(UTC).date() - timedelta(days=1)
    replays = asyncio.run(_replayed(here, day, chosen))
    requests = replays[0].requests if replays else 0
    if as_json:
        print_json({"day": day, "requests": requests, "policies": replays if requests else []})
        return
    if not requests:
        click.echo(f"No generation was asked for on {day} (UTC); choose another day with --day.", err=True)
        return
    click.echo(f"{requests:,} requests of {day} (UTC), {replays[0].accounts:,} accounts.")
    print_table(
        ("POLICY", "SERVED", "FAILED", "WAITED", "WAIT P50", "WAIT P95", "LONGEST", "USED", "MOST", "LEAST", "GINI"),
        [_row(one) for one in replays],
        empty="No policy is registered.",
    )


async def _replayed(here: Installation, day: date, names: Sequence[str]) -> list[Replay]:
    start = datetime.combine(day, time(), UTC)
    replays: list[Replay] = []
    async with opened_services(here) as services:
        accounts = [account async for batch in services.storage.accounts.load() for account in batch]
        await services.authorize.load()
        tag_of = functools.cache(services.authorize.tag_of)
        for name in names:
            policy = GuardedPolicy(name, here.extensions.policies[name].build, services.clock.monotonic)
            replay = ReplayRequests(accounts, MemorySlots(), services.catalog, services.options(), tag_of, start)
            past = services.storage.past_requests.between(start, start + timedelta(days=1))
            replays.append(await replay(name, policy, past))
            if not replays[-1].requests:
                break
    return replays


def _row(one: Replay) -> tuple[object, ...]:
    waits = (f"{seconds:.1f} s" for seconds in (one.wait_p50_s, one.wait_p95_s, one.wait_max_s))
    failed = sum(one.failures.values())
    return (one.policy, one.served, failed, one.waited, *waits, one.used, one.most, one.least, f"{one.gini:.2f}")

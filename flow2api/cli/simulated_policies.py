"""``flow2api policies simulate``: a stored day, replayed under each policy."""

import asyncio
from collections.abc import Sequence
from datetime import date

import click

from flow2api.cli.context import Installation, json_option, opened_services, with_installation
from flow2api.cli.output import print_json, print_table
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.replay import Replay
from flow2api.domain.usecases.simulate_policies import check_policies


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
    try:
        check_policies(names, here.extensions.policies)
    except UnsupportedInputError as error:
        raise click.BadParameter(error.message, param_hint="--policy") from error
    day, replays = asyncio.run(_replayed(here, day, names))
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


async def _replayed(here: Installation, day: date | None, names: Sequence[str]) -> tuple[date, list[Replay]]:
    async with opened_services(here) as services:
        await services.authorize.load()
        return await services.simulate(day, names)


def _row(one: Replay) -> tuple[object, ...]:
    waits = (f"{seconds:.1f} s" for seconds in (one.wait_p50_s, one.wait_p95_s, one.wait_max_s))
    failed = sum(one.failures.values())
    return (one.policy, one.served, failed, one.waited, *waits, one.used, one.most, one.least, f"{one.gini:.2f}")

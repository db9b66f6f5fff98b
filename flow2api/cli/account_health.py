"""``flow2api accounts show``: how one account stands, and what it went through."""

import asyncio
from datetime import datetime

import click
import msgspec

from flow2api.adapters.system import SystemClock
from flow2api.cli.account_views import print_accounts
from flow2api.cli.context import Installation, json_option, opened_storage, with_installation
from flow2api.cli.output import print_json, print_table
from flow2api.documents.accounts import AccountView, EventView, RestView, account_view, event_view, rest_view
from flow2api.domain.account import Account
from flow2api.domain.health import HealthEvent
from flow2api.domain.ports.storage import Page
from flow2api.domain.usecases.diagnose_proxies import why_no_way
from flow2api.domain.usecases.manage_accounts import ManageAccounts
from flow2api.domain.usecases.read_timeline import ReadTimeline
from flow2api.settings import parse_options

EVENTS_SHOWN = 20


class HealthOut(msgspec.Struct, frozen=True, kw_only=True):
    """An account with its health as JSON.

    Attributes:
        streaks: Faults of its own in a row, by kind of call.
        events: The latest first.
        no_way: Why nothing is asked of it, whether it rests or not: no proxy that it may use works. Null while one does.
        next: What ``--before`` is to be given for the events behind these; null when there are no more.
    """

    account: AccountView
    no_way: str | None
    rests: tuple[RestView, ...]
    streaks: dict[str, int]
    events: tuple[EventView, ...]
    next: int | None


@click.command("show")
@click.argument("which")
@click.option(
    "--events", type=click.IntRange(1, 1000), default=EVENTS_SHOWN, show_default=True, help="How many events to show."
)
@click.option("--before", type=click.IntRange(min=1), help="Only events before the one with this number.")
@json_option
@with_installation
def show_account(here: Installation, which: str, events: int, before: int | None, as_json: bool) -> None:
    """Show how one account stands, why it rests, and what it went through lately.

    JSON: {"account": {...}, "no_way": null, "rests": [...], "streaks": {...}, "events": [...], "next": ...}.
    """
    now = SystemClock().now()
    account, page, no_way = asyncio.run(_read(here, which, events, before))
    health = _health_out(account, page, no_way, now)
    if as_json:
        print_json(health)
        return
    print_accounts([health.account])
    click.echo()
    print_table(
        ("RESTS FOR", "OF", "SINCE", "UNTIL", "WHY"),
        [(one.reason.replace("_", " "), _scope(one), one.since, _until(one), one.why) for one in health.rests],
        empty="It rests for no reason." if no_way is None else "It does not rest.",
    )
    if no_way is not None:
        click.echo(
            f"{no_way} Until then nothing is asked of it; `flow2api proxies test` tells what is wrong.", err=True
        )
    click.echo()
    print_table(
        ("NO", "AT", "WHAT", "REASON", "OF", "UNTIL", "CAUSE", "BY"),
        [
            (one.number, one.at, _words(one.kind), _words(one.reason), _scope(one), one.until, one.cause, one.by)
            for one in health.events
        ],
        empty="Nothing is known of what it went through.",
    )


async def _read(
    here: Installation, which: str, limit: int, before: int | None
) -> tuple[Account, Page[HealthEvent], str | None]:
    async with opened_storage(here) as (storage, _):
        account = await ManageAccounts(storage.accounts, storage.vault, SystemClock()).find(which)
        options = parse_options({**await storage.options.read(), **here.settings.options})
        no_way = await why_no_way(storage, options, account)
        timeline = ReadTimeline(storage.accounts, storage.health)
        return account, await timeline.page(account.id, before=before, limit=limit), no_way


def _health_out(account: Account, page: Page[HealthEvent], no_way: str | None, now: datetime) -> HealthOut:
    return HealthOut(
        account=account_view(account, now),
        no_way=no_way,
        rests=tuple(rest_view(rest, now) for rest in account.rests),
        streaks={"any" if one.call is None else one.call.value: one.faults for one in account.streaks},
        events=tuple(event_view(event) for event in page.items),
        next=page.items[-1].number if page.has_more else None,
    )


def _scope(one: RestView | EventView) -> str | None:
    return " ".join(part for part in (one.call, one.model) if part) or None


def _until(one: RestView) -> datetime | str | None:
    return one.until if one.holds else "over"


def _words(name: str | None) -> str | None:
    return None if name is None else name.replace("_", " ")

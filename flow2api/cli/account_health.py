"""``flow2api accounts show``: how one account stands, and what it went through."""

import asyncio
from datetime import datetime

import click
import msgspec

from flow2api.adapters.system import SystemClock
from flow2api.cli.account_views import AccountOut, account_out, print_accounts
from flow2api.cli.context import Installation, json_option, opened_storage, with_installation
from flow2api.cli.output import print_json, print_table
from flow2api.domain.account import Account, Rest
from flow2api.domain.health import HealthEvent
from flow2api.domain.ports.storage import Page
from flow2api.domain.usecases.diagnose_proxies import why_no_way
from flow2api.domain.usecases.manage_accounts import ManageAccounts
from flow2api.domain.usecases.read_timeline import ReadTimeline
from flow2api.settings import parse_options

EVENTS_SHOWN = 20


class RestOut(msgspec.Struct, frozen=True, kw_only=True):
    """One reason for rest as JSON.

    Attributes:
        until: When it ends by itself; null when only its cure lifts it.
        model: The model that it is limited to; null for every model. The same for ``call`` and kinds of call.
        holds: Whether it keeps the account from work now; one that is over tells how long the next one would be.
    """

    reason: str
    since: datetime
    until: datetime | None
    model: str | None
    call: str | None
    why: str
    step: int
    holds: bool


class EventOut(msgspec.Struct, frozen=True, kw_only=True):
    """One event of an account's timeline as JSON."""

    number: int
    at: datetime
    kind: str
    reason: str | None
    model: str | None
    call: str | None
    until: datetime | None
    cause: str
    by: str


class HealthOut(msgspec.Struct, frozen=True, kw_only=True):
    """An account with its health as JSON.

    Attributes:
        streaks: Faults of its own in a row, by kind of call.
        events: The latest first.
        no_way: Why nothing is asked of it, whether it rests or not: no proxy that it may use works. Null while one does.
        next: What ``--before`` is to be given for the events behind these; null when there are no more.
    """

    account: AccountOut
    no_way: str | None
    rests: tuple[RestOut, ...]
    streaks: dict[str, int]
    events: tuple[EventOut, ...]
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
        account=account_out(account, now),
        no_way=no_way,
        rests=tuple(_rest_out(rest, now) for rest in account.rests),
        streaks={"any" if one.call is None else one.call.value: one.faults for one in account.streaks},
        events=tuple(_event_out(event) for event in page.items),
        next=page.items[-1].number if page.has_more else None,
    )


def _rest_out(rest: Rest, now: datetime) -> RestOut:
    return RestOut(
        reason=rest.reason.value,
        since=rest.since,
        until=rest.until,
        model=rest.model,
        call=None if rest.call is None else rest.call.value,
        why=rest.why,
        step=rest.step,
        holds=rest.holds(now),
    )


def _event_out(event: HealthEvent) -> EventOut:
    return EventOut(
        number=event.number,
        at=event.at,
        kind=event.kind.value,
        reason=None if event.reason is None else event.reason.value,
        model=event.model,
        call=None if event.call is None else event.call.value,
        until=event.until,
        cause=event.cause,
        by=event.by,
    )


def _scope(one: RestOut | EventOut) -> str | None:
    return " ".join(part for part in (one.call, one.model) if part) or None


def _until(one: RestOut) -> datetime | str | None:
    return one.until if one.holds else "over"


def _words(name: str | None) -> str | None:
    return None if name is None else name.replace("_", " ")

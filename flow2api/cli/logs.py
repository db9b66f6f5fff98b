"""``flow2api logs``."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

import click

from flow2api.cli.context import Installation, json_option, with_installation
from flow2api.cli.failures import Failure
from flow2api.cli.moments import Moment, moment_of
from flow2api.cli.output import print_json, print_table
from flow2api.cli.records import Records, opened_records
from flow2api.cli.tables import printable, render_facts
from flow2api.domain.request_log import COLUMNS, STATES, FileForm, LogFilter, LoggedRequest, LogPosition, as_json_line
from flow2api.domain.usecases.read_request_log import LARGEST_PAGE

_HEADINGS = (
    "NUMBER",
    "TIME",
    "STATE",
    "STATUS",
    "CODE",
    "MODEL",
    "DOOR",
    "KEY",
    "ACCOUNT",
    "TRIES",
    "WAITED",
    "TOOK",
    "ID",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What was said on the command line."""

    since: str | None
    until: str | None
    key: str | None
    account: str | None
    model: str | None
    state: str | None
    code: str | None
    text: str | None


@click.command()
@click.option("--since", type=Moment(), help="From then on: 90m, 2h, 3d (ago), 2026-11-23, 2026-11-23T18:30.")
@click.option("--until", type=Moment(), help="Before then.")
@click.option("--key", help="Of the key with this id or name.")
@click.option("--account", help="Of the account with this id, e-mail address or name.")
@click.option("--model", help="Of this model, by its full name.")
@click.option("--state", type=click.Choice(STATES), help="That ended so.")
@click.option("--code", help="With this error code.")
@click.option("--id", "text", help="Whose request id or generation id begins so.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many at most.")
@click.option("--number", type=int, help="One line whole, with what was sent if that was kept.")
@click.option("--follow", is_flag=True, help="Show lines as they are written, until Ctrl-C.")
@click.option("--export", type=click.Choice(["csv", "jsonl"]), help="Write all of them, as a file.")
@json_option
@with_installation
def logs(
    here: Installation,
    /,
    limit: int,
    number: int | None,
    follow: bool,
    export: FileForm | None,
    as_json: bool,
    **asked: str | None,
) -> None:
    """Show the request log, newest first: generations that have ended, and requests that were refused.

    JSON: {"lines": [...], "has_more": false}; with --follow and with --export jsonl one object in each line.
    """
    if sum((follow, number is not None, export is not None)) > 1:
        raise click.UsageError("Say only one of --follow, --number and --export.")
    wanted = _Asked(**asked)
    if number is not None:
        asyncio.run(_one(here, number, as_json=as_json))
    elif follow:
        asyncio.run(_follow(here, wanted, as_json=as_json))
    elif export is not None:
        asyncio.run(_export(here, wanted, export))
    else:
        asyncio.run(_page(here, wanted, limit, as_json=as_json))


async def _page(here: Installation, asked: _Asked, limit: int, *, as_json: bool) -> None:
    lines: list[LoggedRequest] = []
    before: LogPosition | None = None
    async with opened_records(here) as records:
        wanted, zone = await _filter(records, asked), records.recording.zone()
        while True:
            page = await records.recording.log.page(wanted, before=before, limit=min(limit - len(lines), LARGEST_PAGE))
            lines += page.items
            if not page.has_more or len(lines) >= limit:
                break
            before = LogPosition(lines[-1].at, lines[-1].number)
        names = {} if as_json else await records.key_names()
    if as_json:
        print_json({"lines": [_shown(line) for line in lines], "has_more": page.has_more})
        return
    print_table(_HEADINGS, [_cells(line, names, zone) for line in lines], empty="The request log has no such line.")


async def _one(here: Installation, number: int, *, as_json: bool) -> None:
    async with opened_records(here) as records:
        line = await records.recording.log.get(number)
    if line is None:
        raise Failure(f"The request log has no line {number} any more, or not yet.")
    if as_json:
        print_json(_shown(line, whole=True))
    else:
        click.echo(render_facts([(name.replace("_", " "), value) for name, value in _shown(line, whole=True).items()]))


async def _follow(here: Installation, asked: _Asked, *, as_json: bool) -> None:
    async with opened_records(here) as records:
        wanted, zone = await _filter(records, asked), records.recording.zone()
        async for line in records.recording.log.follow(wanted):
            click.echo(as_json_line(line).rstrip("\n") if as_json else _sentence(line, zone))


async def _export(here: Installation, asked: _Asked, form: FileForm) -> None:
    async with opened_records(here) as records:
        wanted = await _filter(records, asked)
        async for piece in records.recording.log.export(wanted, form):
            click.echo(piece.encode(), nl=False)


async def _filter(records: Records, asked: _Asked) -> LogFilter:
    now, zone = records.clock.now(), records.recording.zone()
    return LogFilter(
        since=None if asked.since is None else moment_of(asked.since, now, zone),
        until=None if asked.until is None else moment_of(asked.until, now, zone),
        key_id=await records.key_id(asked.key),
        account_id=await records.account_id(asked.account),
        model=asked.model,
        state=asked.state,
        code=asked.code,
        text=asked.text,
    )


def _shown(line: LoggedRequest, *, whole: bool = False) -> dict[str, Any]:
    names = (*COLUMNS, "body") if whole else COLUMNS
    return {name: getattr(line, name) for name in names}


def _cells(line: LoggedRequest, keys: Mapping[int, str], zone: tzinfo) -> tuple[object, ...]:
    return (
        line.number,
        _time(line, zone),
        line.state,
        line.status,
        line.code,
        line.model,
        line.door,
        None if line.key_id is None else keys.get(line.key_id, line.key_id),
        line.account_id,
        line.attempts,
        _seconds(line.waited_ms),
        _seconds(line.duration_ms),
        line.generation_id or line.request_id,
    )


def _sentence(line: LoggedRequest, zone: tzinfo) -> str:
    parts = [_time(line, zone), line.state, line.status, line.code, line.model, line.door]
    parts += [f"key {line.key_id or '-'}", f"account {line.account_id or '-'}", _seconds(line.duration_ms)]
    parts += [line.generation_id or line.request_id, line.message]
    return printable("  ".join(str(part) for part in parts if part))


def _time(line: LoggedRequest, zone: tzinfo) -> str:
    return f"{line.at.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _seconds(ms: int) -> str:
    return f"{ms / 1000:.1f} s"

"""``flow2api import-legacy``."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import click

from flow2api.adapters.legacy import SqliteLegacyFile
from flow2api.adapters.system import SystemClock
from flow2api.cli.context import Installation, json_option, opened_storage, with_installation
from flow2api.cli.output import print_json, print_table, progress
from flow2api.cli.whoever import whoever
from flow2api.domain.legacy import LegacyReport
from flow2api.domain.usecases.import_legacy import ImportLegacy
from flow2api.domain.usecases.inherit_settings import InheritSettings
from flow2api.domain.usecases.manage_proxies import ManageProxies
from flow2api.settings import parse_options


@click.command("import-legacy")
@click.argument("path", type=click.Path(path_type=Path))
@json_option
@with_installation
def import_legacy(here: Installation, path: Path, as_json: bool) -> None:
    """Bring accounts, projects, statistics, tasks, logs and settings over from the old server's file (data/flow.db).

    The file is only read, also while the old server is running. A second run brings what is new since. An account that
    is here already keeps what it has here; only an ended session gets the file's session token. An option that is set here stays, too.

    JSON: {"tables": {"tokens": {"rows": 3, "added": 2, "known": 0, "skipped": [{"reason": "...", "rows": 1,
    "examples": ["3"]}]}}, "notes": ["..."]}.
    """
    report = asyncio.run(_bring_over(here, path))
    if as_json:
        print_json({"tables": {name: _table_out(report, name) for name in report.tables}, "notes": report.notes})
        return
    print_table(
        ("TABLE", "ROWS", "BROUGHT OVER", "HERE ALREADY", "SKIPPED"),
        [
            (name, f"{table.rows:,}", f"{table.added:,}", f"{table.known:,}", f"{sum(table.skipped.values()):,}")
            for name, table in report.tables.items()
        ],
        empty="The file has no tables.",
    )
    for name, table in report.tables.items():
        for reason, rows in table.skipped.items():
            ids = ", ".join(table.examples[reason])
            click.echo(f"{name}: {rows:,} skipped{f' ({ids})' if ids else ''}: {reason}", err=True)
    for note in report.notes:
        click.echo(note, err=True)


async def _bring_over(here: Installation, path: Path) -> LegacyReport:
    file = SqliteLegacyFile(path)
    await file.open()
    try:
        async with opened_storage(here) as (storage, vault):
            options = parse_options({**await storage.options.read(), **here.settings.options})
            bring_over = ImportLegacy(
                storage.accounts,
                storage.vault,
                storage.inheritance,
                vault.cipher,
                SystemClock(),
                log_kept=timedelta(days=options.log_days) if options.log_days else None,
                actor=whoever(),
                settings=InheritSettings(
                    storage.options,
                    ManageProxies(storage.proxies, storage.accounts, SystemClock()),
                    SystemClock(),
                    whoever(),
                    parse=parse_options,
                    fixed=here.settings.options,
                ),
            )
            with _Bars() as bars:
                return await bring_over(file, bars)
    finally:
        await file.aclose()


def _table_out(report: LegacyReport, name: str) -> dict[str, object]:
    table = report.tables[name]
    skipped = [
        {"reason": reason, "rows": rows, "examples": table.examples[reason]} for reason, rows in table.skipped.items()
    ]
    return {"rows": table.rows, "added": table.added, "known": table.known, "skipped": skipped}


class _Bars(ExitStack):
    """Shows how far it is with each table, one after another."""

    def __init__(self) -> None:
        super().__init__()
        self._table = ""
        self._show: Callable[[int], None] = lambda done: None

    def __call__(self, table: str, done: int, total: int) -> None:
        if table != self._table:
            self.close()
            self._table, self._show = table, self.enter_context(progress(f"Read {table}:", total))
        self._show(done)

"""``flow2api accounts import``."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace

import click

from flow2api.adapters.account_files.formats import AUTO, FORMATS, JSON, format_of, read_accounts
from flow2api.adapters.account_files.rows import MOST_BYTES
from flow2api.adapters.system import SystemClock
from flow2api.adapters.vault.passphrase import open_document, read_sealed
from flow2api.app.backends import credential_kinds
from flow2api.cli.context import Installation, json_option, opened_storage, with_installation
from flow2api.cli.failures import EXIT_FAILED, Failure
from flow2api.cli.inputs import read_bytes, read_passphrase
from flow2api.cli.output import print_json, progress
from flow2api.cli.whoever import whoever
from flow2api.domain.health import HealthKind
from flow2api.domain.quantity import counted
from flow2api.domain.usecases.import_accounts import ImportAccounts, ImportedAccount, ImportReport
from flow2api.domain.usecases.manage_proxies import ManageProxies
from flow2api.domain.usecases.tell_health import ToldAccounts, ToldVault

_TOLD = 20


@click.command("import")
@click.argument("file")
@click.option("--passphrase-file", metavar="FILE", help="For an encrypted export; without it the terminal asks.")
@click.option("--format", "form", type=click.Choice(FORMATS), default=AUTO, show_default=True, help="The form of FILE.")
@click.option("--proxy", help="The proxy or pool that they use: a name, direct, or global for what the option says.")
@json_option
@with_installation
def import_accounts(
    here: Installation, file: str, passphrase_file: str | None, form: str, proxy: str | None, as_json: bool
) -> None:
    """Store the accounts of FILE (- reads standard input) without calling anybody; a running server warms them.

    FILE is JSON: {"tokens": [{"session_token": ..., "upstream": "flow", "email": ..., "is_active": true, "image_enabled": true,
    "video_enabled": true, "image_concurrency": -1, "video_concurrency": 2}, ...]} or the list alone; a table (CSV) whose
    first line names these columns; lines of a session token each, with its address if you like; or an encrypted
    export: 100,000 rows and 256 MiB at most. Accounts of other upstreams have api_key, or api_key and base_url, in place
    of session_token. An account that is known by its session token, API key or address is renewed. A bad row never stops
    the others; if there was one, the exit code is 1.

    JSON: {"added": 0, "updated": 0, "unchanged": 0, "errors": [{"row": 1, "problem": "..."}]}; in a table and among
    lines, the row is the line of the file.
    """
    data = read_bytes(file, MOST_BYTES * 3 // 2, "The file")  # an encrypted one is larger by a third
    document = read_sealed(data)
    if document is not None:
        data = open_document(document, read_passphrase(passphrase_file, is_new=False))
    if len(data) > MOST_BYTES:
        raise Failure(f"The file is larger than {MOST_BYTES // 1024:,} KiB; split it.")
    if not data or data.isspace():
        raise Failure("The file is empty.")
    form = format_of(data) if form == AUTO else form
    unit = "row" if form == JSON else "line"
    report = asyncio.run(
        _store(here, read_accounts(data, form, credential_kinds(here.settings, here.extensions)), proxy, unit)
    )
    if as_json:
        errors = [{"row": row, "problem": problem} for row, problem in report.errors]
        print_json({"added": report.added, "updated": report.updated, "unchanged": report.unchanged, "errors": errors})
    else:
        _tell(report, unit)
    if report.errors:
        sys.exit(EXIT_FAILED)


async def _store(
    here: Installation, rows: Sequence[ImportedAccount | str | None], proxy: str | None, unit: str
) -> ImportReport:
    async with opened_storage(here) as (storage, _):
        if proxy is not None:
            await ManageProxies(storage.proxies, storage.accounts, SystemClock()).meant_by(proxy)
            rows = [replace(row, proxy=proxy) if isinstance(row, ImportedAccount) else row for row in rows]
        with progress("Stored", len(rows)) as show:
            clock = SystemClock()
            accounts = ToldAccounts(storage.accounts, storage.health, clock, added_as=HealthKind.IMPORTED)
            kinds = credential_kinds(here.settings, here.extensions)
            vault = ToldVault(storage.vault, storage.health, clock, kinds=kinds)
            return await ImportAccounts(accounts, vault, clock, unit=unit, kinds=kinds)(rows, show, actor=whoever())


def _tell(report: ImportReport, unit: str) -> None:
    click.echo(f"Added {report.added:,}, updated {report.updated:,}, unchanged {report.unchanged:,}.")
    if not report.errors:
        return
    click.echo(f"{counted(len(report.errors), unit)} could not be used:", err=True)
    for row, problem in report.errors[:_TOLD]:
        click.echo(f"  {unit} {row}: {problem}", err=True)
    if len(report.errors) > _TOLD:
        click.echo("  … and more; --json tells all.", err=True)

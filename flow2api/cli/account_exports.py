"""``flow2api accounts export``."""

import asyncio
import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from flow2api.adapters.account_files.formats import CSV, JSON
from flow2api.adapters.account_files.rows import compose_rows
from flow2api.adapters.account_files.tables import write_table
from flow2api.adapters.system import SystemClock
from flow2api.adapters.vault.passphrase import seal_document
from flow2api.app.backends import credential_kinds
from flow2api.cli.context import Installation, opened_storage, with_installation
from flow2api.cli.failures import Failure
from flow2api.cli.inputs import STDIN, read_passphrase
from flow2api.cli.output import progress
from flow2api.cli.whoever import whoever
from flow2api.domain.account import Account, Credentials
from flow2api.domain.audit import AuditAction, AuditEntry
from flow2api.domain.quantity import counted
from flow2api.domain.usecases.manage_accounts import ManageAccounts


@click.command("export")
@click.argument("file", default=STDIN)
@click.option("--plain", is_flag=True, help="Leave the secrets readable. Whoever has the file has the accounts.")
@click.option("--passphrase-file", metavar="FILE", help="What to encrypt under; without it the terminal asks.")
@click.option(
    "--format", "form", type=click.Choice((JSON, CSV)), default=JSON, show_default=True, help="Inside, or plain."
)
@with_installation
def export_accounts(here: Installation, file: str, plain: bool, passphrase_file: str | None, form: str) -> None:
    """Write all accounts with their session tokens and API keys into FILE, or to standard output, in a form that import takes.

    It is encrypted under a passphrase unless you say --plain. FILE must not exist, and only you may read it afterwards.
    """
    if plain and passphrase_file is not None:
        raise click.UsageError("--plain and --passphrase-file exclude each other.")
    if file != STDIN and Path(file).exists():
        raise Failure(f"There is a file {file} already; choose another name.")
    passphrase = None if plain else read_passphrase(passphrase_file, is_new=True)
    kept = asyncio.run(_collect(here, is_plain=plain))
    kinds = credential_kinds(here.settings, here.extensions)
    data = compose_rows(kept, kinds) + b"\n" if form == JSON else write_table(kept, kinds)
    if passphrase is not None:
        data = seal_document(data, passphrase) + b"\n"
    if file == STDIN:
        sys.stdout.buffer.write(data)
        return
    _write(Path(file), data)
    click.echo(
        f"Wrote {counted(len(kept), 'account')} into {file}{', in plain text' if plain else ', encrypted'}.", err=True
    )


async def _collect(here: Installation, *, is_plain: bool) -> Sequence[tuple[Account, Credentials]]:
    kept = []
    async with opened_storage(here) as (storage, _):
        clock = SystemClock()
        manage = ManageAccounts(storage.accounts, storage.vault, clock)
        accounts = await manage.all()
        with progress("Read", len(accounts)) as show:
            for done, account in enumerate(accounts, 1):
                credentials = await manage.secrets_of(account)
                if credentials is not None:
                    kept.append((account, credentials))
                show(done)
        entry = AuditEntry(
            at=clock.now(),
            actor=whoever(),
            action=AuditAction.ACCOUNTS_EXPORTED,
            details={"accounts": len(kept), "is_plain": is_plain},
        )
        await storage.audit_log.note(entry)  # before anything is written: what is not put down does not happen
    return kept


def _write(path: Path, data: bytes) -> None:
    """A new file, whole or not there, that only its owner may read."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(opened.fileno())
        draft.rename(path)
    except OSError as error:
        raise Failure(f"The file {path} cannot be written: {error.strerror}.") from error
    finally:
        draft.unlink(missing_ok=True)

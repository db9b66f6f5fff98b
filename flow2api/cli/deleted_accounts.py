"""``flow2api accounts deleted`` and ``restore``."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import click

from flow2api.adapters.system import SystemClock
from flow2api.cli.account_views import print_accounts
from flow2api.cli.context import Installation, json_option, opened_storage, with_installation
from flow2api.cli.failures import Failure
from flow2api.cli.output import print_json, print_table
from flow2api.cli.whoever import whoever
from flow2api.documents.accounts import account_view, deleted_account_view
from flow2api.domain.account import Account
from flow2api.domain.trash import DeletedAccount
from flow2api.domain.usecases.delete_accounts import RestoreAccounts, trash_of


@click.command("deleted")
@json_option
@with_installation
def list_deleted(here: Installation, as_json: bool) -> None:
    """Show the accounts that were deleted within a day and can be brought back. JSON: {"accounts": [...]}."""
    shown = [deleted_account_view(one) for one in asyncio.run(_all(here))]
    if as_json:
        print_json({"accounts": shown})
        return
    print_table(
        ("ID", "NAME", "UPSTREAM", "E-MAIL", "TAGS", "DELETED", "BY", "KEPT UNTIL"),
        [
            (one.id, one.name, one.upstream, one.email, one.tags, one.deleted_at, one.deleted_by, one.kept_until)
            for one in shown
        ],
        empty="No deleted account can be brought back.",
    )


@click.command()
@click.argument("which")
@json_option
@with_installation
def restore(here: Installation, which: str, as_json: bool) -> None:
    """Bring a deleted account back as it was, under its id. A running server takes it in at once. JSON: the account.

    It stays deleted while another account signs in with the same address or secret.
    """
    shown = account_view(asyncio.run(_restore(here, which)), SystemClock().now())
    if as_json:
        print_json(shown)
        return
    click.echo(f"Brought the account {shown.id} back.")
    print_accounts([shown])


async def _all(here: Installation) -> Sequence[DeletedAccount]:
    async with _opened(here) as accounts:
        return await accounts.all()


async def _restore(here: Installation, which: str) -> Account:
    async with _opened(here) as accounts:
        return await accounts((await accounts.find(which)).account.id, whoever())


@asynccontextmanager
async def _opened(here: Installation) -> AsyncIterator[RestoreAccounts]:
    async with opened_storage(here) as (storage, _):
        accounts = RestoreAccounts(None, storage.accounts, storage.vault, trash_of(storage), SystemClock())
        if not accounts.keeps_deleted:
            raise Failure("The storage keeps no deleted accounts; what is removed there is gone at once.")
        yield accounts

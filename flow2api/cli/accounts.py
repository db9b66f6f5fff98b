"""``flow2api accounts``."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from difflib import get_close_matches
from typing import TypeVar

import click

from flow2api.adapters.system import SystemClock
from flow2api.app.backends import credential_kinds
from flow2api.cli.account_changes import tag, untag, update
from flow2api.cli.account_exports import export_accounts
from flow2api.cli.account_health import show_account
from flow2api.cli.account_imports import import_accounts
from flow2api.cli.account_refreshes import refresh
from flow2api.cli.account_secrets import read_given, read_wanted, secret_options
from flow2api.cli.account_views import print_accounts
from flow2api.cli.context import Installation, json_option, opened_storage, with_installation
from flow2api.cli.deleted_accounts import list_deleted, restore
from flow2api.cli.failures import Failure
from flow2api.cli.inputs import confirm
from flow2api.cli.output import print_json
from flow2api.cli.whoever import whoever
from flow2api.documents.accounts import account_view
from flow2api.domain.account import Account, AccountStatus, Capacity
from flow2api.domain.ports.storage import Storage
from flow2api.domain.usecases.delete_accounts import trash_of
from flow2api.domain.usecases.manage_accounts import ManageAccounts, NewAccount
from flow2api.domain.usecases.manage_proxies import ManageProxies
from flow2api.domain.usecases.tell_health import ToldAccounts

T = TypeVar("T")

_slots = click.IntRange(min=0)


@click.group()
def accounts() -> None:
    """The accounts that generate. WHICH is an id, an e-mail address or a name."""


@accounts.command("list")
@click.option(
    "--status", type=click.Choice([status.value for status in AccountStatus]), help="Only those that stand so."
)
@click.option("--tag", help="Only those with this tag.")
@json_option
@with_installation
def list_accounts(here: Installation, status: str | None, tag: str | None, as_json: bool) -> None:
    """Show the accounts and how they stand. JSON: {"accounts": [...]}."""
    now = SystemClock().now()
    shown = [
        account_view(account, now)
        for account in asyncio.run(_managed(here, ManageAccounts.all))
        if status in (None, account.status(now)) and (tag is None or tag in account.tags)
    ]
    if as_json:
        print_json({"accounts": shown})
    else:
        print_accounts(shown)


@accounts.command()
@click.option("--upstream", default="flow", show_default=True, help="The service that the account is of.")
@secret_options
@click.option("--name", default="", help="What to call it; without one its e-mail address, once that is known.")
@click.option("--email", help="Its address, as far as you know it; the upstream tells it anyway.")
@click.option("--remark", default="", help="A note for yourself.")
@click.option("--tag", "tags", multiple=True, help="A word by which keys can be limited to accounts; may be repeated.")
@click.option("--image-slots", type=_slots, help="Pictures at once; 0 switches them off.  [default: no limit]")
@click.option("--video-slots", type=_slots, help="Videos at once; 0 switches them off.  [default: no limit]")
@click.option("--proxy", help="The proxy or pool that it uses: a name, or direct.  [default: what the option says]")
@json_option
@with_installation
def add(
    here: Installation,
    upstream: str,
    session_token_file: str | None,
    api_key_file: str | None,
    base_url: str | None,
    name: str,
    email: str | None,
    remark: str,
    tags: tuple[str, ...],
    image_slots: int | None,
    video_slots: int | None,
    proxy: str | None,
    as_json: bool,
) -> None:
    """Add one account. A running server takes it in and warms it by itself. JSON: the account.

    What it signs in with depends on its upstream: a session token, an API key, or an API key and a base URL.
    """
    if upstream not in here.extensions.upstreams:
        near = get_close_matches(upstream, here.extensions.upstreams, n=1)
        hint = f" Did you mean {near[0]}?" if near else f" There is {', '.join(sorted(here.extensions.upstreams))}."
        raise Failure(f"There is no upstream {upstream!r}.{hint}")
    secret, served_at = read_wanted(here, upstream, read_given(session_token_file, api_key_file, base_url))
    new = NewAccount(
        session_token=secret,
        upstream=upstream,
        base_url=served_at,
        name=name.strip(),
        email=email,
        remark=remark,
        capacity=Capacity(image_slots, video_slots),
        tags=frozenset(tags),
    )
    _tell(asyncio.run(_add(here, new, proxy)), "Added", as_json=as_json)


@accounts.command()
@click.argument("which")
@json_option
@with_installation
def enable(here: Installation, which: str, as_json: bool) -> None:
    """Let an account work again that you have switched off, or that the upstream called unusable. JSON: the account."""
    _tell(asyncio.run(_switch(here, which, enabled=True)), "Enabled", as_json=as_json)


@accounts.command()
@click.argument("which")
@json_option
@with_installation
def disable(here: Installation, which: str, as_json: bool) -> None:
    """Let an account do nothing new until you enable it. JSON: the account."""
    _tell(asyncio.run(_switch(here, which, enabled=False)), "Disabled", as_json=as_json)


@accounts.command()
@click.argument("which")
@click.option("--yes", is_flag=True, help="Don't ask.")
@json_option
@with_installation
def remove(here: Installation, which: str, yes: bool, as_json: bool) -> None:
    """Delete an account; what it made stays. It can be brought back for 24 hours. JSON: the account as it was."""
    account = asyncio.run(_managed(here, lambda manage: manage.find(which)))
    confirm(f"Remove the account {account.id} ({account.name or account.email or 'without a name'})?", is_sure=yes)
    asyncio.run(_managed(here, lambda manage: manage.remove(account, whoever())))
    _tell(account, "Removed", as_json=as_json)


for command in (list_deleted, restore, show_account, update, tag, untag, import_accounts, export_accounts, refresh):
    accounts.add_command(command)


async def _add(here: Installation, new: NewAccount, proxy: str | None) -> Account:
    async with opened_storage(here) as (storage, _):
        if proxy is not None:
            named = ManageProxies(storage.proxies, storage.accounts, SystemClock())
            new = replace(new, proxy=await named.meant_by(proxy))
        return await _manage(here, storage).add(new, whoever())


async def _managed(here: Installation, use: Callable[[ManageAccounts], Awaitable[T]]) -> T:
    async with opened_storage(here) as (storage, _):
        return await use(_manage(here, storage))


def _manage(here: Installation, storage: Storage) -> ManageAccounts:
    clock = SystemClock()
    accounts = ToldAccounts(storage.accounts, storage.health, clock)
    return ManageAccounts(
        accounts, storage.vault, clock, credential_kinds(here.settings, here.extensions), trash_of(storage)
    )


async def _switch(here: Installation, which: str, *, enabled: bool) -> Account:
    async def carry_out(manage: ManageAccounts) -> Account:
        return await manage.set_enabled(await manage.find(which), enabled=enabled, actor=whoever())

    return await _managed(here, carry_out)


def _tell(account: Account, done: str, *, as_json: bool) -> None:
    shown = account_view(account, SystemClock().now())
    if as_json:
        print_json(shown)
    else:
        click.echo(f"{done} the account {shown.id}.")
        print_accounts([shown])

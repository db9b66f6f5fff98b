"""``flow2api operator``."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

import click
import msgspec

from flow2api.adapters.system import SystemClock
from flow2api.adapters.vault import Argon2Passphrases, ZxcvbnMeter
from flow2api.cli.context import Installation, json_option, opened_storage, with_installation
from flow2api.cli.inputs import read_passphrase
from flow2api.cli.output import print_json, print_table
from flow2api.cli.setup_url import setup_url
from flow2api.cli.whoever import whoever
from flow2api.documents.operators import operator_view
from flow2api.domain.audit import AuditAction, AuditEntry
from flow2api.domain.operator import Operator, Role
from flow2api.domain.ports.storage import Storage
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.drop_second_factor import DropSecondFactor
from flow2api.domain.usecases.manage_operators import DEFAULT_NAME, ManageOperators
from flow2api.domain.usecases.offer_setup import OfferSetup

T = TypeVar("T")

_ARTICLES = {Role.OWNER: "an", Role.OPERATOR: "an", Role.VIEWER: "a"}

_passphrase_option = click.option(
    "--passphrase-file",
    metavar="FILE",
    help="What holds the new passphrase, - for standard input; without it the terminal asks twice.",
)


class SetupCodeOut(msgspec.Struct, frozen=True, kw_only=True):
    """A setup code as JSON."""

    code: str
    expires_at: datetime
    url: str


@click.group()
def operator() -> None:
    """The people who may sign in to run this server."""


@operator.command("list")
@json_option
@with_installation
def list_operators(here: Installation, as_json: bool) -> None:
    """Show the operators. JSON: {"operators": [...]}."""
    shown = [operator_view(one) for one in asyncio.run(_managed(here, ManageOperators.all))]
    if as_json:
        print_json({"operators": shown})
        return
    print_table(
        ("ID", "NAME", "ROLE", "CREATED", "PASSPHRASE SET"),
        [(one.id, one.name, one.role, one.created_at, one.passphrase_changed_at) for one in shown],
        empty="There are no operators; `flow2api operator create` makes one.",
    )


@operator.command()
@click.option("--name", default=DEFAULT_NAME, show_default=True, help="The name to sign in with.")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default=Role.OPERATOR.value,
    show_default=True,
    help="Viewers read, operators change accounts and options, owners also see secrets and set keys and proxies.",
)
@_passphrase_option
@json_option
@with_installation
def create(here: Installation, name: str, role: str, passphrase_file: str | None, as_json: bool) -> None:
    """Make an operator. The first one owns the server, whatever the role says.

    The passphrase has 12 to 128 characters, and is not one of those that everybody would try.

    JSON: {"id": 1, "name": "operator", "role": "owner", "created_at": "...", "passphrase_changed_at": "..."}.
    """
    passphrase = read_passphrase(passphrase_file, is_new=True)
    entry = _entry(AuditAction.OPERATOR_CREATED)
    made = asyncio.run(_managed(here, lambda manage: manage.create(name, passphrase, Role(role), entry)))
    if as_json:
        print_json(operator_view(made))
    else:
        click.echo(f"Made the {made.role.value} {made.name!r} (id {made.id}).")


@operator.command("reset-password")
@click.argument("which", required=False)
@_passphrase_option
@json_option
@with_installation
def reset_password(here: Installation, which: str | None, passphrase_file: str | None, as_json: bool) -> None:
    """Give the operator of this name or id a new passphrase, and end every session begun with the old one.

    WHICH may be left out while there is only one operator.

    JSON: the operator.
    """
    passphrase = read_passphrase(passphrase_file, is_new=True)
    entry = _entry(AuditAction.PASSPHRASE_CHANGED)
    changed = asyncio.run(_managed(here, lambda manage: manage.reset(which, passphrase, entry)))
    if as_json:
        print_json(operator_view(changed))
    else:
        click.echo(f"{changed.name!r} (id {changed.id}) has a new passphrase.")


@operator.command("set-role")
@click.argument("which")
@click.argument("role", type=click.Choice([role.value for role in Role]))
@json_option
@with_installation
def set_role(here: Installation, which: str, role: str, as_json: bool) -> None:
    """Give the operator of this name or id another role. Sessions go on, and may what the role may.

    The last owner stays one: make another operator an owner first.

    JSON: the operator.
    """
    entry = _entry(AuditAction.ROLE_CHANGED)
    changed = asyncio.run(_managed(here, lambda manage: manage.set_role(which, Role(role), entry)))
    if as_json:
        print_json(operator_view(changed))
    else:
        click.echo(f"{changed.name!r} (id {changed.id}) is {_ARTICLES[changed.role]} {changed.role.value}.")


@operator.command("sign-out")
@click.argument("which")
@json_option
@with_installation
def sign_out(here: Installation, which: str, as_json: bool) -> None:
    """End every session of the operator of this name or id, as when a device is lost. The passphrase stays.

    JSON: the operator.
    """
    entry = _entry(AuditAction.SESSIONS_ENDED)
    changed = asyncio.run(_managed(here, lambda manage: manage.sign_out(which, entry)))
    if as_json:
        print_json(operator_view(changed))
    else:
        click.echo(f"Every session of {changed.name!r} (id {changed.id}) has ended.")


@operator.command("disable-totp")
@click.argument("which", required=False)
@json_option
@with_installation
def disable_totp(here: Installation, which: str | None, as_json: bool) -> None:
    """Let the operator of this name or id sign in without a code, as when phone and recovery codes are lost.

    WHICH may be left out while there is only one operator. The passphrase stays, and so do the sessions.

    JSON: the operator.
    """
    changed, had_one = asyncio.run(_second_factor_dropped(here, which))
    if as_json:
        print_json(operator_view(changed))
    elif had_one:
        click.echo(f"{changed.name!r} (id {changed.id}) signs in without a code from now on.")
    else:
        click.echo(f"{changed.name!r} (id {changed.id}) has no second factor; nothing was changed.")


@operator.command("setup-code")
@json_option
@with_installation
def setup_code(here: Installation, as_json: bool) -> None:
    """Print a code by which the first operator sets himself up in the browser, at /setup.

    It is good once, and for 15 minutes. Once there is an operator there are no more codes.

    JSON: {"code": "...", "expires_at": "...", "url": "http://127.0.0.1:8000/setup"}.
    """
    code, expires_at = asyncio.run(_offered_code(here))
    url = setup_url(here.settings)
    if as_json:
        print_json(SetupCodeOut(code=code.reveal(), expires_at=expires_at, url=url))
    else:
        click.echo(
            f"Open {url} and set up the server with this code, which is good for 15 minutes:\n\n  {code.reveal()}"
        )


@operator.command()
@click.argument("which")
@json_option
@with_installation
def remove(here: Installation, which: str, as_json: bool) -> None:
    """Forget the operator of this name or id, and end his sessions. What he did stays in the audit log.

    The last owner stays: make another operator an owner first.

    JSON: the operator.
    """
    entry = _entry(AuditAction.OPERATOR_REMOVED)
    gone = asyncio.run(_managed(here, lambda manage: manage.remove(which, entry)))
    if as_json:
        print_json(operator_view(gone))
    else:
        click.echo(f"Removed the {gone.role.value} {gone.name!r} (id {gone.id}); every session of theirs has ended.")


def _entry(action: AuditAction) -> AuditEntry:
    return AuditEntry(at=SystemClock().now(), actor=whoever(), action=action)


async def _second_factor_dropped(here: Installation, which: str | None) -> tuple[Operator, bool]:
    async with opened_storage(here) as (storage, _):
        drop = DropSecondFactor(_manage(storage), storage.second_factors)
        return await drop(which, _entry(AuditAction.SECOND_FACTOR_REMOVED))


async def _offered_code(here: Installation) -> tuple[Secret, datetime]:
    async with opened_storage(here) as (storage, vault):
        offer = OfferSetup(storage.operators, storage.setup_codes, vault.cipher, SystemClock())
        return await offer(audit=_entry(AuditAction.SETUP_CODE_MADE))


def _manage(storage: Storage) -> ManageOperators:
    return ManageOperators(storage.operators, Argon2Passphrases(), ZxcvbnMeter(), SystemClock())


async def _managed(here: Installation, use: Callable[[ManageOperators], Awaitable[T]]) -> T:
    async with opened_storage(here) as (storage, _):
        return await use(_manage(storage))

"""``flow2api keys``."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

import click
import msgspec

from flow2api.adapters.system import SystemClock
from flow2api.cli.context import Installation, json_option, opened_storage, with_installation
from flow2api.cli.output import print_json, print_table
from flow2api.cli.whoever import whoever
from flow2api.domain.api_key import ApiKey
from flow2api.domain.usecases.manage_keys import ManageKeys

T = TypeVar("T")


class KeyOut(msgspec.Struct, frozen=True, kw_only=True):
    """A key as JSON, without the key itself.

    Attributes:
        prefix: Its first characters, to recognise it by.
        tag: It may only use accounts with this tag; null for all.
        profile: How answers are written for its client; null as the option `response_profile` says.
    """

    id: int
    name: str
    prefix: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    tag: str | None
    profile: str | None


@click.group()
def keys() -> None:
    """The keys to the API."""


@keys.command("list")
@json_option
@with_installation
def list_keys(here: Installation, as_json: bool) -> None:
    """Show the keys, revoked ones included. JSON: {"keys": [...]}."""
    shown = [_key_out(key) for key in asyncio.run(_managed(here, ManageKeys.all))]
    if as_json:
        print_json({"keys": shown})
        return
    print_table(
        ("ID", "NAME", "BEGINS WITH", "STATE", "TAG", "CREATED", "LAST USED"),
        [
            (
                one.id,
                one.name,
                one.prefix,
                "revoked" if one.revoked_at else "active",
                one.tag,
                one.created_at,
                one.last_used_at,
            )
            for one in shown
        ],
        empty="There are no keys; `flow2api keys create` makes one.",
    )


@keys.command()
@click.option("--name", help="What to call it.  [default: key 1, key 2, ...]")
@click.option("--tag", help="It may use only accounts with this tag.  [default: all accounts]")
@click.option("--profile", help="The response profile of its client.  [default: what the option says]")
@json_option
@with_installation
def create(here: Installation, name: str | None, tag: str | None, profile: str | None, as_json: bool) -> None:
    """Make a key. It works at once, and this is the only time that it is shown.

    The key stands alone on standard output, so that KEY=$(flow2api keys create) works.

    JSON: {"key": "f2a_...", "id": 1, "name": "key 1", "tag": null, "profile": null}.
    """
    creating = _managed(here, lambda manage: manage.create(name, tag=tag, profile=profile, actor=whoever()))
    key, text = asyncio.run(creating)
    if as_json:
        print_json({"key": text.reveal(), "id": key.id, "name": key.name, "tag": key.tag, "profile": key.profile})
        return
    click.echo(f"Made {key.name!r} (id {key.id}). Keep it now: it is not shown again.", err=True)
    click.echo(text.reveal())


@keys.command()
@click.argument("which")
@click.option("--name", help="What to call it from now on.")
@click.option("--tag", help="It may use only accounts with this tag; an empty one lets it use all.")
@click.option("--profile", help="The response profile of its client; an empty one for what the option says.")
@json_option
@with_installation
def update(
    here: Installation, which: str, name: str | None, tag: str | None, profile: str | None, as_json: bool
) -> None:
    """Give the key of this name or id another name, tag or profile; a running server takes it in at once. JSON: the key."""
    if name is None and tag is None and profile is None:
        raise click.UsageError("Say what is to be changed: --name, --tag, --profile.")
    changing = _managed(here, lambda manage: manage.update(which, name=name, tag=tag, profile=profile, actor=whoever()))
    key = asyncio.run(changing)
    if as_json:
        print_json(_key_out(key))
    else:
        bound = f"accounts tagged {key.tag!r}" if key.tag else "all accounts"
        click.echo(f"Changed {key.name!r} (id {key.id}): it may use {bound}.")


@keys.command()
@click.argument("which")
@json_option
@with_installation
def revoke(here: Installation, which: str, as_json: bool) -> None:
    """Let the key of this name or id open nothing any more. JSON: the key."""
    key = asyncio.run(_managed(here, lambda manage: manage.revoke(which, whoever())))
    if as_json:
        print_json(_key_out(key))
    else:
        click.echo(f"Revoked {key.name!r} (id {key.id}).")


async def _managed(here: Installation, use: Callable[[ManageKeys], Awaitable[T]]) -> T:
    async with opened_storage(here) as (storage, vault):
        return await use(ManageKeys(storage.api_keys, vault.cipher, SystemClock(), here.extensions.profiles))


def _key_out(key: ApiKey) -> KeyOut:
    return KeyOut(
        id=key.id,
        name=key.name,
        prefix=key.prefix,
        created_at=key.created_at,
        last_used_at=key.last_used_at,
        revoked_at=key.revoked_at,
        tag=key.tag,
        profile=key.profile,
    )

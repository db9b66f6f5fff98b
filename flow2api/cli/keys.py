"""``flow2api keys``."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import click
import msgspec

from flow2api.adapters.system import SystemClock
from flow2api.cli.context import Installation, json_option, opened_storage, with_installation
from flow2api.cli.key_rules import RulesChange, rules_options
from flow2api.cli.output import print_json, print_table
from flow2api.cli.whoever import whoever
from flow2api.documents.keys import key_view
from flow2api.domain.api_key import ApiKey
from flow2api.domain.key_rules import NO_RULES
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.manage_keys import ManageKeys

T = TypeVar("T")


@click.group()
def keys() -> None:
    """The keys to the API."""


@keys.command("list")
@json_option
@with_installation
def list_keys(here: Installation, as_json: bool) -> None:
    """Show the keys, revoked ones included. JSON: {"keys": [...]}."""
    known, now = asyncio.run(_managed(here, ManageKeys.all)), SystemClock().now()
    shown = [key_view(key) for key in known]
    if as_json:
        print_json({"keys": shown})
        return
    print_table(
        ("ID", "NAME", "BEGINS WITH", "STATE", "TAG", "CREATED", "LAST USED", "EXPIRES"),
        [
            (
                one.id,
                one.name,
                one.prefix,
                "revoked" if one.revoked_at else "active" if key.opens(now) else "expired",
                one.tag,
                one.created_at,
                one.last_used_at,
                one.expires_at,
            )
            for key, one in zip(known, shown, strict=True)
        ],
        empty="There are no keys; `flow2api keys create` makes one.",
    )


@keys.command()
@click.option("--name", help="What to call it.  [default: key 1, key 2, ...]")
@click.option("--tag", help="It may use only accounts with this tag.  [default: all accounts]")
@click.option("--profile", help="The response profile of its client.  [default: what the option says]")
@rules_options
@json_option
@with_installation
def create(
    here: Installation,
    name: str | None,
    tag: str | None,
    profile: str | None,
    change: RulesChange | None,
    as_json: bool,
) -> None:
    """Make a key. It works at once, and this is the only time that it is shown.

    The key stands alone on standard output, so that KEY=$(flow2api keys create) works.

    JSON: {"key": "f2a_...", "id": 1, "name": "key 1", "tag": null, "profile": null, "scopes": [...], ...}.
    """
    rules = NO_RULES if change is None else change(NO_RULES)
    creating = _managed(
        here, lambda manage: manage.create(name, tag=tag, profile=profile, rules=rules, actor=whoever())
    )
    _show(*asyncio.run(creating), as_json=as_json)


@keys.command()
@click.argument("which")
@click.option("--overlap-hours", type=float, help="How long the former one goes on.  [default: until it is revoked]")
@json_option
@with_installation
def rotate(here: Installation, which: str, overlap_hours: float | None, as_json: bool) -> None:
    """Make a new key in the place of the one of this name or id, and show it this once.

    It has the same name, tag, profile and limits. The former one is called "NAME (old)" and goes on until it is revoked or
    its hours are over, so that clients can be moved one by one.

    JSON: as of create.
    """
    overlap = None if overlap_hours is None else _hours(overlap_hours)
    rotating = _managed(here, lambda manage: manage.rotate(which, whoever(), overlap=overlap))
    _show(*asyncio.run(rotating), as_json=as_json)


@keys.command()
@click.argument("which")
@click.option("--name", help="What to call it from now on.")
@click.option("--tag", help="It may use only accounts with this tag; an empty one lets it use all.")
@click.option("--profile", help="The response profile of its client; an empty one for what the option says.")
@rules_options
@json_option
@with_installation
def update(
    here: Installation,
    which: str,
    name: str | None,
    tag: str | None,
    profile: str | None,
    change: RulesChange | None,
    as_json: bool,
) -> None:
    """Change the key of this name or id; what is not named stays, and a running server takes it in at once. JSON: the key."""
    if name is None and tag is None and profile is None and change is None:
        raise click.UsageError("Say what is to be changed: --name, --tag, --profile, or what it may do.")

    async def changed(manage: ManageKeys) -> ApiKey:
        seen = await manage.active(which)
        rules = None if change is None else change(seen.rules)
        return await manage.update(which, name=name, tag=tag, profile=profile, rules=rules, actor=whoever(), seen=seen)

    key = asyncio.run(_managed(here, changed))
    if as_json:
        print_json(key_view(key))
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
        print_json(key_view(key))
    else:
        click.echo(f"Revoked {key.name!r} (id {key.id}).")


async def _managed(here: Installation, use: Callable[[ManageKeys], Awaitable[T]]) -> T:
    async with opened_storage(here) as (storage, vault):
        return await use(ManageKeys(storage.api_keys, vault.cipher, SystemClock(), here.extensions.profiles))


def _show(key: ApiKey, text: Secret, *, as_json: bool) -> None:
    if as_json:
        told = msgspec.structs.asdict(key_view(key))
        left_out = ("prefix", "created_at", "last_used_at", "revoked_at")
        print_json({"key": text.reveal(), **{name: value for name, value in told.items() if name not in left_out}})
        return
    click.echo(f"Made {key.name!r} (id {key.id}). Keep it now: it is not shown again.", err=True)
    click.echo(text.reveal())


def _hours(number: float) -> timedelta:
    try:
        return timedelta(hours=number)
    except (OverflowError, ValueError):
        raise click.UsageError("--overlap-hours takes a number of hours.") from None

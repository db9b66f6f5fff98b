"""``flow2api notify``."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click

from flow2api.adapters.system import SystemClock
from flow2api.cli.context import Installation, json_option, opened_storage, with_installation
from flow2api.cli.failures import EXIT_FAILED
from flow2api.cli.inputs import ask_secret
from flow2api.cli.output import print_json, print_table
from flow2api.cli.whoever import whoever
from flow2api.documents.notify_targets import target_view
from flow2api.domain.usecases.manage_notify_targets import ManageNotifyTargets

T = TypeVar("T")


@click.group()
def notify() -> None:
    """Where you are written to when something needs care."""


@notify.command("list")
@json_option
@with_installation
def list_targets(here: Installation, as_json: bool) -> None:
    """Show the notify targets, without their addresses. JSON: {"targets": [...]}."""
    shown = [target_view(target) for target in asyncio.run(_managed(here, ManageNotifyTargets.all))]
    if as_json:
        print_json({"targets": shown})
        return
    print_table(
        ("ID", "NAME", "SERVICE", "LAST SENT", "LAST FAILED", "ERROR"),
        [(one.id, one.name, one.service, one.sent_at, one.failed_at, one.error) for one in shown],
        empty="Nobody is written to; `flow2api notify add` adds a place.",
    )


@notify.command()
@click.argument("name")
@click.option(
    "--url-file",
    metavar="FILE",
    help="The file that holds the Apprise URL; - reads standard input.  [default: asked for on the terminal]",
)
@json_option
@with_installation
def add(here: Installation, name: str, url_file: str | None, as_json: bool) -> None:
    """Write to this place from now on; the running server does so at once.

    The address is an Apprise URL, such as tgram://BOT_TOKEN/CHAT_ID. It is kept sealed and never shown.

    JSON: the target.
    """
    url = ask_secret(url_file, "Apprise URL", "--url-file")
    target = asyncio.run(_managed(here, lambda manage: manage.add(name, url, whoever())))
    if as_json:
        print_json(target_view(target))
    else:
        click.echo(f"Added {target.name!r} ({target.service}). `flow2api notify test` writes to it now.")


@notify.command()
@click.argument("which", required=False)
@json_option
@with_installation
def test(here: Installation, which: str | None, as_json: bool) -> None:
    """Write a message to the target of this name or id, or to all, and say what came of it.

    JSON: {"results": [{"name": "phone", "error": null}]}. Exit code 1 when one did not get there.
    """
    results = asyncio.run(_managed(here, lambda manage: manage.test(which)))
    if as_json:
        print_json({"results": [{"name": target.name, "error": error} for target, error in results]})
    else:
        print_table(
            ("NAME", "SERVICE", "RESULT"),
            [(target.name, target.service, f"failed: {error}" if error else "sent") for target, error in results],
            empty="Nobody is written to; `flow2api notify add` adds a place.",
        )
    if any(error for _, error in results):
        raise click.exceptions.Exit(EXIT_FAILED)


@notify.command()
@click.argument("which")
@json_option
@with_installation
def remove(here: Installation, which: str, as_json: bool) -> None:
    """Write no more to the target of this name or id. JSON: the target."""
    target = asyncio.run(_managed(here, lambda manage: manage.remove(which, whoever())))
    if as_json:
        print_json(target_view(target))
    else:
        click.echo(f"Removed {target.name!r}.")


async def _managed(here: Installation, use: Callable[[ManageNotifyTargets], Awaitable[T]]) -> T:
    async with opened_storage(here) as (storage, _):
        from flow2api.app.telling import build_notify_targets  # noqa: PLC0415 - libcurl is for those who call somebody

        return await use(build_notify_targets(storage, SystemClock()))

"""``flow2api webhooks``."""

import asyncio

import click

from flow2api.cli.context import Installation, json_option, opened_storage, with_installation
from flow2api.cli.failures import EXIT_FAILED, Failure
from flow2api.cli.inputs import STDIN, ask_secret, read_secret
from flow2api.cli.managed_webhooks import key_id_of, managed, manager_of
from flow2api.cli.output import print_json, print_table
from flow2api.cli.webhook_changes import rotate_secret, update
from flow2api.cli.webhook_views import state_of
from flow2api.cli.whoever import whoever
from flow2api.documents.webhooks import delivery_view, webhook_view
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.manage_webhooks import LARGEST_PAGE, ManageWebhooks
from flow2api.domain.webhook import SUBSCRIBABLE, Webhook


@click.group()
def webhooks() -> None:
    """Addresses that are told of events by signed messages."""


@webhooks.command("list")
@json_option
@with_installation
def list_webhooks(here: Installation, as_json: bool) -> None:
    """Show the webhooks. JSON: {"webhooks": [...]}."""
    shown = [webhook_view(webhook) for webhook in asyncio.run(managed(here, ManageWebhooks.all))]
    if as_json:
        print_json({"webhooks": shown})
        return
    print_table(
        ("ID", "NAME", "ADDRESS", "STATE", "KEY", "LAST DELIVERED", "EVENTS"),
        [(one.id, one.name, one.address, state_of(one), one.key_id, one.delivered_at, one.events) for one in shown],
        empty="There are no webhooks; `flow2api webhooks add` adds one.",
    )


@webhooks.command()
@click.argument("name")
@click.argument("url", required=False)
@click.option(
    "--url-file",
    metavar="FILE",
    help="The file that holds the URL, for one with a secret in it; - reads standard input.  [default: asked for on the "
    "terminal when there is no URL]",
)
@click.option(
    "--event",
    "events",
    multiple=True,
    metavar="EVENT",
    help=f"What to tell; may be given several times: {', '.join(kind.value for kind in SUBSCRIBABLE)}.  "
    "[default: ends of generations, accounts that need care or have recovered]",
)
@click.option("--key", help="Of generations, only those of the key with this id or name.")
@click.option("--secret-file", metavar="FILE", help="The file that holds a signing secret (whsec_...) that you have.")
@json_option
@with_installation
def add(
    here: Installation,
    name: str,
    url: str | None,
    url_file: str | None,
    events: tuple[str, ...],
    key: str | None,
    secret_file: str | None,
    as_json: bool,
) -> None:
    """Tell this address from now on; the running server does so at once.

    Other users of this machine can read command lines: give a URL that holds a secret by --url-file. The signing secret
    stands alone on standard output, and this is the only time that it is shown.

    JSON: {"secret": "whsec_...", "id": 1, "name": "shop"}.
    """
    if url == STDIN:
        url, url_file = None, STDIN
    if url is not None and url_file is not None:
        raise Failure("Give either the URL, or --url-file FILE (- reads standard input).")
    if url_file == secret_file == STDIN:
        raise Failure("Standard input holds one thing: give a file for the URL or for the secret.")
    address = ask_secret(url_file, "URL", "--url-file") if url is None else Secret(url)
    signing = None if secret_file is None else Secret(read_secret(secret_file, "The secret file"))

    async def adding() -> Webhook:
        async with opened_storage(here) as (storage, _):
            manage = await manager_of(here, storage)
            key_id = await key_id_of(storage, key)
            return await manage.add(name, address, whoever(), kinds=events, key_id=key_id, signing=signing)

    made = asyncio.run(adding())
    if as_json:
        print_json({"secret": made.signing.reveal(), "id": made.id, "name": made.name})
        return
    click.echo(f"Added {made.name!r} (id {made.id}). Keep the signing secret now: it is not shown again.", err=True)
    click.echo(made.signing.reveal())


@webhooks.command()
@click.argument("which")
@json_option
@with_installation
def test(here: Installation, which: str, as_json: bool) -> None:
    """Send a message `webhook.test` to the webhook of this name or id, once, and say what came of it.

    JSON: {"name": "shop", "status": 204, "error": ""}. Exit code 1 when it did not get through.
    """
    webhook, receipt = asyncio.run(managed(here, lambda manage: manage.test(which)))
    if as_json:
        print_json({"name": webhook.name, "status": receipt.answer, "error": receipt.error})
    elif receipt.is_good:
        click.echo(f"{webhook.name!r} took the message ({receipt.answer}).")
    if receipt.is_good:
        return
    if as_json:
        raise click.exceptions.Exit(EXIT_FAILED)
    raise Failure(f"The message to {webhook.name!r} did not get through: {receipt.error}.")


@webhooks.command()
@click.argument("which")
@json_option
@with_installation
def enable(here: Installation, which: str, as_json: bool) -> None:
    """Tell the webhook of this name or id again, after it was switched off. JSON: the webhook."""
    _switch(here, which, on=True, as_json=as_json)


@webhooks.command()
@click.argument("which")
@json_option
@with_installation
def disable(here: Installation, which: str, as_json: bool) -> None:
    """Tell the webhook of this name or id nothing, until it is enabled again. JSON: the webhook."""
    _switch(here, which, on=False, as_json=as_json)


@webhooks.command()
@click.argument("which")
@json_option
@with_installation
def remove(here: Installation, which: str, as_json: bool) -> None:
    """Forget the webhook of this name or id, and its messages. JSON: the webhook."""
    webhook = asyncio.run(managed(here, lambda manage: manage.remove(which, whoever())))
    _tell(webhook, f"Removed {webhook.name!r}.", as_json=as_json)


@webhooks.command()
@click.argument("which", required=False)
@click.option("--limit", type=click.IntRange(1, LARGEST_PAGE), default=50, show_default=True, help="How many at most.")
@click.option("--before", type=int, metavar="NUMBER", help="Only messages with a lower number.")
@json_option
@with_installation
def deliveries(here: Installation, which: str | None, limit: int, before: int | None, as_json: bool) -> None:
    """Show what became of the messages to one webhook, or to all, newest first. JSON: {"deliveries": [...]}."""
    found = asyncio.run(managed(here, lambda manage: manage.deliveries(which, before=before, limit=limit)))
    shown = [delivery_view(delivery) for delivery in found]
    if as_json:
        print_json({"deliveries": shown})
        return
    print_table(
        ("NUMBER", "WEBHOOK", "EVENT", "AT", "STATE", "TRIES", "STATUS", "NEXT TRY", "ERROR", "MESSAGE"),
        [
            (
                one.number,
                one.webhook_id,
                one.event,
                one.at,
                one.state,
                one.attempts,
                one.status,
                one.next_try_at,
                one.error,
                one.message_id,
            )
            for one in shown
        ],
        empty="No message was sent yet, or none is remembered.",
    )


for command in (update, rotate_secret):
    webhooks.add_command(command)


def _switch(here: Installation, which: str, *, on: bool, as_json: bool) -> None:
    webhook = asyncio.run(managed(here, lambda manage: manage.switch(which, whoever(), on=on)))
    _tell(webhook, f"{webhook.name!r} is {'told again' if on else 'told nothing any more'}.", as_json=as_json)


def _tell(webhook: Webhook, done: str, *, as_json: bool) -> None:
    if as_json:
        print_json(webhook_view(webhook))
    else:
        click.echo(done)

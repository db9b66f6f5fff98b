"""``flow2api webhooks update`` and ``rotate-secret``."""

import asyncio

import click

from flow2api.cli.context import Installation, json_option, opened_storage, with_installation
from flow2api.cli.inputs import STDIN, read_secret
from flow2api.cli.managed_webhooks import key_id_of, managed, manager_of
from flow2api.cli.output import print_json
from flow2api.cli.whoever import whoever
from flow2api.documents.webhooks import webhook_view
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.manage_webhooks import WebhookChange
from flow2api.domain.webhook import SUBSCRIBABLE, Webhook


@click.command()
@click.argument("which")
@click.option("--url", help="Where to send messages from now on; - reads standard input.")
@click.option(
    "--event",
    "events",
    multiple=True,
    metavar="EVENT",
    help=f"What to tell, and nothing else; may be given several times: {', '.join(kind.value for kind in SUBSCRIBABLE)}.",
)
@click.option("--key", help="Of generations, only those of the key with this id or name; an empty one tells of all.")
@json_option
@with_installation
def update(
    here: Installation, which: str, url: str | None, events: tuple[str, ...], key: str | None, as_json: bool
) -> None:
    """Change where the webhook of this name or id is, and what it is told; its secret stays. JSON: the webhook."""
    if url is None and not events and key is None:
        raise click.UsageError("Say what is to be changed: --url, --event, --key.")
    address = read_secret(url, "The URL") if url == STDIN else url

    async def changing() -> Webhook:
        async with opened_storage(here) as (storage, _):
            change = WebhookChange(
                url=None if address is None else Secret(address),
                kinds=events or None,
                key_id=await key_id_of(storage, key or None),
                hears_all_keys=key == "",
            )
            return await (await manager_of(here, storage)).update(which, change, whoever())

    changed = asyncio.run(changing())
    if as_json:
        print_json(webhook_view(changed))
    else:
        click.echo(f"Changed {changed.name!r} ({changed.shown}).")


@click.command("rotate-secret")
@click.argument("which")
@json_option
@with_installation
def rotate_secret(here: Installation, which: str, as_json: bool) -> None:
    """Sign the messages to the webhook of this name or id with a new secret from now on.

    The secret stands alone on standard output, and this is the only time that it is shown.

    JSON: {"secret": "whsec_...", "id": 1, "name": "shop"}.
    """
    changed = asyncio.run(managed(here, lambda manage: manage.rotate(which, whoever())))
    if as_json:
        print_json({"secret": changed.signing.reveal(), "id": changed.id, "name": changed.name})
        return
    click.echo(f"{changed.name!r} has a new signing secret. Keep it now: it is not shown again.", err=True)
    click.echo(changed.signing.reveal())

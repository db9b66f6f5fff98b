"""``flow2api db``."""

import asyncio
import sys
from pathlib import Path

import click

from flow2api.app.backends import build_storage, build_vault
from flow2api.cli.context import Installation, json_option, opened_storage, with_installation
from flow2api.cli.failures import EXIT_FAILED, Failure
from flow2api.cli.inputs import confirm
from flow2api.cli.output import print_json
from flow2api.domain.ports.storage import Maintains


@click.group()
def db() -> None:
    """The database. Nothing here is needed before anything else: a server brings its schema up to date by itself."""


@db.command()
@json_option
@with_installation
def upgrade(here: Installation, as_json: bool) -> None:
    """Make the database if there is none, and bring its schema up to date. JSON: {"upgraded": true}."""

    async def carry_out() -> None:
        async with opened_storage(here):
            pass

    asyncio.run(carry_out())
    if as_json:
        print_json({"upgraded": True})
    else:
        click.echo("The schema of the database is up to date.")


@db.command()
@json_option
@with_installation
def check(here: Installation, as_json: bool) -> None:
    """Look for damage: the file, its indexes, and rows that refer to nothing. The exit code is 1 if there is any.

    JSON: {"sound": true, "schema": "0001", "newest_schema": "0001", "size_bytes": 4096, "faults": []}.
    """
    found = asyncio.run(_maintained(here).examine())
    if as_json:
        print_json(
            {
                "sound": not found.faults,
                "schema": found.schema,
                "newest_schema": found.newest_schema,
                "size_bytes": found.size_bytes,
                "faults": found.faults,
            }
        )
    else:
        for fault in found.faults:
            click.echo(fault)
        click.echo(
            f"The database ({found.size_bytes:,} bytes, schema {found.schema}) is "
            f"{'damaged; restore a backup.' if found.faults else 'sound.'}"
        )
        if found.schema != found.newest_schema:
            click.echo(f"This program writes schema {found.newest_schema}; `flow2api db upgrade` brings it there.")
    if found.faults:
        sys.exit(EXIT_FAILED)


@db.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@json_option
@with_installation
def backup(here: Installation, file: Path, as_json: bool) -> None:
    """Write a copy of the database into FILE, which must not exist, beside a running server.

    Its secrets stay encrypted: keep the secret key, too, but in another place. Media is not in it.

    JSON: {"file": "...", "size_bytes": 4096}.
    """
    size = asyncio.run(_maintained(here).back_up(file))
    if as_json:
        print_json({"file": str(file), "size_bytes": size})
    else:
        click.echo(f"Wrote {file} ({size:,} bytes).")


@db.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Don't ask.")
@json_option
@with_installation
def restore(here: Installation, file: Path, yes: bool, as_json: bool) -> None:
    """Put a backup in the place of the database. The server has to be stopped; what was there is kept beside it.

    The backup has to be sound, and sealed with the secret key of this installation; else nothing is changed.

    JSON: {"file": "...", "former": "..."}; former is where the database is now that was there, or null.
    """
    storage = _maintained(here)
    confirm(f"Put {file} in the place of the database?", is_sure=yes)
    former = asyncio.run(storage.restore(file))
    if as_json:
        print_json({"file": str(file), "former": None if former is None else str(former)})
    else:
        click.echo(f"Restored {file}." + ("" if former is None else f" The former database is {former} now."))


def _maintained(here: Installation) -> Maintains:
    storage = build_storage(here.settings, here.extensions, build_vault(here.settings).cipher)
    if not isinstance(storage, Maintains):
        raise Failure("The database of this installation looks after itself; use the tools that come with it.")
    return storage

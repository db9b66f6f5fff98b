"""Hands out ``flow2api simulate``, which plays the upstream."""

import os
import sys
from collections.abc import Iterable

import click

from flow2api.hookspecs import hookimpl


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def simulate(arguments: tuple[str, ...]) -> None:
    """Serve the simulated upstream alone; --help tells its options."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "flow2api.simulator", *arguments])  # noqa: S606  # our own program


@hookimpl
def register_cli_commands() -> Iterable[click.Command]:
    """The command."""
    return [simulate]

"""What commands print: tables for people, JSON for programs, and how far they are."""

import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
import msgspec

from flow2api.cli.tables import render

_REDRAW_S = 0.1


def print_json(value: Any) -> None:
    """Print a value as indented JSON; instants are RFC 3339 in UTC, and what is not known is null."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


def print_table(headings: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> None:
    """Print a table, as wide as the terminal at most.

    Args:
        empty: What to say on standard error when there are no rows.
    """
    if not rows:
        click.echo(empty, err=True)
        return
    click.echo(render(headings, rows, shutil.get_terminal_size().columns if sys.stdout.isatty() else None))


@contextmanager
def progress(doing: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show how many of ``total`` are done, on standard error, and only when that is a terminal."""
    shown_at = 0.0

    def show(done: int) -> None:
        nonlocal shown_at
        if sys.stderr.isatty() and (done >= total or time.monotonic() - shown_at > _REDRAW_S):
            shown_at = time.monotonic()
            click.echo(f"\r{doing} {done:,} of {total:,}", nl=False, err=True)

    try:
        yield show
    finally:
        if shown_at:
            click.echo(err=True)

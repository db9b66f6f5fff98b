"""What commands read: secrets and files, never from the command line itself, which every process can see."""

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from flow2api.cli.failures import Failure
from flow2api.domain.secret import Secret

STDIN = "-"
LEAST_PASSPHRASE = 12

_LONGEST_SECRET = 64 * 1024


def named_values(pairs: Iterable[str]) -> dict[str, str]:
    """What ``NAME=VALUE`` says, by name.

    Raises:
        UsageError: One of them says something else.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not separator:
            raise click.UsageError(f"Write NAME=VALUE, not {pair!r}.")
        found[name.strip()] = value.strip()
    return found


def read_bytes(file: str, most: int, what: str) -> bytes:
    """The content of a file, or of standard input for ``-``.

    Args:
        most: How many bytes it may have.
        what: What it is, to begin a sentence with.

    Raises:
        Failure: It cannot be read, or is larger.
    """
    try:
        if file == STDIN:
            data = sys.stdin.buffer.read(most + 1)
        else:
            with Path(file).open("rb") as opened:
                data = opened.read(most + 1)
    except OSError as error:
        raise Failure(f"{what} {file} cannot be read: {error.strerror}.") from error
    if len(data) > most:
        raise Failure(f"{what} is larger than {most // 1024:,} KiB; split it.")
    return data


def read_secret(file: str, what: str) -> str:
    """The text of a secret in a file or standard input, without what stands around it.

    Raises:
        Failure: It cannot be read, is too long, or is no text.
    """
    try:
        return read_bytes(file, _LONGEST_SECRET, what).decode().strip()
    except UnicodeDecodeError as error:
        raise Failure(f"{what} is no text.") from error


def ask_secret(file: str | None, what: str, option: str) -> Secret:
    """The text of a secret in a file or standard input; without a file it is asked for on the terminal.

    Args:
        what: What it is, to ask for and to begin a sentence with.
        option: The option that names the file.

    Raises:
        Failure: There is none.
    """
    if file is not None:
        return Secret(read_secret(file, f"The file of the {what}"))
    if sys.stdin.isatty():
        return Secret(click.prompt(what, hide_input=True, err=True).strip())
    raise Failure(f"The {what} is needed: give {option} FILE (- reads standard input).")


def read_passphrase(file: str | None, *, is_new: bool) -> Secret:
    """The passphrase in a file or standard input; without one it is asked for on the terminal.

    Args:
        is_new: It will seal something; then it has to be long enough, and is asked for twice.

    Raises:
        Failure: There is none, or it is too short.
    """
    if file is not None:
        text = read_secret(file, "The passphrase file")
    elif sys.stdin.isatty():
        text = click.prompt("Passphrase", hide_input=True, confirmation_prompt=is_new, err=True)
    else:
        raise Failure("A passphrase is needed: give --passphrase-file FILE (- reads standard input).")
    if is_new and len(text) < LEAST_PASSPHRASE:
        raise Failure(f"The passphrase has fewer than {LEAST_PASSPHRASE} characters; take a longer one.")
    return Secret(text)


def confirm(question: str, *, is_sure: bool) -> None:
    """Have something that cannot be undone confirmed.

    Args:
        is_sure: ``--yes`` was given.

    Raises:
        Failure: Nobody can be asked.
        click.Abort: The answer was no.
    """
    if is_sure:
        return
    if not sys.stdin.isatty():
        raise Failure(f"{question} Say --yes when nobody can be asked.")
    click.confirm(question, abort=True, err=True)

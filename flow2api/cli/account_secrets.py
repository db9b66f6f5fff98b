"""What an account signs in with, as options of commands: read from files, never from the command line itself."""

from collections.abc import Callable

import click

from flow2api.app.backends import credential_kinds
from flow2api.cli.context import Installation
from flow2api.cli.inputs import STDIN, read_secret
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.read_credential import API_KEY, BASE_URL, SESSION_TOKEN, GivenCredential

OPTIONS = {SESSION_TOKEN: "--session-token-file", API_KEY: "--api-key-file", BASE_URL: "--base-url"}


def secret_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command ``--session-token-file``, ``--api-key-file`` and ``--base-url``."""
    for option in (
        click.option(
            "--base-url", metavar="URL", help="Where the account is served, for upstreams that do not know it."
        ),
        click.option("--api-key-file", metavar="FILE", help="The file that holds the API key; - reads standard input."),
        click.option(
            "--session-token-file",
            metavar="FILE",
            help="The file that holds the session token; - reads standard input.",
        ),
    ):
        command = option(command)
    return command


def read_given(session_token_file: str | None, api_key_file: str | None, base_url: str | None) -> GivenCredential:
    """The texts that the options name.

    Raises:
        Failure: A file cannot be read.
        click.UsageError: Both secrets are to be read from standard input.
    """
    if session_token_file == STDIN == api_key_file:
        raise click.UsageError("Standard input holds one secret only.")
    return GivenCredential(
        None if session_token_file is None else read_secret(session_token_file, "The session token file"),
        None if api_key_file is None else read_secret(api_key_file, "The API key file"),
        base_url,
    )


def read_wanted(here: Installation, upstream: str, given: GivenCredential) -> tuple[Secret, str | None]:
    """The secret and the base URL that an account of this upstream wants.

    Raises:
        UnsupportedInputError: Something is missing, or does not belong to it; the message names the options.
    """
    return given.read(upstream, credential_kinds(here.settings, here.extensions), OPTIONS)

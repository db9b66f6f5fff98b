"""How commands fail: one line that says what happened and what to do, and an exit code that scripts can use."""

import re
from typing import IO, Any

import click

EXIT_FAILED = 1
EXIT_CONFIGURATION = 78

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class Failure(click.ClickException):
    """Ends the command with this sentence."""

    exit_code = EXIT_FAILED

    def __init__(self, message: str) -> None:
        super().__init__(_CONTROL.sub(" ", message))

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the sentence to standard error."""
        click.echo(f"flow2api: {self.message}", file=file, err=file is None)


class ConfigurationFailure(Failure):
    """Ends the command because the settings cannot be used."""

    exit_code = EXIT_CONFIGURATION

"""The command line, run in the test's own process."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import structlog
from click.testing import CliRunner

from flow2api.cli.main import cli


@dataclass(frozen=True)
class Ran:
    """What came of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.out)


@dataclass(frozen=True)
class CommandLine:
    """Runs commands as the shell would, under these variables."""

    environment: Mapping[str, str]

    def __call__(self, *arguments: str | Path, stdin: str | bytes = "", **settings: str) -> Ran:
        with _unchanged_logs():
            result = CliRunner().invoke(
                cli, [str(argument) for argument in arguments], input=stdin, env={**self.environment, **settings}
            )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)


@contextmanager
def _unchanged_logs() -> Iterator[None]:
    """Commands send all logs to their own standard error, which is closed when they end."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        root.handlers, root.level = handlers, level
        structlog.reset_defaults()

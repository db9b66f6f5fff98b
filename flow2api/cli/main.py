"""The command ``flow2api`` and what all its commands have in common."""

import io
import sys
from typing import Any

import click

from flow2api import __version__
from flow2api.cli.accounts import accounts
from flow2api.cli.audit import audit
from flow2api.cli.db import db
from flow2api.cli.demo import demo
from flow2api.cli.doctor import doctor
from flow2api.cli.extra_commands import ExtraCommands
from flow2api.cli.failures import ConfigurationFailure, Failure
from flow2api.cli.generations import generations
from flow2api.cli.import_legacy import import_legacy
from flow2api.cli.keys import keys
from flow2api.cli.logs import logs
from flow2api.cli.models import models
from flow2api.cli.notify import notify
from flow2api.cli.operator import operator
from flow2api.cli.options import options
from flow2api.cli.plugins import plugins
from flow2api.cli.policies import policies
from flow2api.cli.proxies import proxies
from flow2api.cli.serve import serve
from flow2api.cli.stats import stats
from flow2api.cli.webhooks import webhooks
from flow2api.domain.errors import ConfigurationError, Flow2ApiError


class _Commands(ExtraCommands):
    """Tells every error of ours in one line with the cure."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ConfigurationError as error:
            raise ConfigurationFailure(error.message) from error
        except Flow2ApiError as error:
            raise Failure(error.message) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="flow2api")
def cli() -> None:
    """One OpenAI-compatible API for pictures and videos over a pool of generation accounts."""


for command in (
    serve,
    demo,
    doctor,
    accounts,
    keys,
    operator,
    options,
    proxies,
    generations,
    models,
    plugins,
    policies,
    db,
    import_legacy,
    logs,
    audit,
    stats,
    notify,
    webhooks,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line; every error of ours is one line with the cure.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 78 the settings cannot be used, 130 interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show is no reason to fail
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    sys.exit(code if isinstance(code, int) else 0)

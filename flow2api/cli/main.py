"""The command ``flow2api`` and what all its commands have in common."""

import sys

import click

from flow2api import __version__
from flow2api.cli.demo import demo
from flow2api.cli.serve import serve
from flow2api.cli.simulate import simulate
from flow2api.domain.errors import ConfigurationError, Flow2ApiError

EXIT_FAILED = 1
EXIT_CONFIGURATION = 78


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="flow2api")
def cli() -> None:
    """One OpenAI-compatible API for pictures and videos over a pool of generation accounts."""


for command in (serve, demo, simulate):
    cli.add_command(command)


def main() -> None:
    """Run the command line; every error of ours is one line with the cure.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 78 the settings cannot be used.
    """
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except ConfigurationError as error:
        click.echo(f"flow2api: {error.message}", err=True)
        sys.exit(EXIT_CONFIGURATION)
    except Flow2ApiError as error:
        click.echo(f"flow2api: {error.message}", err=True)
        sys.exit(EXIT_FAILED)

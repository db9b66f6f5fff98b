"""A group of commands that plugins add theirs to. Plugins are loaded only when a command is none of our own."""

from typing import Any

import click
import structlog

from flow2api.cli.context import Installation, configure_quiet_logs, installation, tell_left_out
from flow2api.cli.failures import Failure
from flow2api.domain.errors import ConfigurationError, Flow2ApiError
from flow2api.extensions import BUILT_IN, told

_INSTALLATION = f"{__name__}.installation"
_PLUGIN = f"{__name__}.plugin"

log = structlog.get_logger(__name__)


class ExtraCommands(click.Group):
    """Our own commands first, then those of plugins, with the plugin's section of the settings as the context's ``obj``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every name; ours alone while the settings cannot be used, for help is wanted then, too."""
        own = super().list_commands(ctx)
        try:
            return sorted({*own, *_installation(ctx).extensions.commands})
        except ConfigurationError as error:
            click.echo(f"flow2api: the commands of plugins are missing here. {error.message}", err=True)
            return own

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name.

        Raises:
            ConfigurationError: It is none of ours, and the settings cannot be used.
        """
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        here = _installation(ctx)
        found = here.extensions.commands.get(cmd_name)
        if found is None:
            return None
        plugin, command = found
        ctx.meta[_PLUGIN] = plugin
        ctx.obj = here.settings.sections.get(plugin, {})
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. What one of a plugin raises is a failure that names both, and stands whole in the log.

        Raises:
            Failure: A command of a plugin raised something.
        """
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, Flow2ApiError, BrokenPipeError):
            raise
        except Exception as error:
            plugin = ctx.meta.get(_PLUGIN)
            if plugin is None or plugin in BUILT_IN:
                raise
            log.debug("command of a plugin failed", plugin=plugin, exc_info=error)
            raise Failure(
                f"The command {ctx.invoked_subcommand!r} of the plugin {plugin!r} failed: {told(error)}"
            ) from error


def _installation(ctx: click.Context) -> Installation:
    """The installation, once for a run of the program: a plugin that hangs costs as often as it is loaded."""
    here: Installation | None = ctx.meta.get(_INSTALLATION)
    if here is None:
        here = installation()
        configure_quiet_logs(here.settings)
        tell_left_out(here.extensions)
        ctx.meta[_INSTALLATION] = here
    return here

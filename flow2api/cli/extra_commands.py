"""A group of commands that plugins add theirs to. Plugins are loaded only when a command is none of our own."""

import click

from flow2api.cli.context import configure_quiet_logs, installation, tell_left_out
from flow2api.domain.errors import ConfigurationError


class ExtraCommands(click.Group):
    """Our own commands first, then those of plugins, with the plugin's section of the settings as the context's ``obj``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every name; ours alone while the settings cannot be used, for help is wanted then, too."""
        own = super().list_commands(ctx)
        try:
            return sorted({*own, *installation().extensions.commands})
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
        here = installation()
        found = here.extensions.commands.get(cmd_name)
        if found is None:
            return None
        plugin, command = found
        configure_quiet_logs(here.settings)
        tell_left_out(here.extensions)
        ctx.obj = here.settings.sections.get(plugin, {})
        return command

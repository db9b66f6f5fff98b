"""``flow2api plugins``: what is loaded, what could be, and the beginning of a new one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from flow2api.cli.context import Installation, config_option, installation, json_option
from flow2api.cli.failures import Failure
from flow2api.cli.new_plugin import files_of
from flow2api.cli.output import print_json, print_table
from flow2api.extensions import Plugin, PluginState


class PluginOut(msgspec.Struct, frozen=True, kw_only=True):
    """A plugin as JSON.

    Attributes:
        source: ``built-in``, the package, or the file.
        sha256: Of the file; null when it is a package.
        state: ``loaded``, ``not enabled``, or ``failed``: it was left out.
        error: Why it was left out.
        settings: Its sections of the settings as they are read. Secrets are masked, and all of a section that it has not
            described.
        schemas: What its sections look like that it has described, each as a JSON Schema.
    """

    name: str
    version: str | None
    source: str
    sha256: str | None
    hooks: tuple[str, ...]
    state: str
    error: str | None
    settings: Mapping[str, Mapping[str, Any]]
    schemas: Mapping[str, Mapping[str, Any]]


@click.group(invoke_without_command=True)
@json_option
@config_option
@click.pass_context
def plugins(context: click.Context, as_json: bool, config: str | None) -> None:
    """Show the plugins that are loaded, what each one registers, and those that are not loaded, with the reason.

    JSON: {"plugins": [{"name": "policies", "version": "0.1.0", "source": "built-in", "sha256": null, "hooks":
    ["register_selection_policies"], "state": "loaded", "error": null, "settings": {}, "schemas": {}}]}.
    """
    if context.invoked_subcommand is not None:
        return
    here = installation(config=config)
    shown = [_plugin_out(here, plugin) for plugin in here.extensions.plugins]
    if as_json:
        print_json({"plugins": shown})
        return
    print_table(
        ("NAME", "VERSION", "STATE", "REGISTERS", "SOURCE"),
        [
            (
                one.name,
                one.version,
                one.state,
                ", ".join(hook.removeprefix("register_").replace("_", " ") for hook in one.hooks),
                one.source if one.sha256 is None else f"{one.source} sha256 {one.sha256}",
            )
            for one in shown
        ],
        empty="No plugin is loaded.",
    )
    for one in shown:
        if one.state == PluginState.FAILED:
            click.echo(f"{one.name} was left out: {one.error}", err=True)


@plugins.command()
@click.argument("name")
@click.option(
    "--in",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Where to make its folder.  [default: here]",
)
def new(name: str, folder: Path) -> None:
    """Write a package with a plugin of this name, a selection policy to begin with, and its tests.

    For example: flow2api plugins new thrifty
    """
    files = files_of(name)
    target = folder / f"flow2api-{name.replace('_', '-')}"
    try:
        target.mkdir(parents=True)
        for path, text in files.items():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_text(text, encoding="utf-8")
    except FileExistsError:
        raise Failure(f"There is a {target} already; choose another name, or another place with --in.") from None
    except OSError as error:
        raise Failure(f"{target} cannot be written: {error.strerror}.") from error
    click.echo(f"Wrote {target}. Its README.md says how to test, install and enable it.")


def _plugin_out(here: Installation, plugin: Plugin) -> PluginOut:
    return PluginOut(
        name=plugin.name,
        version=plugin.version,
        source=plugin.source,
        sha256=plugin.sha256,
        hooks=plugin.hooks,
        state=plugin.state.value,
        error=plugin.error,
        settings=here.extensions.shown_sections(plugin, here.settings.sections),
        schemas=here.extensions.section_schemas(plugin),
    )

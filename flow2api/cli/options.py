"""``flow2api options``."""

import asyncio
from collections.abc import Mapping, Sequence

import click
import msgspec

from flow2api.cli.context import Installation, json_option, opened_services, with_installation
from flow2api.cli.inputs import named_values
from flow2api.cli.output import print_json, print_table
from flow2api.cli.whoever import whoever


class OptionOut(msgspec.Struct, frozen=True, kw_only=True):
    """An option as JSON.

    Attributes:
        source: ``settings`` when the settings file or the environment fixes it, ``set`` when it was set while the server
            ran, ``default`` otherwise.
    """

    name: str
    value: str | int | float | bool | list[str]
    default: str | int | float | bool | list[str]
    source: str


@click.group()
def options() -> None:
    """What can be set while the server runs. A running server follows within seconds."""


@options.command("list")
@json_option
@with_installation
def list_options(here: Installation, as_json: bool) -> None:
    """Show every option, its value and where that comes from.

    JSON: {"options": [{"name": "policy", "value": "random", "default": "least_busy", "source": "set"}]}.
    """
    _show(asyncio.run(_changed(here, {})), as_json)


@options.command("set")
@click.argument("values", nargs=-1, required=True, metavar="NAME=VALUE...")
@json_option
@with_installation
def set_options(here: Installation, values: Sequence[str], as_json: bool) -> None:
    """Set options, all of them or, when one cannot be used, none.

    For example: flow2api options set policy=random image_wait_s=30

    JSON: {"options": [...]}, those that you named.
    """
    given = named_values(values)
    _show(asyncio.run(_changed(here, given)), as_json, given)


@options.command("reset")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@json_option
@with_installation
def reset_options(here: Installation, names: Sequence[str], as_json: bool) -> None:
    """Let options have their defaults again.

    JSON: {"options": [...]}, those that you named.
    """
    given: dict[str, object] = dict.fromkeys(names)
    _show(asyncio.run(_changed(here, given)), as_json, given)


async def _changed(here: Installation, values: Mapping[str, object]) -> list[OptionOut]:
    """All options after these were changed."""
    async with opened_services(here) as services:
        if values:
            await services.proxying.choose.load()
            services.options.check_changes_by(services.proxying.choose.check_options)
            await services.options.change(values, whoever())
        standing = await services.options.standing()
    return [OptionOut(name=one.name, value=one.value, default=one.default, source=one.source.value) for one in standing]


def _show(found: Sequence[OptionOut], as_json: bool, only: Mapping[str, object] | None = None) -> None:
    shown = [one for one in found if only is None or one.name in only]
    if as_json:
        print_json({"options": shown})
        return
    rows = [(one.name, _text(one.value), _text(one.default), one.source) for one in shown]
    print_table(("OPTION", "VALUE", "DEFAULT", "FROM"), rows, empty="There are no options.")


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(value)
    return f"{value:.12g}" if isinstance(value, float) else str(value)

"""``flow2api policies``."""

import click

from flow2api.cli.context import Installation, json_option, with_installation
from flow2api.cli.output import print_json, print_table
from flow2api.cli.simulated_policies import simulate_policies
from flow2api.domain.options import Options


@click.group()
def policies() -> None:
    """The ways to choose one account among those that could serve."""


policies.add_command(simulate_policies)


@policies.command("list")
@json_option
@with_installation
def list_policies(here: Installation, as_json: bool) -> None:
    """Show the policies that the option `policy` may name, and which one is taken when it names none.

    JSON: {"policies": [{"name": "random", "summary": "...", "default": false}]}.
    """
    default = here.settings.options.get("policy", Options().policy)
    shown = [(one.name, one.summary, one.name == default) for _, one in sorted(here.extensions.policies.items())]
    if as_json:
        print_json(
            {"policies": [{"name": name, "summary": summary, "default": taken} for name, summary, taken in shown]}
        )
        return
    print_table(
        ("NAME", "DEFAULT", "CHOOSES"),
        [(name, taken, summary) for name, summary, taken in shown],
        empty="No policy is registered.",
    )

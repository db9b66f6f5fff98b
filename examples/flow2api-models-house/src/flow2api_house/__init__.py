"""House names: what a company calls the models that its people use, read from ``models.json`` beside this file.

``aliases`` are other names for one model each. ``by_inputs`` are names that lead to another model when start and end
frames or reference pictures come along. ``sizes`` are models of their own: like the one that they are made ``of``, but
with another price or for other plans.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib.resources import files
from typing import Any

from flow2api.domain.account import Tier
from flow2api.domain.catalog import Alias, Entry, Mode, ModelSpec
from flow2api.domain.errors import PluginError
from flow2api.hookspecs import hookimpl
from flow2api.plugins import models_flow


@hookimpl
def register_models() -> Iterable[Entry]:
    """Every house name."""
    return list(entries_of(json.loads(files(__package__).joinpath("models.json").read_text("utf-8"))))


def entries_of(table: Mapping[str, Any]) -> Iterable[Entry]:
    """What a table of house names stands for.

    Raises:
        PluginError: A model is to be made of one that Flow has not.
    """
    for name, target in table["aliases"].items():
        yield Alias(name, {None: target})
    for name, targets in table["by_inputs"].items():
        yield Alias(name, {_MODES[word]: target for word, target in targets.items()})
    known = {entry.name: entry for entry in models_flow.register_models() if isinstance(entry, ModelSpec)}
    for name, wanted in table["sizes"].items():
        if wanted["of"] not in known:
            raise PluginError(f"The model {name!r} is to be made of {wanted['of']!r}, which is none of Flow's models.")
        yield replace(
            known[wanted["of"]],
            name=name,
            line=name,
            costs={Tier[tier.upper()]: price for tier, price in wanted["costs"].items()},
            min_tier=Tier[wanted["min_tier"].upper()],
            same_as=None,
        )


_MODES = {"default": None, "frames": Mode.FRAMES, "references": Mode.REFERENCES}

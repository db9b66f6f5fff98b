"""Names put in order: what is registered twice, and where an alias leads in the end."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from flow2api.domain.catalog.choice import Candidates
from flow2api.domain.catalog.entries import Alias, BaseName, Entry, Mode, ModelSpec
from flow2api.domain.errors import PluginError
from flow2api.domain.media import MediaKind

T = TypeVar("T", ModelSpec, BaseName, Alias)


@dataclass(frozen=True, slots=True)
class Names:
    """Everything that was registered, by kind of entry and name, in the order of registration."""

    specs: Mapping[str, ModelSpec]
    bases: Mapping[str, BaseName]
    aliases: Mapping[str, Alias]


@dataclass(frozen=True, slots=True)
class Route:
    """Where an alias leads.

    Attributes:
        default: Where it leads when the mode says nothing else.
        by_mode: Where it leads for particular modes.
        retired: Whether the name was withdrawn upstream.
    """

    default: Candidates
    by_mode: Mapping[Mode, Candidates]
    retired: bool

    def target(self, mode: Mode) -> Candidates:
        """Where it leads for inputs of this mode."""
        return self.by_mode.get(mode, self.default)

    @property
    def targets(self) -> tuple[Candidates, ...]:
        """Every place that it leads to, the default first, each once."""
        found = {target.key: target for target in (self.default, *self.by_mode.values())}
        return tuple(found.values())


def sort_names(entries: Iterable[Entry]) -> Names:
    """Entries by kind and name.

    Raises:
        PluginError: Two entries want the same name, a line makes two kinds, or an alias has no target.
    """
    specs: dict[str, ModelSpec] = {}
    bases: dict[str, BaseName] = {}
    aliases: dict[str, Alias] = {}
    kinds: dict[str, MediaKind] = {}
    for entry in entries:
        if isinstance(entry, ModelSpec):
            _enter(specs, entry, entry.name)
            if kinds.setdefault(entry.line, entry.kind) is not entry.kind:
                raise PluginError(
                    f"The models of the line {entry.line!r} make different kinds of media; rename the line."
                )
        elif isinstance(entry, BaseName):
            _enter(bases, entry, entry.name)
        else:
            _enter(aliases, entry, entry.name)
            if not entry.targets:
                raise PluginError(f"The alias {entry.name!r} has no target; name at least one.")
    for name, base in bases.items():
        if name in specs and specs[name].line != base.line:
            raise PluginError(f"The base name {name!r} is also a model of another line; rename one of them.")
    for name in aliases:
        if name in specs or name in bases:
            raise PluginError(f"The alias {name!r} is also the name of a model; rename one of them.")
    return Names(specs, bases, aliases)


def lead_aliases(
    aliases: Mapping[str, Alias], models: Mapping[str, Candidates], bases: Mapping[str, Candidates]
) -> dict[str, Route]:
    """Where each alias leads; one whose default leads nowhere, or round in a circle, is left out."""
    routes: dict[str, Route] = {}
    for name, alias in aliases.items():
        found = {mode: _lead(alias, mode, aliases, models, bases) for mode in (None, *Mode)}
        living = {mode: target for mode, target in found.items() if target is not None}
        # Without its default an alias would make something else of the commonest request: it is left out altogether.
        default = living.get(None) if None in alias.targets else next(iter(living.values()), None)
        if default is not None:
            by_mode = {mode: target for mode, target in living.items() if mode is not None}
            routes[name] = Route(default, by_mode, alias.retired)
    return routes


def _enter(entered: dict[str, T], entry: T, name: str) -> None:
    if not name:
        raise PluginError("A model, base name or alias has an empty name; give it one.")
    if name in entered:
        raise PluginError(f"The model name {name!r} is registered twice; remove or rename one of them.")
    entered[name] = entry


def _lead(
    alias: Alias,
    mode: Mode | None,
    aliases: Mapping[str, Alias],
    models: Mapping[str, Candidates],
    bases: Mapping[str, Candidates],
) -> Candidates | None:
    passed = {alias.name}
    while True:
        name = alias.targets.get(mode) or alias.targets.get(None)
        if name is None:
            return None
        found = models.get(name) or bases.get(name) if alias.retired else bases.get(name) or models.get(name)
        if found is not None:
            return found
        if name not in aliases or name in passed:
            return None
        passed.add(name)
        alias = aliases[name]

"""What an operator makes of the catalog while the server runs: names that lead to several models, and names not offered."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from fnmatch import translate

from flow2api.domain.catalog.description import ModelDescription
from flow2api.domain.catalog.entries import Alias, BaseName
from flow2api.domain.catalog.model_catalog import ModelCatalog
from flow2api.domain.catalog.suggestions import NameSuggestions
from flow2api.domain.errors import ConfigurationError, UnknownModelError

Routes = Mapping[str, tuple[str, ...]]

_LONGEST_NAME = 128
_MOST_SELECTIONS = 256


class ModelRoutes:
    """What the catalog offers, and what the operator's routes make of it."""

    def __init__(
        self,
        catalog: ModelCatalog,
        routes: Callable[[], Routes] = dict,
        off: Callable[[], Collection[str]] = tuple,
    ) -> None:
        """Make it.

        Args:
            off: Names that are not offered. With a name go its aliases, and with the name of a whole line its models.
        """
        self._catalog = catalog
        self._routes = routes
        self._off = off
        self._known: Routes | None = None
        self._known_off: Collection[str] | None = None
        self._targets: dict[str, tuple[str, ...]] = {}
        self._refused: frozenset[str] = frozenset()
        self._own: tuple[ModelDescription, ...] = ()
        self._listed: tuple[ModelDescription, ...] = ()
        self._selections: dict[tuple[str, ...], tuple[frozenset[str], tuple[ModelDescription, ...]]] = {}

    def targets(self, name: str) -> tuple[str, ...]:
        """The models to try under this name, in order; only the name itself where no route begins.

        Raises:
            UnknownModelError: The name is not offered.
        """
        targets = self._current().get(name)
        if targets is None:
            if name in self._refused:
                raise UnknownModelError(name)
            return (name,)
        return targets

    def describe(self, name: str) -> ModelDescription | None:
        """What this name can be asked for: by the catalog's word, else by that of the first model it leads to."""
        self._current()
        if name in self._refused:
            return None
        return self._catalog.describe(name) or next((one for one in self._own if one.id == name), None)

    def listed(self) -> tuple[ModelDescription, ...]:
        """Everything that the catalog lists, then the names that only routes have; what is not offered is left out."""
        self._current()
        return self._listed

    def selects(self, patterns: tuple[str, ...], name: str) -> bool:
        """Whether a name is among those that these patterns stand for.

        A pattern stands for each name that it matches, with ``*`` and ``?`` as in names of files and letters of any case; with
        a name go its aliases, and with the name of a whole line its models.
        """
        return name in self._selection(patterns)[0]

    def opens(self, patterns: tuple[str, ...], name: str, model: str) -> bool:
        """Whether a model may serve a name that these patterns select.

        A name that only the operator has opens whatever it leads to, and any other one what it stands for by itself; what
        parameters make of it beyond that has to be selected, too.
        """
        targets = self._current().get(name, (name,))
        is_own = name in self._current() and self._catalog.get(name) is None
        return is_own or any(model in self._catalog.stands_for(one) for one in targets) or self.selects(patterns, model)

    def listed_of(self, patterns: tuple[str, ...]) -> tuple[ModelDescription, ...]:
        """What is listed of these patterns, and behind it the aliases that they match though not what these lead to."""
        return self._selection(patterns)[1]

    def _selection(self, patterns: tuple[str, ...]) -> tuple[frozenset[str], tuple[ModelDescription, ...]]:
        self._current()
        found = self._selections.get(patterns)
        if found is None:
            if len(self._selections) >= _MOST_SELECTIONS:
                self._selections.clear()
            found = self._selections[patterns] = self._select(patterns)
        return found

    def _select(self, patterns: tuple[str, ...]) -> tuple[frozenset[str], tuple[ModelDescription, ...]]:
        wanted = re.compile("|".join(translate(one.casefold()) for one in patterns))
        names = dict.fromkeys((*(one.id for one in self._listed), *self._targets, *self._catalog.names()))
        matched = [name for name in names if name not in self._refused and wanted.match(name.casefold())]
        behind = {other for name in matched for other in _belonging_to(name, self._catalog)}
        listed = [one for one in self._listed if one.id in behind or one.id in matched]
        shown = behind.union(one.id for one in listed)
        alone = [one for name in matched if name not in shown and (one := self.describe(name)) is not None]
        return frozenset(matched) | behind, (*listed, *alone)

    def is_off(self, name: str) -> bool:
        """Whether the operator has the name not offered, by itself or with what it belongs to."""
        self._current()
        return name in self._refused

    def _current(self) -> Mapping[str, tuple[str, ...]]:
        routes, off = self._routes(), self._off()
        if routes is not self._known or off is not self._known_off:
            self._known, self._known_off = routes, off
            refused = set(off).union(*(_belonging_to(name, self._catalog) for name in off))
            offered = {name: _offered(_flat(name, routes, self._catalog), refused) for name in routes}
            refused |= {name for name, targets in offered.items() if not targets}
            self._targets = {name: targets for name, targets in offered.items() if name not in refused}
            self._refused = frozenset(refused)
            new = [name for name in self._targets if self._catalog.describe(name) is None]
            described = [(name, self._catalog.describe(self._targets[name][0])) for name in new]
            self._own = tuple(replace(one, id=name, aliases=()) for name, one in described if one is not None)
            listed = self._catalog.listed()
            self._listed = (*(one for one in listed if one.id not in refused), *self._own)
            self._selections = {}
        return self._targets


def check_routes(routes: Routes, catalog: ModelCatalog) -> None:
    """Refuse routes that lead nowhere.

    Raises:
        ConfigurationError: A name is no name, a list is empty or has a model that does not exist or makes another kind of
            media than the others, or a route leads back to itself.
    """
    nearest = NameSuggestions([*(one.id for one in catalog.listed()), *routes])
    for name, targets in routes.items():
        if not name.strip() or len(name) > _LONGEST_NAME:
            raise ConfigurationError(f"The option model_routes cannot have the name {name[:_LONGEST_NAME]!r}.")
        if not targets:
            raise ConfigurationError(f"The option model_routes names no model for {name!r}.")
        for target in targets:
            if target not in routes and catalog.describe(target) is None:
                near = nearest.nearest(target)
                hint = f" Did you mean {', '.join(near)}?" if near else ""
                raise ConfigurationError(
                    f"The option model_routes leads {name!r} to {target[:_LONGEST_NAME]!r}, which does not exist.{hint}"
                )
    for name in routes:
        kinds = {found.kind for one in _flat(name, routes, catalog) if (found := catalog.describe(one)) is not None}
        if len(kinds) > 1:
            raise ConfigurationError(f"The option model_routes leads {name!r} to models for pictures and for videos.")


def _flat(name: str, routes: Routes, catalog: ModelCatalog, above: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The models behind a name, each once, in the order in which they are tried; the name's own model comes first.

    Raises:
        ConfigurationError: It leads back to itself.
    """
    if name in above:
        way = " to ".join(repr(one) for one in (*above[above.index(name) :], name))
        raise ConfigurationError(f"The option model_routes goes round in a circle: {way}.")
    found = [name] if catalog.describe(name) is not None else []
    for target in routes.get(name, ()):
        if target != name or catalog.describe(name) is None:
            found += _flat(target, routes, catalog, (*above, name))
    return tuple(dict.fromkeys(found))


def _belonging_to(name: str, catalog: ModelCatalog) -> Iterator[str]:
    """The names that stand and fall with this one: its aliases, and the models of a whole line with theirs."""
    description, entry = catalog.describe(name), catalog.get(name)
    if description is not None and not isinstance(entry, Alias):
        yield from description.aliases
    if isinstance(entry, BaseName):
        for spec in catalog.specs():
            if spec.line == entry.line and spec.name != name:
                yield spec.name
                own = catalog.describe(spec.name)
                yield from () if own is None else own.aliases


def _offered(targets: tuple[str, ...], refused: Collection[str]) -> tuple[str, ...]:
    return tuple(target for target in targets if target not in refused)

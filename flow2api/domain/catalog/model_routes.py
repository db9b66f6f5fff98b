"""Public names that lead to several models in order: the operator's own lists, which may change while the server runs."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from flow2api.domain.catalog.description import ModelDescription
from flow2api.domain.catalog.model_catalog import ModelCatalog
from flow2api.domain.catalog.suggestions import NameSuggestions
from flow2api.domain.errors import ConfigurationError

Routes = Mapping[str, tuple[str, ...]]

_LONGEST_NAME = 128


class ModelRoutes:
    """What the catalog offers, and what the operator's routes make of it."""

    def __init__(self, catalog: ModelCatalog, routes: Callable[[], Routes] = dict) -> None:
        self._catalog = catalog
        self._routes = routes
        self._known: Routes | None = None
        self._targets: dict[str, tuple[str, ...]] = {}
        self._listed: tuple[ModelDescription, ...] = ()

    def targets(self, name: str) -> tuple[str, ...]:
        """The models to try under this name, in order; only the name itself where no route begins."""
        return self._current().get(name, (name,))

    def describe(self, name: str) -> ModelDescription | None:
        """What this name can be asked for: by the catalog's word, else by that of the first model it leads to."""
        return self._catalog.describe(name) or next((one for one in self._own() if one.id == name), None)

    def listed(self) -> tuple[ModelDescription, ...]:
        """Everything that the catalog lists, then the names that only routes have."""
        self._current()
        return self._listed

    def _own(self) -> tuple[ModelDescription, ...]:
        return self.listed()[len(self._catalog.listed()) :]

    def _current(self) -> Mapping[str, tuple[str, ...]]:
        routes = self._routes()
        if routes is not self._known:
            self._known = routes
            self._targets = {name: _flat(name, routes, self._catalog) for name in routes}
            new = [name for name in routes if self._catalog.describe(name) is None]
            described = [(name, self._catalog.describe(self._targets[name][0])) for name in new]
            own = [replace(one, id=name, aliases=()) for name, one in described if one is not None]
            self._listed = (*self._catalog.listed(), *own)
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

"""All public names of one installation, frozen after they were put together."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from flow2api.domain.catalog.choice import (
    Candidates,
    candidates_of_base,
    candidates_of_model,
    choose,
    differences,
    meant,
)
from flow2api.domain.catalog.description import ModelDescription, describe_alias, describe_models
from flow2api.domain.catalog.entries import Entry, ModelSpec, Resolution, Wish
from flow2api.domain.catalog.routes import Route, lead_aliases, sort_names
from flow2api.domain.catalog.suggestions import NameSuggestions
from flow2api.domain.errors import UnknownModelError, UnsupportedInputError
from flow2api.domain.media import MediaKind

KEPT_RESOLUTIONS = 4096


class ModelCatalog:
    """From a public name to what exactly is asked of an upstream.

    Models that their upstream does not serve as it is configured are left out, and so are base names and aliases that
    then lead nowhere. Nothing changes after it is built.
    """

    def __init__(self, entries: Iterable[Entry], serves: Callable[[ModelSpec], bool] = lambda spec: True) -> None:
        """Put it together.

        Args:
            serves: Whether the upstream can make this model as it is configured.

        Raises:
            PluginError: Two entries want the same name, or an entry cannot be right.
        """
        names = sort_names(entries)
        self._specs = {name: spec for name, spec in names.specs.items() if serves(spec)}
        lines: dict[str, list[ModelSpec]] = {}
        for spec in self._specs.values():
            lines.setdefault(spec.line, []).append(spec)
        models = {name: candidates_of_model(spec, tuple(lines[spec.line])) for name, spec in self._specs.items()}
        bases = {
            name: found
            for name, base in names.bases.items()
            if base.line in lines and (found := candidates_of_base(base, tuple(lines[base.line]))) is not None
        }
        self._candidates: Mapping[str, Candidates] = models | bases
        self._routes = lead_aliases(names.aliases, models, bases)
        self._entries: dict[str, Entry] = {**self._specs}
        self._entries.update({name: names.bases[name] for name in bases})
        self._entries.update({name: names.aliases[name] for name in self._routes})
        self._descriptions = _describe_all(self._candidates, self._routes)
        self._listed = tuple(self._descriptions[name] for name in dict.fromkeys((*bases, *models)))
        self._resolved: dict[tuple[str, Wish, MediaKind | None], Resolution] = {}
        self._suggestions = NameSuggestions(self._descriptions)

    def get(self, name: str) -> Entry | None:
        """What lives under this name, the base name where a model shares it; None when nothing does."""
        return self._entries.get(name)

    def names(self) -> Collection[str]:
        """Every name that means something: models, base names and aliases."""
        return self._descriptions.keys()

    def spec(self, name: str) -> ModelSpec | None:
        """The concrete model of this name, also where a base name shares it; None when it is not served."""
        return self._specs.get(name)

    def stands_for(self, name: str) -> frozenset[str]:
        """The models that a name stands for by itself: one that is theirs for one, the name of a line for all of it.

        An alias stands for what it leads to, and a name that is unknown for nothing.
        """
        route, own = self._routes.get(name), self._candidates.get(name)
        every = (own,) if own is not None else () if route is None else route.targets
        return frozenset(spec.name for one in every for spec in (one.members if one.named is None else (one.named,)))

    def kind_of(self, name: str) -> MediaKind | None:
        """What the concrete model of this name makes; None when it is not served."""
        spec = self._specs.get(name)
        return None if spec is None else spec.kind

    def retired(self) -> Mapping[str, str]:
        """The names that were withdrawn upstream, each with the model that serves in its place by default."""
        return {name: route.default.name for name, route in self._routes.items() if route.retired}

    def specs(self) -> tuple[ModelSpec, ...]:
        """Every concrete model that is served."""
        return tuple(self._specs.values())

    def listed(self) -> tuple[ModelDescription, ...]:
        """Base names, then the ids of models, each once, always in the same order. Aliases are not listed."""
        return self._listed

    def describe(self, name: str) -> ModelDescription | None:
        """What this name can be asked for, be it a model, a base name or an alias; None when it is unknown."""
        return self._descriptions.get(name)

    def resolve(
        self,
        name: str,
        wish: Wish,
        kind: MediaKind | None = None,
        *,
        pictures_param: str = "image",
        source_param: str = "video",
    ) -> Resolution:
        """The model that serves this name and wish.

        Args:
            kind: What the caller must get; None when either will do.
            pictures_param: The request's field to blame when there are too many or too few pictures.
            source_param: The request's field to blame when a video to extend is missing or of no use.

        Raises:
            UnknownModelError: No such name; it carries up to three near ones.
            UnsupportedInputError: The model makes the other kind, or the number of inputs does not fit.
        """
        key = (name, wish, kind)
        found = self._resolved.get(key)
        if found is None:
            found = self._resolve(name, wish, kind)
            _check_inputs(found, wish, pictures_param, source_param)
            if len(self._resolved) >= KEPT_RESOLUTIONS:
                self._resolved.clear()
            self._resolved[key] = found
        return found

    def _resolve(self, name: str, wish: Wish, kind: MediaKind | None) -> Resolution:
        route = self._routes.get(name)
        candidates = self._candidates.get(name) if route is None else route.target(wish.mode)
        if candidates is None:
            raise UnknownModelError(name, self._suggestions.nearest(name))
        if kind is not None and candidates.kind is not kind:
            raise UnsupportedInputError(
                f"The model {name} makes {candidates.kind}s, not {kind}s; GET /v1/models tells what each one makes.",
                param="model",
            )
        wish = meant(candidates, wish)
        spec = choose(candidates, wish)
        warnings = differences(name, candidates, wish, spec)
        if route is not None and route.retired:
            warnings = (_withdrawn(name, spec.name), *warnings)
        found = Resolution(name, spec, warnings)
        if spec.resolution is None:
            return found
        if wish.resolution is None and spec.size == wish.size:
            plain = replace(wish, size=None, aspect_ratio=spec.aspect_ratio)
            return _within_plan(found, self._resolve(name, plain, kind))
        if not wish.soft_resolution:
            return found
        return _soften(found, self._resolve(name, replace(wish, resolution=None, soft_resolution=False), kind))


def _soften(found: Resolution, modest: Resolution) -> Resolution:
    """What a vaguely worded wish for more pixels comes to: it spends nothing, and gives way where no account may."""
    name, resolution, size = found.asked, found.spec.resolution, modest.spec.size
    if modest.spec is found.spec:
        return modest
    if max(found.spec.costs.values(), default=0) > max(modest.spec.costs.values(), default=0):
        sentence = f"{name} in {resolution} costs more, which quality alone does not ask for; {size} is made."
        return replace(modest, warnings=(*modest.warnings, sentence))
    return _within_plan(found, modest)


def _within_plan(found: Resolution, modest: Resolution) -> Resolution:
    """With the modest one behind it, where no account may enlarge so far."""
    name, resolution, size = found.asked, found.spec.resolution, modest.spec.size
    if modest.spec.min_tier < found.spec.min_tier:
        sentence = f"No account may make {name} in the resolution {resolution}; {size} is made."
        return replace(found, fallback=replace(modest, warnings=(*modest.warnings, sentence)))
    return found


def _check_inputs(found: Resolution, wish: Wish, pictures_param: str, source_param: str) -> None:
    spec, name = found.spec, found.asked
    if wish.has_source and not spec.mode.needs_source:
        raise UnsupportedInputError(f"{name} does not extend videos; leave the video out.", param=source_param)
    if spec.mode.needs_source and not wish.has_source:
        thing, param = ("video", source_param) if spec.kind is MediaKind.VIDEO else ("picture", pictures_param)
        raise UnsupportedInputError(f"{name} needs a {thing} to {spec.mode}, and none came.", param=param)
    if wish.pictures < spec.min_images:
        raise UnsupportedInputError(
            f"{name} needs at least {_pictures(spec.min_images)}, and {wish.pictures} came.", param=pictures_param
        )
    if wish.pictures > spec.max_images:
        most = f"at most {_pictures(spec.max_images)}" if spec.max_images else "no input pictures"
        raise UnsupportedInputError(f"{name} takes {most}, and {wish.pictures} came.", param=pictures_param)


def _describe_all(candidates: Mapping[str, Candidates], routes: Mapping[str, Route]) -> dict[str, ModelDescription]:
    described = {found.key: _describe(found) for found in candidates.values()}
    leading: dict[str, list[str]] = {}
    aliases: dict[str, ModelDescription] = {}
    for name, route in routes.items():
        leading.setdefault(route.default.name, []).append(name)
        # A retired name may lead to a model that stands behind the base of the same name.
        alias = describe_alias(name, [described.get(target.key) or _describe(target) for target in route.targets])
        if route.retired:
            alias = replace(alias, deprecated=True, warning=_withdrawn(name, route.default.name))
        aliases[name] = alias
    own = {one.id: replace(one, aliases=tuple(leading.get(one.id, ()))) for one in described.values()}
    return own | aliases


def _describe(candidates: Candidates) -> ModelDescription:
    members = candidates.members if candidates.named is None else (candidates.named,)
    return describe_models(candidates.name, choose(candidates, Wish()), members)


def _withdrawn(name: str, successor: str) -> str:
    return f"The model {name} was withdrawn; {successor} serves in its place."


def _pictures(count: int) -> str:
    return f"{count} input picture{'' if count == 1 else 's'}"

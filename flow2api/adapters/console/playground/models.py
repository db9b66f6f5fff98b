"""What there is to choose from, and what the chosen model takes."""

from dataclasses import dataclass

from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.language import gettext, ngettext
from flow2api.adapters.console.wording import number
from flow2api.domain.account import Tier
from flow2api.domain.catalog import BaseName, CostUnit, Mode, ModelDescription, ModelSpec
from flow2api.domain.media import MediaKind
from flow2api.domain.parameters import MOST_RESULTS
from flow2api.domain.selection import Need


@dataclass(frozen=True, slots=True)
class ModelGroup:
    """Names of one upstream that make the same kind of media."""

    words: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenModel:
    """What the page offers for a model.

    Attributes:
        ratios: Of its results, widest first.
        resolutions: Words, the plain one first.
        seconds: Lengths that it makes; empty for pictures.
        least_pictures: How many pictures it needs.
        most_pictures: How many it takes.
        has_frames: Its pictures are the first and the last frame.
        builds: What it does with something that was made before (``extend``, ``edit``, ``enlarge``); None when it takes
            nothing of the sort.
        needs_source: It makes nothing without that.
        most_results: How many results one request may ask for.
        price: In words.
        is_served: Whether the pool has an account for it at all.
    """

    name: str
    upstream: str
    kind: MediaKind
    ratios: tuple[str, ...]
    resolutions: tuple[str, ...]
    seconds: tuple[int, ...]
    least_pictures: int
    most_pictures: int
    has_frames: bool
    builds: Mode | None
    needs_source: bool
    most_results: int
    price: str
    is_served: bool

    @property
    def enlarges(self) -> bool:
        """Whether it makes nothing of its own, so that no prompt is needed."""
        return self.needs_source and self.builds is Mode.ENLARGE


def model_groups(doors: ConsoleDoors, chosen: str) -> tuple[ModelGroup, ...]:
    """Names by upstream and kind: those of whole lines, the operator's own, and the chosen one.

    The names that fix a shape or a length, several hundred, are what the parameters of these come to.
    """
    groups: dict[tuple[str, MediaKind], list[str]] = {}
    for model in doors.routes.listed():
        entry = doors.catalog.get(model.id)
        if entry is None or isinstance(entry, BaseName) or model.id == chosen:
            groups.setdefault((model.upstream, model.kind), []).append(model.id)
    known = {name for names in groups.values() for name in names}
    described = doors.routes.describe(chosen)
    if chosen not in known and described is not None:
        groups.setdefault((described.upstream, described.kind), []).append(chosen)
    return tuple(ModelGroup(_group(*key), tuple(names)) for key, names in groups.items())


def choose_model(doors: ConsoleDoors, name: str) -> ChosenModel:
    """The model of this name, else the one that a newcomer tries best: it makes pictures, somebody serves it, it is free."""
    described = doors.routes.describe(name) if name else None
    return chosen_model(doors, described or _usual(doors))


def chosen_model(doors: ConsoleDoors, model: ModelDescription) -> ChosenModel:
    """What the page offers for it."""
    return ChosenModel(
        name=model.id,
        upstream=model.upstream,
        kind=model.kind,
        ratios=tuple(str(ratio) for ratio in model.aspect_ratios),
        resolutions=model.resolutions,
        seconds=model.seconds,
        least_pictures=model.min_images,
        most_pictures=model.max_images,
        has_frames=Mode.FRAMES in model.modes,
        builds=next((mode for mode in model.modes if mode.needs_source), None),
        needs_source=all(mode.needs_source for mode in model.modes),
        most_results=MOST_RESULTS if model.kind is MediaKind.IMAGE and Mode.ENLARGE not in model.modes else 1,
        price=price(model),
        is_served=is_served(doors, model.id),
    )


def extending_model(doors: ConsoleDoors, spec_name: str) -> str:
    """The first name that goes on with videos, best of the upstream and the shape of this model; empty without any."""
    made_by = doors.catalog.spec(spec_name)
    found = [model for model in doors.routes.listed() if Mode.EXTEND in model.modes]
    if made_by is not None:
        found = [model for model in found if model.upstream == made_by.upstream]
        found.sort(key=lambda model: made_by.aspect_ratio not in model.aspect_ratios)
    return found[0].id if found else ""


def is_served(doors: ConsoleDoors, name: str) -> bool:
    """Whether the pool has an account that may serve the name, rested or not."""
    return any(doors.pool.has_any_for(Need(spec).signature) for spec in specs_of(doors, name))


def specs_of(doors: ConsoleDoors, name: str) -> list[ModelSpec]:
    """The concrete models that may serve the name."""
    return [spec for target in doors.routes.targets(name) for spec in _specs(doors, target)]


def price(model: ModelDescription) -> str:
    """What one generation costs when nothing special is asked for."""
    costs = sorted(set(model.costs.values()))
    if len(costs) > 1 and any(costs) and model.cost_unit is CostUnit.CREDITS:
        return gettext("%(least)s to %(most)s credits, by plan") % {"least": costs[0], "most": costs[-1]}
    return _price(max(costs, default=0), model.cost_unit)


def price_of(spec: ModelSpec, tier: Tier | None) -> str:
    """What one generation costs an account of this plan."""
    return _price(spec.cost(tier), spec.cost_unit)


def _price(cost: int, unit: CostUnit) -> str:
    if not cost:
        return gettext("no credits")
    if unit is CostUnit.USD_MILLIS:
        return gettext("about %(dollars)s US dollars") % {"dollars": number(cost / 1000, 3)}
    return ngettext("%(num)s credit", "%(num)s credits", cost) % {"num": cost}


def _usual(doors: ConsoleDoors) -> ModelDescription:
    listed = doors.routes.listed()
    pictures = [model for model in listed if model.kind is MediaKind.IMAGE]
    free = [model for model in pictures if not any(model.costs.values())]
    for candidates in (free, pictures, listed):
        for model in candidates[:50]:
            if is_served(doors, model.id):
                return model
    return (free or pictures or listed)[0]


def _specs(doors: ConsoleDoors, name: str) -> list[ModelSpec]:
    entry = doors.catalog.get(name)
    if isinstance(entry, BaseName):
        return [spec for spec in doors.catalog.specs() if spec.line == entry.line]
    spec = doors.catalog.spec(name)
    if spec is not None:
        return [spec]
    described = doors.catalog.describe(name)
    return [one for one in doors.catalog.specs() if described is not None and one.upstream == described.upstream]


def _group(upstream: str, kind: MediaKind) -> str:
    if kind is MediaKind.IMAGE:
        return gettext("%(upstream)s: pictures") % {"upstream": upstream}
    return gettext("%(upstream)s: videos") % {"upstream": upstream}

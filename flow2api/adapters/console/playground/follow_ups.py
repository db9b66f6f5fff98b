"""What can be made of a result: edited, extended, changed, enlarged; with its price, or with why it cannot be."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.playground.models import extending_model, price_of
from flow2api.domain.account import Account
from flow2api.domain.building_on import Obstacle, obstacle, obstacle_of_maker
from flow2api.domain.catalog import Mode, ModelSpec, Wish
from flow2api.domain.media import Media, MediaKind
from flow2api.domain.usecases.run_in_playground import OPERATORS

PAGE = "/console/playground"

_NOT_WORTH_A_WORD = (Obstacle.OTHER_KIND, Obstacle.OTHER_UPSTREAM, Obstacle.OTHER_MODEL, Obstacle.LARGE_ALREADY)
"""Where a model is simply not for this result, it is not offered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """One thing that can be made of a result.

    Attributes:
        symbol: The name of its icon.
        path: The form for it, filled in; empty where nothing has to be filled in.
        fields: What is sent when the button is pressed, where nothing has to be filled in.
        price: What it costs, in words; empty where the form tells.
        hindrance: Why it cannot be; empty where it can.
    """

    words: str
    symbol: str
    path: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    price: str = ""
    hindrance: str = ""


async def follow_ups(doors: ConsoleDoors, media: Media) -> Sequence[FollowUp]:
    """What an operator can make of a result of the operators'; of what belongs to a key only that key makes anything."""
    if media.key_id != OPERATORS.key_id:
        return ()
    made_by = doors.catalog.spec(media.model)
    if media.kind is MediaKind.IMAGE:
        found = await _edits_of_picture(doors, media)
    else:
        found = [*_built_on(doors, media, made_by, _extending(doors, media)), *_changes(doors, media, made_by)]
    return (*found, *_enlargements(doors, media, made_by))


async def _edits_of_picture(doors: ConsoleDoors, media: Media) -> list[FollowUp]:
    """A new form with the picture, for the model that made it; an enlarged one counts as what was enlarged."""
    spec, origin = doors.catalog.spec(media.model), media
    while spec is not None and spec.enlarges and origin.parent_id is not None:
        before = await doors.follow.medium(origin.parent_id)
        if before is None:
            return []
        spec, origin = doors.catalog.spec(before.model), before
    described = None if spec is None else doors.routes.describe(spec.name)
    if spec is None or described is None or not described.max_images:
        return []
    path = f"{PAGE}?{urlencode({'picture': media.id, 'model': spec.name})}"
    return [FollowUp(words=gettext("Edit"), symbol="pencil", path=path)]


def _extending(doors: ConsoleDoors, media: Media) -> str:
    return extending_model(doors, media.model)


def _changes(doors: ConsoleDoors, media: Media, made_by: ModelSpec | None) -> Iterator[FollowUp]:
    for model in doors.routes.listed():
        if model.modes == (Mode.EDIT,) and (found := list(_built_on(doors, media, made_by, model.id))):
            yield from found
            return


def _built_on(doors: ConsoleDoors, media: Media, made_by: ModelSpec | None, name: str) -> Iterator[FollowUp]:
    """The form of a model that builds on the video; nothing where the model is not for it."""
    if not name:
        return
    wish = Wish(has_source=True, aspect_ratio=None if made_by is None else made_by.aspect_ratio)
    spec = doors.catalog.resolve(doors.routes.targets(name)[0], wish).spec
    found = obstacle(spec, media, made_by)
    if found in _NOT_WORTH_A_WORD:
        return
    is_extended = spec.mode is Mode.EXTEND
    yield FollowUp(
        words=gettext("Extend") if is_extended else gettext("Change"),
        symbol="expand" if is_extended else "pencil",
        path=f"{PAGE}?{urlencode({'source': media.id, 'model': name})}",
        hindrance=_hindrance(doors, spec, media, found),
    )


def _enlargements(doors: ConsoleDoors, media: Media, made_by: ModelSpec | None) -> Iterator[FollowUp]:
    """One for each resolution that is larger than what there is."""
    for spec in doors.catalog.specs():
        if not spec.enlarges or made_by is None or spec.aspect_ratio != made_by.aspect_ratio:
            continue
        found = obstacle(spec, media, made_by)
        if found in _NOT_WORTH_A_WORD or doors.routes.is_off(spec.name):
            continue
        maker = _maker(doors, media)
        yield FollowUp(
            words=gettext("Enlarge to %(resolution)s") % {"resolution": spec.resolution},
            symbol="maximize",
            fields={"model": spec.name, "source": media.id, "do": "run"},
            price=price_of(spec, None if maker is None else maker.tier),
            hindrance=_hindrance(doors, spec, media, found),
        )


def _maker(doors: ConsoleDoors, media: Media) -> Account | None:
    return None if media.account_id is None else doors.account_of(media.account_id)


def _hindrance(doors: ConsoleDoors, spec: ModelSpec, media: Media, found: Obstacle | None) -> str:
    maker = _maker(doors, media)
    found = found or obstacle_of_maker(spec, media, maker)
    if found is None:
        return ""
    told = {
        "account": "" if maker is None else maker.name or maker.email or str(maker.id),
        "plan": spec.min_tier.name.capitalize(),
        "price": price_of(spec, None if maker is None else maker.tier),
    }
    return _sentence(found) % told


def _sentence(found: Obstacle) -> str:
    match found:
        case Obstacle.IN_PIECES:
            return gettext("It was put together of several videos, which the service cannot enlarge as one.")
        case Obstacle.MAKER_GONE:
            return gettext("The account that made it was removed, and no other one knows it.")
        case Obstacle.MAKER_MOVED_ON:
            return gettext("%(account)s made it in a project that the account does not use any more.")
        case Obstacle.PLAN_TOO_LOW:
            return gettext("%(account)s made it, and has not the plan that this needs: %(plan)s.")
        case Obstacle.TOO_FEW_CREDITS:
            return gettext("%(account)s made it, and has too few credits left for the price: %(price)s.")
        case _:
            return gettext("It came along with the answer, and the service keeps nothing of it that could be built on.")

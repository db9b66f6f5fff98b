"""What operators have made of late and could build on."""

from collections.abc import Sequence

from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.playground.models import ChosenModel, specs_of
from flow2api.adapters.console.playground.runs import preview_path
from flow2api.adapters.console.playground.views import Shown, Source
from flow2api.domain.building_on import obstacle
from flow2api.domain.generation import Generation
from flow2api.domain.media import Media, MediaKind
from flow2api.domain.usecases.run_in_playground import OPERATORS

MOST_OFFERED = 9
_LOOKED_THROUGH = 30


async def offered_sources(doors: ConsoleDoors, model: ChosenModel, chosen: Media | None) -> tuple[Source, ...]:
    """The chosen one first, then the latest that the model can build on; none where it builds on nothing."""
    if model.builds is None:
        return ()
    specs = specs_of(doors, model.name)
    found = [
        media
        for media in await _latest(doors, model.kind)
        if any(obstacle(spec, media, doors.catalog.spec(media.model)) is None for spec in specs)
    ]
    first = [] if chosen is None or chosen.kind is not model.kind else [chosen]
    shown = [*first, *(media for media in found if chosen is None or media.id != chosen.id)][:MOST_OFFERED]
    return tuple(
        Source(one.id, one.prompt, preview_path(one.id), is_chosen=chosen is not None and one.id == chosen.id)
        for one in shown
    )


async def offered_pictures(doors: ConsoleDoors, chosen: Sequence[Media]) -> tuple[Shown, ...]:
    """The latest pictures that are not among the chosen ones."""
    ids = {one.id for one in chosen}
    found = [media for media in await _latest(doors, MediaKind.IMAGE) if media.id not in ids]
    return tuple(Shown(one.id, preview_path(one.id), one.prompt) for one in found[:MOST_OFFERED])


async def _latest(doors: ConsoleDoors, kind: MediaKind) -> list[Media]:
    page = await doors.results.page(OPERATORS, kind=kind, after=None, limit=_LOOKED_THROUGH, newest_first=True)
    kept = await doors.follow.results(page.items)
    now = doors.clock.now()
    return [kept[one] for one in _results(page.items) if one in kept and not kept[one].is_expired(now)]


def _results(generations: Sequence[Generation]) -> list[str]:
    return [media_id for one in generations if one.deleted_at is None for media_id in one.results]

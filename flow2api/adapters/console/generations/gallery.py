"""The gallery: what was made and is still kept, and one of it at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.generations.filters import GALLERY, Chip, Filters, filters_of, kind_words
from flow2api.adapters.console.generations.listing import Choices, choices_of
from flow2api.adapters.console.generations.names import Named, names_of
from flow2api.adapters.console.generations.rows import title_of, took_s
from flow2api.adapters.console.playground.follow_ups import FollowUp, follow_ups
from flow2api.adapters.console.visit import Visit
from flow2api.domain.errors import MediaNotFoundError
from flow2api.domain.generation import Generation
from flow2api.domain.media import CONTENT_TYPES, Media, MediaKind, MediaRole
from flow2api.domain.ports.storage import GenerationFilter

PAGE = 60
_TRIES = 4
"""How many pages of generations are looked through for results that are still kept."""

_LINK_S = 3600
_LINK_STEP_S = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A result.

    Attributes:
        path: The page that shows it alone.
        preview: The address of its small picture.
        source: A signed link to the whole of it, for a while.
    """

    id: str
    title: str
    prompt: str
    is_video: bool
    model: str
    created_at: datetime
    expires_at: datetime | None
    path: str
    preview: str
    source: str
    file_name: str
    file_type: str
    size_bytes: int
    width: int | None
    height: int | None
    seconds: int | None
    generation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gallery:
    """The page.

    Attributes:
        kinds: What the facets offer, as words, address and whether it is chosen.
        behind: The address of what comes next; empty when there is no more.
        looked_to: How far back the look for words of prompts came, where it came to an end before all was looked at.
    """

    filters: Filters
    kinds: Sequence[tuple[str, str, str, bool]]
    chips: Sequence[Chip]
    choices: Choices
    tiles: Sequence[Tile]
    before: str
    behind: str
    looked_to: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One result, large.

    Attributes:
        before: The address of the one before it in the gallery; empty when it is the first.
        behind: The address of the next one.
        back: The gallery around it.
        follow_ups: What can be made of it.
        is_of_a_key: It belongs to an API key, so that operators make nothing of it.
    """

    tile: Tile
    account: Named
    key: Named
    seed: int | None
    took_s: float
    before: str
    behind: str
    back: str
    follow_ups: Sequence[FollowUp]
    is_of_a_key: bool


async def look(visit: Visit) -> Gallery:
    """The gallery as the page's address asks for it."""
    doors = visit.doors
    names = await names_of(doors)
    filters = filters_of(visit, GALLERY, names)
    part = await (_searched(doors, filters) if filters.q else _tiles(doors, filters))
    kinds = [("", "layout-grid"), ("image", "image"), ("video", "video")]
    return Gallery(
        filters=filters,
        kinds=[(kind_words(kind), symbol, filters.path(kind=kind), kind == filters.kind) for kind, symbol in kinds],
        chips=[one for one in filters.chips(names) if not filters.kind or one.value != kind_words(filters.kind)],
        choices=choices_of(doors, names),
        tiles=part.tiles,
        before=filters.path(before=part.first) if part.has_before else "",
        behind=filters.path(after=part.last) if part.has_behind else "",
        looked_to=part.looked_to,
    )


async def show(visit: Visit, media_id: str) -> Shown:
    """One result, with those beside it in the gallery that the address asks for.

    Raises:
        MediaNotFoundError: It is not kept (any more).
    """
    doors = visit.doors
    names = await names_of(doors)
    filters = filters_of(visit, GALLERY, names)
    generation, media = await _found(doors, media_id)
    before, behind = await _beside(doors, filters, generation, media_id)
    return Shown(
        tile=tile_of(doors, generation, media, filters),
        account=names.account(media.account_id),
        key=names.key(media.key_id),
        seed=generation.seed,
        took_s=took_s(generation, doors.clock.now()),
        before=_path(before, filters),
        behind=_path(behind, filters),
        back=filters.path(),
        follow_ups=await follow_ups(doors, media),
        is_of_a_key=media.key_id is not None,
    )


def tile_of(doors: ConsoleDoors, generation: Generation, media: Media, filters: Filters | None = None) -> Tile:
    """A result as it is shown; its link stays the same for some minutes, so that a live page does not change."""
    now = int(doors.clock.now().timestamp())
    return Tile(
        id=media.id,
        title=title_of(generation),
        prompt=generation.prompt,
        is_video=media.kind is MediaKind.VIDEO,
        model=generation.model,
        created_at=media.created_at,
        expires_at=media.expires_at,
        path=_path(media.id, filters or Filters(base=GALLERY)),
        preview=f"/console/media/{media.id}/preview",
        source=doors.media.link(media.id, _LINK_S - now % _LINK_STEP_S),
        file_name=media.file_name,
        file_type=CONTENT_TYPES[media.content_type].upper(),
        size_bytes=media.size_bytes,
        width=media.width,
        height=media.height,
        seconds=generation.seconds,
        generation_id=generation.id,
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """Results of whole generations, and the ids of those where they begin and end."""

    tiles: list[Tile]
    first: str
    last: str
    has_before: bool
    has_behind: bool
    looked_to: datetime | None = None


async def _searched(doors: ConsoleDoors, filters: Filters) -> _Part:
    """The results of what was asked for with the words of the filter, as far as one look goes."""
    after, before = filters.after or None, filters.before or None
    found = await doors.find_prompts(filters.q, _wanted(doors, filters), after=after, before=before, limit=PAGE)
    kept = await doors.follow.results(found.items)
    tiles = [tile for one in found.items for tile in _of(doors, one, kept, filters)]
    first, last = (found.items[0].id, found.items[-1].id) if found.items else ("", "")
    is_cut = found.further is not None and len(found.items) < PAGE
    looked_to, further = (found.looked_to if is_cut else None), found.further or ""
    if before:
        return _Part(tiles, further or first, last, bool(further), bool(last), looked_to)
    return _Part(tiles, first, further, bool(after) and bool(first), bool(further), looked_to)


async def _tiles(doors: ConsoleDoors, filters: Filters) -> _Part:
    """The results of whole generations until there are enough."""
    wanted = _wanted(doors, filters)
    after, before = filters.after or None, filters.before or None
    tiles: list[Tile] = []
    first, last, has_more = "", "", True
    for _ in range(_TRIES):
        page = await doors.generations.page(wanted, after=after, before=before, limit=PAGE)
        kept = await doors.follow.results(page.items)
        has_more = page.has_more
        for generation in page.items:
            if len(tiles) >= PAGE and not before:
                has_more = True
                break
            first, last = first or generation.id, generation.id
            tiles += _of(doors, generation, kept, filters)
        after = last
        if before or not page.has_more or len(tiles) >= PAGE:
            break
    has_before = has_more if before else bool(filters.after)
    return _Part(tiles, first, last, has_before and bool(first), True if before and last else has_more)


def _of(doors: ConsoleDoors, generation: Generation, kept: dict[str, Media], filters: Filters) -> list[Tile]:
    now = doors.clock.now()
    found = (kept[one] for one in generation.results if one in kept)
    return [tile_of(doors, generation, one, filters) for one in found if not one.is_expired(now)]


def _wanted(doors: ConsoleDoors, filters: Filters) -> GenerationFilter:
    now = doors.clock.now()
    return filters.wanted(now, GenerationFilter(kept_at=now))


async def _found(doors: ConsoleDoors, media_id: str) -> tuple[Generation, Media]:
    media = await doors.follow.medium(media_id)
    if media is None or media.role is not MediaRole.RESULT or media.generation_id is None:
        raise MediaNotFoundError("The file is not kept any more.")
    return (await doors.follow.get(media.generation_id)).generation, media


async def _beside(doors: ConsoleDoors, filters: Filters, generation: Generation, media_id: str) -> tuple[str, str]:
    """The ids of the results before and behind one."""
    wanted = _wanted(doors, filters)
    around: tuple[Generation, ...]
    if filters.q:
        newer = await doors.find_prompts(filters.q, wanted, before=generation.id, limit=3)
        older = await doors.find_prompts(filters.q, wanted, after=generation.id, limit=3)
        around = (*newer.items, generation, *older.items)
    else:
        in_front = await doors.generations.page(wanted, before=generation.id, limit=3)
        following = await doors.generations.page(wanted, after=generation.id, limit=3)
        around = (*in_front.items, generation, *following.items)
    kept = await doors.follow.results(around)
    ids = [one for each in around for one in each.results if one in kept]
    place = ids.index(media_id) if media_id in ids else 0
    return ids[place - 1] if place else "", ids[place + 1] if place + 1 < len(ids) else ""


def _path(media_id: str, filters: Filters) -> str:
    query = filters.path().partition("?")[2]
    path = f"{GALLERY}/{media_id}" if media_id else ""
    return f"{path}?{query}" if path and query else path


def is_soon_gone(expires_at: datetime | None, now: datetime) -> bool:
    """Whether a file goes within a day."""
    return expires_at is not None and expires_at - now < timedelta(days=1)

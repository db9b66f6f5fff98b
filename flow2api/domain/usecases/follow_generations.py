"""Generations as operators follow them: what is under way, and all that is known of one."""

from collections.abc import Sequence
from dataclasses import dataclass

from flow2api.domain.errors import GenerationNotFoundError
from flow2api.domain.generation import Generation
from flow2api.domain.media import Media
from flow2api.domain.ports.storage import GenerationDirectory, GenerationFilter, Generations, MediaIndex
from flow2api.domain.usecases.work import Work
from flow2api.domain.waiting_line import Turn

MOST_ELSEWHERE = 500
MOST_CHILDREN = 20


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A generation that has not ended.

    Attributes:
        turn: Where it stands in the waiting line; None when it does not wait in this process.
        is_here: Whether this process works on it.
    """

    generation: Generation
    turn: Turn | None = None
    is_here: bool = True


@dataclass(frozen=True, slots=True)
class Lineage:
    """What a generation came from, and what came of it.

    Attributes:
        inputs: Its inputs, those that are still kept.
        parent: What it builds on, if that is still known.
        siblings: The other parts of its request.
        children: What builds on it, the newest first, some at most.
    """

    inputs: tuple[Media, ...] = ()
    parent: Generation | None = None
    siblings: tuple[Generation, ...] = ()
    children: tuple[Generation, ...] = ()


class FollowGenerations:
    """Takes what this process works on from memory, where it is newer than in the database."""

    def __init__(self, work: Work, generations: Generations, directory: GenerationDirectory, media: MediaIndex) -> None:
        self._work = work
        self._generations = generations
        self._directory = directory
        self._media = media

    async def under_way(self) -> Sequence[UnderWay]:
        """Everything that waits or runs, in this process and in others, what was asked for first first."""
        page = await self._directory.page(GenerationFilter(is_unfinished=True), after=None, limit=MOST_ELSEWHERE)
        here = {job.generation.id: UnderWay(job.generation, job.stands()) for job in self._work.jobs if not job.is_over}
        elsewhere = [UnderWay(one, is_here=False) for one in page.items if one.id not in self._work]
        return sorted((*here.values(), *elsewhere), key=lambda one: (one.generation.created_at, one.generation.id))

    async def get(self, generation_id: str) -> UnderWay:
        """One generation, under way or not, deleted or not.

        Raises:
            GenerationNotFoundError: There is none with this id (any more).
        """
        job = self._work.job(generation_id)
        if job is not None and not job.is_over:
            return UnderWay(job.generation, job.stands())
        found = await self._generations.get(generation_id)
        if found is None:
            raise GenerationNotFoundError(generation_id)
        return UnderWay(found, is_here=job is not None)

    async def results(self, generations: Sequence[Generation]) -> dict[str, Media]:
        """The results of these generations that are still kept, by their ids."""
        ids = [media_id for one in generations for media_id in one.results]
        return {media.id: media for media in await self._media.get(ids)} if ids else {}

    async def medium(self, media_id: str) -> Media | None:
        """A media, an input or a result; None when it is not kept (any more)."""
        found = await self._media.get([media_id])
        return found[0] if found else None

    async def lineage(self, generation: Generation) -> Lineage:
        """What it came from, and what came of it."""
        parent = None if generation.parent_id is None else await self._generations.get(generation.parent_id)
        ids = [one.media_id for one in generation.inputs]
        siblings = await self._generations.of_group(generation.group_id) if generation.group_id else ()
        children = await self._directory.page(
            GenerationFilter(parent_id=generation.id), after=None, limit=MOST_CHILDREN
        )
        return Lineage(
            inputs=tuple(await self._media.get(ids)) if ids else (),
            parent=parent,
            siblings=tuple(one for one in siblings if one.id != generation.id),
            children=children.items,
        )

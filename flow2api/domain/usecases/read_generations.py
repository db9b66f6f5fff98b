"""What a caller can see and do with generations that were begun before."""

from dataclasses import replace

from flow2api.domain.api_key import Caller
from flow2api.domain.errors import GenerationNotFoundError, MediaGoneError, NotReadyError, UnsupportedInputError
from flow2api.domain.generation import Generation, State
from flow2api.domain.key_lines import KeyLines
from flow2api.domain.media import Media, MediaKind
from flow2api.domain.ports.media import MediaStore
from flow2api.domain.ports.storage import Generations, MediaIndex, Page
from flow2api.domain.ports.system import Clock
from flow2api.domain.usecases.draw_stills import DrawStills
from flow2api.domain.usecases.job import Job
from flow2api.domain.usecases.purge_media import let_go
from flow2api.domain.usecases.serve_media import OpenMedia, ServeMedia
from flow2api.domain.usecases.work import Work
from flow2api.domain.waiting_line import Turn

_TRIES = 3
"""How often a deletion is tried while other processes take the generation over."""

VARIANTS = ("video", "thumbnail", "spritesheet")


class ReadGenerations:
    """Looks up, lists, opens and deletes; what belongs to a key of another line does not exist."""

    def __init__(
        self,
        generations: Generations,
        media: MediaIndex,
        store: MediaStore,
        serve: ServeMedia,
        stills: DrawStills,
        work: Work,
        clock: Clock,
        lines: KeyLines,
    ) -> None:
        self._generations = generations
        self._media = media
        self._store = store
        self._serve = serve
        self._stills = stills
        self._work = work
        self._clock = clock
        self._lines = lines

    async def get(self, generation_id: str, caller: Caller) -> Generation:
        """The generation.

        Raises:
            GenerationNotFoundError: It is unknown, another line's, deleted, or its retention is over.
        """
        job = self._work.job(generation_id)
        written = None if _knows_more(job) else await self._generations.get(generation_id)
        generation = _current(job, written)
        if generation is None or generation.deleted_at is not None or not self._lines.owns(caller, generation.key_id):
            raise GenerationNotFoundError(generation_id)
        if generation.expires_at is not None and generation.expires_at <= self._clock.now():
            raise GenerationNotFoundError(generation_id)
        return generation

    def turn(self, generation_id: str) -> Turn | None:
        """Where it stands in the waiting line; None when it does not wait in this process."""
        job = self._work.job(generation_id)
        return None if job is None else job.stands()

    async def page(
        self, caller: Caller, *, kind: MediaKind, after: str | None, limit: int, newest_first: bool
    ) -> Page[Generation]:
        """One page of the generations of the caller's line, behind the one with the id ``after``."""
        page = await self._generations.page(
            key_ids=self._lines.keys_of(caller), kind=kind, after=after, limit=limit, newest_first=newest_first
        )
        return replace(page, items=tuple(_current(self._work.job(one.id), one) or one for one in page.items))

    async def delete(self, generation_id: str, caller: Caller) -> None:
        """Cancel it if it runs, and let go of its media; the record stays.

        Raises:
            GenerationNotFoundError: As for `get`.
        """
        generation = await self.get(generation_id, caller)
        if not generation.state.is_final:
            await self._work.cancel(generation_id)
            generation = await self._generations.get(generation_id) or generation
        for _ in range(_TRIES):
            now = self._clock.now()
            if not generation.state.is_final:
                # Another process works on it, and learns by the fence that it must stop.
                generation = replace(generation.cancelled(now), fence=generation.fence + 1)
            if await self._generations.save(replace(generation, deleted_at=now)):
                break
            generation = await self.get(generation_id, caller)
        for sha256 in await self._media.remove(generation.results):
            await let_go(self._store, sha256, generation.ended_at or generation.created_at)

    async def media(self, generation: Generation) -> Media | None:
        """The first result, if there is one and it is still kept."""
        found = await self._media.get(generation.results[:1])
        return found[0] if found else None

    async def content(self, generation_id: str, caller: Caller, variant: str = "video") -> OpenMedia:
        """The result, or a still picture of it.

        Args:
            variant: ``video``, ``thumbnail`` or ``spritesheet``.

        Raises:
            GenerationNotFoundError: As for `get`.
            NotReadyError: There is no result (yet).
            MediaGoneError: The result is not kept any more.
        """
        if variant not in VARIANTS:
            raise UnsupportedInputError(f"The variants are {', '.join(VARIANTS)}.", param="variant")
        generation = await self.get(generation_id, caller)
        if generation.state is not State.COMPLETED:
            raise NotReadyError(why_unfinished(generation))
        media = await self.media(generation)
        if media is None:
            raise MediaGoneError("The video is not kept any more.")
        opened = await self._serve.open(media)
        return opened if variant == "video" else await self._stills(opened, variant)


def _knows_more(job: Job | None) -> bool:
    """Whether a job knows more of the progress than the last written record; its end counts when it is written."""
    return job is not None and job.is_stored and not job.is_over


def _current(job: Job | None, written: Generation | None) -> Generation | None:
    """What is known of a generation, by its job if there is one, and by its record."""
    if job is None or not job.is_stored:
        return written
    if not job.is_over:
        return job.generation
    # Its end is being written: until then it must not seem to have gone back to where it was written last.
    return written if written is None or written.state.is_final else job.before_end


def why_unfinished(generation: Generation) -> str:
    """A sentence for the caller about a video without a result."""
    if not generation.state.is_final:
        return "The video is not finished yet; ask again when its status is completed."
    if generation.state is State.CANCELLED:
        return "The video was cancelled; there is no result."
    return f"The video failed: {generation.fault.message if generation.fault else 'there is no result.'}"

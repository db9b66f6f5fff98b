"""What operators see of generations, whoever asked for them."""

from flow2api.domain.errors import GenerationNotFoundError
from flow2api.domain.generation import Generation
from flow2api.domain.ports.storage import GenerationDirectory, GenerationFilter, Generations, Page

LARGEST_PAGE = 500


class LookUpGenerations:
    """Finds them as the database has them: what a job has learned since it was last written comes with its next step."""

    def __init__(self, generations: Generations, directory: GenerationDirectory) -> None:
        self._generations = generations
        self._directory = directory

    async def get(self, generation_id: str) -> Generation:
        """One generation, deleted or not.

        Raises:
            GenerationNotFoundError: There is none with this id (any more).
        """
        found = await self._generations.get(generation_id)
        if found is None:
            raise GenerationNotFoundError(generation_id)
        return found

    async def page(
        self, wanted: GenerationFilter, *, after: str | None = None, limit: int = 50, before: str | None = None
    ) -> Page[Generation]:
        """Those that pass the filter, newest first, behind the one with the id ``after``; 500 at most.

        With ``before``, those right in front of that one.
        """
        limit = min(max(limit, 1), LARGEST_PAGE)
        return await self._directory.page(wanted, after=after, limit=limit, before=before)

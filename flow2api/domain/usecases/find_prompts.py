"""Finds generations by what was asked for, in looks that each cost a few milliseconds however much was made."""

from flow2api.domain.ports.storage import FindsPrompts, GenerationDirectory, GenerationFilter
from flow2api.domain.prompt_search import FoundGenerations, found_among, has_words, words_of

LOOKED_AT = 20_000
READ = 500


class FindPrompts:
    """Looks through the generations from the newest on, so many at a time, and tells how far it came.

    There is no index of words: to keep one would cost every request more than a look costs who searches.
    """

    def __init__(self, directory: GenerationDirectory) -> None:
        self._directory = directory

    async def __call__(
        self,
        text: str,
        wanted: GenerationFilter,
        *,
        after: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> FoundGenerations:
        """Those with every word of this text in their prompt, behind or in front of the one with that id; none for no word.

        Args:
            limit: 500 at most.

        Raises:
            StorageError: The database did not tell.
        """
        words, limit, is_back = words_of(text), min(max(limit, 1), READ), before is not None
        if not words:
            return FoundGenerations((), None, None)
        if isinstance(self._directory, FindsPrompts):
            return await self._directory.find(words, wanted, after=after, before=before, limit=limit, most=LOOKED_AT)
        page = await self._directory.page(wanted, after=after, before=before, limit=READ)
        found = [one for one in page.items if has_words(one.prompt, words)]
        return found_among(page.items, found, limit, is_back=is_back, has_more=page.has_more)

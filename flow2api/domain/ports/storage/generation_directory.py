"""Looking through what everybody asked for."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from flow2api.domain.generation import Generation, State
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.storage.generations import Page
from flow2api.domain.prompt_search import FoundGenerations


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationFilter:
    """Which generations are looked for; None looks for all.

    Attributes:
        key_id: Those of this API key.
        is_operators: Those that no API key asked for.
        account_id: Those that this account served, or serves.
        model: By the name that was asked for.
        code: Those that ended for this reason, by the code of the error tree.
        parent_id: Those that build on this generation.
        since: Those that were asked for at this moment or later.
        is_unfinished: Those that wait or run.
        kept_at: Those whose results were kept at this moment, as far as generations tell: completed, not deleted, not
            expired.
    """

    key_id: int | None = None
    account_id: int | None = None
    kind: MediaKind | None = None
    state: State | None = None
    model: str | None = None
    code: str | None = None
    parent_id: str | None = None
    since: datetime | None = None
    is_unfinished: bool = False
    is_operators: bool = False
    kept_at: datetime | None = None


class GenerationDirectory(Protocol):
    """All generations as the database has them, whoever asked for them, deleted and expired ones included."""

    async def page(
        self, wanted: GenerationFilter, *, after: str | None, limit: int, before: str | None = None
    ) -> Page[Generation]:
        """Generations that pass the filter, the one that was added last first, behind the one with the id ``after``.

        With ``before``, those that stand right in front of that one, in the same order; ``has_more`` then tells whether
        there are more in front of them. Behind and in front of an id that is not there stands nothing.
        """
        ...


@runtime_checkable
class FindsPrompts(Protocol):
    """A directory that finds generations by words of their prompt. A directory may offer this.

    Of one that does not, generations are read page by page and looked through.
    """

    async def find(
        self,
        words: Sequence[str],
        wanted: GenerationFilter,
        *,
        after: str | None,
        limit: int,
        most: int,
        before: str | None = None,
    ) -> FoundGenerations:
        """Generations that pass the filter and have each of these words in their prompt, ordered as by `GenerationDirectory`.

        Args:
            words: Any of them may be a part of a longer word. Letters of ASCII are found in capitals and small ones alike;
                a word with others as it is written, all small, all capital, and with its first letter capital.
            most: So many generations next to ``after``, or ``before``, are looked at, whether they pass or not.

        Raises:
            StorageError: The database did not tell.
        """
        ...


@dataclass(frozen=True, slots=True)
class NameCount:
    """How often a key asked for a model by a name.

    Attributes:
        key_id: None for the operator.
        last_at: When it last did.
    """

    name: str
    key_id: int | None
    count: int
    last_at: datetime


@runtime_checkable
class CountsNames(Protocol):
    """A directory that can count by which names models were asked for. A directory may offer this."""

    async def count_names(self, names: Collection[str], newest: int) -> tuple[Sequence[NameCount], datetime | None]:
        """The uses of these names among so many of the newest generations, and when the oldest of those was begun.

        The moment is None when there are no generations.

        Raises:
            StorageError: The database did not tell.
        """
        ...

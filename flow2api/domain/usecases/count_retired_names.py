"""Who still calls models by names that were withdrawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flow2api.domain.ports.storage import CountsNames, GenerationDirectory, NameCount

LOOKED_AT = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RetiredNames:
    """Calls by withdrawn names.

    Attributes:
        successors: Every withdrawn name, with the model that serves in its place.
        calls: How often each key used which of them, the most often first.
        since: When the oldest generation that was looked at was begun; None when there is none.
    """

    successors: Mapping[str, str]
    calls: Sequence[NameCount]
    since: datetime | None


class CountRetiredNames:
    """Looks at the newest generations, of which each has the name that was asked for.

    Args:
        successors: Withdrawn names with the models that serve in their place.
    """

    def __init__(self, directory: GenerationDirectory, successors: Mapping[str, str]) -> None:
        self._directory = directory if isinstance(directory, CountsNames) else None
        self._successors = successors

    async def __call__(self) -> RetiredNames:
        """The calls among the newest `LOOKED_AT` generations.

        Raises:
            StorageError: The database did not tell.
        """
        if self._directory is None or not self._successors:
            return RetiredNames(successors=self._successors, calls=(), since=None)
        calls, since = await self._directory.count_names(frozenset(self._successors), LOOKED_AT)
        ordered = sorted(calls, key=lambda call: (-call.count, call.name, call.key_id or 0))
        return RetiredNames(successors=self._successors, calls=ordered, since=since)

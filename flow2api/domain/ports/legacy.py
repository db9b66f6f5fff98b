"""Reading the old server's file, and keeping what it recorded."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from flow2api.domain.generation import Generation
from flow2api.domain.legacy import (
    LegacyAccount,
    LegacyFigures,
    LegacyLogLine,
    LegacyProject,
    LegacySettings,
    LegacyTask,
    Total,
)
from flow2api.domain.request_log import LoggedRequest


class LegacyFile(Protocol):
    """The old server's file. It is only read, and may be in use. A table that is missing has no rows.

    Rows come in batches. In place of one that is damaged stands None: it is counted, and the others go on.

    Every method raises `UnsupportedInputError` when the file cannot be read, or not any further.
    """

    async def counts(self) -> Mapping[str, int]:
        """How many rows each of its tables has."""
        ...

    async def settings(self) -> LegacySettings:
        """The tables of settings, of which each has one row; of more than one the first counts."""
        ...

    def accounts(self) -> AsyncIterator[Sequence[LegacyAccount | None]]:
        """The table ``tokens``."""
        ...

    def projects(self) -> AsyncIterator[Sequence[LegacyProject | None]]:
        """The table ``projects``."""
        ...

    def figures(self) -> AsyncIterator[Sequence[LegacyFigures | None]]:
        """The table ``token_stats``."""
        ...

    def tasks(self) -> AsyncIterator[Sequence[LegacyTask | None]]:
        """The table ``tasks``."""
        ...

    def log(self) -> AsyncIterator[Sequence[LegacyLogLine | None]]:
        """The table ``request_logs``."""
        ...


class Inheritance(Protocol):
    """Keeps what another server recorded, so that nothing is there twice."""

    async def add_generations(self, generations: Sequence[Generation]) -> int:
        """Store ended generations that are not there yet, in one step.

        Returns:
            How many were new, by their ids.
        """
        ...

    async def add_log(self, lines: Sequence[LoggedRequest]) -> int:
        """Store lines of the request log that are not there yet, in one step; they are counted in no statistics.

        Returns:
            How many were new: a line is known by its time and its ``request_id``. It gets a number by these, too.
        """
        ...

    async def set_totals(self, totals: Sequence[Total]) -> None:
        """Replace everything that these accounts are known to have done before they came here, in one step."""
        ...

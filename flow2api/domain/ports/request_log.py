"""The request log, read and forgotten. It is written by the journal."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from flow2api.domain.request_log import LogFilter, LoggedRequest, LogPosition


class RequestLog(Protocol):
    """Lines of the request log."""

    async def page(self, wanted: LogFilter, before: LogPosition | None, limit: int) -> Sequence[LoggedRequest]:
        """Lines in front of a place, newest first, without their bodies."""
        ...

    async def since(self, wanted: LogFilter, number: int, limit: int) -> Sequence[LoggedRequest]:
        """Lines with a larger number, oldest first, without their bodies."""
        ...

    async def latest(self) -> int:
        """The number of the newest line; 0 when there is none."""
        ...

    async def get(self, number: int) -> LoggedRequest | None:
        """One line with its body; None when it is not there any more."""
        ...

    async def forget(self, before: datetime, limit: int) -> int:
        """Delete lines from before a moment, oldest first, in one short step.

        Returns:
            How many have gone; fewer than ``limit`` when no more are left.
        """
        ...

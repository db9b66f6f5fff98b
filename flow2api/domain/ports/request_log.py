"""The request log, read and forgotten. It is written by the journal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, runtime_checkable

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


class LineColumn(StrEnum):
    """What lines are told apart by in forms."""

    MODEL = "model"
    KEY = "key_id"
    ACCOUNT = "account_id"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class TimeCount:
    """How many lines a step of time has.

    Attributes:
        number: Of the step, from 0.
        wrong: How many of them failed or were refused.
    """

    number: int
    total: int
    wrong: int
    begins: datetime


@runtime_checkable
class CountsLines(Protocol):
    """A request log that can count its lines, and tell what they have.

    A request log may offer this; without it, less is shown.
    """

    async def count_lines(self, wanted: LogFilter, since: datetime, step: timedelta, most: int) -> Sequence[TimeCount]:
        """How many of the newest lines that pass the filter each step has, the first one beginning at ``since``.

        Args:
            most: So many lines are counted at most. Steps without any are left out.
        """
        ...

    async def line_values(self, column: LineColumn, most: int) -> Sequence[str | int]:
        """What the lines have there, sorted, each once; found without looking at every line."""
        ...

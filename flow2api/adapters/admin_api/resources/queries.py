"""What the lists of all resources are asked for with: how many, from where, and from when to when."""

from datetime import datetime
from typing import Annotated, Any

from litestar import Request
from litestar.params import QueryParameter

from flow2api.adapters.admin_api.schemas import LARGEST_ID
from flow2api.domain.errors import UnsupportedInputError

HttpRequest = Request[Any, Any, Any]

PREFIX = "/api/admin"

Limit = Annotated[int, QueryParameter(ge=1, le=500)]
"""How many items a page has at most."""

Cursor = Annotated[str | None, QueryParameter(max_length=128)]
"""The ``next_cursor`` of the page before; without one a list begins at its beginning."""

Word = Annotated[str | None, QueryParameter(max_length=256)]
"""A word to filter by."""

OptionalId = Annotated[int | None, QueryParameter(ge=1, le=LARGEST_ID)]
"""An id to filter by."""

Moment = Annotated[datetime | None, QueryParameter()]
"""An instant of RFC 3339, with its offset, which `whole` looks for."""


def whole(moment: datetime | None, name: str) -> datetime | None:
    """The moment, if it says its offset.

    Raises:
        UnsupportedInputError: It could be any of a day's.
    """
    if moment is not None and moment.tzinfo is None:
        raise UnsupportedInputError(f"Say {name} with its offset, such as 2026-11-23T18:30:00Z.", param=name)
    return moment


def number_in(cursor: str | None) -> int | None:
    """The number that a cursor stands for; None for none.

    Raises:
        UnsupportedInputError: It is no cursor of such a list.
    """
    if cursor is None:
        return None
    if not cursor.isascii() or not cursor.isdecimal() or not 0 < int(cursor) <= LARGEST_ID:
        raise refused_cursor()
    return int(cursor)


def refused_cursor() -> UnsupportedInputError:
    """What to raise for a cursor that this list has not given out."""
    return UnsupportedInputError("This list gave out no such cursor; leave it out to begin anew.", param="cursor")

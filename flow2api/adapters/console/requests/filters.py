"""What the query of the page asks for, and how it is written back into addresses."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flow2api.adapters.console.links import LARGEST_ID, address
from flow2api.adapters.console.spans import begins, known_span
from flow2api.adapters.console.visit import Visit
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.request_log import LogFilter, LoggedRequest, LogPosition, position_of

PATH = "/console/requests"
USUAL = "24h"

_MOST_DIGITS = 19
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LATEST = (datetime.max.replace(tzinfo=UTC) - _BEGINNING) // _MICROSECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The filter of the page.

    Attributes:
        query: The filter as it stands in addresses, without place, opened line and pause.
        before: The place in front of which lines are shown; None for the newest ones.
        place: The same as it stands in addresses.
        opened: The number of the line whose facts stand beside the list.
        is_paused: Whether what comes in is left out until the page is asked for again.
    """

    wanted: LogFilter
    query: Mapping[str, str]
    before: LogPosition | None
    place: str
    opened: int | None
    is_paused: bool

    @property
    def is_narrowed(self) -> bool:
        """Whether more than the time is asked for."""
        return any(value for name, value in self.query.items() if name != "span")

    def address(self, path: str = PATH, **changes: object) -> str:
        """The address of this filter, with changes."""
        return address(path, self.query, **changes)


def asked(visit: Visit) -> Asked:
    """What the request asks for.

    Raises:
        UnsupportedInputError: It asks for what cannot be.
    """
    names = ("key", "account", "model", "state", "code", "q")
    query = {name: visit.query(name).strip() for name in names}
    query["span"] = known_span(visit.query("span"), USUAL)
    wanted = LogFilter(
        since=begins(query["span"], visit.doors.clock.now()),
        key_id=number_of(query["key"], "key"),
        account_id=number_of(query["account"], "account"),
        model=query["model"] or None,
        state=query["state"] or None,
        code=query["code"] or None,
        text=query["q"] or None,
    )
    place = visit.query("before")
    return Asked(
        wanted=wanted,
        query=query,
        before=place_of(place),
        place=place,
        opened=number_of(visit.query("open"), "open"),
        is_paused=visit.query("tail") == "off",
    )


def number_of(text: str, name: str) -> int | None:
    """The number that a value of the query is; None for an empty one.

    Raises:
        UnsupportedInputError: It is none.
    """
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or len(text) > _MOST_DIGITS or not 0 < int(text) <= LARGEST_ID:
        raise UnsupportedInputError(f"The address asks for the {name} {text[:32]!r}, which is no number.", param=name)
    return int(text)


def place_of(text: str) -> LogPosition | None:
    """The place that `written` has written; None for an empty one.

    Raises:
        UnsupportedInputError: It is no place in the log.
    """
    if not text:
        return None
    micros, _, number = text.partition("-")
    at, of = number_of(micros, "place"), number_of(number, "place")
    if at is None or of is None or at > _LATEST:
        raise UnsupportedInputError("The address has no place of the request log; open the log again.", param="before")
    return LogPosition(_BEGINNING + at * _MICROSECOND, of)


def written(line: LoggedRequest) -> str:
    """Where a line stands, for an address; it holds whether the line is still there or not."""
    place = position_of(line)
    return f"{(place.at - _BEGINNING) // _MICROSECOND}-{place.number}"

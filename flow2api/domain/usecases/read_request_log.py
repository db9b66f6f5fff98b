"""The request log for operators: pages, what is new, and whole files."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import replace

from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.ports.request_log import RequestLog
from flow2api.domain.ports.storage import Page
from flow2api.domain.ports.system import Clock
from flow2api.domain.request_log import (
    LONGEST_TEXT,
    STATES,
    FileForm,
    LogFilter,
    LoggedRequest,
    LogPosition,
    as_csv,
    as_json_line,
    csv_head,
    position_of,
)

LARGEST_PAGE = 500
LOOK_AGAIN_S = 1.0


class ReadRequestLog:
    """Reads along an index, however long the log is."""

    def __init__(self, request_log: RequestLog, clock: Clock) -> None:
        self._request_log = request_log
        self._clock = clock

    async def page(
        self, wanted: LogFilter, *, before: LogPosition | None = None, limit: int = 50
    ) -> Page[LoggedRequest]:
        """Lines from the newest on, or in front of a place; bodies are left out.

        Args:
            limit: How many, 500 at most.

        Raises:
            UnsupportedInputError: The filter asks for what cannot be.
        """
        limit = min(max(limit, 1), LARGEST_PAGE)
        found = await self._request_log.page(checked(wanted), before, limit + 1)
        return Page(tuple(found[:limit]), has_more=len(found) > limit)

    async def get(self, number: int) -> LoggedRequest | None:
        """One line with its body; None when it is not there any more."""
        return await self._request_log.get(number)

    async def follow(self, wanted: LogFilter) -> AsyncGenerator[LoggedRequest, None]:
        """Lines as they are written from now on, for ever.

        Raises:
            UnsupportedInputError: The filter asks for what cannot be.
        """
        wanted, number = checked(wanted), await self._request_log.latest()
        while True:
            lines = await self._request_log.since(wanted, number, LARGEST_PAGE)
            for line in lines:
                yield line
                number = line.number
            if not lines and await self._request_log.latest() < number:
                number = 0  # the log was emptied, and numbers begin anew
            if len(lines) < LARGEST_PAGE:
                await self._clock.sleep(LOOK_AGAIN_S)

    async def export(self, wanted: LogFilter, form: FileForm) -> AsyncIterator[str]:
        """The lines as a file, newest first, in pieces; bodies are left out.

        Raises:
            UnsupportedInputError: The filter asks for what cannot be.
        """
        wanted = checked(wanted)
        written: Callable[[LoggedRequest], str] = as_csv if form == "csv" else as_json_line
        if form == "csv":
            yield csv_head()
        before: LogPosition | None = None
        while lines := await self._request_log.page(wanted, before, LARGEST_PAGE):
            yield "".join(map(written, lines))
            before = position_of(lines[-1])


def checked(wanted: LogFilter) -> LogFilter:
    """The filter, its text without what stands around it.

    Raises:
        UnsupportedInputError: It asks for a state that there is not, or its text is too long.
    """
    if wanted.state is not None and wanted.state not in STATES:
        raise UnsupportedInputError(
            f"There is no state {wanted.state[:32]!r}; there are {', '.join(STATES)}.", param="state"
        )
    if wanted.since is not None and wanted.until is not None and wanted.since >= wanted.until:
        raise UnsupportedInputError("The span ends before it begins; exchange its ends.", param="until")
    text = (wanted.text or "").strip()
    if len(text) > LONGEST_TEXT:
        raise UnsupportedInputError(f"An id has no more than {LONGEST_TEXT} characters.", param="text")
    return replace(wanted, text=text or None)

"""Keeps the request log and the figures as long as the operator wants them, and condenses old figures."""

import logging
from collections.abc import Awaitable, Callable
from datetime import date, timedelta, tzinfo
from functools import partial

from flow2api.domain.errors import Flow2ApiError
from flow2api.domain.options import Options
from flow2api.domain.ports.request_log import RequestLog
from flow2api.domain.ports.statistics import Statistics
from flow2api.domain.ports.system import Clock
from flow2api.domain.statistics import day_of, quarters_of, start_of

log = logging.getLogger(__name__)

FINE_DAYS = 10
"""For so many days figures are kept by quarter hours, beside today."""

EVERY_S = 1800.0

LONGEST_STEP_S = 0.01
"""What one step is meant to take; as long as it holds the database's writer, nobody else can write."""

_BREATH_S = 0.02
_SMALLEST, _FIRST, _LARGEST = 10, 25, 1000


class ForgetRecords:
    """Works in small steps with pauses between them, each as large as the last ones were quick.

    Args:
        zone: The time zone whose days are counted.
    """

    def __init__(
        self,
        request_log: RequestLog,
        statistics: Statistics,
        clock: Clock,
        options: Callable[[], Options],
        zone: Callable[[], tzinfo],
    ) -> None:
        self._request_log = request_log
        self._statistics = statistics
        self._clock = clock
        self._options = options
        self._zone = zone

    async def __call__(self) -> int:
        """Once.

        Returns:
            How many lines of the log and rows of figures were worked off.
        """
        options, now = self._options(), self._clock.now()
        done = 0
        if options.log_days > 0:
            before = now - timedelta(days=options.log_days)
            done += await self._in_steps(partial(self._request_log.forget, before))
        done += await self._condense(day_of(now, self._zone()) - timedelta(days=FINE_DAYS))
        if options.statistics_days > 0:
            first = (day_of(now, self._zone()) - timedelta(days=options.statistics_days)).isoformat()
            done += await self._in_steps(partial(self._statistics.forget_days, first))
        return done

    async def _condense(self, before: date) -> int:
        """Add up the quarter hours of whole days from before this one."""
        done = 0
        while (oldest := await self._statistics.oldest_quarter()) is not None:
            day = day_of(start_of(oldest), self._zone())
            if day >= before:
                break
            done += await self._in_steps(
                partial(self._statistics.condense, quarters_of(day, self._zone()), day.isoformat())
            )
        return done

    async def _in_steps(self, step: Callable[[int], Awaitable[int]]) -> int:
        done, limit = 0, _FIRST
        while True:
            began = self._clock.monotonic()
            worked_off = await step(limit)
            took_s = self._clock.monotonic() - began
            done += worked_off
            if worked_off < limit:
                return done
            limit = _next_limit(limit, took_s)
            await self._clock.sleep(_BREATH_S)

    async def run(self) -> None:
        """Every half hour, for ever."""
        while True:
            try:
                await self()
            except Flow2ApiError as error:
                log.warning("old records stay for another while: %s", error)
            await self._clock.sleep(EVERY_S)


def _next_limit(limit: int, took_s: float) -> int:
    if took_s > LONGEST_STEP_S:
        return max(_SMALLEST, limit // 2)
    return min(_LARGEST, limit + limit // 2) if took_s < LONGEST_STEP_S / 2 else limit

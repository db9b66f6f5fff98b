"""The request log and the figures, read and forgotten; and what comes from another server."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar
from zlib import crc32

from flow2api.domain.generation import Generation
from flow2api.domain.legacy import SOURCE, Total
from flow2api.domain.ports.statistics import Figures
from flow2api.domain.request_log import LogFilter, LoggedRequest, LogPosition
from flow2api.domain.statistics import Counts, Dimension, Scope
from flow2api_lmdb.engine import Engine
from flow2api_lmdb.repositories.generations import add_generation
from flow2api_lmdb.schema import DAYS, GENERATIONS, QUARTERS, REQUEST_LOG, TOTALS, Figure
from flow2api_lmdb.slices import first
from flow2api_lmdb.tables import Step, Table

K = TypeVar("K", bound=int | str)

PREFIXES = ("", "req_", "gen_", "video_")
"""What the ids of requests and generations may begin with, which people leave out when they search."""


class LmdbRequestLog:
    """Lines by number; searching walks back through time until enough are found."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def page(self, wanted: LogFilter, before: LogPosition | None, limit: int) -> Sequence[LoggedRequest]:
        if before is not None:
            end = (before.at, before.number)
        else:
            end = None if wanted.until is None else (wanted.until,)  # type: ignore[assignment]
        start = None if wanted.since is None else (wanted.since, _LOWEST_NUMBER)

        def work(step: Step) -> Sequence[LoggedRequest]:
            lines = step.by(REQUEST_LOG, "time", after=start, before=end, backwards=True)
            return first(limit, _passing(lines, wanted))

        return await self._engine.read(work)

    async def since(self, wanted: LogFilter, number: int, limit: int) -> Sequence[LoggedRequest]:
        return await self._engine.read(
            lambda step: first(limit, _passing(step.scan(REQUEST_LOG, after=(number,)), wanted))
        )

    async def latest(self) -> int:
        return await self._engine.read(lambda step: step.last_number("log"))

    async def get(self, number: int) -> LoggedRequest | None:
        return await self._engine.read(lambda step: step.get(REQUEST_LOG, number))

    async def forget(self, before: datetime, limit: int) -> int:
        def work(step: Step) -> int:
            old = first(limit, step.by(REQUEST_LOG, "time", before=(before,)))
            for line in old:
                step.delete(REQUEST_LOG, line.number)
            return len(old)

        return await self._engine.write(work)


class LmdbStatistics:
    """Figures by their span of time, account, key and model."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def totals(self, by: Dimension | None, scope: Scope) -> Figures:
        return await self._engine.read(lambda step: _summed(step.scan(TOTALS), _teller(by), scope))

    async def of_quarters(self, quarters: range, by: Dimension | None, scope: Scope) -> Figures:
        return await self._engine.read(lambda step: _summed(_in_quarters(step, quarters), _teller(by), scope))

    async def of_days(self, days: Sequence[str], by: Dimension | None, scope: Scope) -> Figures:
        def work(step: Step) -> Figures:
            return _summed((one for day in days for one in step.scan(DAYS, day)), _teller(by), scope)

        return await self._engine.read(work)

    async def by_quarter(self, quarters: range, scope: Scope) -> Mapping[int, Counts]:
        return await self._engine.read(
            lambda step: _summed(_in_quarters(step, quarters), lambda one: int(one.at), scope)
        )

    async def by_day(self, first: str, last: str, scope: Scope) -> Mapping[str, Counts]:
        def work(step: Step) -> Mapping[str, Counts]:
            within = (one for one in step.scan(DAYS) if first <= str(one.at) <= last)
            return _summed(within, lambda one: str(one.at), scope)

        return await self._engine.read(work)

    async def oldest_quarter(self) -> int | None:
        found = await self._engine.read(lambda step: first(1, step.scan(QUARTERS)))
        return int(found[0].at) if found else None

    async def condense(self, quarters: range, day: str, limit: int) -> int:
        def work(step: Step) -> int:
            taken = first(limit, _in_quarters(step, quarters))
            for one in taken:
                step.delete(QUARTERS, one.at, one.account_id, one.key_id, one.model)
                add_figure(step, DAYS, replace(one, at=day))
            return len(taken)

        return await self._engine.write(work)

    async def forget_days(self, before: str, limit: int) -> int:
        def work(step: Step) -> int:
            old = first(limit, step.scan(DAYS, before=(before,)))
            for one in old:
                step.delete(DAYS, one.at, one.account_id, one.key_id, one.model)
            return len(old)

        return await self._engine.write(work)


class LmdbInheritance:
    """What another server recorded, passed over where it is there already."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def add_generations(self, generations: Sequence[Generation]) -> int:
        def work(step: Step) -> int:
            added = 0
            for generation in generations:
                if not step.has(GENERATIONS, generation.id):
                    add_generation(step, generation)
                    added += 1
            return added

        return await self._engine.write(work)

    async def add_log(self, lines: Sequence[LoggedRequest]) -> int:
        def work(step: Step) -> int:
            added = 0
            for line in lines:
                number = _number_of(line)
                if not step.has(REQUEST_LOG, number):
                    step.put(REQUEST_LOG, (number,), replace(line, number=number))
                    added += 1
            return added

        return await self._engine.write(work)

    async def set_totals(self, totals: Sequence[Total]) -> None:
        def work(step: Step) -> None:
            for account_id in {one.account_id for one in totals}:
                step.delete(TOTALS, account_id, 0, SOURCE)
                for day in [one for one in step.scan(DAYS) if (one.account_id, one.model) == (account_id, SOURCE)]:
                    step.delete(DAYS, day.at, account_id, 0, SOURCE)
            for one in totals:
                made = one.images + one.videos
                counts = Counts(images=one.images, videos=one.videos, succeeded=made, errors=one.errors)
                add_figure(step, DAYS, Figure(one.day, one.account_id, 0, SOURCE, counts))
                add_figure(step, TOTALS, Figure("", one.account_id, 0, SOURCE, counts))

        if totals:
            await self._engine.write(work)


def add_figure(step: Step, table: Table[Figure], figure: Figure) -> None:
    """Add to what was counted before."""
    who = (figure.account_id, figure.key_id, figure.model)
    key = who if table is TOTALS else (figure.at, *who)
    known = step.get(table, *key)
    step.put(table, key, figure if known is None else replace(figure, counts=known.counts + figure.counts))


_LOWEST_NUMBER = -(2**62) - 1


def _number_of(line: LoggedRequest) -> int:
    """Below every number of our own, in the order of time, and always the same for the same line."""
    return (int(line.at.timestamp()) << 30) + (crc32(f"{line.at}|{line.request_id}".encode()) >> 2) - 2**62


def _passing(lines: Iterable[LoggedRequest], wanted: LogFilter) -> Iterable[LoggedRequest]:
    return (replace(line, body=None) for line in lines if _passes(line, wanted))


def _passes(line: LoggedRequest, wanted: LogFilter) -> bool:
    for name in ("key_id", "account_id", "model", "state", "code"):
        asked = getattr(wanted, name)
        if asked is not None and getattr(line, name) != asked:
            return False
    if (wanted.since is not None and line.at < wanted.since) or (wanted.until is not None and line.at >= wanted.until):
        return False
    starts = tuple(prefix + (wanted.text or "") for prefix in PREFIXES)
    return not wanted.text or line.request_id.startswith(starts) or (line.generation_id or "").startswith(starts)


def _in_quarters(step: Step, quarters: range) -> Iterable[Figure]:
    return step.scan(QUARTERS, after=(quarters.start - 1,), before=(quarters.stop,))


def _teller(by: Dimension | None) -> Callable[[Figure], int | str]:
    match by:
        case Dimension.ACCOUNT:
            return lambda one: one.account_id
        case Dimension.KEY:
            return lambda one: one.key_id
        case Dimension.MODEL:
            return lambda one: one.model
        case None:
            return lambda _: ""


def _summed(figures: Iterable[Figure], teller: Callable[[Figure], K], scope: Scope) -> dict[K, Counts]:
    sums: dict[K, Counts] = {}
    for one in figures:
        asked = ((scope.account_id, one.account_id), (scope.key_id, one.key_id), (scope.model, one.model))
        if all(wanted is None or wanted == here for wanted, here in asked):
            at = teller(one)
            sums[at] = sums.get(at, Counts()) + one.counts
    return sums

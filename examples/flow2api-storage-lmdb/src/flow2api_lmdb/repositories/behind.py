"""What is written in batches behind the requests: the journal, and the timelines of accounts."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

from flow2api.domain.health import HealthEvent
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.storage import LogEntry, Page
from flow2api.domain.request_log import LoggedRequest
from flow2api.domain.statistics import CLASSES, Counts, class_bounds_ms, quarter_of
from flow2api_lmdb.engine import Engine
from flow2api_lmdb.repositories.records import add_figure
from flow2api_lmdb.schema import API_KEYS, HEALTH, QUARTERS, REQUEST_LOG, TOTALS, Figure
from flow2api_lmdb.slices import first
from flow2api_lmdb.tables import Step

E = TypeVar("E")

INTERVAL_S = 0.2
BATCH = 500
ROOM = 10_000
PAUSE_AFTER_FAILURE_S = 1.0
FORGET_AT_ONCE = 2_000

_UNAUTHENTICATED = 401

_log = logging.getLogger(__name__)


class WrittenBehind(Generic[E]):
    """Holds entries for a moment and writes them in batches. While the storage refuses, it keeps them and tries again.

    Attributes:
        dropped: Entries that found no room, since the start.
    """

    def __init__(self, engine: Engine, write: Callable[[Step, Sequence[E]], None], name: str) -> None:
        self.dropped = 0
        self._engine = engine
        self._write = write
        self._name = name
        self._waiting: list[E] = []
        self._arrived = asyncio.Event()
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def take(self, entry: E) -> None:
        """Take one in; never blocks and never raises."""
        if len(self._waiting) >= ROOM:
            self.dropped += 1
            return
        self._waiting.append(entry)
        self._arrived.set()

    def start(self) -> None:
        """Begin to write; what came before waits for it."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name=self._name)

    async def aclose(self) -> None:
        """Write what waits, if the storage lets us, and stop."""
        self._closing.set()
        self._arrived.set()
        if self._task is not None:
            await self._task
            self._task = None
        if self._waiting:
            _log.warning("%s: %d entries could not be written before the end", self._name, len(self._waiting))

    async def _run(self) -> None:
        while self._waiting or not self._closing.is_set():
            await self._arrived.wait()
            await _at_most(INTERVAL_S, self._closing)
            self._arrived.clear()
            while batch := self._waiting[:BATCH]:
                try:
                    await self._engine.write(lambda step: self._write(step, batch))
                except Exception as error:  # noqa: BLE001 - whatever it is, later entries must find their way
                    _log.warning("%s: entries wait, the storage refused them: %s", self._name, error)
                    if self._closing.is_set():
                        return
                    await _at_most(PAUSE_AFTER_FAILURE_S, self._closing)
                else:
                    del self._waiting[: len(batch)]


class LmdbJournal(WrittenBehind[LogEntry]):
    """Lines of the request log, and the figures that they add up to."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, _write_entries, "journal")

    def note(self, entry: LogEntry) -> None:
        self.take(entry)


class LmdbHealthLog(WrittenBehind[HealthEvent]):
    """Timelines of accounts."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, _write_events, "health log")

    def note(self, event: HealthEvent) -> None:
        self.take(event)

    async def page(self, account_id: int, *, before: int | None = None, limit: int) -> Page[HealthEvent]:
        end = None if before is None else (account_id, before)
        found = await self._engine.read(
            lambda step: first(limit + 1, step.by(HEALTH, "account", account_id, before=end, backwards=True))
        )
        return Page(tuple(found[:limit]), has_more=len(found) > limit)

    async def forget(self, before: datetime) -> int:
        def work(step: Step) -> int:
            old = first(FORGET_AT_ONCE, step.by(HEALTH, "time", before=(before,)))
            for event in old:
                step.delete(HEALTH, event.number)
            return len(old)

        forgotten = 0
        while deleted := await self._engine.write(work):
            forgotten += deleted
        return forgotten


def _write_events(step: Step, events: Sequence[HealthEvent]) -> None:
    for event in events:
        number = step.new_number("health")
        step.put(HEALTH, (number,), replace(event, number=number))


def _write_entries(step: Step, entries: Sequence[LogEntry]) -> None:
    figures: dict[tuple[int, int, int, str], Counts] = {}
    used: dict[int, datetime] = {}
    for entry in entries:
        model = "" if entry.state == "refused" else entry.model
        at = (quarter_of(entry.at), entry.account_id or 0, entry.key_id or 0, model)
        figures[at] = figures.get(at, Counts()) + _counts_of(entry)
        if entry.key_id is not None:
            used[entry.key_id] = max(entry.at, used.get(entry.key_id, entry.at))
        if entry.status != _UNAUTHENTICATED:  # whoever tries keys must not fill the log
            number = step.new_number("log")
            step.put(REQUEST_LOG, (number,), _line_of(entry, number))
    for (quarter, account_id, key_id, model), counts in figures.items():
        figure = Figure(quarter, account_id, key_id, model, counts)
        add_figure(step, QUARTERS, figure)
        add_figure(step, TOTALS, replace(figure, at=""))
    for key_id, at_last in used.items():
        _note_use(step, key_id, at_last)


def _note_use(step: Step, key_id: int, at: datetime) -> None:
    key = step.get(API_KEYS, key_id)
    if key is not None and (key.last_used_at is None or key.last_used_at < at):
        step.put(API_KEYS, (key_id,), replace(key, last_used_at=at))


def _line_of(entry: LogEntry, number: int) -> LoggedRequest:
    # An entry has more than its line: what is only counted is in the figures.
    shared = {one.name for one in fields(LoggedRequest)} - {"number", "kind"}
    values: dict[str, Any] = {name: getattr(entry, name) for name in shared}
    return LoggedRequest(**values, kind=None if entry.kind is None else entry.kind.value, number=number)


def _counts_of(entry: LogEntry) -> Counts:
    match entry.state:
        case "completed":
            bounds = class_bounds_ms()
            place = next((at for at, bound in enumerate(bounds) if entry.duration_ms <= bound), CLASSES - 1)
            return Counts(
                images=entry.results if entry.kind is MediaKind.IMAGE else 0,
                videos=entry.results if entry.kind is MediaKind.VIDEO else 0,
                succeeded=1,
                duration_ms=entry.duration_ms,
                waited_ms=entry.waited_ms,
                saved=int(entry.attempts > 1),
                credits=entry.credits,
                took=tuple(int(at == place) for at in range(CLASSES)),
            )
        case "refused":
            return Counts(refused=1)
        case "cancelled":
            return Counts(cancelled=1)
        case _:
            return Counts(errors=1)


async def _at_most(seconds: float, event: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()

"""Imports that somebody watches: read, shown, started by hand, and run apart from whoever asked."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from flow2api.domain.apart import apart
from flow2api.domain.audit import Actor
from flow2api.domain.errors import ConflictError, Flow2ApiError, NotKnownError
from flow2api.domain.let_go import let_go
from flow2api.domain.ports.system import Clock, Ids
from flow2api.domain.usecases.import_accounts import ImportAccounts, ImportedAccount, RowFate, RowOutcome

log = logging.getLogger(__name__)

MOST_IMPORTS = 4
"""That are held at once: each may hold a hundred thousand rows."""

KEPT_FOR = timedelta(minutes=30)

_MANY = 2000


class ImportPhase(StrEnum):
    """How far an import is."""

    READING = "reading"
    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class GivenRows:
    """The rows of a file, as `ImportAccounts` takes them.

    Attributes:
        unit: What one is called where it is told by its number: ``row``, or ``line`` for the line of the file.
    """

    rows: Sequence[ImportedAccount | str | None]
    unit: str


@dataclass(slots=True)
class AccountImport:
    """One import, from the reading of its file on.

    Attributes:
        source: What the file is called.
        given: The rows, with their secrets; let go as soon as they are stored.
        outcomes: What becomes of each row: what would, until it runs.
        done: How many rows are stored.
        total: How many rows there are, empty lines among them.
        fault: Why it has failed.
    """

    id: str
    owner_id: int
    source: str
    begun_at: datetime
    phase: ImportPhase = ImportPhase.READING
    given: GivenRows | None = None
    unit: str = "row"
    outcomes: list[RowOutcome] = field(default_factory=list)
    counts: Counter[RowFate] = field(default_factory=Counter)
    done: int = 0
    total: int = 0
    ended_at: datetime | None = None
    fault: Flow2ApiError | None = None

    @property
    def is_at_work(self) -> bool:
        """Whether something goes on in it."""
        return self.phase in (ImportPhase.READING, ImportPhase.RUNNING)

    def tell(self, outcome: RowOutcome) -> None:
        """Note what becomes of a row."""
        self.outcomes.append(outcome)
        self.counts[outcome.fate] += 1


class RunImports:
    """Holds the imports of this process in memory; one that nobody starts is gone after half an hour."""

    def __init__(
        self, import_accounts: ImportAccounts, ids: Ids, clock: Clock, on_growth: Callable[[], None] = lambda: None
    ) -> None:
        """Args:
        on_growth: Called whenever some thousand things more are held for a while.
        """
        self._on_growth = on_growth
        self._import = import_accounts
        self._ids = ids
        self._clock = clock
        self._held: dict[str, AccountImport] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def begin(self, read: Callable[[], GivenRows], owner_id: int, source: str = "") -> AccountImport:
        """Read a file and find out what would become of its rows; nothing is stored.

        Args:
            read: Gives the rows; it is called in a thread of its own.
            owner_id: The operator whose import it is; nobody else can see it.

        Raises:
            ConflictError: Too many are at work.
        """
        self._make_room()
        one = AccountImport(self._ids.new("imp"), owner_id, source, self._clock.now())
        self._held[one.id] = one
        self._run(one, self._read(one, read))
        return one

    def get(self, import_id: str, owner_id: int) -> AccountImport:
        """An import of this operator.

        Raises:
            NotKnownError: There is none (any more).
        """
        self._forget_old()
        one = self._held.get(import_id)
        if one is None or one.owner_id != owner_id:
            raise NotKnownError(
                "This import is not here any more: what nobody starts is kept for half an hour and not over a restart. "
                "Give the accounts again."
            )
        return one

    def of(self, owner_id: int) -> Sequence[AccountImport]:
        """The imports of this operator, newest first."""
        self._forget_old()
        return [one for one in reversed(self._held.values()) if one.owner_id == owner_id]

    async def settled(self, one: AccountImport, within_s: float) -> bool:
        """Whether nothing goes on in an import any more, once it is so or the time is over."""
        task = self._tasks.get(one.id)
        if task is not None:
            await asyncio.wait([task], timeout=within_s)
        return not one.is_at_work

    def start(self, one: AccountImport, actor: Actor) -> None:
        """Store the rows, apart from whoever asked.

        Raises:
            ConflictError: It is not ready for that, or was started already.
        """
        if one.phase is not ImportPhase.READY or one.given is None:
            raise ConflictError("This import cannot be started (any more).")
        given, one.given = one.given, None
        foreseen, one.outcomes = one.outcomes, []
        one.phase, one.counts = ImportPhase.RUNNING, Counter()
        self._run(one, self._store(one, given, foreseen, actor))

    def discard(self, one: AccountImport) -> None:
        """Forget an import that does not run.

        Raises:
            ConflictError: It runs.
        """
        if one.phase is ImportPhase.RUNNING:
            raise ConflictError("This import runs; what it has stored so far would stay.")
        task = self._tasks.get(one.id)
        if task is not None:
            task.cancel()
        self._held.pop(one.id, None)

    async def aclose(self) -> None:
        """End what is at work; what is stored stays."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task

    def _run(self, one: AccountImport, work: Coroutine[Any, Any, None]) -> None:
        task = apart(self._guarded(one, work), name=f"import {one.id}")
        self._tasks[one.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(one.id, None))

    async def _guarded(self, one: AccountImport, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Flow2ApiError as error:
            one.fault = error
        except Exception:
            log.exception("import failed")
            one.fault = Flow2ApiError("The import failed by a fault of this server; the log says more.")
        if one.fault is not None:
            one.phase, one.ended_at = ImportPhase.FAILED, self._clock.now()

    async def _read(self, one: AccountImport, read: Callable[[], GivenRows]) -> None:
        given = await asyncio.to_thread(read)
        await self._import.preview(given.rows, self._teller(one), unit=given.unit)
        one.given, one.unit, one.total = given, given.unit, len(given.rows)
        one.phase = ImportPhase.READY

    async def _store(self, one: AccountImport, given: GivenRows, foreseen: list[RowOutcome], actor: Actor) -> None:
        def progress(done: int) -> None:
            one.done = done

        rows, unit = list(given.rows), given.unit
        del given  # so that its rows go in steps, and not all of them with the end of this
        await let_go(foreseen)
        try:
            await self._import.told(rows, self._teller(one), progress, actor=actor, unit=unit)
        finally:
            await let_go(rows)
        one.phase, one.ended_at = ImportPhase.DONE, self._clock.now()

    def _teller(self, one: AccountImport) -> Callable[[RowOutcome], None]:
        def tell(outcome: RowOutcome) -> None:
            one.tell(outcome)
            if len(one.outcomes) % _MANY == 0:
                self._on_growth()

        return tell

    def _make_room(self) -> None:
        self._forget_old()
        idle = [one for one in self._held.values() if not one.is_at_work]
        if len(self._held) < MOST_IMPORTS:
            return
        if not idle:
            raise ConflictError(f"{MOST_IMPORTS} imports are at work; wait until one of them is done.")
        self._held.pop(idle[0].id)

    def _forget_old(self) -> None:
        now = self._clock.now()
        for one in list(self._held.values()):
            if not one.is_at_work and now - (one.ended_at or one.begun_at) > KEPT_FOR:
                self._held.pop(one.id)

"""Where steps are carried out: an environment of LMDB, one thread that writes, and a few that read."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import lmdb

from flow2api.domain.errors import StorageBusyError, StorageError, StorageFullError
from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.ports.system import Clock
from flow2api_lmdb.records import Records
from flow2api_lmdb.schema import DATABASES
from flow2api_lmdb.tables import Step, Table
from flow2api_lmdb.writer import Writer

T = TypeVar("T")
V = TypeVar("V")
Work = Callable[[Step], T]

READERS = 4
GIB = 2**30


@dataclass(slots=True)
class _Shared:
    environment: lmdb.Environment
    databases: Mapping[str, Any]
    users: int


_OPEN: dict[Path, _Shared] = {}
_LOCK = threading.Lock()
"""LMDB forbids a process to open an environment twice, so storages over the same folder share it."""


class Engine:
    """Carries out steps; those that read each in a transaction of its own, those that write together with others.

    A step that writes is durable when its caller hears of it. It is carried out even when the caller is cancelled
    meanwhile, for what it tells may have been paid for.

    Args:
        folder: Where the data is; it is made when it is not there.
        room_bytes: How large the data may become. LMDB reserves so many addresses, but no memory and no disk.
    """

    def __init__(self, folder: Path, cipher: Cipher, clock: Clock, room_bytes: int) -> None:
        self.origin = uuid4().hex
        self._folder = folder
        self._records = Records(cipher)
        self._clock = clock
        self._room_bytes = room_bytes
        self._shared: _Shared | None = None
        self._writer: Writer | None = None
        self._readers: ThreadPoolExecutor | None = None

    async def open(self) -> None:
        """Open the environment.

        Raises:
            StorageError: The folder cannot be used.
        """
        if self._shared is None:
            self._shared = await asyncio.to_thread(self._connect)
            self._writer = Writer(
                self._shared.environment,
                partial(self._step, self._shared),
                partial(self._carried_out, self._shared, writes=True),
            )
            self._readers = ThreadPoolExecutor(READERS, "lmdb-reader")

    async def read(self, work: Work[T]) -> T:
        """Carry out a step that only reads, on the data as of one moment."""
        if self._shared is None or self._readers is None:
            raise StorageError("The storage is not open.")
        running = asyncio.get_running_loop().run_in_executor(
            self._readers, partial(self._carried_out, self._shared, work, writes=False)
        )
        return await asyncio.shield(running)

    async def write(self, work: Work[T]) -> T:
        """Carry out a step as a whole or not at all. It may be begun twice, so it changes nothing but the data."""
        if self._shared is None or self._writer is None:
            raise StorageError("The storage is not open.")
        result: T = await asyncio.shield(asyncio.wrap_future(self._writer.submit(work)))
        return result

    def peek(self, table: Table[V]) -> Sequence[V]:
        """Everything in a table, while nothing is open; nothing is made, so it is empty when there is no data yet.

        Raises:
            StorageError: The folder cannot be used.
        """
        place = self._folder.resolve()
        if not (place / "data.mdb").is_file():
            return []
        with _LOCK, _translated():
            if place in _OPEN:
                return self._in_transaction(_OPEN[place], lambda step: list(step.scan(table)), writes=False)
            with lmdb.open(str(place), max_dbs=len(DATABASES), readonly=True, create=False) as environment:
                try:
                    databases = {table.name: environment.open_db(table.name.encode(), create=False)}
                except (lmdb.NotFoundError, lmdb.ReadonlyError):
                    return []
                shared = _Shared(environment, databases, 0)
                return self._in_transaction(shared, lambda step: list(step.scan(table)), writes=False)

    async def aclose(self) -> None:
        """End the threads once they have done what they were handed, and close the environment if nobody else uses it."""
        shared, self._shared = self._shared, None
        if shared is None:
            return
        for pool in (self._writer, self._readers):
            if pool is not None:
                await asyncio.to_thread(pool.shutdown)
        await asyncio.to_thread(self._disconnect, shared)

    def _carried_out(self, shared: _Shared, work: Work[T], *, writes: bool) -> T:
        with _translated():
            try:
                return self._in_transaction(shared, work, writes=writes)
            except lmdb.MapResizedError:
                shared.environment.set_mapsize(0)
                return self._in_transaction(shared, work, writes=writes)

    def _in_transaction(self, shared: _Shared, work: Work[T], *, writes: bool) -> T:
        with shared.environment.begin(write=writes) as transaction:
            return work(self._step(shared, transaction))

    def _step(self, shared: _Shared, transaction: lmdb.Transaction) -> Step:
        return Step(transaction, shared.databases, self._records, self._clock.now(), self.origin)

    def _connect(self) -> _Shared:
        place = self._folder.resolve()
        with _LOCK, _translated():
            shared = _OPEN.get(place)
            if shared is None:
                place.mkdir(mode=0o700, parents=True, exist_ok=True)
                environment = lmdb.open(
                    str(place), map_size=self._room_bytes, max_dbs=len(DATABASES), max_readers=512, mode=0o600
                )
                try:
                    environment.reader_check()  # what a process that was killed left behind would keep old pages
                    with environment.begin(write=True) as transaction:
                        databases = {name: environment.open_db(name.encode(), txn=transaction) for name in DATABASES}
                except BaseException:
                    environment.close()
                    raise
                shared = _OPEN[place] = _Shared(environment, databases, 0)
            shared.users += 1
            return shared

    def _disconnect(self, shared: _Shared) -> None:
        with _LOCK:
            shared.users -= 1
            if not shared.users:
                del _OPEN[self._folder.resolve()]
                shared.environment.close()


@contextmanager
def _translated() -> Iterator[None]:
    """Errors of LMDB and of the disk in words of the port."""
    try:
        yield
    except lmdb.MapFullError as error:
        raise StorageFullError(
            "The data has become as large as it may; raise `room_gib` in the settings section of this storage."
        ) from error
    except lmdb.ReadersFullError as error:
        raise StorageBusyError("Too many processes read the data at once; try again shortly.") from error
    except (lmdb.CorruptedError, lmdb.PageNotFoundError, lmdb.InvalidError, lmdb.VersionMismatchError) as error:
        raise StorageError("The data is damaged or none of ours; restore it from a copy.") from error
    except lmdb.Error as error:
        raise StorageError(f"LMDB refused: {error}.") from error
    except OSError as error:
        raise StorageError(f"The folder of the data cannot be used: {error.strerror}.") from error

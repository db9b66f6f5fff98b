"""Works what was written from the log of writes into the database file, beside the writer."""

import asyncio
import logging
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

AFTER_CHANGES = 1500
"""Changed rows after which it is done: some thousand pages. A page that was changed often meanwhile is written once."""

_TURNS = 3
"""What is written while it goes on is left over; when nothing is, the log begins anew. So it is done again a few times."""

log = logging.getLogger(__name__)


class Checkpoints:
    """Has a connection and a thread of its own, so that nobody waits who writes.

    When the writer does this itself, all others wait for about a tenth of a second meanwhile. It still does when this
    here does not keep up.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="database-checkpoint")
        self._connection: sqlite3.Connection | None = None
        self._done_at = 0
        self._task: asyncio.Task[None] | None = None

    def note(self, changes: int) -> None:
        """Begin one when it is time.

        Args:
            changes: How many rows the writer has changed since it connected.
        """
        if changes - self._done_at >= AFTER_CHANGES and (self._task is None or self._task.done()):
            self._done_at = changes
            self._task = asyncio.get_running_loop().create_task(self._run(), name="database checkpoint")

    async def aclose(self) -> None:
        """Let the one under way come to its end, and disconnect."""
        if self._task is not None:
            await self._task
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown()

    async def _run(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._carry_out)

    def _carry_out(self) -> None:
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(self._path, isolation_level=None, timeout=0)
                self._connection.execute("PRAGMA synchronous=FULL")
            for _ in range(_TURNS):
                is_blocked, written, kept = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                if is_blocked or written == kept:
                    return
        except sqlite3.Error as error:
            log.debug("the log of writes was not worked into the database: %s", error)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

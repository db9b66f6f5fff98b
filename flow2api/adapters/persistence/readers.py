"""Reading beside the writer: a few connections, each in a thread while it reads."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Engine

from flow2api.adapters.persistence.database import Step
from flow2api.adapters.persistence.errors import translate
from flow2api.domain.errors import StorageBusyError

T = TypeVar("T")


class Readers:
    """Carries out steps that only read, a few at a time.

    A step goes to a thread as a whole. A driver that hands each call over by itself (connect, execute, fetch, close) wakes
    a thread ten times for one row, which costs ten times the reading.

    Args:
        engine: Makes the connections; it is disposed of at the end.
        count: How many read at a time at most.
        wait_s: How long a step waits for its turn.
    """

    def __init__(self, engine: Engine, count: int, wait_s: float) -> None:
        self._engine = engine
        self._wait_s = wait_s
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="database-reader")
        self._turns = asyncio.Semaphore(count)

    async def read(self, step: Step[T]) -> T:
        """What a step tells. It ends in its thread even when its caller is cancelled meanwhile.

        Raises:
            StorageBusyError: It was not its turn in time.
            StorageError: The database refused.
        """
        await self._wait_turn()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._carry_out, step)
        finally:
            self._turns.release()

    async def aclose(self) -> None:
        """Let what is being read come to its end, and disconnect."""
        await asyncio.to_thread(self._threads.shutdown)
        self._engine.dispose()

    def _carry_out(self, step: Step[T]) -> T:
        try:
            with self._engine.connect() as connection:
                return step(connection)
        except Exception as error:  # noqa: BLE001 - it is told in our words
            raise translate(error) from error.__cause__

    async def _wait_turn(self) -> None:
        try:
            async with asyncio.timeout(self._wait_s):
                await self._turns.acquire()
        except TimeoutError as error:
            raise StorageBusyError("The database is too slow for what is asked of it; try again shortly.") from error

"""What the engine does for a query, which does not depend on what else the machine does."""

from typing import Any

from sqlalchemy import Connection

from flow2api.adapters.persistence.sqlite import SqliteDatabase


class Counting:
    """A database that counts what the engine does for reading: a page that looks at every line takes tens of thousands."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database
        self.steps = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def read(self, step: Any) -> Any:
        def counted(connection: Connection) -> Any:
            driver: Any = connection.connection.driver_connection
            driver.set_progress_handler(self._count, 100)
            try:
                return step(connection)
            finally:
                driver.set_progress_handler(None, 0)

        return await self._database.read(counted)

    def _count(self) -> None:
        self.steps += 100

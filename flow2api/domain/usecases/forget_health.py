"""Forgets what accounts went through long ago."""

import logging
from collections.abc import Callable
from datetime import timedelta

from flow2api.domain.errors import StorageError
from flow2api.domain.options import Options
from flow2api.domain.ports.storage import HealthLog
from flow2api.domain.ports.system import Clock

log = logging.getLogger(__name__)

LOOK_EVERY_S = 3600.0


class ForgetHealth:
    """Keeps the timelines of accounts as long as the operator wants."""

    def __init__(self, health: HealthLog, clock: Clock, options: Callable[[], Options]) -> None:
        self._health = health
        self._clock = clock
        self._options = options

    async def run(self) -> None:
        """Look every hour, for ever."""
        while True:
            await self.look()
            await self._clock.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Forget what is too old now; a database that refuses is asked again the next time."""
        days = self._options().health_days
        if days <= 0:
            return
        try:
            await self._health.forget(self._clock.now() - timedelta(days=days))
        except StorageError:
            log.warning("old events of accounts' health stay for another hour", exc_info=True)

"""What the processes of one gateway tell each other, so that nobody has to wait until the other looks."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from flow2api.domain.ports.coordination import Events
from flow2api.domain.ports.system import Clock

log = logging.getLogger(__name__)

CHANGED = "changed"
"""There is something new in the change feed; about which process has written it."""

ENDED = "ended"
"""A generation has ended; about which one."""

_AGAIN_AFTER_S = 1.0
_MOST_WAITING = 10_000


class RelayEvents:
    """Publishes what this process tells, behind whoever tells it, and hears what others do.

    Whoever waits for an event also looks by himself once a second: while the processes cannot hear each other all goes on, only
    later. So nothing is kept for later, and what cannot be published is dropped.
    """

    def __init__(self, events: Events, clock: Clock) -> None:
        self._events = events
        self._clock = clock
        self._waiting: dict[tuple[str, str], None] = {}
        self._arrived = asyncio.Event()
        self._listeners: dict[str, list[Callable[[str], None]]] = {}
        self._expected: dict[tuple[str, str], set[asyncio.Event]] = {}
        self._silent: set[str] = set()

    def tell(self, topic: str, about: str) -> None:
        """Have it published; what waits to be published already is published once."""
        if len(self._waiting) < _MOST_WAITING:
            self._waiting[topic, about] = None
            self._arrived.set()

    def on(self, topic: str, heard: Callable[[str], None]) -> None:
        """Call this with the subject of every event of a topic, those of this process too; it is quick and does not raise."""
        self._listeners.setdefault(topic, []).append(heard)

    @contextmanager
    def expecting(self, topic: str, about: str) -> Iterator[asyncio.Event]:
        """What is set when this is heard; to be asked for before one looks, so that nothing falls in between."""
        news = asyncio.Event()
        those = self._expected.setdefault((topic, about), set())
        those.add(news)
        try:
            yield news
        finally:
            those.discard(news)
            if not those:
                self._expected.pop((topic, about), None)

    async def run(self) -> None:
        """Publish and listen for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._publish(), name="events out")
            group.create_task(self._listen(), name="events in")

    async def _publish(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            waiting, self._waiting = self._waiting, {}
            try:
                for topic, about in waiting:
                    await self._events.publish(topic, about)
            except Exception as error:  # noqa: BLE001 - a plugin may raise anything
                self._is_silent("publish", error)
                await self._clock.sleep(_AGAIN_AFTER_S)
            else:
                self._speaks("publish")

    async def _listen(self) -> None:
        while True:
            try:
                await self._events.listen(self._heard)
            except Exception as error:  # noqa: BLE001 - a plugin may raise anything
                self._is_silent("listen", error)
            await self._clock.sleep(_AGAIN_AFTER_S)

    def _heard(self, topic: str, about: str) -> None:
        self._speaks("listen")
        for listener in self._listeners.get(topic, ()):
            listener(about)
        for news in self._expected.get((topic, about), ()):
            news.set()

    def _is_silent(self, what: str, error: Exception) -> None:
        if what not in self._silent:
            self._silent.add(what)
            log.warning(
                "processes cannot wake each other, so they look once a second", extra={"call": what}, exc_info=error
            )

    def _speaks(self, what: str) -> None:
        if what in self._silent:
            self._silent.discard(what)
            log.warning("processes wake each other again", extra={"call": what})


async def set_within(news: asyncio.Event, seconds: float) -> None:
    """Return when it is set, or after so long, whichever comes first; from then on it waits for the next."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await news.wait()
    news.clear()

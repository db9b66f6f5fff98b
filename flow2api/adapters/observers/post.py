"""One observer with a thread and a queue of its own, so that it holds up nobody, not even another observer."""

import queue
import threading
import time

import structlog

from flow2api.domain.notices import Notice, NoticeKind
from flow2api.domain.ports.observers import ChoosesKinds, Observer

log = structlog.get_logger(__name__)

HELD = 1000
SLOW_S = 5.0

_TELL_EVERY_S = 60.0


class ObserverPost:
    """Gives notices to one observer, in their order.

    Args:
        name: By which the log calls the observer when it fails, is slow, or misses something.
        held: How many notices may wait for it.

    Raises:
        ValueError: It wants to hear what is no kind of notice.

    Attributes:
        missed: How many it has missed because too many were waiting.
    """

    def __init__(self, name: str, observer: Observer, *, held: int = HELD) -> None:
        self.name = name
        self.missed = 0
        self._observer = observer
        self._kinds = frozenset(map(NoticeKind, observer.kinds)) if isinstance(observer, ChoosesKinds) else None
        self._queue: queue.Queue[Notice | None] = queue.Queue(held)
        self._thread: threading.Thread | None = None
        self._told_at: float | None = None

    def start(self) -> None:
        """Begin to hand on."""
        # A daemon: one that hangs must not keep the server from ending.
        self._thread = threading.Thread(target=self._run, name=f"observer {self.name}", daemon=True)
        self._thread.start()

    def wants(self, kind: NoticeKind) -> bool:
        """Whether it hears notices of this kind."""
        return self._kinds is None or kind in self._kinds

    def take(self, notice: Notice) -> None:
        """Hand on what the observer wants to hear, as soon as it is ready; never waits."""
        if not self.wants(notice.kind):
            return
        try:
            self._queue.put_nowait(notice)
        except queue.Full:
            self.missed += 1
            if self._told_at is None or time.monotonic() - self._told_at >= _TELL_EVERY_S:
                self._told_at = time.monotonic()
                log.warning("observer is too slow and misses notices", observer=self.name, missed=self.missed)

    def stop(self, within_s: float = 2.0) -> None:
        """Let it hear what is waiting, as far as there is time; blocks so long at most."""
        if self._thread is None:
            return
        ends_at = time.monotonic() + within_s
        try:
            self._queue.put(None, timeout=within_s)
        except queue.Full:
            return
        self._thread.join(max(0.0, ends_at - time.monotonic()))

    def _run(self) -> None:
        while (notice := self._queue.get()) is not None:
            began = time.monotonic()
            try:
                self._observer.notify(notice)
            except (Exception, SystemExit):
                log.exception("observer failed", observer=self.name, kind=notice.kind.value)
            took_s = time.monotonic() - began
            if took_s >= SLOW_S:
                log.warning("observer is slow", observer=self.name, kind=notice.kind.value, took_s=round(took_s, 1))

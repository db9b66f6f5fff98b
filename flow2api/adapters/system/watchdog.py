"""Notices when the event loop is held up, and names the code that does it."""

import asyncio
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from types import FrameType

import structlog

log = structlog.get_logger(__name__)

HELD_S = 1.0
"""An event loop that does nothing else for so long is told of: by then every request waits."""

_MOST_FRAMES = 12


class EventLoopWatchdog:
    """A thread that looks at an event loop from outside.

    Code that blocks cannot be interrupted in one process; it can be named while it does so. What holds the interpreter itself
    (a long call into a C library that does not let go of it) is told when it is over, without its name.

    Args:
        owners: Plugins by the module whose code is theirs.
        held_s: How long the loop may be held before it is told.
    """

    def __init__(self, owners: Mapping[str, str], *, held_s: float = HELD_S) -> None:
        self._owners = owners
        self._held_s = held_s
        self._beat_at = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread_id = 0
        self._next: asyncio.TimerHandle | None = None
        self._ended = threading.Event()

    def start(self) -> None:
        """Begin to watch the running loop."""
        self._loop = asyncio.get_running_loop()
        self._thread_id = threading.get_ident()
        self._beat()
        threading.Thread(target=self._watch, name="event loop watchdog", daemon=True).start()

    def stop(self) -> None:
        """Watch no longer."""
        self._ended.set()
        if self._next is not None:
            self._next.cancel()

    def _beat(self) -> None:
        assert self._loop is not None  # noqa: S101 - it was started
        self._beat_at = time.monotonic()
        self._next = self._loop.call_later(self._held_s / 2, self._beat)

    def _watch(self) -> None:
        told_of = 0.0
        pause_s = self._held_s / 2
        looked_at = time.monotonic()
        while not self._ended.wait(pause_s):
            beat_at, now = self._beat_at, time.monotonic()
            # When this thread has not run either, it was the machine or the interpreter, and the stack tells nothing.
            is_ours_late = now - looked_at > pause_s + self._held_s / 2
            looked_at = now
            if told_of and beat_at != told_of:
                log.warning("event loop runs again", held_s=round(beat_at - told_of, 2))
                told_of = 0.0
            if not told_of and not is_ours_late and now - beat_at >= self._held_s:
                told_of = beat_at
                self._tell(now - beat_at)

    def _tell(self, held_s: float) -> None:
        frame = sys._current_frames().get(self._thread_id)
        log.error(
            "event loop is held up",
            held_s=round(held_s, 2),
            plugin=self._owner(frame),
            stack=[f"{one.filename}:{one.lineno} {one.name}" for one in traceback.extract_stack(frame)[-_MOST_FRAMES:]],
        )

    def _owner(self, frame: FrameType | None) -> str | None:
        """The plugin whose code is innermost."""
        while frame is not None:
            module = str(frame.f_globals.get("__name__", ""))
            for prefix, plugin in self._owners.items():
                if module == prefix or module.startswith(f"{prefix}."):
                    return plugin
            frame = frame.f_back
        return None

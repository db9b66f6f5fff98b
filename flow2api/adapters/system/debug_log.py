"""A detailed log in a file of its own, switched while the server runs. Off, it costs what asking for a log level costs."""

import contextlib
import logging
import queue
import threading
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import msgspec
import structlog

from flow2api.adapters.system.logs import shared_processors
from flow2api.adapters.system.rotated_file import RotatedFile
from flow2api.domain.abridging import LONGEST_BODY, PromptLogging, abridged, cut
from flow2api.domain.redaction import redact_text

MOST_BYTES = 10 * 1024 * 1024
FILES = 5
ROOM = 10_000
"""Lines that may wait for the disk; further ones are dropped and counted."""

_LARGEST_PARSED = 1024 * 1024
_AT_ONCE = 500
_CLOSE_S = 5.0
_LOGGER = "flow2api"
_FORM_BEGINS = b"--"

_log = logging.getLogger(__name__)


class DebugLog:
    """Everything that our own code logs, as JSON lines, bodies of calls included.

    Args:
        path: The newest file; up to four former ones of 10 MiB stand beside it.
    """

    def __init__(self, path: Path, *, most_bytes: int = MOST_BYTES, files: int = FILES) -> None:
        self._path = path
        self._most_bytes = most_bytes
        self._files = files
        self._entrance: _Entrance | None = None
        self._last: _Entrance | None = None

    @property
    def is_on(self) -> bool:
        """Whether it is written."""
        return self._entrance is not None

    def switch(self, *, on: bool, prompts: PromptLogging) -> None:
        """Begin or end to write; nothing happens when it is so already.

        Args:
            prompts: What is kept of prompts in bodies.
        """
        if self._entrance is not None:
            self._entrance.bodies.prompts = prompts
        if on == self.is_on:
            return
        if on:
            self._begin(prompts)
        else:
            self._end()

    def close(self) -> None:
        """End, and wait until everything is written, a few seconds at most."""
        self._end()
        if self._last is not None:
            self._last.join()

    def _end(self) -> None:
        """Take no more lines; those that wait are written behind."""
        entrance, self._entrance = self._entrance, None
        if entrance is not None:
            logger = logging.getLogger(_LOGGER)
            logger.removeHandler(entrance)
            logger.setLevel(logging.NOTSET)
            entrance.close()

    def _begin(self, prompts: PromptLogging) -> None:
        file = RotatedFile(self._path, most_bytes=self._most_bytes, files=self._files)
        self._entrance = self._last = _Entrance(file, _Bodies(prompts))
        logger = logging.getLogger(_LOGGER)
        logger.addHandler(self._entrance)
        logger.setLevel(logging.DEBUG)


class _Entrance(logging.Handler):
    """Puts lines together where they are logged, and has a thread write them."""

    def __init__(self, file: RotatedFile, bodies: "_Bodies") -> None:
        super().__init__(logging.DEBUG)
        self.bodies = bodies
        self._file = file
        self._dropped = 0
        self._is_ending = False
        self._lines: queue.Queue[str | None] = queue.Queue(ROOM)
        self._thread = threading.Thread(target=self._write, name="debug log", daemon=True)
        self._thread.start()
        self.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                foreign_pre_chain=shared_processors(bodies),
                processors=[
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.JSONRenderer(),
                ],
            )
        )

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.put_nowait(self.format(record))
        except queue.Full:
            self._dropped += 1
        except Exception:  # noqa: BLE001 - a line that cannot be put together must fail nothing else
            self._dropped += 1

    def close(self) -> None:
        super().close()
        self._is_ending = True
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(None)  # when there is no room, the thread is awake anyway

    def join(self) -> None:
        """Wait until everything is written; a disk that stands still is not waited for."""
        self._thread.join(_CLOSE_S)

    def _write(self) -> None:
        is_open, has_failed = True, False
        while is_open:
            lines = [self._lines.get()]
            while len(lines) < _AT_ONCE and not self._lines.empty():
                lines.append(self._lines.get())
            is_open = not (self._is_ending and self._lines.empty())
            texts = [line for line in lines if line is not None]
            if self._dropped:
                texts.append(f'{{"event": "lines of the debug log were dropped", "in_all": {self._dropped}}}')
            try:
                self._file.write("".join(f"{text}\n" for text in texts).encode("utf-8", "backslashreplace"))
            except OSError as error:
                if not has_failed:
                    _log.warning("the debug log cannot be written: %s", error.strerror)
                has_failed = True
        self._file.close()


class _Bodies:
    """Makes readable, short and harmless text of bodies, before everything else that is not text becomes its size."""

    def __init__(self, prompts: PromptLogging) -> None:
        self.prompts: PromptLogging = prompts

    def __call__(self, _: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        for name, value in event.items():
            if isinstance(value, bytes) and name.endswith("_body"):
                event[name] = self._readable(value)
        return event

    def _readable(self, body: bytes) -> str:
        if len(body) > _LARGEST_PARSED:
            return f"<{len(body):,} bytes>"
        if body.startswith(_FORM_BEGINS):
            return f"<a form of {len(body):,} bytes>"  # the prompt stands in it as it is
        try:
            return abridged(msgspec.json.decode(body), self.prompts)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return cut(redact_text(body.decode("utf-8", "replace")), LONGEST_BODY)

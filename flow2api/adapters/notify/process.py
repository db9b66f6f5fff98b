"""Does one thing with one Apprise URL, in a process of its own: ``python -m flow2api.adapters.notify.process``.

Apprise blocks, takes half a second and 40 MB to load, and cannot be told to stop. In a process of its own it costs the
server nothing while there is nothing to say, holds up nobody, and can be ended.
"""

import json
import logging
import re
import sys
from typing import Any
from urllib.parse import unquote

HIDDEN = "***"
LONGEST_ERROR = 200

_PARTS = re.compile(r"[/:@?&=,;]+")
_SHORTEST_PART = 4
_BORING = frozenset({"true", "false", "auto", "none", "html", "text", "markdown"})


class _Last(logging.Handler):
    """Keeps the last warning, which is all that Apprise tells about a failure."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = record.getMessage()


def answer_to(task: dict[str, Any]) -> dict[str, Any]:
    """Look at the address, or write to it when there is a message.

    Returns:
        ``service``, None when the address names none; after a message ``error``, None when it got there.
    """
    import apprise  # noqa: PLC0415 - here, so that whoever looks at this module does not pay for it

    last = _Last()
    logger = logging.getLogger("apprise")
    logger.addHandler(last)
    logger.propagate = False
    url = str(task["url"])
    asset = apprise.AppriseAsset(app_id="flow2api", app_desc="flow2api", async_mode=False, plugin_paths=[])
    place = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if place is None:
        return {"service": None, "error": "its address names no place that can be written to"}
    service = str(place.service_name)
    if "text" not in task:
        return {"service": service, "error": None}
    is_sent = place.notify(body=task["text"], title=task["title"], body_format=apprise.NotifyFormat.TEXT)
    return {"service": service, "error": None if is_sent else without(url, last.text) or "it was refused"}


def without(url: str, text: str) -> str:
    """The text in one line, with every part of the address hidden."""
    parts = {*_PARTS.split(url), *_PARTS.split(unquote(url))}
    for part in sorted(parts - _BORING, key=len, reverse=True):
        if len(part) >= _SHORTEST_PART:
            text = text.replace(part, HIDDEN)
    return " ".join(text.split())[:LONGEST_ERROR]


def main() -> None:
    """Read one task from standard input, and write one answer to standard output."""
    task = json.load(sys.stdin)
    answers, sys.stdout = sys.stdout, sys.stderr  # what a library prints is no answer
    json.dump(answer_to(task), answers)
    answers.flush()


if __name__ == "__main__":
    main()

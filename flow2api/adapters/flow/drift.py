"""Says once in the log when the service's words have changed, without saying what anybody asked for."""

from typing import Any

import msgspec
import structlog

from flow2api.domain.errors import UpstreamDriftError

_REMEMBERED = 256
_DEPTH = 6
_WIDTH = 24

log = structlog.get_logger(__name__)


class DriftLog:
    """Logs each change of the protocol once; what it logs holds names and types, never values."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def refused(self, call: str, error: UpstreamDriftError) -> None:
        """The service refused the shape of a call."""
        said = (error.reason or error.message)[:300]
        if self._is_new(f"{call} {said}"):
            log.warning("upstream protocol drift", upstream="flow", call=call, said=said)

    def unreadable(self, call: str, body: bytes) -> None:
        """The service answered a call with something that cannot be read."""
        sample = outline(body)
        if self._is_new(f"{call} {sample}"):
            log.warning("upstream answer not readable", upstream="flow", call=call, size_bytes=len(body), shape=sample)

    def unknown_status(self, word: str) -> None:
        """An operation has a status that we have no word for."""
        if self._is_new(f"status {word}"):
            log.warning("upstream status not known", upstream="flow", status=word[:100])

    def _is_new(self, what: str) -> bool:
        if what in self._seen or len(self._seen) >= _REMEMBERED:
            return False
        self._seen.add(what)
        return True


def outline(body: bytes) -> str:
    """The shape of a body: the names and types of JSON, or what else it looks like; no value of it."""
    if not body.strip():
        return "empty"
    try:
        return _shape(msgspec.json.decode(body), _DEPTH)[:500]
    except (msgspec.DecodeError, RecursionError):
        return "html" if b"<html" in body[:512].lower() or body.lstrip()[:1] == b"<" else "no JSON"


def _shape(value: Any, depth: int) -> str:
    if isinstance(value, dict):
        if depth == 0:
            return "{…}"
        return (
            "{"
            + ", ".join(f"{name[:40]}: {_shape(item, depth - 1)}" for name, item in list(value.items())[:_WIDTH])
            + "}"
        )
    if isinstance(value, list):
        return f"[{len(value)} of {_shape(value[0], depth - 1) if depth else '…'}]" if value else "[]"
    return type(value).__name__

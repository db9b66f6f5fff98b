"""Structured logs of our own code and of the libraries, with secrets taken out last."""

import logging
import re
import sys
from collections.abc import MutableMapping
from contextvars import Context
from typing import Any

import structlog

from flow2api.domain.generation import Generation
from flow2api.domain.secret import Secret

_HIDDEN = "***"
_SECRET_NAMES = re.compile(r"(?i)(authorization|cookie|token|secret|passw|api[_-]?key|^st$|^at$|proxy_url|set-cookie)")
_SECRET_SHAPES = re.compile(
    r"(?i)(bearer\s+)[\w.~+/=-]{8,}|f2a_[\w-]{8,}|ya29\.[\w.-]{4,}|eyJ[\w-]{10,}[\w.-]*|AIza[\w-]{20,}"
    r"|(session-token=)[^;\s]+|([?&](?:sig|signature|key)=)[^&\s\"']+"
)
_USERINFO = re.compile(r"(?<=://)[^/@\s:]+:[^/@\s]+(?=@)")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def redact(value: Any, name: str = "") -> Any:
    """The value as it may be written down: by its type, by the name it stands under, and by its shape."""
    if isinstance(value, Secret) or (name and _SECRET_NAMES.search(name) and value not in (None, "", True, False)):
        return _HIDDEN
    if isinstance(value, str):
        return _USERINFO.sub(_HIDDEN, _SECRET_SHAPES.sub(_keep_label, value))
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, dict):
        return {key: redact(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item) for item in value]
    return value


def _keep_label(match: re.Match[str]) -> str:
    label = next((group for group in match.groups() if group), "")
    return f"{label}{_HIDDEN}"


def _redacted(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: _one_line(redact(value, "" if key == "event" else key), key) for key, value in event.items()}


def _one_line(value: Any, key: str) -> Any:
    """Control characters could forge a line of their own; only a traceback may have several."""
    if not isinstance(value, str) or key == "exception":
        return value
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", value.replace("\n", "\\n"))


def context_of(generation: Generation) -> Context:
    """Where work goes on without its request, after a restart say: its lines bear the id under which the log keeps it."""
    context = Context()
    context.run(structlog.contextvars.bind_contextvars, request_id=generation.group_id or generation.id)
    return context


def configure_logs(level: str, form: str) -> None:
    """Send every log record through the same processors to standard error.

    Args:
        level: ``debug``, ``info``, ``warning`` or ``error``.
        form: ``console``, ``json``, or ``auto``: console on a terminal.
    """
    is_json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redacted,
    ]
    last = structlog.processors.JSONRenderer() if is_json else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # a cached one would keep what was configured when it first spoke
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for chatty in ("uvicorn", "uvicorn.error", "alembic", "sqlalchemy", "aiosqlite"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))

"""Structured logs of our own code and of the libraries, with secrets taken out last."""

import logging
import re
import sys
from collections.abc import MutableMapping
from contextvars import Context
from typing import Any

import structlog
from structlog.typing import Processor

from flow2api.domain.generation import Generation
from flow2api.domain.redaction import redact

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_OF_STRUCTLOG = frozenset({"_record", "_from_structlog"})


def _redacted(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {
        key: value if key in _OF_STRUCTLOG else _one_line(redact(value, "" if key == "event" else key), key)
        for key, value in event.items()
    }


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


def shared_processors(*own: Processor) -> list[Processor]:
    """What every record goes through, ours and others'; secrets are taken out last.

    Args:
        own: Processors to run right before that.
    """
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        *own,
        _redacted,
    ]


def configure_logs(level: str, form: str) -> None:
    """Send every log record through the same processors to standard error.

    Args:
        level: ``debug``, ``info``, ``warning`` or ``error``.
        form: ``console``, ``json``, or ``auto``: console on a terminal.
    """
    is_json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    shared = shared_processors()
    last = structlog.processors.JSONRenderer() if is_json else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # a cached one would keep what was configured when it first spoke
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(level.upper())  # the debug log may ask our own loggers for more than is wanted here
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for chatty in ("uvicorn", "uvicorn.error", "alembic", "sqlalchemy"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))

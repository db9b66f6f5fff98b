"""What every answer of this surface has in common, added at the outer edge of its routes."""

from collections.abc import Callable

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars

from flow2api.adapters.openai_api.cors import ANSWER_HEADERS, HeaderList, preflight_headers
from flow2api.adapters.openai_api.doors import NotesRequests
from flow2api.adapters.openai_api.request_ids import request_id_of
from flow2api.domain.api_key import ApiKey
from flow2api.domain.ports.system import Clock
from flow2api.domain.request_log import ASKING, Asking

_FIXED: HeaderList = [
    (b"openai-version", b"2020-10-01"),
    (b"x-content-type-options", b"nosniff"),
    *ANSWER_HEADERS,
]
_PASSED_KEY = "flow2api_edge"
_FIRST_ERROR = 400
_MOUNTS = frozenset({"openai", "v1"})
_CALLS = frozenset(
    {
        "chat",
        "completions",
        "images",
        "generations",
        "videos",
        "remix",
        "edits",
        "extensions",
        "content",
        "models",
        "media",
    }
)


def common_headers(request_id: str, processing_ms: int = 0) -> HeaderList:
    """The headers that every answer carries."""
    return [
        (b"x-request-id", request_id.encode("ascii")),
        (b"openai-processing-ms", b"%d" % processing_ms),
        *_FIXED,
    ]


def has_passed_edge(scope: Scope) -> bool:
    """Whether the common headers are added on the way out."""
    return _PASSED_KEY in scope.get("state", {})


def edge(clock: Clock, notes: NotesRequests | None = None) -> Callable[[ASGIApp], ASGIApp]:
    """Middleware for the routes of this surface: request ids (in log lines, too), common headers, keyless preflights.

    Args:
        notes: Where refused requests are written down.
    """

    def wrap(app: ASGIApp) -> ASGIApp:
        async def at_edge(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != ScopeType.HTTP:
                await app(scope, receive, send)
                return
            request_id = request_id_of(scope)
            if scope["method"] == "OPTIONS":
                await _answer_preflight(scope, send, request_id)
                return
            scope["state"][_PASSED_KEY] = True
            began = clock.monotonic()
            asking = None if notes is None else notes.asking(request_id)

            async def send_with_headers(message: Message) -> None:
                if message["type"] == "http.response.start":
                    spent_ms = int((clock.monotonic() - began) * 1000)
                    if notes is not None and asking is not None and message["status"] >= _FIRST_ERROR:
                        _note_refusal(notes, asking, scope, message["status"], spent_ms)
                    message["headers"] = [*message.get("headers", ()), *common_headers(request_id, spent_ms)]
                await send(message)

            # Never taken back: each request is a task, with a context of its own.
            bind_contextvars(request_id=request_id)
            known = ASKING.set(asking)
            try:
                await app(scope, receive, send_with_headers)
            finally:
                ASKING.reset(known)

        return at_edge

    return wrap


def _note_refusal(notes: NotesRequests, asking: Asking, scope: Scope, status: int, duration_ms: int) -> None:
    key: ApiKey | None = scope.get("auth")
    notes.refused(
        asking,
        status=status,
        key_id=None if key is None else key.id,
        door=door_of(scope["path"]),
        duration_ms=duration_ms,
    )


def door_of(path: str) -> str:
    """The call that a path stands for, such as ``images.edits``, without ids and mounts."""
    parts = [part for part in path.split("/") if part and part not in _MOUNTS]
    return ".".join(part for part in parts[:3] if part in _CALLS) or "unknown"


async def _answer_preflight(scope: Scope, send: Send, request_id: str) -> None:
    headers = [*preflight_headers(scope["headers"]), (b"x-request-id", request_id.encode("ascii"))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})

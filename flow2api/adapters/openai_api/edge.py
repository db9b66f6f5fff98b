"""What every answer of this surface has in common, added at the outer edge of its routes."""

from collections.abc import Callable

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars

from flow2api.adapters.openai_api.cors import ANSWER_HEADERS, HeaderList, preflight_headers
from flow2api.adapters.openai_api.request_ids import request_id_of
from flow2api.domain.ports.system import Clock

_FIXED: HeaderList = [
    (b"openai-version", b"2020-10-01"),
    (b"x-content-type-options", b"nosniff"),
    *ANSWER_HEADERS,
]
_PASSED_KEY = "flow2api_edge"


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


def edge(clock: Clock) -> Callable[[ASGIApp], ASGIApp]:
    """Middleware for the routes of this surface: request ids (in log lines, too), common headers, keyless preflights."""

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

            async def send_with_headers(message: Message) -> None:
                if message["type"] == "http.response.start":
                    spent_ms = int((clock.monotonic() - began) * 1000)
                    message["headers"] = [*message.get("headers", ()), *common_headers(request_id, spent_ms)]
                await send(message)

            # Never taken back: each request is a task, with a context of its own.
            bind_contextvars(request_id=request_id)
            await app(scope, receive, send_with_headers)

        return at_edge

    return wrap


async def _answer_preflight(scope: Scope, send: Send, request_id: str) -> None:
    headers = [*preflight_headers(scope["headers"]), (b"x-request-id", request_id.encode("ascii"))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})

"""What every request and answer of the console has in common: an id, a language, safe headers, bodies that come in time."""

from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from typing import Any

from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from flow2api.adapters.console import cookies
from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.language import language_of, speaking
from flow2api.adapters.console.policy import PAGE_HEADERS


def edge(doors: ConsoleDoors) -> Callable[[ASGIApp], ASGIApp]:
    """Middleware around every route of the console."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def at_edge(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != ScopeType.HTTP:
                await app(scope, receive, send)
                return
            request_id = doors.request_id_of(scope)

            async def send_with_headers(message: Message) -> None:
                if message["type"] == "http.response.start":
                    headers = MutableScopeHeaders.from_message(message)
                    for name, value in PAGE_HEADERS.items():
                        headers.setdefault(name, value)
                    headers["x-request-id"] = request_id
                    message["headers"] = [*message["headers"], *doors.tls_headers_of(scope)]
                await send(message)

            language = await spoken(scope)
            with bound_contextvars(request_id=request_id), speaking(language):
                await app(scope, doors.in_time(receive), send_with_headers)

        return at_edge

    return wrap


async def spoken(scope: Any) -> Any:
    """The language of whoever asks: chosen in this browser, else the one that the browser likes best."""
    return await language_of(*wishes(scope))


def wishes(scope: Any) -> tuple[str | None, str]:
    """The tag that was chosen in this browser, None for none; and what its ``Accept-Language`` says."""
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    try:
        jar = SimpleCookie(headers.get(b"cookie", ""))
    except CookieError:
        jar = SimpleCookie()
    morsel = jar.get(cookies.look_name(cookies.LANGUAGE))
    return morsel.value if morsel else None, headers.get(b"accept-language", "")[:500]

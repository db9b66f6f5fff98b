"""Pages that stay true while they are looked at: one stream of news a tab, made of the page's own parts."""

import asyncio
import hashlib
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Any

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException, TooManyRequestsException
from litestar.response import Stream

from flow2api.adapters.console.guards import session_token
from flow2api.adapters.console.policy import PAGE_HEADERS
from flow2api.adapters.console.templates import prepare, render
from flow2api.adapters.console.visit import EVENTS_PATH, Visit
from flow2api.domain.errors import Flow2ApiError, NotSignedInError
from flow2api.domain.usecases.sign_in import SignedIn

EVERY_S = 1.0
"""How often a page is looked at for news."""
_BEAT_S = 15.0
_RECHECK_S = 5.0
"""So long the tabs of a session that was ended elsewhere are told anything at most."""
_FRAME = {"places": "_layout/_places.html", "draining": "_layout/_draining.html"}
"""The parts of every page: what waits where, and whether the server takes anything."""
_KEPT = 64
MOST_STREAMS = 256
"""So many tabs can be followed at once; one more is told to look by itself."""

_TIME = re.compile(r"(<time [^>]*data-ago[^>]*>)[^<]*")
"""What a clock in the page goes on telling by itself is no news."""


@dataclass(frozen=True, slots=True)
class LiveView:
    """The parts of a page that are kept true.

    Attributes:
        name: By which the page asks for it.
        area: The place of the page in the navigation.
        parts: Partials by the id of their root element; all are rendered from the same view.
        view: Makes what they show, from the query of the page.
    """

    name: str
    area: str
    parts: Mapping[str, str]
    view: Callable[[Visit], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a page as it is now.

    Attributes:
        says: Tells two of them apart that differ in more than in what a clock in the page goes on telling by itself.
    """

    html: str
    says: bytes


Parts = Mapping[str, Part]
"""By the id of their root element."""


class News:
    """Renders live views, once for all tabs of a session that look at the same page."""

    def __init__(self, views: Mapping[str, LiveView]) -> None:
        self._views = views
        self._made: dict[Any, tuple[float, asyncio.Future[Parts]]] = {}
        self._streams = 0

    @contextmanager
    def following(self) -> Iterator[None]:
        """One more stream, as long as the block lasts."""
        self._streams += 1
        try:
            yield
        finally:
            self._streams -= 1

    @property
    def is_full(self) -> bool:
        """Whether no further stream can be begun."""
        return self._streams >= MOST_STREAMS

    def named(self, name: str) -> LiveView:
        """The live view of this name.

        Raises:
            NotFoundException: There is none.
        """
        try:
            return self._views[name]
        except KeyError as cause:
            raise NotFoundException from cause

    async def parts(self, live: LiveView, visit: Visit, *, not_before: float = 0.0) -> Parts:
        """The parts as they are now.

        Args:
            not_before: What was made before this moment of the loop's clock is not news: a button was pressed since.
        """
        here = visit.here
        key = (
            live.name,
            here.session.id,
            here.operator.role,
            visit.language.tag,
            visit.request.url.query,
            visit.here_path,
        )
        now = asyncio.get_running_loop().time()
        made_at, future = self._made.get(key, (0.0, None))
        if future is None or made_at < not_before or now - made_at >= EVERY_S * 0.9:
            future = asyncio.ensure_future(self._render(live, visit))
            self._made.pop(key, None)
            self._made[key] = (now, future)
            while len(self._made) > _KEPT:
                self._made.pop(next(iter(self._made)))
        return await asyncio.shield(future)

    async def _render(self, live: LiveView, visit: Visit) -> Parts:
        view = await live.view(visit)
        shell = visit.shell(live.area, live=live.name, census=await visit.doors.census())
        context = {"view": view, "shell": shell, "may_change": visit.may_change()}
        parts = {**live.parts, **_FRAME}
        for template in parts.values():
            await prepare(template)
        return {element: _part(render(template, context)) for element, template in parts.items()}


class EventsController(Controller):
    """The stream of a page's news."""

    path = EVENTS_PATH

    @get()
    async def events(self, visit: NamedDependency[Visit], news: NamedDependency[News]) -> Stream:
        """Parts of the page that asked, whenever they have changed; all of them to begin with.

        The page says for which role it was made; one that was made for another than the visitor's is told to come anew.
        """
        live = news.named(visit.query("view"))
        if news.is_full:
            raise TooManyRequestsException
        headers = dict(PAGE_HEADERS) | {"content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no"}
        return Stream(_stream(news, live, visit), headers=headers, media_type="text/event-stream")


async def _stream(news: News, live: LiveView, visit: Visit) -> AsyncIterator[str]:
    with news.following():
        async with aclosing(_messages(news, live, visit)) as messages:
            async for message in messages:
                yield message


async def _messages(news: News, live: LiveView, visit: Visit) -> AsyncGenerator[str, None]:
    loop = asyncio.get_running_loop()
    sent: dict[str, bytes] = {}
    began_at = heard_at = checked_at = loop.time()
    number, shown_for = 0, visit.query("role", visit.here.operator.role)
    while not visit.doors.server.is_draining():
        if loop.time() - checked_at >= _RECHECK_S:
            if (here := await _still_here(visit)) is None:
                break
            visit, checked_at = visit.now_as(here), loop.time()
        if shown_for != visit.here.operator.role:
            shown_for = visit.here.operator.role
            yield "event: role\ndata: role\n\n"
        try:
            parts = await news.parts(live, visit, not_before=began_at)
        except Flow2ApiError:
            parts = {}  # the page says by itself that what it shows gets old
        changed = {element: part for element, part in parts.items() if part.says != sent.get(element)}
        if changed:
            number, heard_at = number + 1, loop.time()
            sent.update({element: part.says for element, part in changed.items()})
            yield _message(number, changed)
        elif loop.time() - heard_at >= _BEAT_S:
            heard_at = loop.time()
            yield ": beat\n\n"
        await asyncio.sleep(EVERY_S)
    yield "event: bye\ndata: bye\n\n"


async def _still_here(visit: Visit) -> SignedIn | None:
    try:
        return await visit.doors.sign_in.who(session_token(visit.doors, visit.request))
    except NotSignedInError:
        return None


def _message(number: int, changed: Parts) -> str:
    partials = "".join(
        f'<hx-partial hx-target="#{element}" hx-swap="outerMorph">{part.html}</hx-partial>'
        for element, part in changed.items()
    )
    lines = "".join(f"data: {line}\n" for line in partials.splitlines())
    return f"id: {number}\n{lines}\n"


def _part(html: str) -> Part:
    return Part(html, hashlib.blake2b(_TIME.sub(r"\1", html).encode(), digest_size=16).digest())

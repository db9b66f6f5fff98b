"""One request of somebody who is signed in: who asks, in which language, and how pages are answered."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote, urlencode

from litestar import MediaType, Request, Response
from litestar.response import Redirect

from flow2api.adapters.console import cookies, htmx
from flow2api.adapters.console.compression import compressed
from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.guards import form_token
from flow2api.adapters.console.language import Language, current
from flow2api.adapters.console.policy import PAGE_HEADERS
from flow2api.adapters.console.sent_from import page_of
from flow2api.adapters.console.shell import Shell, places
from flow2api.adapters.console.templates import prepare, render
from flow2api.domain.audit import Actor
from flow2api.domain.operator import Role
from flow2api.domain.rest import RestReason
from flow2api.domain.usecases.count_accounts import Census
from flow2api.domain.usecases.sign_in import SignedIn, Visitor

DOOR = "console"
EVENTS_PATH = "/console/events"

HttpRequest = Request[Any, Any, Any]

_CARE = (RestReason.AUTH_EXPIRED, RestReason.UNUSABLE)
"""What keeps an account from work until somebody does something."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What a handler needs to know of the request, and how it answers."""

    request: HttpRequest
    doors: ConsoleDoors
    here: SignedIn

    @property
    def language(self) -> Language:
        """The language of the answer."""
        return current()

    @property
    def visitor(self) -> Visitor:
        """Who is at the door."""
        return visitor_of(self.doors, self.request)

    @property
    def actor(self) -> Actor:
        """Who does what this request asks for, for the audit log."""
        return self.visitor.acting(self.here.operator.name, self.here.operator.id)

    @property
    def reached_url(self) -> str:
        """The address by which this visitor reaches the server."""
        return self.doors.reached_url_of(self.request.scope)

    @property
    def came_by(self) -> str:
        """The address by which this very request came."""
        return self.doors.came_by_of(self.request.scope)

    def now_as(self, here: SignedIn) -> "Visit":
        """The same request of who is signed in as this by now."""
        return replace(self, here=here)

    def is_owner(self) -> bool:
        """Whether the visitor may do everything."""
        return self.here.operator.role is Role.OWNER

    def may_change(self) -> bool:
        """Whether the visitor may do more than look."""
        return self.here.operator.role.includes(Role.OPERATOR)

    def query(self, name: str, default: str = "") -> str:
        """A value of the query string, cut at a length that any of ours keeps to."""
        return str(self.request.query_params.get(name, default))[:500]

    async def page(
        self,
        template: str,
        view: object,
        *,
        area: str,
        status: int = 200,
        live: str = "",
        live_of: str = "",
        parts: Mapping[str, str] | None = None,
        about: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Response[Any]:
        """A page, or the part of it that htmx asks for.

        Args:
            template: A page; it extends ``_layout/base.html``.
            view: What it shows, as ``view``: one frozen object without secrets.
            area: The name of the place in the navigation.
            live: The name of the page's live view (see `live`); its news begin with the page's own query.
            live_of: What the live view is about, such as the id in the page's path; it finds it as the query ``of``.
            about: What else than the page's own query its live view has to know.
            parts: The partials of this page by the id of their root element; each is rendered from the same view.
            more: Further names for the template, such as ``form``.
        """
        part = (parts or {}).get(htmx.wanted_part(self.request) or "")
        shell = self.shell(area, live=live, live_of=live_of, census=await self.doors.census(), about=about)
        await prepare(part or template)
        html = render(part or template, {"view": view, "shell": shell, "may_change": self.may_change(), **more})
        headers = dict(PAGE_HEADERS)
        headers["vary"] += ", Accept-Encoding, Sec-Fetch-Site"
        content: str | bytes = html
        if (packed := compressed(html, self.request.headers)) is not None:
            content, headers["content-encoding"] = packed, "gzip"
        answer = Response(content, status_code=status, media_type=MediaType.HTML, headers=headers)
        if shell.told is not None and part is None:
            answer.cookies.append(cookies.nothing_told_cookie(self.came_by))
        return answer

    def shell(
        self,
        area: str,
        *,
        live: str = "",
        live_of: str = "",
        census: Census | None = None,
        about: Mapping[str, str] | None = None,
    ) -> Shell:
        """The frame of a page; without a census it does not tell how many accounts wait."""
        waiting = sum(census.resting.get(reason, 0) for reason in _CARE) if census else 0
        about = dict(about or {}) | ({"of": live_of} if live_of else {})
        role = self.here.operator.role.value
        query = dict(self.request.query_params) | {"view": live, "role": role} | about
        kept, prefers = self.request.cookies, self.here.operator.preferences
        return Shell(
            area=area,
            language=self.language.tag,
            operator=self.here.operator.name,
            role=role,
            version=self.doors.version,
            token=form_token(self.here),
            places=places(accounts=waiting, generations=len(self.doors.work)),
            here=self.here_path,
            live=f"{EVENTS_PATH}?{urlencode(query)}" if live and prefers.is_live else "",
            theme=cookies.chosen(kept, cookies.THEME),
            density=prefers.density.value,
            has_keys=prefers.has_letter_keys,
            told=cookies.told(kept),
            is_draining=self.doors.server.is_draining(),
            is_held=self.doors.server.drain.is_on,
        )

    @property
    def here_path(self) -> str:
        """The page that is looked at: of what it sends, and of its news, the one that they are for."""
        is_page = self.request.method == "GET" and self.request.url.path != EVENTS_PATH
        return self.path if is_page else own_path(page_of(self.request))

    @property
    def path(self) -> str:
        """Path and query of the request."""
        query = self.request.url.query
        return f"{self.request.url.path}?{query}" if query else str(self.request.url.path)

    def see(self, path: str, told: str = "", *, kind: str = "ok", undo: str = "") -> Response[Any]:
        """Leads to a page after something was done, and has it tell what that was.

        Args:
            path: A path of ours.
            told: One sentence in the visitor's language; empty for none.
            kind: ``ok``, ``warn``, ``err`` or ``info``.
            undo: The path of ours on which it can be undone.
        """
        answer: Response[Any] = Redirect(path, status_code=303, headers=dict(PAGE_HEADERS))
        if told:
            answer.cookies.append(cookies.told_cookie(kind, told, self.came_by, undo))
        return answer


def visitor_of(doors: ConsoleDoors, request: HttpRequest) -> Visitor:
    """Who is at the door, signed in or not."""
    return Visitor(
        door=DOOR,
        address=doors.address_of(request.scope),
        agent=request.headers.get("user-agent", ""),
        request_id=doors.request_id_of(request.scope),
    )


def own_path(path: str, default: str = "/console") -> str:
    """A path that leads nowhere but to a page of ours; whatever else it is, the default."""
    place = unquote(path.partition("?")[0].partition("#")[0])
    is_clean = path.isprintable() and "\\" not in place and not {"", ".", ".."} & set(place.strip("/").split("/"))
    return path if is_clean and f"{place}/".startswith("/console/") else default

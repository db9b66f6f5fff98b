"""Signing in and out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Controller, MediaType, Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from flow2api.adapters.console import cookies
from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.errors import sentence_of, status_of
from flow2api.adapters.console.forms import Form, read_form
from flow2api.adapters.console.guards import LEAST_ROLE, session_token
from flow2api.adapters.console.language import current, gettext
from flow2api.adapters.console.policy import PAGE_HEADERS
from flow2api.adapters.console.templates import render
from flow2api.adapters.console.visit import HttpRequest, Visit, own_path, visitor_of
from flow2api.domain.errors import Flow2ApiError, NotSignedInError, SetupRequiredError
from flow2api.domain.operator import Role
from flow2api.domain.secret import Secret

_FIELDS = frozenset({"name", "passphrase", "code", "next"})


@dataclass(frozen=True, slots=True)
class SignInView:
    """The page where one signs in.

    Attributes:
        next: Where it leads.
        is_private: Whether nobody on the way can read the passphrase.
        wants_code: Whether a code of the authenticator is asked for.
    """

    next: str
    language: str
    theme: str
    version: str
    is_private: bool
    wants_code: bool = False


class SignInController(Controller):
    """The door: whoever is not signed in is led here."""

    path = "/login"

    @get()
    async def show(self, request: HttpRequest, doors: NamedDependency[ConsoleDoors]) -> Response[Any]:
        """The form; whoever is signed in is led on."""
        try:
            await doors.sign_in.who(session_token(doors, request))
        except SetupRequiredError:
            return Redirect("/setup", status_code=303, headers=dict(PAGE_HEADERS))
        except NotSignedInError:
            return _page(request, doors, Form())
        return Redirect(own_path(request.query_params.get("next", "")), status_code=303, headers=dict(PAGE_HEADERS))

    @post(status_code=303)
    async def sign_in(self, request: HttpRequest, doors: NamedDependency[ConsoleDoors]) -> Response[Any]:
        """Begin a session."""
        reached = doors.reached_url_of(request.scope)
        form = await read_form(request, _FIELDS)
        name, passphrase = form.text("name", is_needed=True), form.secret("passphrase", is_needed=True)
        if not cookies.is_private(reached):
            form.refuse(
                "", gettext("This page was reached over plain http; use https, or open it on the server itself.")
            )
        if form.errors:
            return _page(request, doors, form, status=422)
        try:
            _, token = await doors.sign_in(name, Secret(passphrase), visitor_of(doors, request))
        except SetupRequiredError:
            return Redirect("/setup", status_code=303, headers=dict(PAGE_HEADERS))
        except Flow2ApiError as error:
            form.refuse("", sentence_of(error))
            return _page(request, doors, form, status=status_of(error))
        answer = Redirect(own_path(form.value("next")), status_code=303, headers=dict(PAGE_HEADERS))
        answer.cookies.append(cookies.session_cookie(token, reached))
        return answer


class LanguageController(Controller):
    """The language of the doors, before anybody is signed in."""

    path = "/language"

    @get()
    async def choose(self, request: HttpRequest, doors: NamedDependency[ConsoleDoors]) -> Response[Any]:
        """Keep the language in this browser; nothing else is changed, so a link may do it."""
        target = request.query_params.get("next", "")
        is_door = target.startswith(("/login", "/setup")) and "\\" not in target
        answer = Redirect(target if is_door else "/login", status_code=303, headers=dict(PAGE_HEADERS))
        tag = request.query_params.get("to", "")
        if tag in cookies.LOOKS[cookies.LANGUAGE]:
            answer.cookies.append(cookies.look_cookie(cookies.LANGUAGE, tag, doors.reached_url_of(request.scope)))
        return answer


class SignOutController(Controller):
    """The way out, and how the console looks in this browser."""

    path = "/"
    opt: Mapping[str, Any] = {LEAST_ROLE: Role.VIEWER}

    @post("/logout", status_code=303)
    async def sign_out(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """End this session."""
        await visit.doors.sign_in.sign_out(visit.here, visit.visitor)
        answer = Redirect("/login", status_code=303, headers=dict(PAGE_HEADERS) | {"clear-site-data": '"cache"'})
        answer.cookies.append(cookies.no_session_cookie(visit.reached_url))
        return answer

    @post("/console/looks", status_code=303)
    async def looks(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Keep how the console looks in this browser."""
        form = await read_form(visit.request, {*cookies.LOOKS, "next"})
        answer = visit.see(own_path(form.value("next")))
        for name, values in cookies.LOOKS.items():
            if name in form.values:
                answer.cookies.append(cookies.look_cookie(name, form.choice(name, values), visit.reached_url))
        return answer


def _page(request: HttpRequest, doors: ConsoleDoors, form: Form, *, status: int = 200) -> Response[str]:
    view = SignInView(
        next=own_path(form.value("next") or request.query_params.get("next", "")),
        language=current().tag,
        theme=cookies.chosen(request.cookies, cookies.THEME),
        version=doors.version,
        is_private=cookies.is_private(doors.reached_url_of(request.scope)),
    )
    html = render("door/sign_in.html", {"view": view, "form": form})
    return Response(html, status_code=status, media_type=MediaType.HTML, headers=dict(PAGE_HEADERS))

"""Signing in and out."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from litestar import Controller, MediaType, Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from flow2api.adapters.console import cookies
from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.errors import status_of
from flow2api.adapters.console.forms import Form, read_button, read_form
from flow2api.adapters.console.guards import LEAST_ROLE, session_token
from flow2api.adapters.console.language import current, gettext
from flow2api.adapters.console.passphrases import is_private, refuse_open_way
from flow2api.adapters.console.policy import PAGE_HEADERS
from flow2api.adapters.console.refusals import refuse
from flow2api.adapters.console.templates import prepare, render
from flow2api.adapters.console.visit import HttpRequest, Visit, own_path, visitor_of
from flow2api.domain.errors import (
    Flow2ApiError,
    NotSignedInError,
    SecondFactorRequiredError,
    SetupRequiredError,
    SignInRefusedError,
)
from flow2api.domain.operator import Role
from flow2api.domain.secret import Secret

_FIELDS = frozenset({"name", "passphrase", "code", "next"})
_LONGEST_CODE = 64


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
            return await _page(request, doors, Form())
        return Redirect(own_path(request.query_params.get("next", "")), status_code=303, headers=dict(PAGE_HEADERS))

    @post(status_code=303)
    async def sign_in(self, request: HttpRequest, doors: NamedDependency[ConsoleDoors]) -> Response[Any]:
        """Begin a session."""
        came_by = doors.came_by_of(request.scope)
        form = await read_form(request, _FIELDS, saves=False)
        name, passphrase = form.text("name", is_needed=True), form.secret("passphrase", is_needed=True)
        code = form.secret("code", most=_LONGEST_CODE)
        refuse_open_way(form, doors, request)
        if form.errors:
            return await _page(request, doors, form, status=422, wants_code=bool(code))
        given = Secret(code) if code else None
        try:
            here, token = await doors.sign_in(name, Secret(passphrase), visitor_of(doors, request), given)
        except SetupRequiredError:
            return Redirect("/setup", status_code=303, headers=dict(PAGE_HEADERS))
        except SecondFactorRequiredError:
            form.refuse("", gettext("Now with the code of your app: type the passphrase once more, and the code."))
            return await _page(request, doors, form, status=422, wants_code=True)
        except SignInRefusedError:
            form.refuse(
                "", gettext("That did not match. Check the name, the passphrase, and the code if you have one.")
            )
            return await _page(request, doors, form, status=422, wants_code=bool(code))
        except Flow2ApiError as error:
            refuse(form, error, _FIELDS)
            wait_s = getattr(error, "retry_after_s", None)
            return await _page(request, doors, form, status=status_of(error), wants_code=bool(code), wait_s=wait_s)
        await _end_former(doors, request)
        answer = Redirect(own_path(form.value("next")), status_code=303, headers=dict(PAGE_HEADERS))
        answer.cookies.append(cookies.session_cookie(token, came_by))
        spoken = here.operator.preferences.language
        if spoken is not None:  # the door, too, is in the operator's language from now on
            answer.cookies.append(cookies.look_cookie(cookies.LANGUAGE, spoken.value, came_by))
        return answer


async def _end_former(doors: ConsoleDoors, request: HttpRequest) -> None:
    """End the session that this browser had until now: nobody sees it in any list of his as the one that he left."""
    with suppress(NotSignedInError):
        await doors.sign_in.sign_out(await doors.sign_in.who(session_token(doors, request)), visitor_of(doors, request))


class LanguageController(Controller):
    """The language of the doors, before anybody is signed in."""

    path = "/language"

    @get()
    async def choose(self, request: HttpRequest, doors: NamedDependency[ConsoleDoors]) -> Response[Any]:
        """Keep the language in this browser; nothing else is changed, so a link may do it."""
        target = request.query_params.get("next", "")
        is_door = target.partition("?")[0] in ("/login", "/setup") and target.isprintable()
        answer = Redirect(target if is_door else "/login", status_code=303, headers=dict(PAGE_HEADERS))
        tag = request.query_params.get("to", "")
        if tag in cookies.LOOKS[cookies.LANGUAGE]:
            answer.cookies.append(cookies.look_cookie(cookies.LANGUAGE, tag, doors.came_by_of(request.scope)))
        return answer


class SignOutController(Controller):
    """The way out, and how the console looks in this browser."""

    path = "/"
    opt: Mapping[str, Any] = {LEAST_ROLE: Role.VIEWER}

    @post("/logout", status_code=303)
    async def sign_out(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """End this session."""
        await read_button(visit.request)
        await visit.doors.sign_in.sign_out(visit.here, visit.visitor)
        answer = Redirect("/login", status_code=303, headers=dict(PAGE_HEADERS) | {"clear-site-data": '"cache"'})
        answer.cookies.append(cookies.no_session_cookie(visit.came_by))
        return answer

    @post("/console/looks", status_code=303)
    async def looks(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Keep how the console looks in this browser."""
        form = await read_button(visit.request, {*cookies.LOOKS, "next"})
        answer = visit.see(own_path(form.value("next")))
        for name, values in cookies.LOOKS.items():
            if name in form.values:
                answer.cookies.append(cookies.look_cookie(name, form.choice(name, values), visit.came_by))
        return answer


async def _page(
    request: HttpRequest,
    doors: ConsoleDoors,
    form: Form,
    *,
    status: int = 200,
    wants_code: bool = False,
    wait_s: float | None = None,
) -> Response[str]:
    view = SignInView(
        next=own_path(form.value("next") or request.query_params.get("next", "")),
        language=current().tag,
        theme=cookies.chosen(request.cookies, cookies.THEME),
        version=doors.version,
        is_private=is_private(doors, request),
        wants_code=wants_code,
    )
    await prepare("door/sign_in.html")
    html = render("door/sign_in.html", {"view": view, "form": form})
    headers = dict(PAGE_HEADERS) | ({"retry-after": str(max(1, round(wait_s)))} if wait_s is not None else {})
    return Response(html, status_code=status, media_type=MediaType.HTML, headers=headers)

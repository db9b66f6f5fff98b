"""The page where the first operator sets himself up; once there is one, it does not exist any more."""

from dataclasses import dataclass, field
from typing import Any

from litestar import Controller, MediaType, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from flow2api.adapters.console import cookies
from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.errors import status_of
from flow2api.adapters.console.forms import Form, read_button, read_form
from flow2api.adapters.console.language import current, retold
from flow2api.adapters.console.passphrases import (
    StrengthView,
    is_private,
    new_passphrase,
    refuse_open_way,
    strength_of,
)
from flow2api.adapters.console.policy import PAGE_HEADERS
from flow2api.adapters.console.refusals import refuse
from flow2api.adapters.console.templates import prepare, render
from flow2api.adapters.console.visit import HttpRequest, visitor_of
from flow2api.domain.errors import Flow2ApiError, SetupClosedError, SetupCodeRefusedError
from flow2api.domain.preferences import Language, Preferences
from flow2api.domain.secret import Secret

FIRST_STEPS = "/console/first-steps"

_FIELDS = frozenset({"code", "name", "passphrase", "again"})
_LONGEST = 256


@dataclass(frozen=True, slots=True)
class SetUpView:
    """The page of the first visit.

    Attributes:
        is_private: Whether nobody on the way can read the passphrase.
    """

    language: str
    theme: str
    version: str
    is_private: bool
    strength: StrengthView = field(default_factory=StrengthView)


class SetUpController(Controller):
    """Makes the owner of who has the setup code."""

    path = "/setup"

    @get()
    async def show(self, request: HttpRequest, doors: NamedDependency[ConsoleDoors]) -> Response[Any]:
        """The form, as long as there is no operator."""
        await _check_open(doors)
        return await _page(request, doors, Form())

    @post(status_code=303)
    async def set_up(self, request: HttpRequest, doors: NamedDependency[ConsoleDoors]) -> Response[Any]:
        """Make the owner, and sign him in."""
        await _check_open(doors)
        form = await read_form(request, _FIELDS)
        code = form.text("code", is_needed=True, most=_LONGEST)
        name = form.text("name", is_needed=True)
        passphrase = new_passphrase(form)
        refuse_open_way(form, doors, request)
        if form.errors:
            return await _page(request, doors, form, status=422)
        try:
            here, token = await doors.set_up(Secret(code), name, passphrase, visitor_of(doors, request))
        except SetupClosedError as error:
            raise NotFoundException from error
        except SetupCodeRefusedError as error:
            form.refuse("code", retold(error.message))
            return await _page(request, doors, form, status=422)
        except Flow2ApiError as error:
            refuse(form, error, _FIELDS)
            return await _page(
                request, doors, form, status=status_of(error), wait_s=getattr(error, "retry_after_s", None)
            )
        spoken = Preferences(language=Language(current().tag))
        await doors.preferences(here, spoken, visitor_of(doors, request))
        answer = Redirect(FIRST_STEPS, status_code=303, headers=dict(PAGE_HEADERS))
        answer.cookies.append(cookies.session_cookie(token, doors.came_by_of(request.scope)))
        return answer

    @post("/strength", status_code=200)
    async def strength(self, request: HttpRequest, doors: NamedDependency[ConsoleDoors]) -> Response[Any]:
        """How good the passphrase is that is being typed."""
        await _check_open(doors)
        form = await read_button(request, _FIELDS)
        view = _view(request, doors, await strength_of(doors, form.secret("passphrase"), form.text("name")))
        html = render("door/_strength.html", {"view": view, "form": form})
        return Response(html, media_type=MediaType.HTML, headers=dict(PAGE_HEADERS))


async def _check_open(doors: ConsoleDoors) -> None:
    if not await doors.set_up.is_open():
        raise NotFoundException


def _view(request: HttpRequest, doors: ConsoleDoors, strength: StrengthView) -> SetUpView:
    theme = cookies.chosen(request.cookies, cookies.THEME)
    return SetUpView(current().tag, theme, doors.version, is_private(doors, request), strength)


async def _page(
    request: HttpRequest, doors: ConsoleDoors, form: Form, *, status: int = 200, wait_s: float | None = None
) -> Response[str]:
    await prepare("door/set_up.html")
    html = render("door/set_up.html", {"view": _view(request, doors, StrengthView()), "form": form})
    headers = dict(PAGE_HEADERS) | ({"retry-after": str(max(1, round(wait_s)))} if wait_s is not None else {})
    return Response(html, status_code=status, media_type=MediaType.HTML, headers=headers)

"""Passphrase, sessions and preferences of who is signed in."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from flow2api.adapters.console import cookies
from flow2api.adapters.console.errors import status_of
from flow2api.adapters.console.forms import read_button, read_form
from flow2api.adapters.console.guards import LEAST_ROLE
from flow2api.adapters.console.language import LANGUAGES, gettext, language_of, ngettext, speak
from flow2api.adapters.console.passphrases import new_passphrase, refuse_open_way, strength_of
from flow2api.adapters.console.refusals import refuse
from flow2api.adapters.console.visit import Visit
from flow2api.adapters.console.you.views import YourForms, look
from flow2api.domain.errors import Flow2ApiError, SignInRefusedError
from flow2api.domain.operator import Role
from flow2api.domain.preferences import Density, Language, Preferences
from flow2api.domain.secret import Secret

PATH = "/console/you"
TEMPLATE = "you/index.html"

_PASSPHRASE = frozenset({"former", "passphrase", "again"})
_PREFERENCES = frozenset({"language", "density", "keys", "live"})


class YouController(Controller):
    """What everybody may do with what is his own, whatever his role."""

    path = PATH
    opt: Mapping[str, Any] = {LEAST_ROLE: Role.VIEWER}

    @get()
    async def show(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """The page."""
        return await visit.page(TEMPLATE, await look(visit), area="you", forms_of=YourForms())

    @post("/passphrase", status_code=303)
    async def change_passphrase(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Take another passphrase; every other session ends."""
        form = await read_form(visit.request, _PASSPHRASE)
        former = Secret(form.secret("former", is_needed=True))
        new = new_passphrase(form)
        refuse_open_way(form, visit.doors, visit.request)
        status = 422
        if not form.errors:
            try:
                await visit.doors.sign_in.change_passphrase(visit.here, former, new, visit.visitor)
                return visit.see(PATH, gettext("The passphrase was changed; every other session has ended."))
            except SignInRefusedError:
                form.refuse("former", gettext("This is not your passphrase."))
            except Flow2ApiError as error:
                refuse(form, error, _PASSPHRASE, at="passphrase")
                status = status_of(error)
        forms = YourForms(passphrase=form)
        return await visit.page(TEMPLATE, await look(visit), area="you", status=status, forms_of=forms)

    @post("/strength", status_code=200)
    async def strength(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """How good the passphrase is that is being typed."""
        form = await read_button(visit.request, _PASSPHRASE)
        strength = await strength_of(visit.doors, form.secret("passphrase"), visit.here.operator.name)
        view = await look(visit, strength=strength)
        return await visit.page("you/_strength.html", view, area="you")

    @post("/preferences", status_code=303)
    async def prefer(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Have the console as one likes it."""
        form = await read_button(visit.request, _PREFERENCES)
        tag = form.choice("language", ("", *LANGUAGES))
        preferences = Preferences(
            language=Language(tag) if tag else None,
            density=Density(form.choice("density", [one.value for one in Density], Density.COMFORTABLE.value)),
            has_letter_keys=form.is_on("keys"),
            is_live=form.is_on("live"),
        )
        if form.errors:
            return await visit.page(TEMPLATE, await look(visit), area="you", status=422, forms_of=YourForms())
        await visit.doors.preferences(visit.here, preferences, visit.visitor)
        speak(await language_of(tag, visit.request.headers.get("accept-language", "")[:500]))
        answer = visit.see(PATH, gettext("The console is as you like it now."))
        answer.cookies.append(cookies.look_cookie(cookies.LANGUAGE, tag, visit.came_by))
        return answer

    @post("/sessions/{session_id:str}/end", status_code=303)
    async def end_session(self, visit: NamedDependency[Visit], session_id: FromPath[str]) -> Response[Any]:
        """End one session of one's own."""
        await read_button(visit.request)
        await visit.doors.sign_in.end_session(visit.here, session_id, visit.visitor)
        return visit.see(PATH, gettext("The session has ended."))

    @post("/sessions/end-others", status_code=303)
    async def end_others(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """End every session but this one."""
        await read_button(visit.request)
        count = await visit.doors.sign_in.end_others(visit.here, visit.visitor)
        told = ngettext("%(count)s other session has ended.", "%(count)s other sessions have ended.", count)
        return visit.see(PATH, told % {"count": count})

"""The second factor of who is signed in."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, post
from litestar.di import NamedDependency

from flow2api.adapters.console.errors import status_of
from flow2api.adapters.console.forms import Form, read_form
from flow2api.adapters.console.guards import LEAST_ROLE
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.passphrases import refuse_open_way
from flow2api.adapters.console.refusals import refuse
from flow2api.adapters.console.visit import Visit
from flow2api.adapters.console.you.controller import PATH, TEMPLATE
from flow2api.adapters.console.you.views import YourForms, look
from flow2api.domain.errors import Flow2ApiError, SignInRefusedError
from flow2api.domain.operator import Role
from flow2api.domain.secret import Secret

_BEGIN = frozenset({"factor_passphrase"})
_CONFIRM = frozenset({"code"})


class SecondFactorController(Controller):
    """Takes one into use, renews its recovery codes, switches it off. Secrets stand on the answer of one request alone."""

    path = f"{PATH}/second-factor"
    opt: Mapping[str, Any] = {LEAST_ROLE: Role.VIEWER}

    @post("/begin", status_code=200)
    async def begin(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Show a new secret, which is asked for only when a code has confirmed it."""
        form, passphrase = await _read(visit)
        if not form.errors:
            try:
                enrolment = await visit.doors.second_factor.begin(visit.here, passphrase, visit.visitor)
                view = await look(visit, enrolment=enrolment)
                return await visit.page(TEMPLATE, view, area="you", forms_of=YourForms())
            except Flow2ApiError as error:
                return await _refused(visit, form, error)
        return await _shown(visit, form, 422)

    @post("/confirm", status_code=200)
    async def confirm(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Have it asked for from now on, and show the recovery codes."""
        form = await read_form(visit.request, _CONFIRM)
        code = form.secret("code", is_needed=True, most=64)
        status = 422
        if not form.errors:
            try:
                fresh = await visit.doors.second_factor.confirm(visit.here, Secret(code), visit.visitor)
                view = await look(visit, recovery=fresh)
                return await visit.page(TEMPLATE, view, area="you", forms_of=YourForms())
            except Flow2ApiError as error:
                refuse(form, error, _CONFIRM)
                status = status_of(error)
        view = await look(visit, wants_code=True)
        return await visit.page(TEMPLATE, view, area="you", status=status, forms_of=YourForms(factor=form))

    @post("/recovery", status_code=200)
    async def renew_recovery(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Show other recovery codes; the former ones open nothing any more."""
        form, passphrase = await _read(visit)
        if not form.errors:
            try:
                fresh = await visit.doors.second_factor.renew_recovery(visit.here, passphrase, visit.visitor)
                view = await look(visit, recovery=fresh)
                return await visit.page(TEMPLATE, view, area="you", forms_of=YourForms())
            except Flow2ApiError as error:
                return await _refused(visit, form, error)
        return await _shown(visit, form, 422)

    @post("/disable", status_code=303)
    async def disable(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Ask for it no more."""
        form, passphrase = await _read(visit)
        if not form.errors:
            try:
                await visit.doors.second_factor.disable(visit.here, passphrase, visit.visitor)
                return visit.see(PATH, gettext("The second factor is off."))
            except Flow2ApiError as error:
                return await _refused(visit, form, error)
        return await _shown(visit, form, 422)


async def _read(visit: Visit) -> tuple[Form, Secret]:
    form = await read_form(visit.request, _BEGIN)
    passphrase = Secret(form.secret("factor_passphrase", is_needed=True))
    refuse_open_way(form, visit.doors, visit.request)
    return form, passphrase


async def _refused(visit: Visit, form: Form, error: Flow2ApiError) -> Response[Any]:
    if isinstance(error, SignInRefusedError):
        form.refuse("factor_passphrase", gettext("This is not your passphrase."))
    else:
        refuse(form, error, _BEGIN)
    return await _shown(visit, form, status_of(error))


async def _shown(visit: Visit, form: Form, status: int) -> Response[Any]:
    return await visit.page(TEMPLATE, await look(visit), area="you", status=status, forms_of=YourForms(factor=form))

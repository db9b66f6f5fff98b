"""Proxies: taken in, checked, switched, moved, forgotten. Their credentials are never shown."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from flow2api.adapters.console.errors import sentence_of, status_of
from flow2api.adapters.console.forms import Form, read_button, read_form
from flow2api.adapters.console.guards import LEAST_ROLE
from flow2api.adapters.console.language import gettext, ngettext
from flow2api.adapters.console.refusals import refuse
from flow2api.adapters.console.settings.pages import PATH, group_named, group_page
from flow2api.adapters.console.visit import Visit
from flow2api.domain.errors import Flow2ApiError
from flow2api.domain.operator import Role
from flow2api.domain.proxy import Proxy

MOST_AT_ONCE = 1000
MOST_CHECKED = 20
"""So many are checked while somebody waits; each may take a quarter of a minute, and four run side by side."""

PAGE = f"{PATH}/proxies"

_LONGEST = 256 * 1024
_ADD = frozenset({"urls", "pool"})
_CHANGE = frozenset({"url", "pool"})


class ProxiesController(Controller):
    """What owners do with proxies."""

    path = "/console/proxies"
    opt: Mapping[str, Any] = {LEAST_ROLE: Role.OWNER}

    @post("/add", status_code=303)
    async def add(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Take in one or many, a line each; one that cannot be used does not stop the others."""
        form = await read_form(visit.request, _ADD)
        pool = form.text("pool") or None
        lines = [line.strip() for line in form.secret("urls", is_needed=True, most=_LONGEST).splitlines()]
        urls = [line for line in lines if line][:MOST_AT_ONCE]
        added, faults = 0, []
        if not form.errors:
            number = 0
            async for outcome in visit.doors.proxies.add_each(urls, visit.actor, pool=pool):
                number += 1
                if isinstance(outcome, Proxy):
                    added += 1
                else:
                    faults.append((number, sentence_of(outcome)))
            await visit.doors.reload_proxies()
        told = ngettext("%(count)s proxy was added.", "%(count)s proxies were added.", added) % {"count": added}
        if faults:
            number, sentence = faults[0]
            where = gettext("Line %(line)s: %(why)s") % {"line": number, "why": sentence}
            form.refuse("urls", f"{told} {where}" if added else where)
        if form.errors:
            return await _again(visit, form, 422)
        return visit.see(PAGE, told)

    @post("/check", status_code=303)
    async def check_all(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Check those that were not looked at for longest."""
        await read_button(visit.request)
        known = [one for one in await visit.doors.proxies.all() if one.is_enabled]
        known.sort(key=lambda one: one.health.checked_at.timestamp() if one.health.checked_at else 0)
        return await _checked(visit, known[:MOST_CHECKED])

    @post("/{name:str}/check", status_code=303)
    async def check(self, visit: NamedDependency[Visit], name: FromPath[str]) -> Response[Any]:
        """Check one."""
        await read_button(visit.request)
        return await _checked(visit, [await visit.doors.proxies.named(name)])

    @post("/{name:str}/switch", status_code=303)
    async def switch(self, visit: NamedDependency[Visit], name: FromPath[str]) -> Response[Any]:
        """Let one be used, or not any more."""
        form = await read_button(visit.request, {"on"})
        proxy = await visit.doors.proxies.named(name)
        await visit.doors.proxies.set_enabled(proxy, visit.actor, enabled=form.is_on("on"))
        await visit.doors.reload_proxies()
        told = gettext("%(name)s is used.") if form.is_on("on") else gettext("%(name)s is not used any more.")
        return visit.see(PAGE, told % {"name": name})

    @post("/{name:str}/change", status_code=303)
    async def change(self, visit: NamedDependency[Visit], name: FromPath[str]) -> Response[Any]:
        """Let one be somewhere else, or in another pool."""
        form = await read_form(visit.request, _CHANGE)
        proxy = await visit.doors.proxies.named(name)
        url, pool = form.secret("url") or None, form.text("pool")
        if form.errors:
            return await _again(visit, Form(errors=form.errors), 422)
        try:
            await visit.doors.proxies.change(proxy, visit.actor, visit.doors.options(), url=url, pool=pool)
        except Flow2ApiError as error:
            form.refuse("", sentence_of(error))
            return await _again(visit, Form(errors=form.errors), status_of(error))
        await visit.doors.reload_proxies()
        return visit.see(PAGE, gettext("%(name)s was changed.") % {"name": name})

    @post("/{name:str}/remove", status_code=303)
    async def remove(self, visit: NamedDependency[Visit], name: FromPath[str]) -> Response[Any]:
        """Forget one that nothing needs."""
        await read_button(visit.request)
        proxy, form = await visit.doors.proxies.named(name), Form()
        try:
            await visit.doors.proxies.remove(proxy, visit.actor, visit.doors.options())
        except Flow2ApiError as error:
            refuse(form, error, ())
            return await _again(visit, form, status_of(error))
        await visit.doors.reload_proxies()
        return visit.see(PAGE, gettext("%(name)s was removed.") % {"name": name})


async def _again(visit: Visit, form: Form, status: int) -> Response[Any]:
    return await group_page(visit, group_named("proxies"), beside_form=form, status=status)


async def _checked(visit: Visit, proxies: list[Proxy]) -> Response[Any]:
    if not proxies:
        return visit.see(PAGE, gettext("There is no proxy to check."), kind="info")
    checked = await visit.doors.check_proxies.check_and_keep(proxies, visit.actor)
    await visit.doors.reload_proxies()
    works = sum(one.passage is not None for one in checked)
    told = ngettext("%(works)s of %(count)s proxy works.", "%(works)s of %(count)s proxies work.", len(checked))
    kind = "ok" if works == len(checked) else "warn"
    return visit.see(PAGE, told % {"works": works, "count": len(checked)}, kind=kind)

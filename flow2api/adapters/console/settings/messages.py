"""Where messages go: places that operators read, and webhooks. Addresses and secrets of both are not shown again."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from flow2api.adapters.console.errors import status_of
from flow2api.adapters.console.forms import Form, read_button, read_form
from flow2api.adapters.console.guards import LEAST_ROLE
from flow2api.adapters.console.language import gettext, retold
from flow2api.adapters.console.passphrase import FIELD as PASSPHRASE
from flow2api.adapters.console.passphrase import Asked, ask, confirm
from flow2api.adapters.console.refusals import refuse
from flow2api.adapters.console.settings.pages import PATH, group_named, group_page
from flow2api.adapters.console.visit import Visit
from flow2api.domain.errors import Flow2ApiError
from flow2api.domain.operator import Role
from flow2api.domain.secret import Secret

PAGE = f"{PATH}/notifications"

_TARGET = {"name": "target_name", "url": "target_url"}
_WEBHOOK = {"name": "hook_name", "url": "hook_url", "events": "events", "key_id": "key_id"}
_OWNER: Mapping[str, Any] = {LEAST_ROLE: Role.OWNER}


class NotifyTargetsController(Controller):
    """Places where operators read messages."""

    path = "/console/notify-targets"

    @post("/add", status_code=303, opt=_OWNER)
    async def add(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Write to one more place."""
        form = await read_form(visit.request, set(_TARGET.values()))
        name, url = form.text("target_name", is_needed=True), Secret(form.secret("target_url", is_needed=True))
        if form.errors:
            return await _again(visit, form, 422)
        try:
            await visit.doors.notify_targets.add(name, url, visit.actor)
        except Flow2ApiError as error:
            return await _refused(visit, form, error, _TARGET)
        return visit.see(PAGE, gettext("%(name)s was added; send it a test.") % {"name": name})

    @post("/{target_id:int}/test", status_code=303)
    async def test(self, visit: NamedDependency[Visit], target_id: FromPath[int]) -> Response[Any]:
        """Write a message there now."""
        await read_button(visit.request)
        ((target, error),) = await visit.doors.notify_targets.test(str(target_id))
        if error is None:
            return visit.see(PAGE, gettext("The message to %(name)s got there.") % {"name": target.name})
        told = gettext("The message to %(name)s did not get there: %(why)s") % {
            "name": target.name,
            "why": retold(error),
        }
        return visit.see(PAGE, told, kind="err")

    @post("/{target_id:int}/remove", status_code=303, opt=_OWNER)
    async def remove(self, visit: NamedDependency[Visit], target_id: FromPath[int]) -> Response[Any]:
        """Write there no more."""
        await read_button(visit.request)
        target = await visit.doors.notify_targets.remove(str(target_id), visit.actor)
        return visit.see(PAGE, gettext("%(name)s was removed.") % {"name": target.name})


class WebhooksController(Controller):
    """Addresses that are told of events by signed messages."""

    path = "/console/webhooks"

    @post("/add", status_code=200, opt=_OWNER)
    async def add(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Tell one more address; its signing secret is shown on this answer alone."""
        form = await read_form(visit.request, set(_WEBHOOK.values()))
        name, url = form.text("hook_name", is_needed=True), Secret(form.secret("hook_url", is_needed=True))
        key_id = form.whole("key_id")
        if form.errors:
            return await _again(visit, form, 422)
        doors = visit.doors
        try:
            if key_id is not None:
                await doors.keys.check_active(key_id)
            made = await doors.webhooks.add(name, url, visit.actor, kinds=form.every("events"), key_id=key_id)
        except Flow2ApiError as error:
            return await _refused(visit, form, error, _WEBHOOK)
        await doors.reload_webhooks()
        return await group_page(visit, group_named("notifications"), signing=made.signing)

    @get("/{webhook_id:int}/rotate", opt=_OWNER)
    async def ask_to_rotate(self, visit: NamedDependency[Visit], webhook_id: FromPath[int]) -> Response[Any]:
        """What a new secret does, and the passphrase that it takes."""
        return await ask(visit, await _asked(visit, webhook_id))

    @post("/{webhook_id:int}/rotate", status_code=200, opt=_OWNER)
    async def rotate(self, visit: NamedDependency[Visit], webhook_id: FromPath[int]) -> Response[Any]:
        """Sign with a new secret, once the passphrase was given; it is shown on this answer alone."""
        form, asked = await read_form(visit.request, (PASSPHRASE,)), await _asked(visit, webhook_id)
        status = await confirm(form, visit)
        if form.errors:
            return await ask(visit, asked, form, status=status)
        changed = await visit.doors.webhooks.rotate(str(webhook_id), visit.actor)
        await visit.doors.reload_webhooks()
        return await group_page(visit, group_named("notifications"), signing=changed.signing)

    @post("/{webhook_id:int}/test", status_code=303)
    async def test(self, visit: NamedDependency[Visit], webhook_id: FromPath[int]) -> Response[Any]:
        """Send a message there now, once."""
        await read_button(visit.request)
        webhook, receipt = await visit.doors.webhooks.test(str(webhook_id))
        if receipt.is_good:
            return visit.see(PAGE, gettext("%(name)s has taken the message.") % {"name": webhook.name})
        told = gettext("%(name)s has not taken the message: %(why)s")
        return visit.see(PAGE, told % {"name": webhook.name, "why": retold(receipt.error)}, kind="err")

    @post("/{webhook_id:int}/switch", status_code=303, opt=_OWNER)
    async def switch(self, visit: NamedDependency[Visit], webhook_id: FromPath[int]) -> Response[Any]:
        """Tell it again, or no more."""
        form = await read_button(visit.request, {"on"})
        changed = await visit.doors.webhooks.switch(str(webhook_id), visit.actor, on=form.is_on("on"))
        await visit.doors.reload_webhooks()
        told = gettext("%(name)s is told again.") if form.is_on("on") else gettext("%(name)s is told nothing any more.")
        return visit.see(PAGE, told % {"name": changed.name})

    @post("/{webhook_id:int}/remove", status_code=303, opt=_OWNER)
    async def remove(self, visit: NamedDependency[Visit], webhook_id: FromPath[int]) -> Response[Any]:
        """Forget one, and the messages to it."""
        await read_button(visit.request)
        removed = await visit.doors.webhooks.remove(str(webhook_id), visit.actor)
        await visit.doors.reload_webhooks()
        return visit.see(PAGE, gettext("%(name)s was removed.") % {"name": removed.name})


async def _asked(visit: Visit, webhook_id: int) -> Asked:
    webhook = await visit.doors.webhooks.named(str(webhook_id))
    return Asked(
        area="settings",
        title=gettext("Sign messages to “%(name)s” with a new secret?") % {"name": webhook.name},
        words=gettext("Every message from now on is signed with it; the receiver refuses them until it has it, too."),
        why=gettext("Asked again because the page that follows shows the secret in full."),
        action=f"/console/webhooks/{webhook.id}/rotate",
        button=gettext("Make a new secret"),
        back=PAGE,
        place=gettext("Notifications"),
    )


async def _refused(visit: Visit, form: Form, error: Flow2ApiError, fields: Mapping[str, str]) -> Response[Any]:
    found = Form()
    refuse(found, error, fields, at="name")
    for name, sentence in found.errors.items():
        form.refuse(fields.get(name, name), sentence)
    return await _again(visit, form, status_of(error))


async def _again(visit: Visit, form: Form, status: int) -> Response[Any]:
    return await group_page(visit, group_named("notifications"), beside_form=form, status=status)

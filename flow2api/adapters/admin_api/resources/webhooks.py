"""``/api/admin/webhooks``: addresses that are told of events by signed messages."""

from typing import Annotated

import msgspec
from litestar import delete, get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from msgspec import UNSET, UnsetType

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.guards import FRESH, LEAST_ROLE, actor_of
from flow2api.adapters.admin_api.resources.queries import PREFIX, HttpRequest
from flow2api.adapters.admin_api.schemas import Body, Id
from flow2api.documents.webhooks import WebhookView, webhook_view
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.operator import Role
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.manage_webhooks import WebhookChange
from flow2api.domain.webhook import Webhook

ONE = f"{PREFIX}/webhooks/{{webhook_id:int}}"

Events = Annotated[tuple[str, ...], msgspec.Meta(max_length=100)]


class SignedWebhook(WebhookView, frozen=True, kw_only=True):
    """A webhook with a new signing secret.

    Attributes:
        signing_secret: What its messages are signed with, which is shown this once.
    """

    signing_secret: str


class Webhooks(msgspec.Struct, frozen=True, kw_only=True):
    """Every webhook, oldest first."""

    items: tuple[WebhookView, ...]
    next_cursor: str | None = None


class NewWebhookBody(Body, frozen=True):
    """A webhook; without events it is told the usual ones, without a signing secret it gets one."""

    name: str
    url: str
    events: Events = ()
    key_id: int | None = None
    signing_secret: str | None = None


class WebhookBody(Body, frozen=True):
    """What is to change; what is left out stays. A key of null is all keys, no events are the usual ones."""

    url: str | UnsetType = UNSET
    events: Events | UnsetType = UNSET
    key_id: int | UnsetType | None = UNSET
    is_enabled: bool | UnsetType = UNSET


class WebhookTest(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a message.

    Attributes:
        status: What the receiver answered; null when no answer came.
        error: Why it does not count as delivered; empty when it does.
    """

    ok: bool
    status: int | None
    error: str


def webhook_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handlers."""
    return [*_routes_of_many(doors), *_routes_of_one(doors)]


def _routes_of_many(doors: AdminDoors) -> list[HTTPRouteHandler]:
    @get(f"{PREFIX}/webhooks", tags=["webhooks"])
    async def list_webhooks() -> Webhooks:
        """The webhooks."""
        return Webhooks(items=tuple(webhook_view(one) for one in await doors.webhooks.all()))

    @post(f"{PREFIX}/webhooks", opt={LEAST_ROLE: Role.OWNER}, tags=["webhooks"])
    async def add_webhook(request: HttpRequest, data: JSONBody[NewWebhookBody]) -> SignedWebhook:
        """Tell this address from now on. This answer is the only one that shows the signing secret."""
        if data.key_id is not None:
            await doors.keys.check_active(data.key_id)
        added = await doors.webhooks.add(
            data.name,
            Secret(data.url),
            actor_of(doors, request.scope),
            kinds=data.events,
            key_id=data.key_id,
            signing=None if data.signing_secret is None else Secret(data.signing_secret),
        )
        await doors.reload_webhooks()
        return _signed(added)

    return [list_webhooks, add_webhook]


def _routes_of_one(doors: AdminDoors) -> list[HTTPRouteHandler]:
    owner = {LEAST_ROLE: Role.OWNER}

    @get(ONE, tags=["webhooks"])
    async def show_webhook(webhook_id: Id) -> WebhookView:
        """One webhook."""
        return webhook_view(await doors.webhooks.named(str(webhook_id)))

    @patch(ONE, opt=owner, tags=["webhooks"])
    async def change_webhook(request: HttpRequest, webhook_id: Id, data: JSONBody[WebhookBody]) -> WebhookView:
        """Change what a webhook is told, and where, or switch it on or off."""
        which, actor = str(webhook_id), actor_of(doors, request.scope)
        if data == WebhookBody():
            raise UnsupportedInputError("Say what is to be changed.")
        if isinstance(data.key_id, int):
            await doors.keys.check_active(data.key_id)
        await doors.webhooks.update(which, _change_of(data), actor)
        if not isinstance(data.is_enabled, UnsetType):
            await doors.webhooks.switch(which, actor, on=data.is_enabled)
        await doors.reload_webhooks()
        return webhook_view(await doors.webhooks.named(which))

    @delete(ONE, opt=owner, tags=["webhooks"])
    async def remove_webhook(request: HttpRequest, webhook_id: Id) -> None:
        """Forget a webhook, and the messages to it."""
        await doors.webhooks.remove(str(webhook_id), actor_of(doors, request.scope))
        await doors.reload_webhooks()

    @post(f"{ONE}/rotate-secret", status_code=200, opt={**owner, FRESH: True}, tags=["webhooks"])
    async def rotate_secret(request: HttpRequest, webhook_id: Id) -> SignedWebhook:
        """Sign with a new secret from now on. This answer is the only one that shows it."""
        changed = await doors.webhooks.rotate(str(webhook_id), actor_of(doors, request.scope))
        await doors.reload_webhooks()
        return _signed(changed)

    @post(f"{ONE}/test", status_code=200, tags=["webhooks"])
    async def test_webhook(webhook_id: Id) -> WebhookTest:
        """Send a message `webhook.test` now, once, and say what came of it."""
        _, receipt = await doors.webhooks.test(str(webhook_id))
        return WebhookTest(ok=receipt.is_good, status=receipt.answer, error=receipt.error)

    return [show_webhook, change_webhook, remove_webhook, rotate_secret, test_webhook]


def _change_of(data: WebhookBody) -> WebhookChange:
    return WebhookChange(
        url=None if isinstance(data.url, UnsetType) else Secret(data.url),
        kinds=None if isinstance(data.events, UnsetType) else data.events,
        key_id=data.key_id if isinstance(data.key_id, int) else None,
        hears_all_keys=data.key_id is None,
    )


def _signed(webhook: Webhook) -> SignedWebhook:
    return SignedWebhook(**msgspec.structs.asdict(webhook_view(webhook)), signing_secret=webhook.signing.reveal())

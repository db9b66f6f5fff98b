"""``/api/admin/deliveries``: the messages to webhooks, and what became of them."""

from datetime import datetime

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.resources.queries import PREFIX, Cursor, Limit, OptionalId, number_in
from flow2api.domain.webhook import Delivery


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """A message to a webhook.

    Attributes:
        state: ``pending``, ``delivered`` or ``failed``.
        status: What the receiver answered last; null when no answer came.
        next_try_at: Null when there is to be no other.
    """

    number: int
    webhook_id: int
    message_id: str
    event: str
    at: datetime
    state: str
    attempts: int
    status: int | None
    error: str
    next_try_at: datetime | None
    ended_at: datetime | None


class Deliveries(msgspec.Struct, frozen=True, kw_only=True):
    """A page of messages, newest first."""

    items: tuple[DeliveryView, ...]
    next_cursor: str | None


def delivery_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handler."""

    @get(f"{PREFIX}/deliveries", tags=["webhooks"])
    async def list_deliveries(webhook_id: OptionalId = None, limit: Limit = 50, cursor: Cursor = None) -> Deliveries:
        """What became of the messages to one webhook, or to all."""
        which = None if webhook_id is None else str(webhook_id)
        # Whether more follow is asked with one more, which the largest page has no room for.
        asked = min(limit, 499)
        found = await doors.webhooks.deliveries(which, before=number_in(cursor), limit=asked + 1)
        return Deliveries(
            items=tuple(_view(one) for one in found[:asked]),
            next_cursor=str(found[asked - 1].number) if len(found) > asked else None,
        )

    return [list_deliveries]


def _view(delivery: Delivery) -> DeliveryView:
    return DeliveryView(
        number=delivery.number,
        webhook_id=delivery.webhook_id,
        message_id=delivery.message_id,
        event=delivery.kind,
        at=delivery.at,
        state=delivery.state.value,
        attempts=delivery.attempts,
        status=delivery.answer,
        error=delivery.error,
        next_try_at=None if delivery.ended_at else delivery.due_at,
        ended_at=delivery.ended_at,
    )

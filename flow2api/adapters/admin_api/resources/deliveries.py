"""``/api/admin/deliveries``: the messages to webhooks, and what became of them."""

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.resources.queries import PREFIX, Cursor, Limit, OptionalId, number_in
from flow2api.documents.webhooks import DeliveryView, delivery_view


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
            items=tuple(delivery_view(one) for one in found[:asked]),
            next_cursor=str(found[asked - 1].number) if len(found) > asked else None,
        )

    return [list_deliveries]

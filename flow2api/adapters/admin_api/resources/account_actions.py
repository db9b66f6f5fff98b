"""What is done to one account, and what it went through."""

import msgspec
from litestar import get, post
from litestar.handlers import HTTPRouteHandler

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.guards import actor_of
from flow2api.adapters.admin_api.resources.accounts import ONE
from flow2api.adapters.admin_api.resources.queries import Cursor, HttpRequest, Limit, number_in
from flow2api.adapters.admin_api.schemas import Id
from flow2api.documents.accounts import EventView, WholeAccount, event_view, whole_account


class Events(msgspec.Struct, frozen=True, kw_only=True):
    """A page of an account's timeline, the latest first."""

    items: tuple[EventView, ...]
    next_cursor: str | None


def account_action_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handlers."""

    @post(f"{ONE}/enable", status_code=200, tags=["accounts"])
    async def enable_account(request: HttpRequest, account_id: Id) -> WholeAccount:
        """Let an account work again; it starts anew as to faults of its own."""
        account = await doors.accounts.set_enabled(account_id, enabled=True, actor=actor_of(doors, request.scope))
        return whole_account(account, doors.clock.now())

    @post(f"{ONE}/disable", status_code=200, tags=["accounts"])
    async def disable_account(request: HttpRequest, account_id: Id) -> WholeAccount:
        """Let an account do nothing new; what it has begun goes on."""
        account = await doors.accounts.set_enabled(account_id, enabled=False, actor=actor_of(doors, request.scope))
        return whole_account(account, doors.clock.now())

    @post(f"{ONE}/refresh", status_code=200, tags=["accounts"])
    async def refresh_account(request: HttpRequest, account_id: Id) -> WholeAccount:
        """Ask the service now: a fresh access token, plan and credits, and a workspace where one is missing."""
        return whole_account(await doors.refresh(account_id, actor_of(doors, request.scope)), doors.clock.now())

    @get(f"{ONE}/events", tags=["accounts"])
    async def list_events(account_id: Id, limit: Limit = 50, cursor: Cursor = None) -> Events:
        """What an account went through: rests, cures, probation, renewals, new plans."""
        page = await doors.timeline.page(account_id, before=number_in(cursor), limit=limit)
        return Events(
            items=tuple(event_view(event) for event in page.items),
            next_cursor=str(page.items[-1].number) if page.has_more else None,
        )

    return [enable_account, disable_account, refresh_account, list_events]

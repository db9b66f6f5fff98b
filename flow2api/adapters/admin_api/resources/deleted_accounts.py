"""``/api/admin/accounts/deleted``: deleted accounts that can still be brought back."""

import msgspec
from litestar import get, post
from litestar.handlers import HTTPRouteHandler

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.guards import actor_of
from flow2api.adapters.admin_api.resources.accounts import ONE
from flow2api.adapters.admin_api.resources.queries import PREFIX, Cursor, HttpRequest, Limit, number_in
from flow2api.adapters.admin_api.schemas import Id
from flow2api.documents.accounts import DeletedAccountView, WholeAccount, deleted_account_view, whole_account


class DeletedAccounts(msgspec.Struct, frozen=True, kw_only=True):
    """A page of deleted accounts, those with the greatest ids first.

    Attributes:
        keeps_deleted: Whether the storage keeps deleted accounts at all.
    """

    items: tuple[DeletedAccountView, ...]
    next_cursor: str | None
    keeps_deleted: bool


def deleted_account_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handlers."""

    @get(f"{PREFIX}/accounts/deleted", tags=["accounts"])
    async def list_deleted_accounts(limit: Limit = 100, cursor: Cursor = None) -> DeletedAccounts:
        """The accounts that were deleted within a day and can be brought back."""
        found = await doors.restore.page(before=number_in(cursor), limit=limit + 1)
        return DeletedAccounts(
            items=tuple(deleted_account_view(one) for one in found[:limit]),
            next_cursor=str(found[limit - 1].account.id) if len(found) > limit else None,
            keeps_deleted=doors.restore.keeps_deleted,
        )

    @post(f"{ONE}/restore", status_code=200, tags=["accounts"])
    async def restore_account(request: HttpRequest, account_id: Id) -> WholeAccount:
        """Bring a deleted account back as it was, under its id; it is at work at once.

        It stays deleted while another account signs in with the same address or secret.
        """
        restored = await doors.restore(account_id, actor_of(doors, request.scope))
        return whole_account(restored, doors.clock.now())

    return [list_deleted_accounts, restore_account]

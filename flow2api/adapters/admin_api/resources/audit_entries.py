"""``/api/admin/audit-entries``: what operators did, and who tried to sign in."""

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.resources.queries import PREFIX, Cursor, Limit, Moment, Word, number_in, whole
from flow2api.documents.audit import AuditView, audit_view
from flow2api.domain.audit import AuditFilter


class AuditEntries(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the audit log, newest first."""

    items: tuple[AuditView, ...]
    next_cursor: str | None


def audit_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handler."""

    @get(f"{PREFIX}/audit-entries", tags=["audit"])
    async def list_audit_entries(
        limit: Limit = 50,
        cursor: Cursor = None,
        action: Word = None,
        actor: Word = None,
        subject: Word = None,
        since: Moment = None,
        until: Moment = None,
    ) -> AuditEntries:
        """The audit log; ``action`` is what the action begins with, such as ``account`` or ``operator.signed_in``."""
        wanted = AuditFilter(
            action=action, actor=actor, subject=subject, since=whole(since, "since"), until=whole(until, "until")
        )
        page = await doors.audit_log.page(wanted, before=number_in(cursor), limit=limit)
        return AuditEntries(
            items=tuple(audit_view(entry) for entry in page.items),
            next_cursor=str(page.items[-1].number) if page.has_more else None,
        )

    return [list_audit_entries]

"""Entries of the audit log as JSON."""

from datetime import datetime
from typing import Any

import msgspec

from flow2api.domain.audit import AuditEntry


class AuditView(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was done.

    Attributes:
        door: The way that it came: ``admin_api``, ``command_line``, ``settings``.
        subject: The id or name of what it was done to.
        details: What else there is to know; for a change ``before`` and ``after`` by field.
    """

    number: int
    at: datetime
    actor: str
    door: str
    address: str | None
    request_id: str | None
    action: str
    subject: str | None
    details: dict[str, Any]


def audit_view(entry: AuditEntry) -> AuditView:
    """An entry as it is shown."""
    return AuditView(
        number=entry.number,
        at=entry.at,
        actor=entry.actor.name,
        door=entry.actor.door,
        address=entry.actor.address,
        request_id=entry.actor.request_id,
        action=str(entry.action),
        subject=entry.subject,
        details=dict(entry.details),
    )

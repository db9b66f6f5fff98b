"""Notify targets as JSON."""

from datetime import datetime

import msgspec

from flow2api.domain.notification import NotifyTarget


class TargetView(msgspec.Struct, frozen=True, kw_only=True):
    """A notify target, without its address.

    Attributes:
        service: What kind of place it is, such as ``Telegram``.
        error: Why the last message did not get there; empty when it did.
    """

    id: int
    name: str
    service: str
    created_at: datetime
    sent_at: datetime | None
    failed_at: datetime | None
    error: str


def target_view(target: NotifyTarget) -> TargetView:
    """A notify target as it is shown."""
    return TargetView(
        id=target.id,
        name=target.name,
        service=target.service,
        created_at=target.created_at,
        sent_at=target.sent_at,
        failed_at=target.failed_at,
        error=target.error,
    )

"""Webhooks and the messages to them as JSON, without signing secrets."""

from datetime import datetime

import msgspec

from flow2api.domain.webhook import Delivery, Webhook


class WebhookView(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook, without its signing secret.

    Attributes:
        address: Scheme and host; the rest could hold a secret.
        events: What it is told.
        key_id: Of generations it hears only those of this key; null for all.
        failing_since: When the failures began that follow the last success.
    """

    id: int
    name: str
    address: str
    events: tuple[str, ...]
    key_id: int | None
    is_enabled: bool
    created_at: datetime
    disabled_at: datetime | None
    disabled_why: str
    failing_since: datetime | None
    delivered_at: datetime | None


def webhook_view(webhook: Webhook) -> WebhookView:
    """A webhook as it is shown."""
    return WebhookView(
        id=webhook.id,
        name=webhook.name,
        address=webhook.shown,
        events=tuple(sorted(kind.value for kind in webhook.kinds)),
        key_id=webhook.key_id,
        is_enabled=webhook.is_enabled,
        created_at=webhook.created_at,
        disabled_at=webhook.disabled_at,
        disabled_why=webhook.disabled_why,
        failing_since=webhook.failing_since,
        delivered_at=webhook.delivered_at,
    )


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


def delivery_view(delivery: Delivery) -> DeliveryView:
    """A message as it is shown."""
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

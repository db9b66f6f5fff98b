"""Webhooks in words."""

from flow2api.documents.webhooks import WebhookView


def state_of(one: WebhookView) -> str:
    """How it stands, in a word or two."""
    if one.disabled_at is not None:
        return f"off: {one.disabled_why}"
    return "failing" if one.failing_since else "on"

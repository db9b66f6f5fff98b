"""How far back a page of records looks, as its query says it."""

from datetime import datetime, timedelta

from flow2api.adapters.console.language import gettext

EVER = "all"
SPANS = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    EVER: None,
}
"""By their names in the query; None looks back to the beginning."""


def begins(span: str, now: datetime) -> datetime | None:
    """From which moment on; None for the beginning."""
    length = SPANS.get(span)
    return None if length is None else now - length


def known_span(name: str, default: str = EVER) -> str:
    """The span of this name, else the default."""
    return name if name in SPANS else default


def span_choices() -> list[tuple[str, str]]:
    """Each span and its words."""
    return [
        ("1h", gettext("Last hour")),
        ("24h", gettext("Last 24 hours")),
        ("7d", gettext("Last 7 days")),
        ("30d", gettext("Last 30 days")),
        (EVER, gettext("All that is kept")),
    ]

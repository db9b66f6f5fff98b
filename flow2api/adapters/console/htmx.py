"""How htmx 4 asks: for a whole page, or for the part of it that it will put in place."""

from typing import Any

from litestar import Request

REDIRECT = "hx-redirect"
PUSH_URL = "hx-push-url"


def is_htmx(request: Request[Any, Any, Any]) -> bool:
    """Whether htmx asks, and not the browser itself."""
    return request.headers.get("hx-request") == "true"


def wanted_part(request: Request[Any, Any, Any]) -> str | None:
    """The id of the element that will be replaced; None when a whole page is wanted.

    htmx 4 tells the target as ``tag#id``, and whether it wants a part of the page in a header of its own.
    """
    if not is_htmx(request) or request.headers.get("hx-request-type") != "partial":
        return None
    return request.headers.get("hx-target", "").rpartition("#")[2] or None

"""The page of ours that a request was sent from, so that whoever has to sign in meanwhile is led back to it."""

from typing import Any
from urllib.parse import urlsplit

from litestar import Request
from litestar.datastructures import FormMultiDict

from flow2api.adapters.console import htmx

FIELD = "_here"
"""What forms say of the page that they stand on."""

_NOTED = "sent_from"
_LONGEST = 1000
"""A page whose address is longer is told without its query: it stands in each of its forms."""


def note(request: Request[Any, Any, Any], form: FormMultiDict) -> None:
    """Keep what a form says, for `page_of`."""
    scope: Any = request.scope
    scope[_NOTED] = str(form.get(FIELD, ""))


def page_of(request: Request[Any, Any, Any]) -> str:
    """The path and query of that page as the browser tells them; empty when it does not.

    They are somebody else's word: `own_path` says whether they lead anywhere here.
    """
    scope: Any = request.scope
    noted: str = scope.get(_NOTED, "")
    if noted or not htmx.is_htmx(request):
        return noted
    try:
        seen = urlsplit(request.headers.get("hx-current-url", ""))
    except ValueError:
        return ""
    return f"{seen.path}?{seen.query}" if seen.query else seen.path


def shortened(path: str) -> str:
    """The same for a field of a form."""
    return path if len(path) <= _LONGEST else path.partition("?")[0][:_LONGEST]

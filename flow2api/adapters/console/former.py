"""The pages of the former server of this name; their bookmarks find the new ones."""

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect

from flow2api.adapters.console.policy import PAGE_HEADERS

FORMER = {"/": "/console", "/manage": "/console/accounts", "/test": "/console/playground"}


def former_pages() -> list[HTTPRouteHandler]:
    """A handler for each; ``/login`` is one of the new pages itself."""
    return [_leading(former, new) for former, new in FORMER.items()]


def _leading(former: str, new: str) -> HTTPRouteHandler:
    @get(former, status_code=307, include_in_schema=False, name=f"former{former}")
    async def former_page() -> Redirect:
        return Redirect(new, status_code=307, headers=dict(PAGE_HEADERS))

    return former_page

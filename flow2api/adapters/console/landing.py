"""The page at ``/``: what runs here, and how to call it; the former server's pages lead to it."""

from dataclasses import dataclass
from typing import Any

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect, Template

from flow2api import __version__

# The style sheet is a file of its own, so nothing inline has to be allowed.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'none'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True, slots=True)
class Landing:
    """What the page shows.

    Attributes:
        base_url: The address of the API, ending in ``/v1``.
    """

    base_url: str
    picture_models: tuple[str, ...]
    video_models: tuple[str, ...]
    model_count: int
    version: str = __version__


def landing_handlers(
    public_url: str, picture_models: tuple[str, ...], video_models: tuple[str, ...], model_count: int
) -> list[HTTPRouteHandler]:
    """The handler of the page; it shows nothing that a stranger may not know."""

    @get("/", include_in_schema=False)
    async def landing(request: Request[Any, Any, Any]) -> Template:
        base = public_url.rstrip("/") or str(request.base_url).rstrip("/")
        page = Landing(f"{base}/v1", picture_models, video_models, model_count)
        return Template("landing/index.html", context={"page": page}, headers=HEADERS)

    @get(["/login", "/manage", "/test"], status_code=307, include_in_schema=False)
    async def former_page() -> Redirect:
        """Where the former server signed people in; their bookmarks find this one."""
        return Redirect("/", status_code=307, headers=HEADERS)

    return [landing, former_page]

"""What a person or a program is told outside the API when something goes wrong."""

from typing import Any

import structlog
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException

from flow2api.adapters.console.edge import wishes
from flow2api.adapters.console.language import current, gettext, language_at_hand, speaking
from flow2api.adapters.console.policy import PAGE_HEADERS
from flow2api.adapters.console.templates import render

log = structlog.get_logger(__name__)


def plain_error(request: Request[Any, Any, Any], error: Exception, request_id: str) -> Response[Any]:
    """A page for browsers, in the language of theirs; JSON for everybody else. Neither tells anything of the inside."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status >= 500:
        log.error("request failed", path=request.scope["path"], exc_info=error)
    headers = dict(PAGE_HEADERS)
    if isinstance(error, HTTPException) and error.headers and "allow" in {name.lower() for name in error.headers}:
        headers["allow"] = next(value for name, value in error.headers.items() if name.lower() == "allow")
    if "text/html" in request.headers.get("accept", ""):
        with speaking(language_at_hand(*wishes(request.scope))):
            context = {
                "status": status,
                "sentence": _sentence(status),
                "language": current().tag,
                "request_id": request_id,
            }
            page = render("_layout/plain.html", context)
        return Response(page, status_code=status, headers=headers, media_type=MediaType.HTML)
    told = {"detail": _sentence(status), "code": _code(status), "request_id": request_id}
    return Response(told, status_code=status, headers=headers, media_type=MediaType.JSON)


def _sentence(status: int) -> str:
    known = {
        404: gettext("There is nothing at this address."),
        405: gettext("This address does not take that method."),
    }
    others = gettext("The request could not be answered.") if status < 500 else gettext("The server failed.")
    return known.get(status, others)


def _code(status: int) -> str:
    return {404: "not_found", 405: "method_not_allowed"}.get(
        status, "internal_error" if status >= 500 else "invalid_request"
    )

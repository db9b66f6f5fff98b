"""What a person or a program is told outside the API when something goes wrong."""

from typing import Any

import structlog
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException

from flow2api.adapters.console.language import current
from flow2api.adapters.console.policy import PAGE_HEADERS
from flow2api.adapters.console.templates import render

log = structlog.get_logger(__name__)

_SENTENCES = {
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
}


def plain_error(request: Request[Any, Any, Any], error: Exception, request_id: str) -> Response[Any]:
    """A page for browsers, JSON for everybody else; neither tells anything of the inside."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status >= 500:
        log.error("request failed", path=request.scope["path"], exc_info=error)
    sentence = _SENTENCES.get(status, "The request could not be answered." if status < 500 else "The server failed.")
    headers = dict(PAGE_HEADERS)
    if isinstance(error, HTTPException) and error.headers and "allow" in {name.lower() for name in error.headers}:
        headers["allow"] = next(value for name, value in error.headers.items() if name.lower() == "allow")
    if "text/html" in request.headers.get("accept", ""):
        context = {"status": status, "sentence": sentence, "language": current().tag, "request_id": request_id}
        return Response(
            render("_layout/plain.html", context), status_code=status, headers=headers, media_type=MediaType.HTML
        )
    told = {"detail": sentence, "code": _code(status), "request_id": request_id}
    return Response(told, status_code=status, headers=headers, media_type=MediaType.JSON)


def _code(status: int) -> str:
    return {404: "not_found", 405: "method_not_allowed"}.get(
        status, "internal_error" if status >= 500 else "invalid_request"
    )

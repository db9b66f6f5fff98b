"""What each error of the tree becomes on a page: a sentence, a code, what to do next, and a status."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import structlog
from litestar import MediaType, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.response import Redirect
from litestar.types import ExceptionHandlersMap

from flow2api.adapters.console import htmx
from flow2api.adapters.console.account_reasons import pool_words
from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.edge import wishes
from flow2api.adapters.console.language import current, gettext, language_at_hand, retold, speaking
from flow2api.adapters.console.policy import PAGE_HEADERS
from flow2api.adapters.console.sent_from import page_of
from flow2api.adapters.console.templates import render
from flow2api.adapters.console.visit import HttpRequest, Visit, own_path
from flow2api.domain import errors as tree
from flow2api.domain.errors import Flow2ApiError

log = structlog.get_logger(__name__)

STATUSES: dict[type[Exception], int] = {
    Flow2ApiError: 500,
    tree.RequestError: 422,
    tree.UnknownModelError: 404,
    tree.ConflictError: 409,
    tree.NotKnownError: 404,
    tree.AccountNotFoundError: 404,
    tree.RecordNotFoundError: 404,
    tree.GenerationNotFoundError: 404,
    tree.OperatorError: 403,
    tree.SetupRequiredError: 303,
    tree.SignInRefusedError: 422,
    tree.TooManyTriesError: 429,
    tree.NotSignedInError: 401,
    tree.ConnectionTokenError: 401,
    tree.InvalidApiKeyError: 401,
    tree.PoolError: 503,
    tree.CredentialError: 422,
    tree.UpstreamError: 502,
    tree.UpstreamRateLimitedError: 429,
    tree.UpstreamTimeoutError: 504,
    tree.MediaNotFoundError: 404,
    tree.StorageBusyError: 503,
    tree.StorageFullError: 503,
    tree.ShuttingDownError: 503,
}
"""The nearest class in an error's line of descent counts."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What went wrong, as a page tells it.

    Attributes:
        again: The path of the page, where looking once more may help; else empty.
    """

    status: int
    title: str
    sentence: str
    code: str
    request_id: str
    wait_s: int | None = None
    again: str = ""


ErrorPage = Callable[[HttpRequest, Exception], Response[Any]]


def exception_handlers(doors: ConsoleDoors) -> ExceptionHandlersMap:
    """For everything that can be raised below the console's routers."""
    respond = error_page(doors)
    return {Flow2ApiError: respond, HTTPException: respond, Exception: respond}


def error_page(doors: ConsoleDoors) -> ErrorPage:
    """The exception handler of the console: a page that says what happened, or the way to where it can be mended."""

    def respond(request: HttpRequest, error: Exception) -> Response[Any]:
        if isinstance(error, tree.SetupRequiredError):
            return _lead(request, "/setup")
        if isinstance(error, tree.NotSignedInError):
            return _lead(request, sign_in_path(request))
        with speaking(language_at_hand(*wishes(request.scope))):  # no route was found where no language is spoken yet
            fault = _fault(error, doors.request_id_of(request.scope))
            if request.method == "GET" and (fault.status >= 500 or fault.status == 429):
                fault = replace(fault, again=own_path(_path(request), ""))
            if fault.status >= 500 and not isinstance(error, Flow2ApiError | HTTPException):
                log.error("page failed", path=request.scope["path"], exc_info=error)
            return fault_page(doors, request, fault)

    return respond


def fault_page(doors: ConsoleDoors, request: HttpRequest, fault: Fault) -> Response[Any]:
    """A page about what went wrong: in the console's frame for who is signed in, else plain."""
    here = request.scope.get("user")
    headers = dict(PAGE_HEADERS)
    if fault.wait_s is not None:
        headers["retry-after"] = str(fault.wait_s)
    if here is None:
        html = render("_layout/fault.html", {"fault": fault, "language": current().tag, "version": doors.version})
    else:
        visit = Visit(request, doors, here)
        html = render("_layout/fault_inside.html", {"fault": fault, "shell": visit.shell("")})
    return Response(html, status_code=fault.status, media_type=MediaType.HTML, headers=headers)


def sign_in_path(request: HttpRequest) -> str:
    """Where somebody signs in who wanted this page; he is led back to it."""
    path = _path(request)
    if request.method != "GET" or htmx.is_htmx(request):
        path = page_of(request) or (request.url.path if _is_page(request) else "")
    return f"/login?{urlencode({'next': path})}" if own_path(path, "") else "/login"


def _is_page(request: HttpRequest) -> bool:
    """Whether the address that something was sent to can be looked at, too."""
    return "GET" in request.app.route_handler_method_map.get(request.scope["path_template"], {})


def status_of(error: Flow2ApiError) -> int:
    """The status by the table."""
    return next(STATUSES[cls] for cls in type(error).__mro__ if cls in STATUSES)


def sentence_of(error: Flow2ApiError) -> str:
    """What an error tells a person."""
    if isinstance(error, tree.PoolError):
        return pool_words(error)
    return retold(error.message)


def _path(request: HttpRequest) -> str:
    query = request.url.query
    return f"{request.url.path}?{query}" if query else str(request.url.path)


def _lead(request: HttpRequest, path: str) -> Response[Any]:
    if htmx.is_htmx(request):
        return Response("", status_code=401, headers=dict(PAGE_HEADERS) | {htmx.REDIRECT: path})
    return Redirect(path, status_code=303, headers=dict(PAGE_HEADERS))


def _fault(error: Exception, request_id: str) -> Fault:
    if isinstance(error, Flow2ApiError):
        wait_s: float | None = getattr(error, "retry_after_s", None)
        whole_s = max(1, math.ceil(wait_s)) if wait_s is not None and math.isfinite(wait_s) else None
        status = status_of(error)
        return Fault(status, _title(status), sentence_of(error), error.code, request_id, whole_s)
    status = error.status_code if isinstance(error, HTTPException) else 500
    if isinstance(error, ValidationException) and error.extra:
        status = 404  # the only parameters that are checked before a handler runs are the ids in addresses
    return Fault(status, _title(status), _sentence(status), _code(status), request_id)


def _title(status: int) -> str:
    return {
        403: gettext("This is not yours to do"),
        404: gettext("There is nothing here"),
        409: gettext("Changed meanwhile"),
        413: gettext("That is too much at once"),
        422: gettext("That cannot be done like this"),
        429: gettext("Too many tries"),
        503: gettext("Not at the moment"),
    }.get(status, gettext("Something went wrong"))


def _sentence(status: int) -> str:
    return {
        404: gettext("The page may have been removed, or its address was cut."),
        405: gettext("This address does not take that method."),
        413: gettext("What was sent is larger than this page takes; send less."),
    }.get(
        status,
        gettext("The request could not be understood; open the page again.")
        if status < 500
        else gettext("It is in the log under the number below; nothing was saved."),
    )


def _code(status: int) -> str:
    known = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}
    return known.get(status, "internal_error" if status >= 500 else "invalid_request")

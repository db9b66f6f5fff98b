"""What each error of the tree becomes for an operator's tool: ``{"detail", "code", "request_id"}`` and a status."""

import math
from collections.abc import Callable
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, SerializationException, ValidationException
from litestar.types import ExceptionHandlersMap

from flow2api.adapters.admin_api.edge import HEADERS
from flow2api.domain import errors as tree
from flow2api.domain.errors import Flow2ApiError

_log = structlog.get_logger(__name__)

STATUSES: dict[type[Exception], int] = {
    Flow2ApiError: 500,
    tree.RequestError: 400,
    tree.UnknownModelError: 404,
    tree.ConflictError: 409,
    tree.NotKnownError: 404,
    tree.AccountNotFoundError: 404,
    tree.RecordNotFoundError: 404,
    tree.GenerationNotFoundError: 404,
    tree.OperatorError: 403,
    tree.HostNotAllowedError: 421,
    tree.SetupRequiredError: 503,
    tree.SetupClosedError: 404,
    tree.SetupCodeRefusedError: 401,
    tree.SignInRefusedError: 401,
    tree.SecondFactorRequiredError: 401,
    tree.TooManyTriesError: 429,
    tree.NotSignedInError: 401,
    tree.ConnectionTokenError: 401,
    tree.InvalidApiKeyError: 401,
    tree.KeyLimitError: 429,
    tree.KeyScopeError: 403,
    tree.ModelNotAllowedError: 404,
    tree.PoolError: 503,
    tree.CredentialError: 400,
    tree.UpstreamError: 502,
    tree.UpstreamRateLimitedError: 429,
    tree.UpstreamTimeoutError: 504,
    tree.MediaNotFoundError: 404,
    tree.StorageBusyError: 503,
    tree.StorageFullError: 503,
    tree.CoordinationError: 503,
    tree.ShuttingDownError: 503,
}
"""The nearest class in an error's line of descent counts."""

_FRAMEWORK = {
    400: ("The request cannot be understood.", "invalid_request"),
    404: ("There is nothing at this address.", "not_found"),
    405: ("This address does not take that method.", "method_not_allowed"),
    413: ("The body is larger than what is taken here; send less.", "body_too_large"),
    415: ("Send the body as application/json, and not compressed.", "unsupported_media_type"),
}
_LONGEST_DETAIL = 500


class ErrorAnswer(msgspec.Struct, frozen=True):
    """What went wrong.

    Attributes:
        detail: One sentence that says what happened and what to do.
        code: The same for programs; stable.
        request_id: By it the server's log is searched.
    """

    detail: str
    code: str
    request_id: str


ErrorResponse = Callable[[Request[Any, Any, Any], Exception], Response[ErrorAnswer]]


def error_response(request_id_of: Callable[[Any], str]) -> ErrorResponse:
    """The exception handler of this surface. Nothing of an unexpected error is shown but the id to find it by."""

    def respond(request: Request[Any, Any, Any], error: Exception) -> Response[ErrorAnswer]:
        request_id = request_id_of(request.scope)
        status, detail, code = _told(error)
        if status >= 500 and not isinstance(error, Flow2ApiError | HTTPException):
            _log.error("unexpected_error", request_id=request_id, path=request.scope["path"], exc_info=error)
        body = ErrorAnswer(detail[:_LONGEST_DETAIL], code, request_id)
        return Response(body, status_code=status, headers=_headers(error))

    return respond


def outer_error_response(request_id_of: Callable[[Any], str]) -> ErrorResponse:
    """The same for requests that met no route, so that nobody else adds what all answers have in common."""
    respond = error_response(request_id_of)

    def respond_whole(request: Request[Any, Any, Any], error: Exception) -> Response[ErrorAnswer]:
        answer = respond(request, error)
        common = [*HEADERS, (b"x-request-id", request_id_of(request.scope).encode("ascii"))]
        answer.headers.update({name.decode("ascii"): value.decode("ascii") for name, value in common})
        return answer

    return respond_whole


def exception_handlers(respond: ErrorResponse) -> ExceptionHandlersMap:
    """For everything that can be raised below a router."""
    return {Flow2ApiError: respond, HTTPException: respond, RecursionError: respond, Exception: respond}


def status_of(error: Flow2ApiError) -> int:
    """The status by the table."""
    return next(STATUSES[cls] for cls in type(error).__mro__ if cls in STATUSES)


def _told(error: Exception) -> tuple[int, str, str]:
    match error:
        case Flow2ApiError():
            return status_of(error), error.message, error.code
        case ValidationException():
            return 400, _of_validation(error), "invalid_value"
        case HTTPException(__cause__=SerializationException()):
            return 400, "The body is no JSON; send a JSON object.", "invalid_json"
        case HTTPException(status_code=status) if status < 500:
            known = _FRAMEWORK.get(status, (error.detail, "invalid_request"))
            code = error.extra.get("code", known[1]) if isinstance(error.extra, dict) else known[1]
            return status, error.detail if code != known[1] else known[0], code
        case UnicodeDecodeError():
            return 400, "The body is no UTF-8 text.", "invalid_json"
        case RecursionError():
            return 400, "The JSON is nested too deeply; send it flatter.", "invalid_json"
        case _:
            return (
                500,
                "Something went wrong inside flow2api. The log tells more under the request id.",
                "internal_error",
            )


def _of_validation(error: ValidationException) -> str:
    """Which field, and what is wrong with it; values are never repeated, for they may be secrets."""
    faults = [fault for fault in error.extra or () if isinstance(fault, dict)]
    return f"The request is not what is expected here. {'; '.join(map(_of_fault, faults))}".rstrip(". ") + "."


def _of_fault(fault: dict[str, Any]) -> str:
    key, message = fault.get("key"), str(fault["message"])
    is_missing = message == repr(key)  # the framework's word for a body that is not there
    if key in (None, "data"):
        return "It has no body; send a JSON object" if is_missing else message
    return f"{key} is missing" if is_missing else f"{key}: {message}"


def _headers(error: Exception) -> dict[str, str]:
    headers = {}
    if isinstance(error, tree.NotSignedInError):
        headers["www-authenticate"] = "Bearer"
    if isinstance(error, HTTPException) and error.headers:
        headers |= {name.lower(): value for name, value in error.headers.items() if name.lower() == "allow"}
    retry_after_s: float | None = getattr(error, "retry_after_s", None)
    if retry_after_s is not None and math.isfinite(retry_after_s):
        headers["retry-after"] = str(max(1, math.ceil(retry_after_s)))
    return headers

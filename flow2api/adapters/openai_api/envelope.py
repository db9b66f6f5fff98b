"""OpenAI's error envelope, for errors of the tree, of the framework, and those that nobody expected."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.status_codes import (
    HTTP_408_REQUEST_TIMEOUT,
    HTTP_413_REQUEST_ENTITY_TOO_LARGE,
    HTTP_503_SERVICE_UNAVAILABLE,
)
from litestar.types import ExceptionHandlersMap

from flow2api.adapters.openai_api.allowances import allowance_headers
from flow2api.adapters.openai_api.edge import common_headers, has_passed_edge
from flow2api.adapters.openai_api.errors import INVALID_REQUEST, SERVER_ERROR, answer_of, retry_headers
from flow2api.adapters.openai_api.lingering import LingeringResponse
from flow2api.adapters.openai_api.request_ids import request_id_of
from flow2api.domain.errors import (
    Flow2ApiError,
    InvalidApiKeyError,
    KeyConcurrencyError,
    KeyLimitError,
    RequestError,
)
from flow2api.domain.request_log import ASKING
from flow2api.domain.usecases.limit_requests import Allowance

_log = structlog.get_logger(__name__)

_IN_THE_MIDDLE = frozenset({HTTP_408_REQUEST_TIMEOUT, HTTP_413_REQUEST_ENTITY_TOO_LARGE})
"""Told while the client is still sending."""

_FRAMEWORK_SENTENCES = {
    400: ("The request cannot be understood.", None),
    404: ("There is nothing at {method} {path}.", "unknown_url"),
    405: ("{method} is not allowed at {path}.", "method_not_allowed"),
}


class ErrorObject(msgspec.Struct, frozen=True):
    """What an OpenAI client reads of an error: all four keys are always there."""

    message: str
    type: str
    param: str | None
    code: str | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error as it goes out."""

    status: int
    body: ErrorObject
    headers: dict[str, str] = field(default_factory=dict)


def refusal_of(error: Exception, request: Request[Any, Any, Any]) -> Refusal:
    """What this error is answered with. Nothing of an unexpected error is shown but the id to find it by."""
    match error:
        case Flow2ApiError():
            return _of_tree(error)
        case HTTPException(status_code=status) if status < 500 or status == HTTP_503_SERVICE_UNAVAILABLE:
            return _of_framework(error, request)
        case RecursionError():
            message = "The JSON is nested too deeply; send it flatter."
            return Refusal(400, ErrorObject(message, INVALID_REQUEST, None, "invalid_json"))
        case _:
            return _of_nobody(error, request)


def stream_error(error: Exception, request: Request[Any, Any, Any]) -> ErrorObject:
    """The same error object, for a stream that has begun."""
    return refusal_of(error, request).body


def error_response(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The exception handler of the routes of this surface."""
    refusal = refusal_of(error, request)
    if (asking := ASKING.get()) is not None:
        asking.code, asking.message = refusal.body.code or refusal.body.type, refusal.body.message
    body = msgspec.json.encode({"error": refusal.body})
    headers = {"cache-control": "no-store", **refusal.headers}
    if not has_passed_edge(request.scope):
        common = common_headers(request_id_of(request.scope))
        headers |= {name.decode("ascii"): value.decode("ascii") for name, value in common}
    answer = LingeringResponse if refusal.status in _IN_THE_MIDDLE else Response
    return answer(content=body, status_code=refusal.status, headers=headers, media_type="application/json")


def envelope_response(error: Exception, request: Request[Any, Any, Any]) -> Response[bytes]:
    """An error in OpenAI's envelope, for requests that no route of this surface caught (unknown paths and methods)."""
    return error_response(request, error)


EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    Flow2ApiError: error_response,
    HTTPException: error_response,
    RecursionError: error_response,
    Exception: error_response,
}


def _of_tree(error: Flow2ApiError) -> Refusal:
    answer = answer_of(error)
    headers = retry_headers(answer, error)
    if isinstance(error, InvalidApiKeyError):
        headers["www-authenticate"] = "Bearer"
    if isinstance(error, KeyLimitError) and not isinstance(error, KeyConcurrencyError):
        left = allowance_headers(Allowance(error.limit, 0, error.retry_after_s))
        headers |= {name.decode("ascii"): value.decode("ascii") for name, value in left}
    param = error.param if isinstance(error, RequestError) else None
    return Refusal(answer.status, ErrorObject(error.message, answer.type, param, error.code), headers)


def _of_framework(error: HTTPException, request: Request[Any, Any, Any]) -> Refusal:
    known = _FRAMEWORK_SENTENCES.get(error.status_code)
    if known is None:
        message, code = error.detail, None
    else:
        sentence, code = known
        path = request.scope["path"][:256]
        message = sentence.format(method=request.scope["method"], path=path)
    if isinstance(error.extra, dict):
        code = error.extra.get("code", code)
    kind = INVALID_REQUEST if error.status_code < 500 else SERVER_ERROR
    return Refusal(error.status_code, ErrorObject(message, kind, None, code), dict(error.headers or {}))


def _of_nobody(error: Exception, request: Request[Any, Any, Any]) -> Refusal:
    request_id = request_id_of(request.scope)
    _log.error("unexpected_error", request_id=request_id, path=request.scope["path"], exc_info=error)
    message = f"Something went wrong inside flow2api. The log tells more under the request id {request_id}."
    body = ErrorObject(message, SERVER_ERROR, None, "internal_error")
    return Refusal(500, body, {"x-should-retry": "false"})

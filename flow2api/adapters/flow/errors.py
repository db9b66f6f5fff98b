"""What a refusal or a broken connection means, in the words of the error tree. Pure.

The reasons and their statuses: Flow, 2025-11 to 2026-08 era.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from curl_cffi import CurlECode

from flow2api.adapters.flow.calls import Answer
from flow2api.domain.errors import (
    AccountUnusableError,
    ContentBlockedError,
    CredentialExpiredError,
    CredentialRevokedError,
    Flow2ApiError,
    ModelAccessError,
    UpstreamDriftError,
    UpstreamError,
    UpstreamInvalidError,
    UpstreamNotFoundError,
    UpstreamOverloadedError,
    UpstreamRateLimitedError,
    UpstreamRefusedError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)

PREFIX = "PUBLIC_ERROR_"
NEW_HOME = "flow.google.com"

FILTERED = frozenset({
    "UNSAFE_GENERATION", "SEXUAL", "VIOLENCE_FILTER", "DANGER_FILTER", "MINOR", "PROMINENT_PEOPLE_FILTER_FAILED",
    "IMAGE_OUTPUT_IP_FILTER", "IP_INPUT_IMAGE", "MINOR_INPUT_IMAGE", "PROMINENT_PEOPLE_INPUT_IMAGE",
    "PHOTOREAL_INPUT_IMAGE", "AUDIO_FILTERED", "REPUTATIONAL", "NON_ENGLISH_PROMPT", "UNSAFE_IMAGE_UPLOAD",
    "MINOR_UPLOAD", "PROMINENT_PEOPLE_UPLOAD", "SEXUAL_UPLOAD",
})  # fmt: skip
UNUSABLE = frozenset({"USER_REGION_DISALLOWED", "USER_MINOR"})
REFUSED = frozenset({"UNUSUAL_ACTIVITY", "SOMETHING_WENT_WRONG", "UNUSUAL_ACTIVITY_TOO_MUCH_TRAFFIC"})
OVERLOADED = frozenset({"HIGH_TRAFFIC", "MODEL_OVERLOADED", "MODEL_DISABLED_DUE_TO_TRAFFIC"})
EXHAUSTED = frozenset({"USER_QUOTA_REACHED"})
EXHAUSTED_PER_MODEL = frozenset({"PER_MODEL_DAILY_QUOTA_REACHED", "PER_MODEL_DAILY_QUOTA_REACHED_UPGRADEABLE"})
TOO_MANY_AT_ONCE = frozenset({"CONCURRENT_LIMIT_REACHED", "GENERATION_ALREADY_IN_PROGRESS"})
NO_ACCESS = frozenset({"MODEL_ACCESS_DENIED"})

_UNREACHED = frozenset({
    CurlECode.COULDNT_RESOLVE_PROXY, CurlECode.COULDNT_RESOLVE_HOST, CurlECode.COULDNT_CONNECT,
    CurlECode.SSL_CONNECT_ERROR, CurlECode.PEER_FAILED_VERIFICATION, CurlECode.SSL_CERTPROBLEM, CurlECode.SSL_CIPHER,
    CurlECode.SSL_CACERT_BADFILE, CurlECode.SSL_ISSUER_ERROR, CurlECode.PROXY, CurlECode.INTERFACE_FAILED,
})  # fmt: skip
_UNREADABLE = frozenset({CurlECode.BAD_CONTENT_ENCODING, CurlECode.WEIRD_SERVER_REPLY, CurlECode.TOO_LARGE})
_CAUSES: Mapping[int, str] = {
    CurlECode.COULDNT_RESOLVE_PROXY: "the name of the proxy cannot be resolved",
    CurlECode.COULDNT_RESOLVE_HOST: "its name cannot be resolved",
    CurlECode.COULDNT_CONNECT: "no connection came about",
    CurlECode.SSL_CONNECT_ERROR: "the TLS handshake failed",
    CurlECode.PEER_FAILED_VERIFICATION: "its certificate is not trusted",
    CurlECode.PROXY: "the proxy refused",
    CurlECode.GOT_NOTHING: "it closed the connection without an answer",
    CurlECode.PARTIAL_FILE: "the answer broke off",
    CurlECode.RECV_ERROR: "the connection broke while its answer was awaited",
    CurlECode.SEND_ERROR: "the connection broke while the call was sent",
}


class ErrorDetail(msgspec.Struct):
    """One entry of google.rpc's details."""

    reason: str = ""


class LabsErrorData(msgspec.Struct, rename="camel"):
    """What tRPC adds to an error."""

    code: str = ""
    http_status: int = 0


class LabsErrorBody(msgspec.Struct):
    """An error of tRPC."""

    message: str = ""
    data: LabsErrorData = msgspec.field(default_factory=LabsErrorData)


class ErrorBody(msgspec.Struct):
    """google.rpc.Status as the API base sends it; the labs base puts an error of tRPC in its place."""

    code: int = 0
    message: str = ""
    status: str = ""
    details: list[ErrorDetail] = []
    json: LabsErrorBody | None = None


class Envelope(msgspec.Struct):
    """What a refusal is wrapped in."""

    error: ErrorBody


_read_envelope = msgspec.json.Decoder(Envelope).decode


def read_error(body: bytes) -> ErrorBody | None:
    """What a refusal says, from either base; None when it is no error envelope."""
    try:
        error = _read_envelope(body).error
    except (msgspec.DecodeError, RecursionError):
        return None
    if error.json is None:
        return error
    inner = error.json
    return ErrorBody(code=inner.data.http_status, message=inner.message, status=inner.data.code)


def reason_of(error: ErrorBody) -> str:
    """The first reason among the details, else the message."""
    return next((detail.reason for detail in error.details if detail.reason), error.message)


def refusal(answer: Answer, *, now: datetime, by_session: bool = False) -> Flow2ApiError:
    """The error for an answer that is not a success.

    Args:
        now: For a ``retry-after`` that is a date.
        by_session: The call carried the session token and not the access token.
    """
    error = read_error(answer.body)
    if 300 <= answer.status < 400:
        return moved(answer.value("location") or "", by_session=by_session)
    if error is None:
        return _without_envelope(answer.status, retry_after_s=answer.retry_after_s(now), by_session=by_session)
    reason = reason_of(error)
    retry_after_s = answer.retry_after_s(now)
    named = by_reason(reason, retry_after_s=retry_after_s)
    if named is not None:
        return named
    return _by_status(answer.status, error, reason, retry_after_s=retry_after_s, by_session=by_session)


def by_reason(reason: str, *, retry_after_s: float | None = None) -> Flow2ApiError | None:
    """The error that a reason names whatever the status; None for a reason that says nothing by itself."""
    word = reason.removeprefix(PREFIX)
    if word in FILTERED:
        return ContentBlockedError(reason)
    if word in UNUSABLE:
        return AccountUnusableError(f"The service does not serve this account ({reason}).", reason=reason)
    if word in REFUSED or "recaptcha" in reason.lower():
        return UpstreamRefusedError(
            f"The service refused the account's call as unusual activity ({reason}); let the account rest.",
            reason=reason,
        )
    if word in OVERLOADED:
        return UpstreamOverloadedError(
            f"The service is too busy now ({reason}); try again shortly.", reason=reason, retry_after_s=retry_after_s
        )
    if word in NO_ACCESS:
        return ModelAccessError(f"The account's plan does not include this model ({reason}).", reason=reason)
    if word in EXHAUSTED or word in EXHAUSTED_PER_MODEL:
        return UpstreamRateLimitedError(
            f"The account's share is used up ({reason}).",
            reason=reason,
            retry_after_s=retry_after_s,
            per_model=word in EXHAUSTED_PER_MODEL,
            exhausted=True,
        )
    if word in TOO_MANY_AT_ONCE:
        return UpstreamRateLimitedError(
            f"The account has too much in the making ({reason}).",
            reason=reason,
            retry_after_s=retry_after_s,
            per_kind=True,
        )
    return None


def _by_status(
    status: int, error: ErrorBody, reason: str, *, retry_after_s: float | None, by_session: bool
) -> Flow2ApiError:
    said = f"{status}: {reason[:200]}" if reason else str(status)
    if status == 401:
        return dead_credential(by_session=by_session)
    if status == 403:
        if "does not have permission" in error.message and reason == error.message:
            return ModelAccessError(f"The account may not use this model ({said}).", reason=reason)
        return UpstreamRefusedError(f"The service refused the account's call ({said}).", reason=reason)
    if "entity was not found" in error.message or status == 404:
        return UpstreamNotFoundError(
            f"The service does not know a picture, video or project that the call names ({said}).", reason=reason
        )
    if status == 429:
        return UpstreamRateLimitedError(
            f"The account asked too much at once ({said}).", reason=reason, retry_after_s=retry_after_s
        )
    if status in (502, 504):
        return UpstreamUnavailableError(f"A gateway before the service failed ({said}).", reached=True, reason=reason)
    if status >= 500:
        return UpstreamUnavailableError(f"The service failed ({said}).", reached=False, reason=reason)
    if is_drift(error.message):
        return UpstreamDriftError(
            f"The service does not understand our calls any more ({said}); a newer version may.", reason=reason
        )
    return UpstreamRejectedError(f"The service rejected the call ({said}).", reason=reason)


def is_drift(message: str) -> bool:
    """Whether the parser of the service complains about the shape of a call."""
    return any(
        sign in message for sign in ("Unknown name", "Cannot find field", "Invalid JSON payload", "Invalid value at")
    )


def _without_envelope(status: int, *, retry_after_s: float | None, by_session: bool) -> Flow2ApiError:
    """What a bare status means: a page of a proxy, a gateway or a load balancer in front of the service."""
    if status == 401 or (by_session and status == 431):
        return dead_credential(by_session=by_session)
    if status == 403:
        return UpstreamRefusedError("The service refused the account's call with 403 and no reason.")
    if status == 404:
        return UpstreamDriftError(
            "The service has no such call any more (404); a newer version may know where it went."
        )
    if status == 407:
        return UpstreamUnavailableError("The proxy wants other credentials (407); correct its address.", reached=False)
    if status == 429:
        return UpstreamRateLimitedError("The account asked too much at once (429).", retry_after_s=retry_after_s)
    if status >= 500:
        return UpstreamUnavailableError(f"The service failed with {status} and no reason.", reached=True)
    return UpstreamRejectedError(f"The service rejected the call with {status} and no reason.")


def dead_credential(*, by_session: bool) -> Flow2ApiError:
    """The error for a 401."""
    if by_session:
        return CredentialRevokedError(
            "The session token is not accepted; sign in again and give the account a new one."
        )
    return CredentialExpiredError("The access token is not accepted any more.")


def moved(location: str, *, by_session: bool) -> Flow2ApiError:
    """The error for a redirect where none belongs."""
    host = location.partition("://")[2].partition("/")[0].lower()
    if host == NEW_HOME or host.endswith("." + NEW_HOME):
        return AccountUnusableError(
            "The account was moved to the successor of the service, which this upstream does not speak.",
            reason="migrated",
        )
    if by_session:
        return dead_credential(by_session=True)
    return UpstreamInvalidError("The service answered with a redirect where none belongs.")


def inner_failure(status: int) -> Flow2ApiError:
    """The error for a status of 400 and more inside a labs answer whose outer status is 200."""
    if status == 401:
        return dead_credential(by_session=True)
    if status == 404:
        return UpstreamNotFoundError("The service does not know what the call names (404 inside a success).")
    if status >= 500:
        return UpstreamUnavailableError(f"The service failed ({status} inside a success).", reached=False)
    return UpstreamRejectedError(f"The service rejected the call ({status} inside a success).")


def late_failure(reason: str) -> Flow2ApiError:
    """The error for an accepted job that ended without a result."""
    named = by_reason(reason)
    if isinstance(named, ContentBlockedError):
        return named
    why = reason or "no reason given"
    return UpstreamRejectedError(
        f"The service accepted the job and failed to finish it ({why}).", reason=reason or None
    )


def connection_error(code: int, detail: str, *, was_sent: bool) -> UpstreamError:
    """The error for a call that got no whole answer.

    Args:
        code: libcurl's number for the cause.
        was_sent: Whether sending had begun.
    """
    if code == CurlECode.OPERATION_TIMEDOUT:
        if was_sent:
            return UpstreamTimeoutError("The service did not answer in time.")
        return UpstreamUnavailableError("The service cannot be reached: connecting took too long.", reached=False)
    if code in _UNREADABLE or (code == CurlECode.UNSUPPORTED_PROTOCOL and was_sent):
        return UpstreamInvalidError("The service answered with something that cannot be decoded.")
    refused_by_proxy = code == CurlECode.RECV_ERROR and "CONNECT" in detail
    cause = "the proxy refused" if refused_by_proxy else _CAUSES.get(code, f"libcurl's error {code}")
    reached = was_sent and code not in _UNREACHED and not refused_by_proxy
    verb = "failed to answer" if reached else "cannot be reached"
    return UpstreamUnavailableError(f"The service {verb}: {cause}.", reached=reached)

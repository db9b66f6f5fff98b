"""What a refusal of the Gemini API means, in the words of the error tree. Pure.

Statuses, reasons and codes: Gemini API v1 and v1beta, 2026-11. Interactions have a word for a code where the others have the
number of the status.
"""

import re
from collections.abc import Iterator
from datetime import datetime

import msgspec

from flow2api.adapters.gemini.quotas import Violation, rate_limit
from flow2api.domain.errors import (
    AccountUnusableError,
    ContentBlockedError,
    CredentialRevokedError,
    Flow2ApiError,
    ModelAccessError,
    UpstreamDriftError,
    UpstreamInvalidError,
    UpstreamNotFoundError,
    UpstreamOverloadedError,
    UpstreamRateLimitedError,
    UpstreamRefusedError,
    UpstreamRejectedError,
    UpstreamUnavailableError,
)
from flow2api.libcurl.calls import Answer

DEAD_KEY = frozenset({"API_KEY_INVALID", "API_KEY_EXPIRED", "CREDENTIALS_MISSING"})
UNUSABLE = frozenset({
    "SERVICE_DISABLED", "BILLING_DISABLED", "CONSUMER_SUSPENDED", "CONSUMER_INVALID", "API_KEY_SERVICE_BLOCKED",
    "API_KEY_IP_ADDRESS_BLOCKED", "API_KEY_HTTP_REFERRER_BLOCKED", "API_KEY_ANDROID_APP_BLOCKED",
    "API_KEY_IOS_APP_BLOCKED", "USER_PROJECT_DENIED",
})  # fmt: skip
_BLOCKED = re.compile(
    r"safety|prohibited|blocked|responsible (use of )?ai|polic(y|ies)|violat|moderation|recitation", re.IGNORECASE
)
_DRIFT = ("Unknown name", "Cannot find field", "Invalid JSON payload", "Invalid value at", "parameter_unknown")
_FILE = re.compile(r"\bfiles?[/ ]", re.IGNORECASE)
"""Of an input, which is refused to whoever it does not belong to as one that is not there."""
_DELAY = re.compile(r"(\d+(?:\.\d+)?)s")
_LONGEST_PAUSE_S = 12 * 3600.0
_KEEP = 200


class _Violation(msgspec.Struct, rename="camel"):
    quota_id: str = ""
    quota_value: str | int | None = None
    quota_dimensions: dict[str, str] = {}


class _Detail(msgspec.Struct, rename="camel"):
    reason: str = ""
    retry_delay: str = ""
    violations: list[_Violation] = []


class ErrorBody(msgspec.Struct):
    """What stands under ``error``."""

    code: int | str = 0
    message: str = ""
    status: str = ""
    details: list[msgspec.Raw] = []


class _Envelope(msgspec.Struct):
    error: ErrorBody


_read: msgspec.json.Decoder[_Envelope | list[_Envelope]] = msgspec.json.Decoder(_Envelope | list[_Envelope])
_read_detail = msgspec.json.Decoder(_Detail)


def read_error(body: bytes) -> ErrorBody | None:
    """What a refusal says; some come in a list. None when it is no error envelope."""
    try:
        told = _read.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None
    if isinstance(told, list):
        return told[0].error if told else None
    return told.error


def refusal(answer: Answer, *, now: datetime, names_model: bool) -> Flow2ApiError:
    """The error for an answer that is not a success.

    Args:
        names_model: The call names a model; else an operation or a file, or nothing.
    """
    error = read_error(answer.body)
    if 200 <= answer.status < 400:
        return UpstreamInvalidError(f"The service answered with the status {answer.status} where 200 belongs.")
    if error is None:
        return _without_envelope(answer, now)
    details = list(_details(error))
    reason = next((one.reason for one in details if one.reason), "")
    if answer.status == 429:
        delay = next((found for one in details if (found := _seconds(one.retry_delay)) is not None), None)
        return rate_limit(
            error.message,
            [violation for one in details for violation in map(_violation, one.violations)],
            code=str(error.code),
            retry_after_s=answer.retry_after_s(now) if delay is None else delay,
            now=now,
        )
    return _by_status(answer, error, reason, now=now, names_model=names_model)


def _by_status(answer: Answer, error: ErrorBody, reason: str, *, now: datetime, names_model: bool) -> Flow2ApiError:
    status, word = answer.status, reason or error.status or str(error.code)
    said = f"{status} {word}: {error.message.partition(chr(10))[0][:_KEEP]}"
    match status:
        case 400:
            return _bad_request(error, reason, said)
        case 401:
            return dead_key(said)
        case 402:
            return UpstreamRateLimitedError(
                f"The project of the key has no money left ({said}).", reason=word, exhausted=True
            )
        case 403 | 404 if not reason and _FILE.search(error.message):
            return UpstreamNotFoundError(f"The service does not keep the file any more ({said}).", reason=word)
        case 403:
            return _forbidden(error, reason, said, names_model=names_model)
        case 404 if names_model:
            return ModelAccessError(f"The service does not offer this model to the key ({said}).", reason=word)
        case 404:
            return UpstreamNotFoundError(f"The service does not know what the call names ({said}).", reason=word)
        case 503:
            return UpstreamOverloadedError(
                f"The service is too busy now ({said}).", reason=word, retry_after_s=answer.retry_after_s(now)
            )
        case 408 | 499 | 502 | 504:
            return UpstreamUnavailableError(f"The service did not finish the call ({said}).", reached=True, reason=word)
        case 409:
            return UpstreamUnavailableError(f"The service broke the call off ({said}).", reached=False, reason=word)
        case _ if status >= 500:
            # Failures that the service admits to are not charged for.
            return UpstreamUnavailableError(f"The service failed ({said}).", reached=False, reason=word)
        case _:
            return UpstreamRejectedError(f"The service rejected the call ({said}).", reason=word)


def _bad_request(error: ErrorBody, reason: str, said: str) -> Flow2ApiError:
    word = reason or error.status or str(error.code)
    if reason in DEAD_KEY or "API key not valid" in error.message or "API key expired" in error.message:
        return dead_key(said)
    if reason in UNUSABLE or "FAILED_PRECONDITION" in (error.status, str(error.code).upper()):
        return AccountUnusableError(f"The service does not serve the project of the key ({said}).", reason=word)
    if any(sign in error.message or sign == error.code for sign in _DRIFT):
        return UpstreamDriftError(
            f"The service does not understand our calls any more ({said}); a newer version may.", reason=word
        )
    if is_blocked(error.code, error.message):
        return ContentBlockedError(error.message.partition("\n")[0][:_KEEP])
    return UpstreamRejectedError(f"The service rejected the call ({said}).", reason=word)


def _forbidden(error: ErrorBody, reason: str, said: str, *, names_model: bool) -> Flow2ApiError:
    if reason in DEAD_KEY or "leaked" in error.message or "unregistered callers" in error.message:
        return dead_key(said)
    if reason in UNUSABLE or not names_model:
        return AccountUnusableError(f"The service does not serve the project of the key ({said}).", reason=reason)
    return ModelAccessError(f"The key may not use this model ({said}).", reason=reason or error.status)


def _without_envelope(answer: Answer, now: datetime) -> Flow2ApiError:
    """What a bare status means: a page of a gateway or a firewall in front of the service."""
    status = answer.status
    if status == 401:
        return dead_key("401")
    if status == 403:
        return UpstreamRefusedError("The service refused the call with 403 and no reason.")
    if status == 404:
        return UpstreamDriftError("The service has no such call any more (404); check `gemini.api_version`.")
    if status == 429:
        return rate_limit("", [], retry_after_s=answer.retry_after_s(now), now=now)
    if status >= 500:
        return UpstreamUnavailableError(f"The service failed with {status} and no reason.", reached=True)
    return UpstreamRejectedError(f"The service rejected the call with {status} and no reason.")


def dead_key(said: str) -> CredentialRevokedError:
    """The error for a key that opens nothing."""
    return CredentialRevokedError(f"The API key is not accepted ({said}); give the account another one.")


def is_blocked(code: int | str, message: str) -> bool:
    """Whether a refusal was made for what was to be seen."""
    return _BLOCKED.search(f"{code} {message}".replace("_", " ")) is not None


def late_failure(code: int | str, message: str) -> Flow2ApiError:
    """The error for an accepted video that ended without a result."""
    said = message.partition("\n")[0][:_KEEP] or str(code) or "no reason given"
    if is_blocked(code, message):
        return ContentBlockedError(said)
    return UpstreamRejectedError(f"The service accepted the video and failed to finish it ({said}).", reason=str(code))


def _details(error: ErrorBody) -> Iterator[_Detail]:
    for raw in error.details:
        try:
            yield _read_detail.decode(raw)
        except msgspec.DecodeError:
            continue  # a detail of another kind


def _violation(one: _Violation) -> Violation:
    value = None if one.quota_value is None else str(one.quota_value)
    return Violation(
        one.quota_id,
        int(value) if value is not None and value.isdigit() else None,
        "model" in one.quota_dimensions or "PerModel" in one.quota_id,
    )


def _seconds(text: str) -> float | None:
    found = _DELAY.fullmatch(text)
    return None if found is None else min(float(found[1]), _LONGEST_PAUSE_S)

"""What a refusal means, in the words of the error tree. Pure.

The codes: OpenAI's as of 2026-11, those of other gateways of ours, and a few that are common among compatible hosts.
"""

import re
from collections.abc import Mapping
from datetime import datetime

import msgspec

from flow2api.domain.errors import (
    AccountUnusableError,
    ContentBlockedError,
    CredentialRevokedError,
    Flow2ApiError,
    GatewayLoopError,
    ModelAccessError,
    UnsupportedInputError,
    UpstreamDriftError,
    UpstreamInvalidError,
    UpstreamNotFoundError,
    UpstreamOverloadedError,
    UpstreamRateLimitedError,
    UpstreamRefusedError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from flow2api.libcurl.calls import Answer

BLOCKED = frozenset({
    "moderation_blocked", "content_policy_violation", "image_content_policy_violation", "content_filter",
})  # fmt: skip
EXHAUSTED = frozenset({
    "insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "insufficient_user_quota",
})  # fmt: skip
NO_MODEL = frozenset({"model_not_found", "model_access_denied", "model_not_available"})
REGION = frozenset({"unsupported_country_region_territory"})
UNSPENT = frozenset({
    "upstream_unavailable", "upstream_overloaded", "upstream_paused", "upstream_refused", "upstream_entity_not_found",
    "proxy_unavailable", "account_unusable", "credential_refused", "credential_expired", "credential_revoked",
    "storage_busy", "storage_full", "shutting_down",
})  # fmt: skip
"""Codes of a gateway of ours that end a request before anything is spent."""
UNCERTAIN = frozenset({"upstream_state_unknown", "upstream_timeout", "upstream_invalid"})
"""Codes of a gateway of ours by which nobody knows whether something was spent."""
NOT_TAKEN = frozenset({"unknown_parameter", "unsupported_parameter", "idempotency_key_reused"})
"""What we send, and not what was asked for, is to blame."""

_PICTURE_CODES = frozenset({
    "empty_image_file", "image_parse_error", "image_too_large", "image_too_small", "invalid_base64_image", "invalid_image",
    "invalid_image_format", "invalid_prompt", "unsupported_image_media_type",
})  # fmt: skip
_CALLERS_FIELDS = frozenset({"prompt", "image", "images", "mask", "n", "size", "seconds", "input_reference", "quality"})
_KEY_LIKE = re.compile(r"\b[A-Za-z0-9]{1,8}[-_][A-Za-z0-9_\-*.]{12,}")
_LONGEST_SAID = 300


class Told(msgspec.Struct, frozen=True):
    """What an error envelope says; texts are empty where it says nothing."""

    message: str = ""
    type: str = ""
    param: str = ""
    code: str = ""

    @property
    def words(self) -> frozenset[str]:
        """Code and type, by either of which a refusal may be known."""
        return frozenset({self.code, self.type} - {""})

    @property
    def said(self) -> str:
        """The message as it may be shown: short, printable, without anything that looks like a key."""
        text = _KEY_LIKE.sub("***", "".join(c if c.isprintable() else " " for c in self.message))
        text = " ".join(text.split())
        return text[:_LONGEST_SAID] or self.code[:100] or "no reason given"


def read_error(body: bytes) -> Told | None:
    """What a refusal says; None when it is no error envelope."""
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None
    if not isinstance(decoded, dict):
        return None
    inner = decoded.get("error", decoded.get("detail", decoded))
    if isinstance(inner, str):
        return Told(message=inner)
    return told_of(inner) if isinstance(inner, dict) and inner else None


def told_of(error: Mapping[str, object]) -> Told | None:
    """What an error object says; None when it says nothing that we know to read."""
    told = Told(*(_text(error.get(name)) for name in ("message", "type", "param", "code")))
    return told if told.message or told.code or told.type else None


def refusal(answer: Answer, *, now: datetime) -> Flow2ApiError:
    """The error for an answer that is not a success.

    Args:
        now: For a ``retry-after`` that is a date.
    """
    if 300 <= answer.status < 400:
        return UpstreamInvalidError("The host answered with a redirect; correct the base URL of the account.")
    told = read_error(answer.body)
    if told is not None and (named := by_words(told, answer.status, retry_after_s(answer, now))) is not None:
        return named
    return _by_status(answer, told, retry_after_s(answer, now))


def by_words(told: Told, status: int, wait_s: float | None = None) -> Flow2ApiError | None:
    """The error that code and type name, whatever the status; None when they name none."""
    words = told.words
    if words & {GatewayLoopError.code}:
        return GatewayLoopError()
    if words & BLOCKED:
        return ContentBlockedError(told.said)
    if words & EXHAUSTED:
        return UpstreamRateLimitedError(
            f"The account's share at the host is used up ({told.said}).",
            reason=told.code or told.type,
            retry_after_s=wait_s,
            exhausted=True,
        )
    if words & REGION:
        return AccountUnusableError(f"The host does not serve this account from here ({told.said}).", reason=told.code)
    if words & NO_MODEL or (status in (400, 404) and told.param == "model"):
        return ModelAccessError(f"The account has no such model at its host ({told.said}).", reason=told.code or None)
    if "no_account_available" in words:
        return _busy(f"The host has nobody for this model now ({told.said}).", told, wait_s)
    if words & UNCERTAIN:
        return UpstreamUnavailableError(f"The host failed ({told.said}).", reached=True, reason=told.code)
    if words & UNSPENT:
        return UpstreamUnavailableError(f"The host failed ({told.said}).", reached=False, reason=told.code)
    return None


def _by_status(answer: Answer, told: Told | None, wait_s: float | None) -> Flow2ApiError:
    status, reason = answer.status, None if told is None else told.code or None
    said = f"{status}: {told.said}" if told is not None else f"{status} and no reason"
    match status:
        case 401:
            return CredentialRevokedError("The host does not accept the account's API key; give the account a new one.")
        case 402:
            return UpstreamRateLimitedError(
                f"The account's share at the host is used up ({said}).", reason=reason, exhausted=True
            )
        case 403 if told is not None:
            return ModelAccessError(f"The account may not use this model at its host ({said}).", reason=reason)
        case 403:
            return UpstreamRefusedError("The host refused the account's call with 403 and no reason.")
        case 404 if told is not None:
            return UpstreamNotFoundError(f"The host does not know what the call names ({said}).", reason=reason)
        case 404 | 405 | 501:
            return UpstreamDriftError(
                f"The host has no such call ({said}); look whether the account's base URL is right."
            )
        case 408:
            return UpstreamTimeoutError(f"The host gave up on the call ({said}).", reason=reason)
        case 429:
            return _busy(f"The account asked too much at once ({said}).", told, wait_s)
    if status >= 500:
        return _failed(answer, told, said, wait_s)
    if answer.value("x-should-retry") == "true":
        return UpstreamUnavailableError(f"The host wants the call again later ({said}).", reached=False, reason=reason)
    if status in (400, 413, 422) and told is not None and not told.words & NOT_TAKEN:
        return _callers_fault(told, status)
    return UpstreamRejectedError(f"The host rejected the call ({said}).", reason=reason)


def _failed(answer: Answer, told: Told | None, said: str, wait_s: float | None) -> Flow2ApiError:
    """A status of 500 and more. An error of the host's own proves that nothing was made, unless it says that asking again is of no use."""
    reason = None if told is None else told.code or None
    is_final = answer.value("x-should-retry") == "false"
    if answer.status in (503, 529) and not is_final and (told is not None or wait_s is not None):
        return UpstreamOverloadedError(f"The host is too busy now ({said}).", reason=reason, retry_after_s=wait_s)
    is_certain = told is not None and not is_final and answer.status not in (502, 504)
    return UpstreamUnavailableError(f"The host failed ({said}).", reached=not is_certain, reason=reason)


def _busy(message: str, told: Told | None, wait_s: float | None) -> UpstreamRateLimitedError:
    """OpenAI limits each family of models by itself, and a gateway has accounts for some models and none for others."""
    reason = None if told is None else told.code or told.type or None
    return UpstreamRateLimitedError(message, reason=reason, retry_after_s=wait_s, per_model=True)


def _callers_fault(told: Told, status: int) -> UnsupportedInputError:
    root = re.split(r"[.\[]", told.param, maxsplit=1)[0]
    code = told.code if told.code in _PICTURE_CODES else "image_too_large" if status == 413 else "invalid_value"
    return UnsupportedInputError(
        f"The service does not take the request: {told.said}",
        param=root if root in _CALLERS_FIELDS else None,
        code=code,
    )


def late_failure(told: Told | None) -> Flow2ApiError:
    """The error for a video that was accepted and ended without a result."""
    if told is None:
        return UpstreamRejectedError("The host accepted the video and failed to finish it (no reason given).")
    if told.words & BLOCKED:
        return ContentBlockedError(told.said)
    return UpstreamRejectedError(
        f"The host accepted the video and failed to finish it ({told.said}).", reason=told.code or None
    )


def retry_after_s(answer: Answer, now: datetime) -> float | None:
    """Seconds that the host asks us to wait, if it does; OpenAI's milliseconds come first."""
    text = answer.value("retry-after-ms") or ""
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return min(float(text) / 1000, 12 * 3600.0)
    return answer.retry_after_s(now)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value[:4000]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**9 else ""

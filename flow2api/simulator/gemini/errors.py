"""Refusals in the words of the Gemini API (2026-11): google.rpc.Status with typed details, or a word for a code (interactions)."""

from typing import Any

from flow2api.simulator.answer import Response, json_response
from flow2api.simulator.control_schema import Fault
from flow2api.simulator.errors import MESSAGES, RPC_STATUS, CallError

TYPE = "type.googleapis.com/google.rpc."
INTERACTION_CODES = {
    400: "invalid_request",
    401: "authentication",
    402: "payment_required",
    403: "permission_denied",
    404: "not_found",
    429: "rate_limit_exceeded",
    500: "internal",
    503: "unavailable",
}


class GeminiError(CallError):
    """A call that is refused.

    Args:
        status: HTTP status.
        message: Text for people; that of the status when empty.
        details: Typed details.
        word: The status in google.rpc's words, where it is not the usual one of the HTTP status.
    """

    def __init__(self, status: int, message: str = "", *details: dict[str, Any], word: str = "") -> None:
        super().__init__(status, "", message or MESSAGES.get(status, "Unknown error."))
        self.details = details
        self.word = word or RPC_STATUS.get(status, "UNKNOWN")

    def response(self) -> Response:
        """The answer in the envelope of the Gemini API."""
        error: dict[str, Any] = {"code": self.status, "message": self.message, "status": self.word}
        if self.details:
            error["details"] = list(self.details)
        return json_response({"error": error}, self.status)

    def interaction_response(self) -> Response:
        """The same as the calls around interactions word it; with details it comes as everywhere."""
        if self.details:
            return self.response()
        code = INTERACTION_CODES.get(self.status, "unknown")
        return json_response({"error": {"code": code, "message": self.message}}, self.status)


def error_info(reason: str, **metadata: str) -> dict[str, Any]:
    """The detail that names a reason."""
    return {"@type": TYPE + "ErrorInfo", "reason": reason, "domain": "googleapis.com", "metadata": metadata}


def retry_info(seconds: float) -> dict[str, Any]:
    """The detail that asks for a pause."""
    return {"@type": TYPE + "RetryInfo", "retryDelay": f"{seconds:g}s"}


def quota_failure(quota_id: str, value: int, model: str = "") -> dict[str, Any]:
    """The detail that names the quota that is used up."""
    violation = {
        "quotaMetric": "generativelanguage.googleapis.com/generate_requests",
        "quotaId": quota_id,
        "quotaDimensions": {"location": "global"} | ({"model": model} if model else {}),
        "quotaValue": str(value),
    }
    return {"@type": TYPE + "QuotaFailure", "violations": [violation]}


def invalid_key() -> GeminiError:
    """The refusal of a key that opens nothing."""
    return GeminiError(400, "API key not valid. Please pass a valid API key.", error_info("API_KEY_INVALID"))


def no_such_model(model: str, version: str, method: str) -> GeminiError:
    """The refusal of a model that is not served by this call."""
    return GeminiError(404, f"models/{model} is not found for API version {version}, or does not support {method}.")


def fault_answer(fault: Fault, *, is_interaction: bool) -> Response:
    """The refusal that a fault asks for."""
    details = [error_info(fault.reason)] if fault.reason else []
    if fault.quota_id:
        details.append(quota_failure(fault.quota_id, fault.quota_value, fault.quota_model))
    if fault.retry_after_s is not None:
        details.append(retry_info(fault.retry_after_s))
    error = GeminiError(fault.status, fault.message, *details)
    return error.interaction_response() if is_interaction else error.response()

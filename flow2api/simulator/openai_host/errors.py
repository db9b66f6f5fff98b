"""Refusals in OpenAI's envelope (2026-11)."""

from flow2api.simulator.answer import Response, json_response
from flow2api.simulator.control_schema import Fault
from flow2api.simulator.errors import CallError

TYPES = {401: "invalid_request_error", 403: "permission_error", 429: "rate_limit_error"}
REASONS = {
    "PUBLIC_ERROR_USER_QUOTA_REACHED": ("insufficient_quota", "insufficient_quota", "You exceeded your current quota."),
    "PUBLIC_ERROR_PER_MODEL_DAILY_QUOTA_REACHED": (
        "rate_limit_exceeded",
        "images",
        "Rate limit reached for this model.",
    ),
    "PUBLIC_ERROR_CONCURRENT_LIMIT_REACHED": ("rate_limit_exceeded", "requests", "Rate limit reached for requests."),
}
"""Code, type and message for what the simulator's accounts refuse."""

CROWDED_S = 7.0
"""The pause that an account with too many calls at once is asked for."""


class HostError(CallError):
    """A call that is refused.

    Args:
        status: HTTP status.
        code: OpenAI's code; None where it has none.
        message: Text for people.
        kind: OpenAI's type; that of the status when empty.
        param: The field to blame.
        retry_after_s: Adds a ``retry-after``.
        should_retry: Adds an ``x-should-retry``.
    """

    def __init__(
        self,
        status: int,
        code: str | None,
        message: str = "",
        *,
        kind: str = "",
        param: str | None = None,
        retry_after_s: float | None = None,
        should_retry: bool | None = None,
    ) -> None:
        super().__init__(status, code or "", message or f"The request failed with {status}.")
        self.code, self.param = code, param
        self.kind = kind or TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
        self.headers: list[tuple[bytes, bytes]] = []
        if retry_after_s is not None:
            self.headers.append((b"retry-after", f"{retry_after_s:g}".encode()))
        if should_retry is not None:
            self.headers.append((b"x-should-retry", b"true" if should_retry else b"false"))

    def response(self) -> Response:
        """The answer in OpenAI's envelope."""
        error = {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}
        return json_response({"error": error}, self.status, self.headers)


def invalid_key() -> HostError:
    """The refusal of a key that opens nothing."""
    return HostError(401, "invalid_api_key", "Incorrect API key provided.")


def no_such_model(name: str) -> HostError:
    """The refusal of a model that is not served."""
    message = f"The model '{name[:100]}' does not exist or you do not have access to it."
    return HostError(404, "model_not_found", message, param="model")


def refused_by_account(error: CallError) -> HostError:
    """What an account refuses, in the words of this API."""
    code, kind, message = REASONS[error.reason]
    crowded = error.reason == "PUBLIC_ERROR_CONCURRENT_LIMIT_REACHED"
    return HostError(429, code, message, kind=kind, retry_after_s=CROWDED_S if crowded else None)


def fault_answer(fault: Fault) -> Response:
    """The refusal that a fault asks for; its reason is the code."""
    return HostError(
        fault.status,
        fault.reason or None,
        fault.message,
        param=fault.param or None,
        retry_after_s=fault.retry_after_s,
        should_retry=fault.should_retry,
    ).response()

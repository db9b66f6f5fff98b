"""Refusals in the envelopes of the upstream: google.rpc on the API base, tRPC on the labs base."""

from typing import Any

from flow2api.simulator.answer import Response, json_response

RPC_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
MESSAGES = {
    400: "Request contains an invalid argument.",
    401: "Request had invalid authentication credentials.",
    403: "The caller does not have permission",
    404: "Requested entity was not found.",
    429: "Resource has been exhausted (e.g. check quota).",
    500: "Internal error encountered.",
    503: "The service is currently unavailable.",
    504: "Deadline exceeded.",
}
TRPC_CODES = {400: ("BAD_REQUEST", -32600), 401: ("UNAUTHORIZED", -32001), 404: ("NOT_FOUND", -32004)}


class CallError(Exception):
    """A call that is refused.

    Args:
        status: HTTP status.
        reason: The ``PUBLIC_ERROR_…`` reason, if any.
        message: Text for people; that of the status when empty.
    """

    def __init__(self, status: int, reason: str = "", message: str = "") -> None:
        super().__init__(status, reason, message)
        self.status, self.reason, self.message = status, reason, message

    def response(self) -> Response:
        """The answer in the envelope of the API base."""
        return json_response(envelope(self.status, self.reason, self.message), self.status)


class LabsError(CallError):
    """A refusal of the labs base."""

    def response(self) -> Response:
        """The answer in the envelope of tRPC."""
        code, number = TRPC_CODES.get(self.status, ("INTERNAL_SERVER_ERROR", -32603))
        data = {"code": code, "httpStatus": self.status}
        return json_response(
            {"error": {"json": {"message": self.message or code, "code": number, "data": data}}}, self.status
        )


def envelope(status: int, reason: str = "", message: str = "") -> dict[str, Any]:
    """The google.rpc error body for an HTTP status."""
    error: dict[str, Any] = {
        "code": status,
        "message": message or MESSAGES.get(status, "Unknown error."),
        "status": RPC_STATUS.get(status, "UNKNOWN"),
    }
    if reason:
        error["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}]
    return {"error": error}

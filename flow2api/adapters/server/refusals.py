"""Answers to requests that are refused before the application sees them, in OpenAI's envelope."""

from dataclasses import dataclass
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not served; the connection ends with it.

    Attributes:
        reason: HTTP's phrase for the status.
    """

    status: int
    reason: str
    code: str
    sentence: str

    @property
    def body(self) -> bytes:
        """The envelope."""
        error = {"message": self.sentence, "type": "invalid_request_error", "param": None, "code": self.code}
        return msgspec.json.encode({"error": error})

    @property
    def answer(self) -> bytes:
        """The whole answer as it goes over the wire."""
        body = self.body
        head = (
            f"HTTP/1.1 {self.status} {self.reason}\r\ncontent-type: application/json\r\nconnection: close\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        return head.encode("ascii") + body

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer in the place of the application."""
        body = self.body
        length = (b"content-length", b"%d" % len(body))
        headers = [(b"content-type", b"application/json"), (b"connection", b"close"), length]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


HEADERS_TOO_LARGE = Refusal(
    431, "Request Header Fields Too Large", "headers_too_large", "The request headers are larger than 16 KiB."
)
BAD_HOST = Refusal(
    400, "Bad Request", "invalid_host", "The request needs exactly one Host header, with a name or address and a port."
)
NOT_HTTP = Refusal(400, "Bad Request", "invalid_http", "The request is not valid HTTP/1.1.")
WASTEFUL = Refusal(400, "Bad Request", "invalid_http", "The body has more framing than content; send larger chunks.")

REFUSALS = (HEADERS_TOO_LARGE, BAD_HOST, NOT_HTTP, WASTEFUL)
"""All of them."""

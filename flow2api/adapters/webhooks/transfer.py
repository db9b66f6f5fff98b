"""One POST over curl, to addresses that were chosen before."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from curl_cffi import CurlECode, CurlError, CurlOpt
from curl_cffi.curl import CURL_WRITEFUNC_ERROR

from flow2api.adapters.webhooks.target import Address, Target
from flow2api.libcurl.pinned import carry_out, new_handle, pin, set_up, status_of

_MOST_ANSWER_BYTES = 64 * 1024
_STATUS_LINE = re.compile(rb"HTTP/[\d.]+ \d")

_REASONS: dict[int, str] = {
    CurlECode.COULDNT_CONNECT: "nobody takes connections there",
    CurlECode.OPERATION_TIMEDOUT: "no answer came in time",
    CurlECode.PEER_FAILED_VERIFICATION: "its certificate cannot be trusted",
    CurlECode.SSL_CONNECT_ERROR: "no TLS connection came about",
    CurlECode.GOT_NOTHING: "the connection was closed without an answer",
    CurlECode.RECV_ERROR: "the connection was cut",
    CurlECode.SEND_ERROR: "the connection was cut",
}


class TransferFailedError(Exception):
    """No answer came; says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said; its body is of no interest.

    Attributes:
        retry_after: That header as it was sent; empty without one.
    """

    status: int
    retry_after: str


class _Reply:
    """Takes in an answer as it comes."""

    def __init__(self) -> None:
        self.retry_after = ""
        self.size_bytes = 0

    def take_head(self, line: bytes) -> int:
        """Called by curl with each line of the head."""
        name, _, value = line.partition(b":")
        if _STATUS_LINE.match(line):
            self.retry_after = ""
        elif name.strip().lower() == b"retry-after":
            self.retry_after = value.strip()[:64].decode("latin-1")
        return len(line)

    def take_body(self, chunk: bytes) -> int:
        """Called by curl with each piece of the body; more than a little of it ends the transfer."""
        self.size_bytes += len(chunk)
        return len(chunk) if self.size_bytes <= _MOST_ANSWER_BYTES else CURL_WRITEFUNC_ERROR


async def post(
    target: Target,
    addresses: Sequence[Address],
    lines: Sequence[bytes],
    content: bytes,
    *,
    timeout_s: float,
    ca_bundle: Path | None = None,
) -> Answer:
    """Send content to one of these addresses, and no other; TLS is verified for the target's host.

    No cookie, proxy, redirect or kept connection has a part in it.

    Args:
        lines: The head, without what curl adds.
        ca_bundle: Certificates to trust in place of the usual ones.

    Raises:
        TransferFailedError: No answer came.
    """
    curl, reply = new_handle(ca_bundle), _Reply()
    try:
        set_up(
            curl,
            target.url,
            scheme=target.scheme,
            lines=(*lines, b"Expect:"),
            timeout_s=timeout_s,
            take_head=reply.take_head,
            take_body=reply.take_body,
        )
        if target.address is None:
            pin(curl, target.host, target.port, addresses)
        curl.setopt(CurlOpt.POST, 1)
        curl.setopt(CurlOpt.POSTFIELDSIZE_LARGE, len(content))
        curl.setopt(CurlOpt.COPYPOSTFIELDS, content)
        await carry_out(curl)
    except CurlError as cause:
        if not status_of(curl):
            raise TransferFailedError(
                _REASONS.get(int(cause.code), f"the transfer failed (curl {int(cause.code)})")
            ) from cause
    finally:
        status = status_of(curl)
        curl.close()
    return Answer(status, reply.retry_after)

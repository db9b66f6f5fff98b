"""One GET over curl, to addresses that were chosen before."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from curl_cffi import Curl, CurlECode, CurlError, CurlOpt
from curl_cffi.curl import CURL_WRITEFUNC_ERROR

from flow2api.adapters.fetch.addresses import Address
from flow2api.adapters.fetch.target import Target
from flow2api.domain.media import sniff_content_type
from flow2api.libcurl.pinned import carry_out, new_handle, pin, set_up, status_of

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PICTURES = frozenset({"image/png", "image/jpeg", "image/webp"})
_SNIFFED_BYTES = 12
_HEADERS = (
    b"Accept: image/png, image/jpeg, image/webp",
    b"User-Agent: flow2api",
)


class TransferFailedError(Exception):
    """No answer came, or not in full."""


class NotAPictureError(Exception):
    """What came does not begin like a picture that we read."""


class TooLargeError(Exception):
    """More came than is taken."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said.

    Attributes:
        location: Where a redirect points to, as it was sent.
        body: Empty unless the status is 200.
    """

    status: int
    location: str | None
    body: bytes


class _Reply:
    """Takes in an answer as it comes, and ends the transfer as soon as it is of no use."""

    def __init__(self, curl: Curl, max_bytes: int) -> None:
        self._curl = curl
        self._max_bytes = max_bytes
        self.location: str | None = None
        self.body = bytearray()
        self.error: Exception | None = None

    @property
    def status(self) -> int:
        """The status, 0 before there is one."""
        return status_of(self._curl)

    def take_header(self, line: bytes) -> int:
        """Called by curl with each line of the head."""
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"location":
            self.location = value.strip().decode("utf-8", "replace")
        return len(line)

    def take_body(self, chunk: bytes) -> int:
        """Called by curl with each piece of the body."""
        if self.status != 200:
            return CURL_WRITEFUNC_ERROR
        self.body += chunk
        if len(self.body) > self._max_bytes:
            self.error = TooLargeError()
        elif len(self.body) >= _SNIFFED_BYTES and sniff_content_type(bytes(self.body[:16])) not in _PICTURES:
            self.error = NotAPictureError()
        return len(chunk) if self.error is None else CURL_WRITEFUNC_ERROR


async def get(
    target: Target, addresses: Sequence[Address], *, max_bytes: int, timeout_s: float, ca_bundle: Path | None = None
) -> Answer:
    """Ask one of these addresses, and no other, for the target; TLS is verified for the target's host.

    No cookie, credential, proxy, redirect or cached connection has a part in it, and no encoded body is unpacked.

    Args:
        ca_bundle: Certificates to trust in place of the usual ones.

    Raises:
        TransferFailedError: No answer came, or not in full.
        NotAPictureError: The body of a 200 is none.
        TooLargeError: The body of a 200 is.
    """
    curl = new_handle(ca_bundle)
    reply = _Reply(curl, max_bytes)
    try:
        set_up(
            curl,
            target.url,
            scheme="https",
            lines=_HEADERS,
            timeout_s=timeout_s,
            take_head=reply.take_header,
            take_body=reply.take_body,
        )
        pin(curl, target.host, target.port, addresses)
        curl.setopt(CurlOpt.MAXFILESIZE_LARGE, max_bytes)
        await carry_out(curl)
    except CurlError as cause:
        if reply.error is not None:
            raise reply.error from cause
        if reply.status in {0, 200}:
            too_large = cause.code == CurlECode.FILESIZE_EXCEEDED
            raise (TooLargeError if too_large else TransferFailedError) from cause
    finally:
        status = reply.status
        curl.close()
    if status == 200 and sniff_content_type(bytes(reply.body[:16])) not in _PICTURES:
        raise NotAPictureError
    return Answer(status, reply.location, bytes(reply.body))

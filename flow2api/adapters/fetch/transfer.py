"""One GET over curl, to addresses that were chosen before."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from curl_cffi import AsyncCurl, Curl, CurlECode, CurlError, CurlHttpVersion, CurlInfo, CurlOpt, CurlSslVersion
from curl_cffi.curl import CURL_WRITEFUNC_ERROR

from flow2api.adapters.fetch.addresses import Address
from flow2api.adapters.fetch.target import Target
from flow2api.domain.media import sniff_content_type

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
        status = self._curl.getinfo(CurlInfo.RESPONSE_CODE)
        return status if isinstance(status, int) else 0

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
    curl = Curl(cacert=str(ca_bundle) if ca_bundle else "")
    reply = _Reply(curl, max_bytes)
    multi = AsyncCurl()
    try:
        _set_up(curl, reply, target, addresses, max_bytes, timeout_s)
        await multi.add_handle(curl)
    except CurlError as cause:
        if reply.error is not None:
            raise reply.error from cause
        if reply.status in {0, 200}:
            too_large = cause.code == CurlECode.FILESIZE_EXCEEDED
            raise (TooLargeError if too_large else TransferFailedError) from cause
    finally:
        await multi.close()  # type: ignore[no-untyped-call]
        status = reply.status
        curl.close()
    if status == 200 and sniff_content_type(bytes(reply.body[:16])) not in _PICTURES:
        raise NotAPictureError
    return Answer(status, reply.location, bytes(reply.body))


def _set_up(
    curl: Curl, reply: _Reply, target: Target, addresses: Sequence[Address], max_bytes: int, timeout_s: float
) -> None:
    pinned = ",".join(str(address) if address.version == 4 else f"[{address}]" for address in addresses)
    options: dict[CurlOpt, object] = {
        CurlOpt.URL: target.url,
        CurlOpt.RESOLVE: [f"{target.host}:{target.port}:{pinned}"],
        CurlOpt.PROTOCOLS_STR: "https",
        CurlOpt.FOLLOWLOCATION: 0,
        CurlOpt.PROXY: "",  # Else curl would take a proxy from the environment.
        CurlOpt.NETRC: 0,
        CurlOpt.SSL_VERIFYPEER: 1,
        CurlOpt.SSL_VERIFYHOST: 2,
        CurlOpt.SSLVERSION: CurlSslVersion.TLSv1_2,
        CurlOpt.HTTP_VERSION: CurlHttpVersion.V1_1,
        CurlOpt.HTTPHEADER: list(_HEADERS),
        CurlOpt.TIMEOUT_MS: max(1, int(timeout_s * 1000)),
        CurlOpt.MAXFILESIZE_LARGE: max_bytes,
        CurlOpt.NOSIGNAL: 1,
        CurlOpt.HEADERFUNCTION: reply.take_header,
        CurlOpt.WRITEFUNCTION: reply.take_body,
    }
    for option, value in options.items():
        curl.setopt(option, value)

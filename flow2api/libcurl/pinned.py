"""One call to addresses that were looked at before, over a connection of its own.

For addresses that strangers give: nothing but what is handed in decides where the call goes and what it takes along.
"""

from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from curl_cffi import AsyncCurl, Curl, CurlHttpVersion, CurlInfo, CurlOpt, CurlSslVersion

Take = Callable[[bytes], int]
"""Takes in a line of the head, or a piece of the body: how much it took; less than all ends the call."""


def new_handle(ca_bundle: Path | None) -> Curl:
    """A handle that trusts these certificates, or the usual ones without any."""
    return Curl(cacert=str(ca_bundle) if ca_bundle else "")


def set_up(
    curl: Curl, url: str, *, scheme: str, lines: Sequence[bytes], timeout_s: float, take_head: Take, take_body: Take
) -> None:
    """Make ready to ask for an address, with TLS verified, and no credential, proxy, redirect or other protocol.

    Args:
        scheme: The only one that is spoken.
        lines: The head, without what curl adds.
    """
    options: dict[CurlOpt, object] = {
        CurlOpt.URL: url,
        CurlOpt.PROTOCOLS_STR: scheme,
        CurlOpt.FOLLOWLOCATION: 0,
        CurlOpt.PROXY: "",  # Else curl would take a proxy from the environment.
        CurlOpt.NETRC: 0,
        CurlOpt.SSL_VERIFYPEER: 1,
        CurlOpt.SSL_VERIFYHOST: 2,
        CurlOpt.SSLVERSION: CurlSslVersion.TLSv1_2,
        CurlOpt.HTTP_VERSION: CurlHttpVersion.V1_1,
        CurlOpt.HTTPHEADER: list(lines),
        CurlOpt.TIMEOUT_MS: max(1, int(timeout_s * 1000)),
        CurlOpt.NOSIGNAL: 1,
        CurlOpt.HEADERFUNCTION: take_head,
        CurlOpt.WRITEFUNCTION: take_body,
    }
    for option, value in options.items():
        curl.setopt(option, value)


def pin(curl: Curl, host: str, port: int, addresses: Sequence[IPv4Address | IPv6Address]) -> None:
    """Let the host be at these addresses, and at no other."""
    written = ",".join(str(address) if address.version == 4 else f"[{address}]" for address in addresses)
    curl.setopt(CurlOpt.RESOLVE, [f"{host}:{port}:{written}"])


async def carry_out(curl: Curl) -> None:
    """Make the call.

    Raises:
        CurlError: It came to no good end.
    """
    multi = AsyncCurl()
    try:
        await multi.add_handle(curl)
    finally:
        await multi.close()  # type: ignore[no-untyped-call]


def status_of(curl: Curl) -> int:
    """The status of the answer; 0 before there is one."""
    status = curl.getinfo(CurlInfo.RESPONSE_CODE)
    return status if isinstance(status, int) else 0

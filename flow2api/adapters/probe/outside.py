"""One plain request to an address of ours, as a client from elsewhere would send it."""

import asyncio
import ssl
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from curl_cffi import CurlHttpVersion, CurlOpt
from curl_cffi.requests import AsyncSession
from curl_cffi.requests.exceptions import RequestException

from flow2api.adapters.probe.reachability import reason_of
from flow2api.domain.errors import UpstreamUnavailableError
from flow2api.domain.ports.outside import OutsideView

_MOST_BYTES = 64 * 1024
_CERTIFICATE_WITHIN_S = 5.0


async def look_outside(url: str, *, timeout_s: float) -> OutsideView:
    """What is at an address; the certificate has to be good, no redirect is followed, no proxy is used.

    Raises:
        UpstreamUnavailableError: Nobody answered in time, or the certificate is not good; the message says which.
    """
    began = time.monotonic()
    options = {CurlOpt.MAXFILESIZE: _MOST_BYTES, CurlOpt.PROTOCOLS_STR: "http,https"}
    try:
        async with AsyncSession(http_version=CurlHttpVersion.V1_1, trust_env=False, curl_options=options) as session:
            response = await session.get(url, timeout=timeout_s, allow_redirects=False)
    except RequestException as error:
        raise UpstreamUnavailableError(f"Nobody answers there: {reason_of(error)}.", reached=False) from error
    latency_ms = max(1, round((time.monotonic() - began) * 1000))
    days = await _certificate_days(url)
    return OutsideView(int(response.status_code), latency_ms, days, response.headers.get("x-request-id") or "")


async def _certificate_days(url: str) -> int | None:
    """How long the certificate is good; that it is good at all was seen before."""
    parts = urlsplit(url)
    if parts.scheme != "https":
        return None
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        async with asyncio.timeout(_CERTIFICATE_WITHIN_S):
            _, writer = await asyncio.open_connection(
                parts.hostname, parts.port or 443, ssl=context, server_hostname=parts.hostname
            )
    except (OSError, TimeoutError):
        return None
    try:
        encoded = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.close()
    if not encoded:
        return None
    from cryptography import x509  # noqa: PLC0415 - fifty modules, for a question that is seldom asked

    return (x509.load_der_x509_certificate(encoded).not_valid_after_utc - datetime.now(UTC)).days


if TYPE_CHECKING:
    from flow2api.domain.ports.outside import LooksOutside

    _: LooksOutside = look_outside

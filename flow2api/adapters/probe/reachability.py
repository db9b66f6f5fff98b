"""One plain request to an origin, over the same TLS stack that work goes through."""

from urllib.parse import urlsplit

from curl_cffi import CurlHttpVersion
from curl_cffi.requests import AsyncSession
from curl_cffi.requests.exceptions import RequestException

from flow2api.domain.errors import UpstreamUnavailableError

TIMEOUT_S = 10.0


async def answers_at(address: str, *, timeout_s: float = TIMEOUT_S) -> int:
    """Ask the origin of an address for its front page, without credentials, and follow nothing.

    Returns:
        The status of the answer, whatever it is: somebody is there, and for https the certificate is good.

    Raises:
        UpstreamUnavailableError: Nobody answered in time; the message says why.
    """
    parts = urlsplit(address)
    origin = f"{parts.scheme}://{parts.netloc}"
    try:
        async with AsyncSession(http_version=CurlHttpVersion.V1_1, trust_env=False) as session:
            response = await session.get(f"{origin}/", timeout=timeout_s, allow_redirects=False)
    except RequestException as error:
        raise UpstreamUnavailableError(f"Nobody answers at {origin}: {reason_of(error)}.", reached=False) from error
    return int(response.status_code)


def reason_of(error: RequestException) -> str:
    """Why a request failed, in few words."""
    # curl's own words, without the pointer to its manual
    return str(error).partition(". See https://")[0].partition("\n")[0].rstrip(".") or type(error).__name__

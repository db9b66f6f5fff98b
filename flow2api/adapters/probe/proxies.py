"""One plain request through a proxy."""

import asyncio
import ipaddress
import json
import time
from typing import TYPE_CHECKING

from curl_cffi import CurlHttpVersion, CurlInfo, CurlOpt
from curl_cffi.requests import AsyncSession
from curl_cffi.requests.exceptions import RequestException

from flow2api.domain.errors import ProxyUnavailableError
from flow2api.domain.ports.proxies import Passage
from flow2api.domain.secret import Secret
from flow2api.libcurl.proxy_faults import proxy_fault, wants_credentials

_MOST_BYTES = 64 * 1024
_TOO_LATE = "Nothing came through the proxy in time."
_ADDRESS_FIELDS = ("ip", "origin", "query", "address", "ip_addr")


class CurlProxyProbe:
    """Asks the target through a connection of its own, with the TLS stack that work goes through."""

    async def __call__(self, url: Secret, target: str, *, timeout_s: float) -> Passage:
        """Fetch the target; whatever it answers, the proxy works.

        Raises:
            ProxyUnavailableError: Nothing came back.
        """
        began = time.monotonic()
        async with AsyncSession(
            http_version=CurlHttpVersion.V1_1,
            trust_env=False,
            proxy=url.reveal(),
            curl_infos=[CurlInfo.NUM_CONNECTS],
            curl_options={
                CurlOpt.MAXFILESIZE: _MOST_BYTES,
                CurlOpt.PROTOCOLS_STR: "http,https",
                CurlOpt.NOPROXY: "",  # else the environment's `no_proxy` would lead past the proxy
            },
        ) as session:
            try:
                async with asyncio.timeout(timeout_s):
                    response = await session.get(target, timeout=timeout_s, allow_redirects=False)
            except TimeoutError as error:
                raise ProxyUnavailableError(_TOO_LATE, is_certain=False, proxy=url) from error
            except RequestException as error:
                raise _fault(error, url) from error
            except ValueError as error:  # curl_cffi's own reading of the head
                raise ProxyUnavailableError(
                    "What comes through the proxy is no HTTP.", is_certain=False, proxy=url
                ) from error
        if response.status_code == 407:
            raise wants_credentials(url)
        latency_ms = max(1, round((time.monotonic() - began) * 1000))
        return Passage(int(response.status_code), latency_ms, told_address(response.content))


def told_address(body: bytes) -> str | None:
    """The address in the answer of a service that tells callers theirs: alone, or a field of JSON; else None."""
    if len(body) > _MOST_BYTES:
        return None
    text = body.decode(errors="replace").strip()
    candidates = [text]
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if isinstance(found, dict):
        candidates += [str(found[name]) for name in _ADDRESS_FIELDS if name in found]
    for candidate in candidates:
        try:
            return str(ipaddress.ip_address(candidate.partition(",")[0].strip()))
        except ValueError:
            continue
    return None


def _fault(error: RequestException, url: Secret) -> ProxyUnavailableError:
    infos = getattr(error.response, "infos", {})
    was_opened = infos.get(CurlInfo.NUM_CONNECTS, 0) > 0
    return proxy_fault(int(error.code), str(error), was_opened=was_opened, proxy=url, target="the target")


if TYPE_CHECKING:
    from flow2api.domain.ports.proxies import ProbesProxies

    _: ProbesProxies = CurlProxyProbe()

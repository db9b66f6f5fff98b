"""One plain request through a proxy."""

import asyncio
import ipaddress
import json
import re
import time
from typing import TYPE_CHECKING

from curl_cffi import CurlECode, CurlHttpVersion, CurlInfo, CurlOpt
from curl_cffi.requests import AsyncSession
from curl_cffi.requests.exceptions import RequestException

from flow2api.domain.errors import ProxyUnavailableError
from flow2api.domain.ports.proxies import Passage
from flow2api.domain.secret import Secret

_MOST_BYTES = 64 * 1024
_CREDENTIALS = "The proxy does not accept the credentials that it is given."
_TOO_LATE = "Nothing came through the proxy in time."
_TUNNEL_STATUS = re.compile(r"CONNECT tunnel failed, response (\d{3})")
_SOCKS_CREDENTIALS = re.compile(r"rejected by the SOCKS5 server|No authentication method")
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
            raise ProxyUnavailableError(_CREDENTIALS, is_certain=True, proxy=url)
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
    sentence, is_certain = _told(int(error.code), str(error), was_opened=infos.get(CurlInfo.NUM_CONNECTS, 0) > 0)
    return ProxyUnavailableError(sentence, is_certain=is_certain, proxy=url)


def _told(code: int, detail: str, *, was_opened: bool) -> tuple[str, bool]:
    """What to say, and whether it is certain that the proxy itself has failed."""
    status = _TUNNEL_STATUS.search(detail)
    if (status is not None and status[1] == "407") or _SOCKS_CREDENTIALS.search(detail):
        return _CREDENTIALS, True
    if status is not None:
        return f"The proxy opens no way to the target (status {status[1]}).", False
    match code:
        case CurlECode.COULDNT_RESOLVE_PROXY:
            return "The name of the proxy cannot be resolved.", True
        case CurlECode.COULDNT_RESOLVE_HOST:
            return "The name of the target cannot be resolved; with socks5h the proxy does it.", False
        case CurlECode.COULDNT_CONNECT if "CONNECT tunnel failed" not in detail:
            return "The proxy cannot be reached: nobody listens there.", True
        case CurlECode.OPERATION_TIMEDOUT if not was_opened:
            return "The proxy cannot be reached: connecting took too long.", True
        case CurlECode.OPERATION_TIMEDOUT:
            return _TOO_LATE, False
        case CurlECode.SSL_CONNECT_ERROR | CurlECode.PEER_FAILED_VERIFICATION:
            return "TLS failed: a certificate on the way is not trusted, or an https:// proxy speaks plain HTTP.", False
        case _:
            return f"The proxy opens no way to the target (libcurl's error {code}).", False


if TYPE_CHECKING:
    from flow2api.domain.ports.proxies import ProbesProxies

    _: ProbesProxies = CurlProxyProbe()

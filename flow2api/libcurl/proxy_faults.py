"""What it means that a proxy did not let a call through.

The texts are libcurl's own, 8.x.
"""

import re

from curl_cffi import CurlECode

from flow2api.domain.errors import ProxyUnavailableError
from flow2api.domain.secret import Secret

_TUNNEL_STATUS = re.compile(r"CONNECT tunnel failed, response (\d{3})")
_TUNNEL_REFUSED = re.compile(r"CONNECT tunnel failed")
_SOCKS_CREDENTIALS = re.compile(r"rejected by the SOCKS5 server|No authentication method")
_CREDENTIALS = "The proxy does not accept the credentials that it is given."


def proxy_fault(
    code: int, detail: str, *, was_opened: bool, proxy: Secret, target: str = "the service"
) -> ProxyUnavailableError:
    """The error for a call through a proxy of which nothing was sent to its target.

    Args:
        code: libcurl's number for the cause.
        detail: What libcurl says about it.
        was_opened: Whether the connection to the proxy stood.
        target: What the sentence calls whom the call was for.
    """
    sentence, is_certain = _told(code, detail, target, was_opened=was_opened)
    return ProxyUnavailableError(sentence, is_certain=is_certain, proxy=proxy)


def wants_credentials(proxy: Secret) -> ProxyUnavailableError:
    """The error for a status of 407, which only a proxy answers with."""
    return ProxyUnavailableError(_CREDENTIALS, is_certain=True, proxy=proxy)


def _told(code: int, detail: str, target: str, *, was_opened: bool) -> tuple[str, bool]:
    """What to say, and whether it is certain that the proxy itself has failed."""
    status = _TUNNEL_STATUS.search(detail)
    if (status is not None and status[1] == "407") or _SOCKS_CREDENTIALS.search(detail):
        return _CREDENTIALS, True
    if status is not None:
        return f"The proxy opened no way to {target} (status {status[1]}).", False
    match code:
        case CurlECode.COULDNT_RESOLVE_PROXY:
            return "The name of the proxy cannot be resolved.", True
        case CurlECode.COULDNT_RESOLVE_HOST:
            return f"The name of {target} cannot be resolved; with socks5h the proxy does it.", False
        case CurlECode.COULDNT_CONNECT if not _TUNNEL_REFUSED.search(detail):
            return "The proxy cannot be reached: nobody listens there.", True
        case CurlECode.OPERATION_TIMEDOUT if not was_opened:
            return "The proxy cannot be reached: connecting took too long.", True
        case CurlECode.OPERATION_TIMEDOUT:
            return f"The proxy opened no way to {target} in time.", False
        case CurlECode.SSL_CONNECT_ERROR | CurlECode.PEER_FAILED_VERIFICATION:
            return "TLS failed: a certificate on the way is not trusted, or an https:// proxy speaks plain HTTP.", False
        case _:
            return f"The proxy opened no way to {target} (libcurl's error {int(code)}).", False

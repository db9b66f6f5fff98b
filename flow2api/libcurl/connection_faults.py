"""What it means that a call got no whole answer, in the words of the error tree. Pure."""

from collections.abc import Mapping

from curl_cffi import CurlECode

from flow2api.domain.errors import (
    UpstreamError,
    UpstreamInvalidError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)

_UNREACHED = frozenset({
    CurlECode.COULDNT_RESOLVE_PROXY, CurlECode.COULDNT_RESOLVE_HOST, CurlECode.COULDNT_CONNECT,
    CurlECode.SSL_CONNECT_ERROR, CurlECode.PEER_FAILED_VERIFICATION, CurlECode.SSL_CERTPROBLEM, CurlECode.SSL_CIPHER,
    CurlECode.SSL_CACERT_BADFILE, CurlECode.SSL_ISSUER_ERROR, CurlECode.PROXY, CurlECode.INTERFACE_FAILED,
})  # fmt: skip
_UNREADABLE = frozenset({CurlECode.BAD_CONTENT_ENCODING, CurlECode.WEIRD_SERVER_REPLY, CurlECode.TOO_LARGE})
_CAUSES: Mapping[int, str] = {
    CurlECode.COULDNT_RESOLVE_PROXY: "the name of the proxy cannot be resolved",
    CurlECode.COULDNT_RESOLVE_HOST: "its name cannot be resolved",
    CurlECode.COULDNT_CONNECT: "no connection came about",
    CurlECode.SSL_CONNECT_ERROR: "the TLS handshake failed",
    CurlECode.PEER_FAILED_VERIFICATION: "its certificate is not trusted",
    CurlECode.PROXY: "the proxy refused",
    CurlECode.GOT_NOTHING: "it closed the connection without an answer",
    CurlECode.PARTIAL_FILE: "the answer broke off",
    CurlECode.RECV_ERROR: "the connection broke while its answer was awaited",
    CurlECode.SEND_ERROR: "the connection broke while the call was sent",
}


def connection_error(code: int, detail: str, *, was_sent: bool) -> UpstreamError:
    """The error for a call that got no whole answer.

    Args:
        code: libcurl's number for the cause.
        was_sent: Whether sending had begun.
    """
    if code == CurlECode.OPERATION_TIMEDOUT:
        if was_sent:
            return UpstreamTimeoutError("The service did not answer in time.")
        return UpstreamUnavailableError("The service cannot be reached: connecting took too long.", reached=False)
    if code in _UNREADABLE or (code == CurlECode.UNSUPPORTED_PROTOCOL and was_sent):
        return UpstreamInvalidError("The service answered with something that cannot be decoded.")
    refused_by_proxy = code == CurlECode.RECV_ERROR and "CONNECT" in detail
    cause = "the proxy refused" if refused_by_proxy else _CAUSES.get(code, f"libcurl's error {code}")
    reached = was_sent and code not in _UNREACHED and not refused_by_proxy
    verb = "failed to answer" if reached else "cannot be reached"
    return UpstreamUnavailableError(f"The service {verb}: {cause}.", reached=reached)

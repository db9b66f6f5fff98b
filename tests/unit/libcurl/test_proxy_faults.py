"""A proxy is judged by what libcurl says: whether it failed itself, and in words without an address."""

import pytest
from curl_cffi import CurlECode

from flow2api.domain.secret import Secret
from flow2api.libcurl.proxy_faults import proxy_fault, wants_credentials

PROXY = Secret("http://user:canary@proxy.example:1080")


@pytest.mark.parametrize(
    ("code", "detail", "was_opened", "says", "is_certain"),
    [
        (CurlECode.COULDNT_CONNECT, "Failed to connect", False, "nobody listens there", True),
        (CurlECode.COULDNT_CONNECT, "CONNECT tunnel failed", True, "no way to the target", False),
        (CurlECode.COULDNT_RESOLVE_PROXY, "", False, "name of the proxy", True),
        (CurlECode.COULDNT_RESOLVE_HOST, "", True, "socks5h", False),
        (CurlECode.OPERATION_TIMEDOUT, "", False, "connecting took too long", True),
        (CurlECode.OPERATION_TIMEDOUT, "", True, "in time", False),
        (CurlECode.RECV_ERROR, "CONNECT tunnel failed, response 407", True, "credentials", True),
        (CurlECode.RECV_ERROR, "CONNECT tunnel failed, response 502", True, "(status 502)", False),
        (CurlECode.PROXY, "User was rejected by the SOCKS5 server (1 1).", True, "credentials", True),
        (CurlECode.PEER_FAILED_VERIFICATION, "", True, "certificate", False),
        (CurlECode.GOT_NOTHING, "Empty reply canary", True, "error 52", False),
    ],
)
def test_what_libcurl_says_becomes_a_sentence_and_a_judgement(
    code: CurlECode, detail: str, was_opened: bool, says: str, is_certain: bool
) -> None:
    fault = proxy_fault(code, detail, was_opened=was_opened, proxy=PROXY, target="the target")

    assert says in fault.message
    assert fault.is_certain is is_certain
    assert "canary" not in fault.message


def test_status_that_only_a_proxy_answers_with_is_about_its_credentials() -> None:
    assert "credentials" in wants_credentials(PROXY).message
    assert wants_credentials(PROXY).is_certain

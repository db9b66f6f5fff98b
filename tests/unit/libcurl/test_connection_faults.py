import pytest
from curl_cffi import CurlECode
from hypothesis import given
from hypothesis import strategies as st

from flow2api.domain.errors import UpstreamInvalidError, UpstreamTimeoutError, UpstreamUnavailableError
from flow2api.libcurl.connection_faults import connection_error


@pytest.mark.parametrize(
    ("code", "was_sent", "expected", "reached"),
    [
        (CurlECode.COULDNT_CONNECT, False, UpstreamUnavailableError, False),
        (CurlECode.COULDNT_RESOLVE_HOST, False, UpstreamUnavailableError, False),
        (CurlECode.COULDNT_RESOLVE_PROXY, False, UpstreamUnavailableError, False),
        (CurlECode.SSL_CONNECT_ERROR, False, UpstreamUnavailableError, False),
        (CurlECode.PEER_FAILED_VERIFICATION, False, UpstreamUnavailableError, False),
        (CurlECode.PROXY, False, UpstreamUnavailableError, False),
        (CurlECode.OPERATION_TIMEDOUT, False, UpstreamUnavailableError, False),
        (CurlECode.OPERATION_TIMEDOUT, True, UpstreamTimeoutError, None),
        (CurlECode.GOT_NOTHING, True, UpstreamUnavailableError, True),
        (CurlECode.RECV_ERROR, True, UpstreamUnavailableError, True),
        (CurlECode.SEND_ERROR, True, UpstreamUnavailableError, True),
        (CurlECode.PARTIAL_FILE, True, UpstreamUnavailableError, True),
        (CurlECode.HTTP2_STREAM, True, UpstreamUnavailableError, True),
        (CurlECode.BAD_CONTENT_ENCODING, True, UpstreamInvalidError, None),
        (CurlECode.UNSUPPORTED_PROTOCOL, True, UpstreamInvalidError, None),
    ],
)
def test_broken_connection_tells_whether_the_call_may_have_arrived(
    code: int, was_sent: bool, expected: type[Exception], reached: bool | None
) -> None:
    error = connection_error(code, "", was_sent=was_sent)

    assert type(error) is expected
    assert getattr(error, "reached", None) is reached


def test_tunnel_that_was_refused_was_not_reached() -> None:
    error = connection_error(CurlECode.RECV_ERROR, "CONNECT tunnel failed, response 407", was_sent=True)

    assert isinstance(error, UpstreamUnavailableError)
    assert not error.reached


@given(code=st.integers(0, 120), was_sent=st.booleans())
def test_every_code_of_libcurl_has_an_error(code: int, was_sent: bool) -> None:
    assert connection_error(code, "", was_sent=was_sent).message.endswith(".")

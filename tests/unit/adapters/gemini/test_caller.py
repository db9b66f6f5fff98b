import pytest

from flow2api.adapters.gemini.caller import Caller, TimeLimits, shown
from flow2api.domain.errors import CredentialRevokedError, UpstreamDriftError
from flow2api.domain.secret import Secret
from flow2api.libcurl.calls import Answer, Call
from flow2api.testing.fakes.clock import FakeClock
from tests.unit.adapters.flow.scripted import ScriptedTransport


def caller(transport: ScriptedTransport) -> Caller:
    return Caller(transport, FakeClock(), base_url="https://api.example.com", version="v1", limits=TimeLimits())


async def test_key_stands_in_a_header_and_nowhere_else() -> None:
    transport = ScriptedTransport([Answer(200, [], b"{}")])

    await caller(transport).get(Secret("the-key"), "/models?pageSize=1", None, timeout_s=1)

    call: Call = transport.calls[0]
    assert call.url == "https://api.example.com/v1/models?pageSize=1"
    assert call.headers == [b"x-goog-api-key: the-key"]
    assert "the-key" not in repr(call)


async def test_what_is_paid_for_is_never_sent_twice() -> None:
    transport = ScriptedTransport([Answer(200, [], b"{}")])

    await caller(transport).post(Secret("k"), "/x", b"{}", None, timeout_s=1, limit_bytes=10)

    assert transport.calls[0].never_repeat


async def test_change_of_the_api_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    body = (
        b'{"error": {"code": 400, "message": "Unknown name \\"x\\": Cannot find field.", "status": "INVALID_ARGUMENT"}}'
    )
    gemini = caller(ScriptedTransport([Answer(400, [], body)]))

    for _ in range(3):
        with pytest.raises(UpstreamDriftError):
            await gemini.post(Secret("k"), "/models/m:generateContent", b"{}", None, timeout_s=1, limit_bytes=10)

    assert [record.__dict__["call"] for record in caplog.records] == ["generateContent"]


@pytest.mark.parametrize("key", [None, Secret(""), Secret("a b"), Secret("a\r\nX: y"), Secret("ä")])
def test_what_cannot_be_a_key_is_not_sent(key: Secret | None) -> None:
    with pytest.raises(CredentialRevokedError):
        shown(key)

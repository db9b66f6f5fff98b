from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from flow2api.adapters.flow.payloads import Post
from flow2api.domain.errors import (
    CredentialExpiredError,
    CredentialRevokedError,
    UpstreamDriftError,
    UpstreamInvalidError,
    UpstreamRejectedError,
)
from flow2api.domain.secret import Secret
from flow2api.libcurl.calls import Answer
from flow2api.testing.fakes.clock import FakeClock
from tests.unit.adapters.flow.scripted import ACCESS, API, LABS, ScriptedTransport, Step, caller_over, ok, refused


def over(*steps: Step) -> ScriptedTransport:
    return ScriptedTransport(list(steps))


async def test_access_token_opens_the_api_base_and_nothing_else_goes_along() -> None:
    transport = over(ok({}))

    await caller_over(transport, FakeClock()).post(ACCESS, Post("/x", b"{}"), timeout_s=3.0, never_repeat=True)

    call = transport.calls[0]
    assert call.url == f"{API}/x"
    assert call.headers == [b"Authorization: Bearer ya29.a0", b"Content-Type: application/json", b"Expect:"]
    assert (call.timeout_s, call.never_repeat) == (3.0, True)


async def test_session_token_opens_the_labs_base_and_nothing_else_goes_along() -> None:
    transport = over(ok({"result": {"data": {"json": {"result": {}, "status": 200}}}}))

    await caller_over(transport, FakeClock()).post_labs(ACCESS, "/trpc/x", b"{}")

    call = transport.calls[0]
    assert call.url == f"{LABS}/trpc/x"
    assert call.headers[0].startswith(b"Cookie: __Secure-next-auth.session-token=eyJ")
    assert not any(line.lower().startswith(b"authorization") for line in call.headers)


@pytest.mark.parametrize("text", ["", "a b", "a\r\nX: y", "a;b", "a,b", 'a"b', "a\\b", "ä", "a\x7f"])
async def test_what_no_token_looks_like_is_not_sent(text: str) -> None:
    transport = over(ok({}))
    caller = caller_over(transport, FakeClock())

    with pytest.raises(CredentialExpiredError):
        await caller.get(replace(ACCESS, access_token=Secret(text)), "/credits")
    with pytest.raises(CredentialRevokedError):
        await caller.ask_labs("/auth/session", Secret(text), None)

    assert transport.calls == []


async def test_missing_tokens_are_told_apart() -> None:
    caller = caller_over(over(ok({})), FakeClock())

    with pytest.raises(CredentialExpiredError):
        await caller.get(replace(ACCESS, access_token=None), "/credits")
    with pytest.raises(CredentialRevokedError):
        await caller.post_labs(replace(ACCESS, session_token=None), "/trpc/x", b"{}")


async def test_inner_status_counts() -> None:
    caller = caller_over(over(ok({"result": {"data": {"json": {"result": None, "status": 400}}}})), FakeClock())

    with pytest.raises(UpstreamRejectedError):
        await caller.post_labs(ACCESS, "/trpc/x", b"{}")


async def test_created_is_no_success_here() -> None:
    with pytest.raises(UpstreamRejectedError):
        await caller_over(over(Answer(204, [], b"")), FakeClock()).get(ACCESS, "/credits")


async def test_refusal_of_a_streamed_call_is_read() -> None:
    caller = caller_over(over(refused(400, message='Unknown name "x"')), FakeClock())

    with pytest.raises(UpstreamDriftError):
        async with caller.stream_media(ACCESS, "/x", b"{}", timeout_s=1.0):
            pass


async def test_media_is_taken_out_of_a_streamed_answer() -> None:
    caller = caller_over(over(ok({"status": "x", "encodedVideo": "QUJDREVG"})), FakeClock())

    async with caller.stream_media(ACCESS, "/x", b"{}", timeout_s=1.0) as (field, chunks):
        media = await joined(chunks)
        rest = field.finish()

    assert media == b"ABCDEF"
    assert rest == b'{"status":"x","encodedVideo":""}'


async def test_answer_that_cannot_be_read_is_logged_by_its_shape() -> None:
    def reader(body: bytes) -> None:
        raise UpstreamInvalidError("x")

    with capture_logs() as entries, pytest.raises(UpstreamInvalidError):
        caller_over(over(ok({})), FakeClock()).read("https://api.example/v1/credits", reader, b'{"a": "secret"}')

    logged = str(entries)
    assert "{a: str}" in logged
    assert "secret" not in logged


async def joined(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])

"""Upstream calls in the debug log: everything that helps, nothing that opens, and nothing at all when it is off."""

import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from flow2api.adapters.system.debug_log import DebugLog
from flow2api.domain.errors import UpstreamTimeoutError
from flow2api.domain.secret import Secret
from flow2api.libcurl.call_log import LoggedTransport
from flow2api.libcurl.calls import Answer, Call

CANARY = "canary-0123456789abcdef"
CALL = Call(
    url=f"https://api.example/v1/flow/make?key={CANARY}",
    headers=[f"Authorization: Bearer {CANARY}".encode()],
    body=json.dumps({"accessToken": CANARY, "prompt": "a cat"}).encode(),
    timeout_s=1,
)


class Played:
    """A transport that answers as it was told to."""

    def __init__(self) -> None:
        self.fault: Exception | None = None

    async def request(self, call: Call, proxy: Secret | None) -> Answer:
        if self.fault is not None:
            raise self.fault
        return Answer(401, [], b'{"error": "ya29.' + CANARY.encode() + b' is over"}')

    @asynccontextmanager
    async def stream(self, call: Call, proxy: Secret | None) -> AsyncIterator[tuple[Answer, AsyncIterator[bytes]]]:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"1"
            if self.fault is not None:
                raise self.fault

        yield Answer(200, [], b""), chunks()


@pytest.fixture
def played() -> Played:
    return Played()


@pytest.fixture
def debug_log(tmp_path: Path) -> Iterator[DebugLog]:
    made = DebugLog(tmp_path / "debug.log")
    made.switch(on=True, prompts="off")
    yield made
    made.close()


def written(debug_log: DebugLog, tmp_path: Path) -> list[dict[str, Any]]:
    debug_log.close()
    text = (tmp_path / "debug.log").read_text()
    assert CANARY not in text
    return [json.loads(line) for line in text.splitlines()]


async def test_call_is_told_with_its_answer(played: Played, debug_log: DebugLog, tmp_path: Path) -> None:
    answer = await LoggedTransport(played).request(CALL, Secret(f"http://{CANARY}:{CANARY}@proxy:1"))

    (line,) = written(debug_log, tmp_path)
    assert answer.status == 401
    assert {name: line[name] for name in ("method", "host", "path", "proxied", "status")} == {
        "method": "POST",
        "host": "api.example",
        "path": "/v1/flow/make",
        "proxied": True,
        "status": 401,
    }
    assert json.loads(line["request_body"]) == {"accessToken": "***", "prompt": "<5 characters>"}
    assert json.loads(line["response_body"]) == {"error": "*** is over"}
    assert line["took_ms"] >= 0


async def test_call_that_fails_is_told_with_its_code(played: Played, debug_log: DebugLog, tmp_path: Path) -> None:
    played.fault = UpstreamTimeoutError("It took too long.")

    with pytest.raises(UpstreamTimeoutError):
        await LoggedTransport(played).request(CALL, None)

    (line,) = written(debug_log, tmp_path)
    assert (line["code"], line["reason"], line["proxied"]) == ("upstream_timeout", "It took too long.", False)


@pytest.mark.parametrize("fault", [None, UpstreamTimeoutError("It stood still.")])
async def test_stream_is_told_when_it_is_over(
    played: Played, debug_log: DebugLog, tmp_path: Path, fault: Exception | None
) -> None:
    played.fault = fault
    try:
        async with LoggedTransport(played).stream(CALL, None) as (head, chunks):
            assert head.status == 200
            assert [chunk async for chunk in chunks] == [b"1"]
    except UpstreamTimeoutError:
        assert fault is not None

    (line,) = written(debug_log, tmp_path)
    assert (line["status"], line.get("code")) == (200, None if fault is None else "upstream_timeout")


async def test_nothing_is_put_together_while_nobody_listens(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    logger = logging.getLogger("flow2api.libcurl.call_log")
    monkeypatch.setattr(logger, "level", logging.INFO)
    logger.manager._clear_cache()  # type: ignore[attr-defined]
    monkeypatch.setattr("flow2api.libcurl.call_log._tell", lambda *_, **__: pytest.fail("it was told"))
    transport = LoggedTransport(played)

    assert (await transport.request(CALL, None)).status == 401
    async with transport.stream(CALL, None) as (_, chunks):
        assert [chunk async for chunk in chunks] == [b"1"]
    logger.manager._clear_cache()  # type: ignore[attr-defined]

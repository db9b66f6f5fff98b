"""The debug log: off it is nothing, on it is detailed and harmless."""

import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.contextvars import bound_contextvars

from flow2api.adapters.openai_media.form import FilePart, form
from flow2api.adapters.system import debug_log as module
from flow2api.adapters.system.debug_log import DebugLog
from flow2api.adapters.system.rotated_file import RotatedFile

OURS = logging.getLogger("flow2api.planted")
CANARY = "canary-0123456789abcdef"


@pytest.fixture
def debug_log(tmp_path: Path) -> Iterator[DebugLog]:
    made = DebugLog(tmp_path / "debug.log")
    yield made
    made.close()


def written(tmp_path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (tmp_path / "debug.log").read_text().splitlines()]


def test_is_nothing_until_it_is_switched_on(debug_log: DebugLog, tmp_path: Path) -> None:
    debug_log.switch(on=False, prompts="off")

    assert not OURS.isEnabledFor(logging.DEBUG)
    assert list(tmp_path.iterdir()) == []


def test_is_switched_while_the_program_runs(debug_log: DebugLog, tmp_path: Path) -> None:
    OURS.debug("before")
    debug_log.switch(on=True, prompts="off")
    debug_log.switch(on=True, prompts="off")
    OURS.debug("meanwhile")
    debug_log.switch(on=False, prompts="off")
    OURS.debug("after")
    logging.getLogger("others").debug("theirs")
    debug_log.close()

    assert [line["event"] for line in written(tmp_path)] == ["meanwhile"]
    assert not debug_log.is_on
    assert not OURS.isEnabledFor(logging.DEBUG)


def test_line_tells_when_which_request_and_everything_else(debug_log: DebugLog, tmp_path: Path) -> None:
    debug_log.switch(on=True, prompts="off")
    with bound_contextvars(request_id="req_1"):
        OURS.debug("account chosen", extra={"account_id": 7, "tried": [1, 2]})
    debug_log.close()

    (line,) = written(tmp_path)
    assert line.pop("timestamp")
    assert line == {
        "event": "account chosen",
        "level": "debug",
        "logger": "flow2api.planted",
        "request_id": "req_1",
        "account_id": 7,
        "tried": [1, 2],
    }


def test_bodies_are_readable_short_and_harmless(debug_log: DebugLog, tmp_path: Path) -> None:
    debug_log.switch(on=True, prompts="off")
    session = {"access_token": CANARY, "user": {"email": "one@example.com"}, "text": "a cat"}
    OURS.debug("upstream call", extra={"request_body": json.dumps(session).encode(), "response_body": b"{}"})
    OURS.debug("upstream call", extra={"response_body": b"<html>ya29." + CANARY.encode() + b" a page \xff" * 5000})
    OURS.debug("upstream call", extra={"response_body": bytes(2_000_000), "picture": b"12345"})
    debug_log.switch(on=True, prompts="full")
    OURS.debug("upstream call", extra={"request_body": b'{"text": "a cat"}'})
    debug_log.close()

    read = written(tmp_path)
    assert CANARY not in (tmp_path / "debug.log").read_text()
    assert json.loads(read[0]["request_body"]) == {
        "access_token": "***",
        "user": {"email": "one@example.com"},
        "text": "<5 characters>",
    }
    assert len(read[1]["response_body"]) <= 9000
    assert (read[2]["response_body"], read[2]["picture"]) == ("<2,000,000 bytes>", "<5 bytes>")
    assert json.loads(read[3]["request_body"]) == {"text": "a cat"}


def test_form_is_told_by_its_length_for_its_prompt_stands_in_it_as_it_is(debug_log: DebugLog, tmp_path: Path) -> None:
    body = form([("model", "m-1"), ("prompt", CANARY)], [FilePart("image", b"\x89PNG", "image/png")])
    debug_log.switch(on=True, prompts="off")
    OURS.debug("upstream call", extra={"request_body": body.content})
    debug_log.close()

    (line,) = written(tmp_path)
    assert line["request_body"] == f"<a form of {len(body.content):,} bytes>"
    assert CANARY not in (tmp_path / "debug.log").read_text()


def test_ends_although_more_waits_than_there_is_room_for(
    debug_log: DebugLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROOM", 5)
    gate = threading.Event()
    write = RotatedFile.write

    def slowly(file: RotatedFile, lines: bytes) -> None:
        assert gate.wait(60)
        write(file, lines)

    monkeypatch.setattr(RotatedFile, "write", slowly)
    debug_log.switch(on=True, prompts="off")
    for number in range(100):
        OURS.debug("line %d", number)
    debug_log.switch(on=False, prompts="off")
    gate.set()
    debug_log.close()

    events = [line["event"] for line in written(tmp_path)]
    assert events[0] == "line 0"
    assert events[-1] == "lines of the debug log were dropped"
    assert len(events) < 20


def test_folder_that_is_not_there_fails_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    debug_log = DebugLog(tmp_path / "gone" / "debug.log")
    debug_log.switch(on=True, prompts="off")
    for _ in range(3):
        OURS.debug("line")
    debug_log.close()

    assert sum("cannot be written" in message for message in caplog.messages) == 1


def test_line_that_cannot_be_put_together_fails_nothing(debug_log: DebugLog, tmp_path: Path) -> None:
    class Hostile:
        def __str__(self) -> str:
            raise RuntimeError("no text")

    debug_log.switch(on=True, prompts="off")
    OURS.debug("first", extra={"it": Hostile()})
    OURS.debug("second")
    debug_log.close()

    assert "second" in [line["event"] for line in written(tmp_path)]

from datetime import timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.libcurl.calls import Answer, Call, HeadLines
from flow2api.testing.fakes.clock import START

TWELVE_HOURS = 12 * 3600.0


def answer(*head: bytes) -> Answer:
    return Answer(200, list(head), b"")


def test_headers_are_found_in_any_case_and_order() -> None:
    found = answer(b"Set-Cookie: a=1\r\n", b"content-TYPE: Text/HTML; charset=utf-8\r\n", b"set-cookie: b=2\r\n")

    assert list(found.values("set-cookie")) == ["a=1", "b=2"]
    assert found.content_type == "text/html"
    assert found.is_html
    assert found.value("location") is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30.0),
        ("1.5", 1.5),
        ("0", 0.0),
        ("999999", TWELVE_HOURS),
        (format_datetime(START + timedelta(minutes=2), usegmt=True), 120.0),
        (format_datetime(START - timedelta(minutes=2), usegmt=True), 0.0),
        (format_datetime(START + timedelta(days=9), usegmt=True), TWELVE_HOURS),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(text: str, seconds: float | None) -> None:
    assert answer(f"retry-after: {text}\r\n".encode()).retry_after_s(START) == seconds


@given(st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=60))
def test_retry_after_never_fails(text: str) -> None:
    seconds = answer(b"retry-after: " + text.encode("latin-1")).retry_after_s(START)

    assert seconds is None or 0.0 <= seconds <= TWELVE_HOURS


def test_head_of_an_interim_answer_is_dropped() -> None:
    head = HeadLines()
    for line in (b"HTTP/1.1 103 Early Hints\r\n", b"link: x\r\n", b"\r\n", b"HTTP/1.1 200 OK\r\n", b"etag: y\r\n"):
        head.write(line)

    assert head.lines == [b"etag: y\r\n"]


def test_call_and_answer_show_no_secret() -> None:
    call = Call(url="https://x.example/y?name=z", headers=[b"Cookie: secret"], body=b"prompt", timeout_s=1.0)

    assert repr(call) == "Call(POST https://x.example/y)"
    assert repr(Answer(200, [b"set-cookie: secret"], b"prompt")) == "Answer(200, 6 bytes)"

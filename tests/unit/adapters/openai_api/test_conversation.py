"""What a conversation is read as."""

import time

import pytest

from flow2api.adapters.openai_api.chat_schemas import Message
from flow2api.adapters.openai_api.conversation import read_conversation

ASK = Message(role="user", content="make it bluer")
MEBIBYTE = 1024 * 1024


def earlier(text: str) -> list[str]:
    return list(read_conversation([Message(role="assistant", content=text), ASK]).earlier)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("no link at all", []),
        ("![image](https://h/media/media_1?sig=x)", ["https://h/media/media_1?sig=x"]),
        ('<video src="/media/media_1"></video>', ["/media/media_1"]),
        ("see http://h/media/media_1.", ["http://h/media/media_1"]),
        ("http://h/media/a and http://h/media/b", ["http://h/media/b", "http://h/media/a"]),
        ("![x](data:image/png;base64,AAAA)", ["data:image/png;base64,AAAA"]),
        ("data:image/png;base64,AA/media/AA==", ["data:image/png;base64,AA/media/AA=="]),
        ("/media/a data:image/png;base64,AA /media/b", ["/media/b", "data:image/png;base64,AA", "/media/a"]),
        ("xdata:image/png;base64,AAAA", []),
        ("a" * 3000 + "/media/a", []),
    ],
)
def test_earlier_results_are_found_the_newest_first(text: str, found: list[str]) -> None:
    assert earlier(text) == found


def test_only_so_many_are_looked_at() -> None:
    assert len(earlier("/media/a " * 1000)) == 32


@pytest.mark.parametrize("piece", ["a ", "<a>", "/media/ ", "/media/", "data:image/ ", "data:image/", "://", "]("])
def test_a_text_as_large_as_a_body_is_gone_through_in_no_time(piece: str) -> None:
    text = piece * (16 * MEBIBYTE // len(piece))
    began = time.process_time()
    earlier(text)
    assert time.process_time() - began < 2

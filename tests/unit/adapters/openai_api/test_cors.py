"""What a page of another origin may do: everything but send cookies, with whatever plain headers its SDK adds."""

import pytest

from flow2api.adapters.openai_api.cors import ANSWER_HEADERS, preflight_headers


def allowed(asked: bytes) -> list[str]:
    headers = dict(preflight_headers([(b"origin", b"null"), (b"access-control-request-headers", asked)]))
    return headers[b"access-control-allow-headers"].decode().split(", ")


def test_preflight_needs_to_ask_for_nothing() -> None:
    headers = dict(preflight_headers([]))
    assert headers[b"access-control-allow-origin"] == b"*"
    assert {b"POST", b"DELETE"} <= set(headers[b"access-control-allow-methods"].split(b", "))
    assert b"authorization" in headers[b"access-control-allow-headers"]


def test_header_that_nobody_thought_of_is_allowed_too() -> None:
    assert "x-stainless-new" in allowed(b"Authorization, X-Stainless-New")
    assert allowed(b"authorization").count("authorization") == 1


@pytest.mark.parametrize("asked", [b"a b", b"x\r\nset-cookie: y", b"x" * 65, b"\xff\xfe", b"*, (", b""])
def test_what_is_no_header_name_is_not_repeated(asked: bytes) -> None:
    assert set(allowed(asked)) - set(allowed(b"")) <= {"*"}


def test_many_headers_do_not_make_the_answer_large() -> None:
    assert len(allowed(b",".join(b"x-%d" % number for number in range(5000)))) - len(allowed(b"")) <= 32


def test_credentials_are_never_allowed() -> None:
    names = {name for name, _ in [*ANSWER_HEADERS, *preflight_headers([])]}
    assert b"access-control-allow-credentials" not in names

"""Warnings on their way to the caller."""

import json
import time

from flow2api.adapters.openai_api.notices import unique, warning_headers


def test_each_sentence_comes_once_and_in_order() -> None:
    assert unique(["b", "a"], ["a", "c"]) == ("b", "a", "c")


def test_nothing_is_told_when_there_is_nothing() -> None:
    assert warning_headers([]) == []


def test_the_header_is_ascii_json_on_one_line() -> None:
    [(name, value)] = warning_headers(["größer\r\nset-cookie: x\x7f", '"quoted"'])
    assert name == b"x-flow2api-warnings"
    assert json.loads(value) == ["größer\r\nset-cookie: x\x7f", '"quoted"']
    assert value.isascii()
    assert not set(value) & {0x0A, 0x0D, 0x7F}


def test_too_long_a_list_is_cut_and_says_so() -> None:
    [(_, value)] = warning_headers(["x" * 1000] * 10)
    assert len(value) <= 4096
    *kept, note = json.loads(value)
    assert kept == ["x" * 1000] * len(kept)
    assert note == f"{10 - len(kept)} more."


def test_a_list_without_end_costs_next_to_nothing() -> None:
    began = time.process_time()
    [(_, value)] = warning_headers(f"`field {number}` has no effect." for number in range(20_000))
    assert time.process_time() - began < 2
    *kept, note = json.loads(value)
    assert len(value) <= 4096
    assert note == f"{20_000 - len(kept)} more."

"""One id for each request; the caller's own is taken over only when it harms no log."""

import re
from typing import Any

import pytest

from flow2api.adapters.openai_api.request_ids import request_id_of


def scope(*headers: tuple[bytes, bytes]) -> Any:
    return {"headers": list(headers)}


def test_id_is_made_once_and_differs_between_requests() -> None:
    one, other = scope(), scope()
    assert request_id_of(one) == request_id_of(one)
    assert request_id_of(one) != request_id_of(other)
    assert re.fullmatch(r"req_[0-9a-f]{32}", request_id_of(one))


@pytest.mark.parametrize("given", ["trace-0001", "a" * 128, "2026.11.23_x-y"])
def test_harmless_id_of_the_caller_is_taken_over(given: str) -> None:
    assert request_id_of(scope((b"host", b"x"), (b"x-request-id", given.encode()))) == given


@pytest.mark.parametrize(
    "given", ["short", "a" * 129, "-leading-dash", "with space", "new\nline1234", "id\xe9id\xe9id"]
)
def test_any_other_is_replaced(given: str) -> None:
    assert request_id_of(scope((b"x-request-id", given.encode("latin-1")))).startswith("req_")


def test_only_the_first_of_two_counts() -> None:
    assert request_id_of(scope((b"x-request-id", b"bad"), (b"x-request-id", b"good-enough"))).startswith("req_")

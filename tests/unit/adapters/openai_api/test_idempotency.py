"""By what a repeat is recognised, and which claims to be one are believed."""

from types import SimpleNamespace
from typing import Any

import pytest

from flow2api.adapters.openai_api.idempotency import idempotency_of
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.usecases.recall_requests import Idempotency


def told(body: bytes = b"d" * 32, route: str = "images", **headers: str) -> Idempotency:
    sent = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    request: Any = SimpleNamespace(scope={"headers": sent})
    parsed: Any = SimpleNamespace(digest=body)
    return idempotency_of(request, parsed, route=route)


def test_same_body_on_the_same_route_is_the_same_request() -> None:
    assert told() == told()
    assert told().body_digest != told(route="videos").body_digest
    assert told().body_digest != told(body=b"e" * 32).body_digest


@pytest.mark.parametrize("key", ["k", "k" * 255, "a b~!"])
def test_key_is_taken_as_it_is(key: str) -> None:
    assert told(idempotency_key=key).key == key


@pytest.mark.parametrize("key", ["", "   ", "k" * 256, "a\tb", "\xe9"])
def test_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(UnsupportedInputError, match="1 to 255 printable"):
        told(idempotency_key=key)


@pytest.mark.parametrize(
    ("count", "is_retry"),
    [("1", True), ("12", True), ("0", False), ("", False), ("-1", False), ("one", False), ("9" * 10, False)],
)
def test_repeat_of_an_sdk_says_so_itself(count: str, is_retry: bool) -> None:
    assert told(x_stainless_retry_count=count).is_retry is is_retry
    assert told().is_retry is False

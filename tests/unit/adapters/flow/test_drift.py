import pytest
from structlog.testing import capture_logs

from flow2api.adapters.flow.drift import DriftLog, outline
from flow2api.domain.errors import UpstreamDriftError


@pytest.mark.parametrize(
    ("body", "shape"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"<!DOCTYPE html><html>", "html"),
        (b"\x00\x01", "no JSON"),
        (b"[]", "[]"),
        (b'{"a": 1, "b": ["x", "y"], "c": null}', "{a: int, b: [2 of str], c: NoneType}"),
        (b"[" * 20_000, "no JSON"),
    ],
)
def test_outline_shows_the_shape(body: bytes, shape: str) -> None:
    assert outline(body) == shape


def test_outline_shows_no_value() -> None:
    shape = outline(b'{"access_token": "ya29.secret", "user": {"email": "ada@example.com"}}')

    assert shape == "{access_token: str, user: {email: str}}"


def test_each_change_is_logged_once() -> None:
    drift = DriftLog()

    with capture_logs() as entries:
        for _ in range(3):
            drift.refused("batchGenerateImages", UpstreamDriftError("x", reason='Unknown name "a"'))
            drift.unreadable("credits", b'{"token": "ya29.secret"}')
            drift.unknown_status("MEDIA_GENERATION_STATUS_DREAMING")
        drift.refused("batchGenerateImages", UpstreamDriftError("x", reason='Unknown name "b"'))

    logged = str(entries)
    assert logged.count("upstream protocol drift") == 2
    assert logged.count("upstream answer not readable") == 1
    assert logged.count("DREAMING") == 1
    assert "secret" not in logged

from typing import Any

import msgspec
import pytest

from flow2api.adapters.gemini import veo
from flow2api.domain.errors import ContentBlockedError, UpstreamInvalidError, UpstreamRejectedError
from flow2api.domain.generation import OperationStatus

NAME = "models/veo-3.1-generate-preview/operations/abc123"
ADDRESS = "https://host/v1beta/files/abc123:download?alt=media"


def told(**fields: Any) -> bytes:
    return msgspec.json.encode({"name": NAME, "metadata": {"@type": "x"}, **fields})


def test_name_is_kept_only_if_it_can_be_asked_for() -> None:
    assert veo.begun(told()) == NAME
    for name in ("", "models/x/operations/", "../../etc", "models/a/operations/b?key=x", "operations/b"):
        with pytest.raises(UpstreamInvalidError):
            veo.begun(msgspec.json.encode({"name": name}))


def test_operation_runs_until_it_is_done() -> None:
    assert veo.standing(told()) == OperationStatus()


def test_video_is_named_by_the_id_of_its_file() -> None:
    response = {"generateVideoResponse": {"generatedSamples": [{"video": {"uri": ADDRESS, "encoding": "video/mp4"}}]}}

    product = veo.standing(told(done=True, response=response)).product

    assert product is not None
    assert (product.name, product.url) == ("files/abc123", ADDRESS)


@pytest.mark.parametrize(
    "response",
    [
        {"generateVideoResponse": {"raiMediaFilteredCount": 1, "raiMediaFilteredReasons": ["for safety"]}},
        {"generateVideoResponse": {}},
        {},
    ],
)
def test_done_without_a_video_was_filtered(response: dict[str, Any]) -> None:
    assert isinstance(veo.standing(told(done=True, response=response)).error, ContentBlockedError)


@pytest.mark.parametrize(
    ("message", "expected"),
    [("Words that violate our policies.", ContentBlockedError), ("Internal error.", UpstreamRejectedError)],
)
def test_failure_is_told_by_its_message(message: str, expected: type[Exception]) -> None:
    status = veo.standing(told(done=True, error={"code": 3, "message": message}))

    assert isinstance(status.error, expected)

"""Whatever goes wrong is told in OpenAI's envelope, with nothing of the inside."""

import pytest

from flow2api.domain.errors import PoolBusyError, UnknownModelError
from tests.fakes.use_cases import FakeDoors
from tests.unit.adapters.openai_api.conftest import Client

ASK = {"prompt": "a fox"}


async def test_all_four_keys_are_always_there(client: Client, fakes: FakeDoors) -> None:
    fakes.generate.refuses = PoolBusyError({"busy": 3, "no_tier": 1})
    answer = await client.post("/v1/images/generations", json=ASK)

    assert answer.json() == {
        "error": {
            "message": "All accounts that could serve this request are busy or rest: 3 busy, 1 no_tier. Try again shortly.",
            "type": "rate_limit_error",
            "param": None,
            "code": "rate_limit_exceeded",
        }
    }
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


async def test_an_unexpected_error_shows_only_the_id_to_find_it_by(client: Client, fakes: FakeDoors) -> None:
    fakes.generate.refuses = ZeroDivisionError("the inside of /secret/path")
    answer = await client.post("/v1/images/generations", json=ASK)

    error = answer.json()["error"]
    assert answer.status_code == 500
    assert answer.headers["x-should-retry"] == "false"
    assert "secret" not in answer.text
    assert answer.headers["x-request-id"] in error["message"]
    assert (error["type"], error["code"]) == ("server_error", "internal_error")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "unknown_url"),
        ("POST", "/v1/images/variations", 404, "unknown_url"),
        ("POST", "/openai/v1/images/variations", 404, "unknown_url"),
        ("GET", "/v1/images/generations", 405, "method_not_allowed"),
        ("DELETE", "/v1/models/sora-2", 405, "method_not_allowed"),
        ("DELETE", "/v1/models", 405, "method_not_allowed"),
        ("PUT", "/v1/videos/video_1", 405, "method_not_allowed"),
    ],
)
async def test_unknown_paths_and_methods(client: Client, method: str, path: str, status: int, code: str) -> None:
    answer = await client.request(method, path)

    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["x-request-id"].startswith("req_")
    assert ("allow" in answer.headers) is (status == 405)


async def test_the_nearest_names_are_told(client: Client, fakes: FakeDoors) -> None:
    answer = await client.post("/v1/images/generations", json=ASK | {"model": "gpt-imagee-1"})

    error = answer.json()["error"]
    assert answer.status_code == 404
    assert (error["code"], error["param"]) == (UnknownModelError.code, "model")
    assert "gpt-image-1" in error["message"]

"""What every answer carries, and who may read it."""

from collections.abc import Mapping

import pytest
from structlog.contextvars import get_contextvars, merge_contextvars

from tests.fakes.use_cases import FakeDoors
from tests.unit.adapters.openai_api.conftest import Client

ORIGIN = {"origin": "https://chat.example"}


class TestRequestIds:
    async def test_every_answer_has_one(self, client: Client) -> None:
        good = await client.get("/v1/models")
        bad = await client.get("/v1/models/nothing")
        assert good.headers["x-request-id"] != bad.headers["x-request-id"]
        assert good.headers["x-request-id"].startswith("req_")

    async def test_a_callers_own_is_taken_over(self, client: Client) -> None:
        answer = await client.get("/v1/models", headers={"x-request-id": "trace-12345678"})
        assert answer.headers["x-request-id"] == "trace-12345678"

    @pytest.mark.parametrize("hostile", ["short", "a" * 129, "with space!", "x\ty12345678", '"12345678"', "ä" * 9])
    async def test_a_hostile_one_is_replaced(self, client: Client, hostile: str) -> None:
        answer = await client.get("/v1/models", headers=[(b"x-request-id", hostile.encode())])
        assert answer.headers["x-request-id"].startswith("req_")

    async def test_streams_have_one_too(self, client: Client) -> None:
        answer = await client.post("/v1/images/generations", json={"prompt": "a fox", "stream": True})
        assert answer.headers["x-request-id"].startswith("req_")

    async def test_log_lines_of_a_request_carry_its_own(self, client: Client, fakes: FakeDoors) -> None:
        seen: list[Mapping[str, object]] = []
        known = fakes.authorize.known

        def logging_one(presented: str | None) -> object:
            seen.append(merge_contextvars(None, "info", {"event": "asked"}))
            return known(presented)

        fakes.authorize.known = logging_one  # type: ignore[method-assign, assignment]
        for request_id in ("trace-00000001", "trace-00000002"):
            await client.get("/v1/models", headers={"x-request-id": request_id})
        assert [line["request_id"] for line in seen] == ["trace-00000001", "trace-00000002"]
        assert "request_id" not in get_contextvars()


async def test_time_spent_is_told_in_milliseconds(client: Client, fakes: FakeDoors) -> None:
    known = fakes.authorize.known

    def slowly(presented: str | None) -> object:
        fakes.clock.advance(0.25)
        return known(presented)

    fakes.authorize.known = slowly  # type: ignore[method-assign, assignment]
    answer = await client.get("/v1/models")
    assert answer.headers["openai-processing-ms"] == "250"
    assert answer.headers["openai-version"] == "2020-10-01"


class TestCrossOrigin:
    @pytest.mark.parametrize("path", ["/v1/images/generations", "/v1/models", "/media/media_1", "/videos/x/content"])
    async def test_preflight_needs_no_key(self, client: Client, path: str) -> None:
        del client.headers["authorization"]
        asked = {
            **ORIGIN,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,x-stainless-os,x-new-one, bad name,\x01",
        }
        answer = await client.options(path, headers=asked)

        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "*"
        allowed = [name.strip() for name in answer.headers["access-control-allow-headers"].split(",")]
        assert {"authorization", "content-type", "x-stainless-os", "x-stainless-retry-count", "x-new-one"} <= {*allowed}
        assert "bad name" not in allowed
        assert "POST" in answer.headers["access-control-allow-methods"]
        assert "access-control-allow-credentials" not in answer.headers

    async def test_answers_and_errors_can_be_read_from_anywhere(self, client: Client) -> None:
        for path in ("/v1/models", "/v1/videos/nothing", "/media/nothing"):
            answer = await client.get(path, headers=ORIGIN)
            assert answer.headers["access-control-allow-origin"] == "*"
            assert "x-request-id" in answer.headers["access-control-expose-headers"]
            assert "retry-after" in answer.headers["access-control-expose-headers"]
            assert "access-control-allow-credentials" not in answer.headers

    async def test_each_header_comes_once(self, client: Client) -> None:
        for path in ("/v1/models", "/v1/nothing", "/v1/models/nothing"):
            names = [name.lower() for name, _ in (await client.get(path)).headers.multi_items()]
            assert len(names) == len({*names}), path


@pytest.mark.parametrize("prefix", ["/v1", "/openai/v1", ""])
@pytest.mark.parametrize("slash", ["", "/"])
async def test_mounted_under_each_prefix_and_tolerant_of_a_slash(client: Client, prefix: str, slash: str) -> None:
    assert (await client.get(f"{prefix}/models{slash}")).status_code == 200
    assert (await client.get(f"{prefix}/models/sora-2{slash}")).status_code == 200
    answer = await client.post(f"{prefix}/images/generations{slash}", json={"prompt": "a fox"})
    assert answer.status_code == 200

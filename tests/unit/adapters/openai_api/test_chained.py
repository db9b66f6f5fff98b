"""A request that comes through other gateways."""

import pytest

from flow2api.domain.gateway_hops import HOPS
from tests.fakes.use_cases import FakeDoors
from tests.unit.adapters.openai_api.conftest import Client

PLAIN = ("/v1/images/generations", {"prompt": "a fox", "model": "gpt-image-1"})
ROUTES = (
    PLAIN,
    ("/v1/videos", {"prompt": "waves", "model": "sora-2"}),
    ("/v1/chat/completions", {"model": "gpt-image-1", "messages": [{"role": "user", "content": "a fox"}]}),
)


@pytest.mark.parametrize(("path", "body"), ROUTES)
async def test_request_that_was_here_before_is_refused_for_good(
    client: Client, path: str, body: dict[str, object]
) -> None:
    answer = await client.post(path, json=body, headers={"x-flow2api-via": "other, flow2api"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (508, "gateway_loop")
    assert answer.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    ("headers", "way"), [({}, ("flow2api",)), ({"x-flow2api-via": "a, b"}, ("a", "b", "flow2api"))]
)
async def test_work_knows_the_way_of_its_request(
    client: Client, fakes: FakeDoors, headers: dict[str, str], way: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    generate = type(fakes.generate).__call__

    async def noting(*args: object, **named: object) -> object:
        seen.append(HOPS.get())
        return await generate(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(type(fakes.generate), "__call__", noting)
    answer = await client.post(PLAIN[0], json=PLAIN[1], headers=headers)

    assert answer.status_code == 200
    assert seen == [way]

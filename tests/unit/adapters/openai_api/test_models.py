"""What can be asked for, as the clients sort it."""

from dataclasses import replace

import pytest

from flow2api.domain.media import MediaKind
from tests.fakes.use_cases import CATALOG, KEY, FakeDoors
from tests.unit.adapters.openai_api.conftest import Client


async def test_lists_living_names_with_what_they_can_do(client: Client) -> None:
    document = (await client.get("/v1/models")).json()

    assert document["object"] == "list"
    assert [entry["id"] for entry in document["data"]] == [listed.id for listed in CATALOG.listed()]
    assert "gpt-image-1" not in [entry["id"] for entry in document["data"]]
    for entry in document["data"]:
        assert entry["object"] == "model"
        assert isinstance(entry["created"], int)
        assert entry["owned_by"] == "flow"
        kind = {"image": ["openai", "image-generation"], "video": ["openai", "openai-video"]}[entry["kind"]]
        assert entry["supported_endpoint_types"] == kind
        assert {"mode", "modes", "sizes", "seconds", "min_images", "max_images", "tier", "aliases"} <= set(entry)


async def test_the_same_bytes_are_sent_each_time(client: Client) -> None:
    assert (await client.get("/v1/models")).content == (await client.get("/models")).content


@pytest.mark.parametrize("name", ["gpt-image-1", "sora-2", "dall-e-3", "veo_3_1_t2v_fast"])
async def test_answers_aliases_under_the_name_that_was_asked(client: Client, name: str) -> None:
    document = (await client.get(f"/v1/models/{name}")).json()
    assert document["id"] == name
    assert document["object"] == "model"


async def test_knows_the_suffix_for_pictures_through_chat(client: Client) -> None:
    assert (await client.get("/v1/models/gpt-image-1:image")).json()["id"] == "gpt-image-1:image"


async def test_unknown_model_is_not_found(client: Client) -> None:
    answer = await client.get("/v1/models/gpt-9")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "model_not_found"


async def test_only_the_header_opens_it(client: Client) -> None:
    del client.headers["authorization"]
    assert (await client.get(f"/v1/models?key={KEY}")).status_code == 401


async def test_routes_of_the_operator_are_listed_and_can_be_asked_for(client: Client, fakes: FakeDoors) -> None:
    first, second = [one.id for one in CATALOG.listed() if one.kind is MediaKind.IMAGE][:2]
    fakes.options = replace(fakes.options, model_routes={"best": (first, second)})
    listed = {entry["id"]: entry for entry in (await client.get("/v1/models")).json()["data"]}
    assert listed["best"]["sizes"] == listed[first]["sizes"]
    assert (await client.get("/v1/models/best")).json()["id"] == "best"

    answer = await client.post("/v1/images/generations", json={"model": "best", "prompt": "a hill"})

    assert answer.status_code == 200, answer.text
    request = fakes.generate.request
    assert request.model == "best"
    assert [one.model for one in request.others] == ["best"]
    assert request.spec != request.others[0].spec

    await client.post("/v1/images/generations", json={"model": "best", "prompt": "a hill", "strict": True})
    assert fakes.generate.request.others == ()

    fakes.options = replace(fakes.options, model_routes={})
    assert (await client.get("/v1/models/best")).status_code == 404
    assert "best" not in [entry["id"] for entry in (await client.get("/v1/models")).json()["data"]]

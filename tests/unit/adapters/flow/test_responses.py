from typing import Any

import msgspec
import pytest

from flow2api.adapters.flow.lineage import Lineage
from flow2api.adapters.flow.responses import allowance, pictures, project, trpc_status, uploaded
from flow2api.domain.account import Tier
from flow2api.domain.errors import UpstreamInvalidError
from flow2api.domain.ports.upstream import Allowance


def encoded(value: Any) -> bytes:
    return msgspec.json.encode(value)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"credits": 920, "userPaygateTier": "PAYGATE_TIER_ONE"}, Allowance(Tier.PRO, 920)),
        ({"credits": 45_000, "userPaygateTier": "PAYGATE_TIER_TWO", "sku": "WS_ULTRA"}, Allowance(Tier.ULTRA, 45_000)),
        ({"userPaygateTier": "PAYGATE_TIER_NOT_PAID"}, Allowance(Tier.FREE, 0)),
        ({"userPaygateTier": "PAYGATE_TIER_TIER1P5", "credits": 5}, Allowance(Tier.FREE, 5)),
        ({"credits": 5}, Allowance(Tier.FREE, 5)),
    ],
)
def test_allowance_reads_plan_and_credits(body: dict[str, Any], expected: Allowance) -> None:
    assert allowance(encoded(body)) == expected


@pytest.mark.parametrize("body", [b"{}", b"[]", b"", b'{"credits": "many"}'])
def test_allowance_that_says_nothing_is_no_answer(body: bytes) -> None:
    with pytest.raises(UpstreamInvalidError):
        allowance(body)


@pytest.mark.parametrize(
    "body",
    [
        {"media": {"name": "m1", "projectId": "p1"}, "workflow": {"name": "w"}},
        {"mediaGenerationId": {"mediaGenerationId": "m1"}, "width": 1, "height": 2},
        {"media": {}, "mediaGenerationId": {"mediaGenerationId": "m1"}},
    ],
)
def test_upload_is_named_in_either_form(body: dict[str, Any]) -> None:
    assert uploaded(encoded(body)) == "m1"


def test_upload_without_a_name_is_no_answer() -> None:
    with pytest.raises(UpstreamInvalidError):
        uploaded(b'{"media": {"name": ""}}')


def test_pictures_carry_address_size_and_session() -> None:
    image = {
        "generatedImage": {"fifeUrl": "https://x.example/i", "seed": 1},
        "dimensions": {"width": 1376, "height": 768},
    }

    (product,) = pictures(encoded({"media": [{"name": "m1", "workflowId": "w1", "image": image}]}), ";1")

    assert (product.name, product.url, product.width, product.height) == ("m1", "https://x.example/i", 1376, 768)
    assert Lineage.of(product) == Lineage(session=";1", workflow="w1")


def test_picture_of_the_first_protocol_is_named_inside() -> None:
    image = {"generatedImage": {"mediaGenerationId": "CAMS1", "fifeUrl": ""}}

    (product,) = pictures(encoded({"media": [{"image": image}]}), ";1")

    assert (product.name, product.url) == ("CAMS1", None)


@pytest.mark.parametrize("body", [b"{}", b'{"media": []}', b'{"media": null}'])
def test_no_pictures_are_none(body: bytes) -> None:
    assert pictures(body, ";1") == []


def test_picture_without_a_name_is_no_answer() -> None:
    with pytest.raises(UpstreamInvalidError):
        pictures(b'{"media": [{}]}', ";1")


def test_labs_answer_has_a_status_and_a_project_inside() -> None:
    body = encoded({"result": {"data": {"json": {"result": {"projectId": "p1"}, "status": 200, "statusText": "OK"}}}})

    assert trpc_status(body) == 200
    assert project(body) == "p1"


@pytest.mark.parametrize("result", [{}, None, {"projectId": None}, []])
def test_project_without_an_id_is_no_answer(result: Any) -> None:
    with pytest.raises(UpstreamInvalidError):
        project(encoded({"result": {"data": {"json": {"result": result, "status": 200}}}}))

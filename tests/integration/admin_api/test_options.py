"""Options over HTTP: every one with where it comes from, set all or none, and refused with what would do."""

from dataclasses import fields

import pytest

from flow2api.domain.options import Options
from tests.integration.admin_api.conftest import Site

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_every_option_is_listed_with_its_source(site: Site) -> None:
    listed = (await site.ok("GET", "/options"))["items"]
    by_name = {one["name"]: one for one in listed}

    assert [one["name"] for one in listed] == [field.name for field in fields(Options)]
    fixed, free = by_name["video_timeout_s"], by_name["image_wait_s"]
    assert (fixed["value"], fixed["default"], fixed["source"], fixed["unit"]) == (900, 1500, "settings", "seconds")
    assert (fixed["least"], free["source"], free["least"]) == (1, "default", 0)
    assert by_name["log_prompts"]["choices"] == ["off", "hash", "full"]
    assert "least_busy" in by_name["policy"]["choices"]
    assert by_name["policy"]["unit"] is by_name["policy"]["most"] is None
    assert (by_name["proxy"]["least_role"], by_name["policy"]["least_role"]) == ("owner", "operator")


async def test_what_is_set_is_in_force_and_unset_again(site: Site) -> None:
    changed = await site.ok("PATCH", "/options", {"policy": "random", "image_wait_s": 12.5, "debug_log": False})
    entry = await site.audited()

    assert {one["name"]: (one["value"], one["source"]) for one in changed["items"]} == {
        "policy": ("random", "set"),
        "image_wait_s": (12.5, "set"),
        "debug_log": (False, "set"),
    }
    assert (site.services.options().policy, site.services.options().image_wait_s) == ("random", 12.5)
    assert (entry["action"], entry["details"]["after"]["policy"]) == ("options.changed", "random")

    await site.ok("DELETE", "/options/policy", None, 204)
    back = await site.ok("PATCH", "/options", {"image_wait_s": None, "debug_log": None})
    assert {one["source"] for one in back["items"]} == {"default"}
    assert (await site.ok("GET", "/options/policy"))["value"] == site.services.options().policy == Options().policy


async def test_option_that_is_a_mapping_is_set_and_shown(site: Site) -> None:
    routes = {"house-picture": ["gemini-3.0-pro-image-landscape"]}
    told = await site.ok("PATCH", "/options", {"model_routes": routes})

    assert told["items"][0]["value"] == routes
    assert (await site.ok("GET", "/options/model_routes"))["value"] == routes
    assert site.services.options().model_routes["house-picture"] == ("gemini-3.0-pro-image-landscape",)
    await site.ok("DELETE", "/options/model_routes", None, 204)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"polizy": "random"}, "Did you mean 'policy'?"),
        ({"policy": "randm"}, "Did you mean 'random'?"),
        ({"proxy_selector": "x"}, "there are"),
        ({"image_wait_s": -1}, "from 0 to"),
        ({"image_wait_s": "soon"}, "image_wait_s"),
        ({"log_prompts": "some"}, "log_prompts"),
        ({"proxy": "nowhere"}, "no proxy and no pool"),
        ({"time_zone": "Mars/Olympus"}, "Mars"),
        ({"debug_log": {}}, "debug_log"),
        ({}, "Name at least one"),
    ],
)
async def test_what_cannot_be_is_refused_with_the_rest(site: Site, body: dict[str, object], words: str) -> None:
    await site.refused("PATCH", "/options", 400, {"image_retention_h": 5, **body} if body else body)
    told = await site.refused("PATCH", "/options", 400, body)

    assert words in told["detail"]
    assert (await site.ok("GET", "/options/image_retention_h"))["source"] == "default"


async def test_fixed_option_is_refused(site: Site) -> None:
    for told in (
        await site.refused("PATCH", "/options", 409, {"video_timeout_s": 5}),
        await site.refused("DELETE", "/options/video_timeout_s", 409),
    ):
        assert told["code"] == "option_locked"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_option_that_is_not_there_is_not_found(site: Site, method: str) -> None:
    told = await site.refused(method, "/options/polizy", 404)

    assert (told["code"], "Did you mean 'policy'?" in told["detail"]) == ("not_found", True)


@pytest.mark.parametrize("body", [[], None, "x", {"a": [1]}, {"policy": ["random"]}])
async def test_body_that_is_no_mapping_of_values_is_refused(site: Site, body: object) -> None:
    await site.refused("PATCH", "/options", 400, body)

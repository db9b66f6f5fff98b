"""Policies over HTTP: listed, and tried on a stored day beside the running server."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

import pytest

from flow2api.domain.ports.storage import PastRequest
from tests.integration.admin_api.conftest import Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

BODY = {"model": "gpt-image-1", "prompt": "a hill"}


async def test_policies_are_listed_with_the_one_in_use(site: Site) -> None:
    listed = (await site.ok("GET", "/policies"))["items"]

    assert {one["name"] for one in listed} == set(site.services.policies)
    assert [one["name"] for one in listed if one["is_used"]] == [site.services.options().policy]
    assert all(one["summary"] for one in listed)


async def test_requests_of_a_day_are_replayed_under_each_policy(site: Site) -> None:
    await site.account()
    key = (await site.ok("POST", "/keys", {}, 201))["key"]
    made = await site.client.post("/v1/images/generations", json=BODY, headers={"authorization": f"Bearer {key}"})
    assert made.status_code == 200, made.text
    day = (await site.ok("GET", "/generations", limit=1))["items"][0]["created_at"][:10]  # another may have begun since
    told = await site.ok("POST", "/policies/simulate", {"day": day, "policies": ["random", "least_busy", "random"]})

    assert (told["day"], told["requests"] >= 1) == (day, True)
    assert [one["policy"] for one in told["policies"]] == ["random", "least_busy"]
    assert all(one["served"] + sum(one["failures"].values()) == told["requests"] for one in told["policies"])


async def test_day_without_requests_has_nothing_to_compare(site: Site) -> None:
    told = await site.ok("POST", "/policies/simulate", {"day": "2020-01-01"})

    assert told == {"day": "2020-01-01", "requests": 0, "policies": []}


async def test_one_simulation_runs_at_a_time(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    read_on, is_read = asyncio.Event(), asyncio.Event()
    between = site.services.storage.past_requests.between

    async def held(start: datetime, end: datetime) -> AsyncIterator[Sequence[PastRequest]]:
        is_read.set()
        await read_on.wait()
        async for batch in between(start, end):
            yield batch

    monkeypatch.setattr(site.services.storage.past_requests, "between", held)
    day = {"day": "2020-01-01"}
    async with asyncio.TaskGroup() as group:
        first = group.create_task(site.ok("POST", "/policies/simulate", day))
        await is_read.wait()
        refused = await site.refused("POST", "/policies/simulate", 409, day)
        read_on.set()

    assert "runs already" in refused["detail"]
    assert (await first)["requests"] == 0
    await site.ok("POST", "/policies/simulate", day)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"policies": ["randm"]}, "Did you mean 'random'?"),
        ({"day": "tomorrow"}, "day"),
        ({"policies": "random"}, "policies"),
        ({"days": 2}, "unknown field"),
        ({"day": "9999-12-31"}, "still to come"),
    ],
)
async def test_what_cannot_be_is_refused(site: Site, body: object, words: str) -> None:
    assert words in (await site.refused("POST", "/policies/simulate", 400, body))["detail"]

"""Long answers to clients that go away or take nothing."""

import asyncio

import pytest

from flow2api.adapters.openai_api import Limits
from tests.fakes.use_cases import FAKE_VIDEO, GOOD_QUERY, FakeDoors
from tests.unit.adapters.openai_api.listener import Listener


@pytest.fixture
def link(fakes: FakeDoors) -> str:
    return f"/media/{fakes.media.keep(FAKE_VIDEO + bytes(2_000_000)).id}?{GOOD_QUERY}"


async def test_a_client_that_leaves_lets_go_of_the_file(fakes: FakeDoors, link: str) -> None:
    listener = Listener(fakes.doors())
    listener.takes = 2
    async with listener.requesting("GET", link, []):
        await listener.frames(2)
        listener.leave()
        for _ in range(20):  # turns of the loop, in which the answer hears of it
            await asyncio.sleep(0)
        listener.takes = 1_000_000
    assert fakes.media.closed == 1
    assert len(listener.bodies) == 3


async def test_a_client_that_takes_nothing_is_given_up(fakes: FakeDoors, link: str) -> None:
    listener = Listener(fakes.doors(limits=Limits(stall_s=0.02)))
    listener.takes = 2
    async with listener.requesting("GET", link, []):
        assert listener.task is not None
        await asyncio.wait_for(asyncio.shield(listener.task), 20)
    assert fakes.media.closed == 1


async def test_pictures_in_json_are_given_up_as_well(fakes: FakeDoors) -> None:
    fakes.generate.picture += bytes(2_000_000)
    listener = Listener(fakes.doors(limits=Limits(stall_s=0.02)))
    listener.takes = 2
    async with listener.posting("/v1/images/generations", {"prompt": "a fox"}):
        assert listener.task is not None
        await asyncio.wait_for(asyncio.shield(listener.task), 20)
    assert listener.sent[-1]["more_body"] is True

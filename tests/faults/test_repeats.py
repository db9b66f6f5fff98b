"""A request that comes many times is carried out once, and every one of its repeats is answered."""

import asyncio
import secrets
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from flow2api.testing.simulator import SimulatorControl
from tests.security.wire import Answer, Wire

IMAGES = "/v1/images/generations"
REPEATS = 50


def storm(wire: Wire, body: dict[str, Any], headers: dict[str, str], pause_s: float) -> list[Answer]:
    """The same request from many connections, one shortly after the other."""

    def send(number: int) -> Answer:
        time.sleep(pause_s * number)
        return wire.ask("POST", IMAGES, body, headers=headers)

    with ThreadPoolExecutor(REPEATS) as callers:
        return list(callers.map(send, range(REPEATS)))


# At some of these paces the repeats come while the first one ends.
@pytest.mark.parametrize("pause_s", [0.0, 0.001, 0.004])
async def test_storm_with_one_key_makes_one_picture(wire: Wire, control: SimulatorControl, pause_s: float) -> None:
    before = (await control.counters()).calls.get("generate_images", 0)
    headers = {"idempotency-key": secrets.token_hex(8)}
    answers = await asyncio.to_thread(storm, wire, {"prompt": "once"}, headers, pause_s)
    assert Counter(answer.status for answer in answers) == {200: REPEATS}
    assert len({answer.json["data"][0]["b64_json"] for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == REPEATS - 1
    assert (await control.counters()).calls["generate_images"] == before + 1


async def repeated_by_sdk(wire: Wire, pictures: int) -> Counter[tuple[int, int]]:
    body = {"prompt": f"again {secrets.token_hex(8)}", "n": pictures}
    answers = await asyncio.to_thread(storm, wire, body, {"x-stainless-retry-count": "1"}, 0.004)
    return Counter((answer.status, len(answer.json["data"])) for answer in answers)


async def test_every_repeat_of_an_sdk_is_answered(wire: Wire) -> None:
    assert await repeated_by_sdk(wire, 1) == {(200, 1): REPEATS}


async def test_every_repeat_of_an_sdk_gets_each_picture_once(wire: Wire) -> None:
    for _ in range(3):
        assert await repeated_by_sdk(wire, 3) == {(200, 3): REPEATS}


async def test_another_body_or_another_door_under_the_key_is_refused(wire: Wire) -> None:
    headers = {"idempotency-key": secrets.token_hex(8)}
    assert wire.ask("POST", IMAGES, {"prompt": "one"}, headers=headers).status == 200
    assert wire.ask("POST", IMAGES, {"prompt": "two"}, headers=headers).status == 422
    assert wire.ask("POST", "/v1/videos", {"prompt": "one"}, headers=headers).status == 422


@pytest.mark.parametrize("key", ["", "k" * 256, "a\tb", "é"])
def test_a_key_that_is_none_is_refused(wire: Wire, key: str) -> None:
    assert wire.ask("POST", IMAGES, {"prompt": "one"}, headers={"idempotency-key": key}).status == 400

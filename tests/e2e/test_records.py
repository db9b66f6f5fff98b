"""What the command line tells of requests that a running server has answered."""

import json
import time
from collections.abc import Callable
from typing import Any

import openai
import pytest

from tests.e2e.processes import Gateway
from tests.e2e.test_refusals import IMAGE, ask


def told(gateway: Gateway, met: Callable[[Any], bool], *command: str) -> Any:
    """What a command says once the server's journal has been written; that takes a moment."""
    shown: Any = None
    for _ in range(20):
        if met(shown := json.loads(gateway.run(*command, "--json"))):
            return shown
        time.sleep(0.2)
    pytest.fail(f"{command} never told it: {shown}")


def settled(gateway: Gateway) -> Any:
    """The figures, once what tests before have asked for is among them."""
    before: Any = None
    while before != (now := told(gateway, bool, "stats")["total"]):
        before = now
        time.sleep(0.5)  # longer than the journal waits
    return now


def test_each_request_is_one_line_and_figures_follow(gateway: Gateway, client: openai.OpenAI) -> None:
    before = settled(gateway)
    made = client.images.with_raw_response.generate(prompt="a record", model="gemini-2.5-flash-image")
    refused = ask(gateway, "POST", IMAGE, {"prompt": "a record", "model": "nothing"})
    ask(gateway, "POST", IMAGE, {"prompt": "a record"}, key="f2a_wrong")
    request_id = made.headers["x-request-id"]

    (line,) = told(gateway, lambda shown: len(shown["lines"]) == 1, "logs", "--id", request_id)["lines"]
    (lost,) = told(gateway, lambda shown: bool(shown["lines"]), "logs", "--state", "refused", "--limit", "1")["lines"]
    after = told(gateway, lambda shown: shown["total"]["refused"] >= before["refused"] + 2, "stats")["total"]

    assert refused[0] == 404
    assert (line["state"], line["status"], line["door"], line["attempts"]) == (
        "completed",
        200,
        "images.generations",
        1,
    )
    assert (line["results"], line["prompt"], line["code"]) == (1, None, None)
    assert 0 <= line["waited_ms"] <= line["duration_ms"]
    assert (lost["status"], lost["code"], lost["model"], lost["door"]) == (
        404,
        "model_not_found",
        "nothing",
        "images.generations",
    )
    assert after["images"] == before["images"] + 1
    assert after["succeeded"] == before["succeeded"] + 1
    assert after["p50_s"] is not None

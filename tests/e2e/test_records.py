"""What the command line tells of requests that a running server has answered."""

import json
import time
from collections.abc import Callable
from typing import Any

import openai

from tests.e2e.processes import Gateway
from tests.e2e.test_refusals import IMAGE, ask

WITHIN_S = 30.0


def told(gateway: Gateway, met: Callable[[Any], bool], *command: str) -> Any:
    """What a command says once the server's journal has been written; that takes a moment."""
    deadline = time.monotonic() + WITHIN_S
    while not met(shown := json.loads(gateway.run(*command, "--json"))):
        assert time.monotonic() < deadline, f"{command} never told it: {shown}"
        time.sleep(0.2)
    return shown


def figures(shown: Any, name: str | None) -> Any:
    """Those of a key; None stands for those who had none."""
    return next((part["total"] for part in shown["parts"] if part["name"] == name), {"refused": 0})


def test_each_request_is_one_line_and_figures_follow(gateway: Gateway, client: openai.OpenAI) -> None:
    by_key = ("stats", "--by", "key")
    key, strangers = gateway.make_key("recorded"), figures(told(gateway, lambda _: True, *by_key), None)["refused"]
    images = client.with_options(api_key=key).images.with_raw_response
    made = images.generate(prompt="a record", model="gemini-2.5-flash-image")
    refused = ask(gateway, "POST", IMAGE, {"prompt": "a record", "model": "nothing"}, key=key)
    ask(gateway, "POST", IMAGE, {"prompt": "a record"}, key="f2a_wrong")
    request_id = made.headers["x-request-id"]

    (line,) = told(gateway, lambda shown: len(shown["lines"]) == 1, "logs", "--id", request_id)["lines"]
    (lost,) = told(gateway, lambda shown: bool(shown["lines"]), "logs", "--state", "refused", "--key", "recorded")[
        "lines"
    ]
    shown = told(
        gateway,
        lambda shown: figures(shown, "recorded")["refused"] and figures(shown, None)["refused"] > strangers,
        *by_key,
    )
    after = figures(shown, "recorded")

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
    assert (after["images"], after["succeeded"], after["refused"]) == (1, 1, 1)
    assert after["p50_s"] is not None

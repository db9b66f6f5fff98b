"""The demo: models of three upstreams side by side, and one name that falls over from the first to the next."""

import json
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from flow2api.testing.simulator import SimulatorControl
from tests.e2e.processes import STARTS_WITHIN_S, Process

FLOW, GOOGLE, HOST = "gpt-image-1", "google-gemini-3.1-flash-image", "openai-gpt-image-1.5"
CALLS = {FLOW: "generate_images", GOOGLE: "gemini_generate"}
YOUNGEST = """
from flow2api.hookspecs import NamedPolicy, hookimpl


class Youngest:
    def select(self, ready, need, random):
        return max(ready, key=lambda candidate: candidate.account.id)


@hookimpl
def register_selection_policies():
    return [NamedPolicy("youngest", Youngest, "the account that came last")]
"""
THROTTLED: dict[str, Any] = {"status": 429, "reason": "PUBLIC_ERROR_USER_REQUESTS_THROTTLED", "retry_after_s": 30}


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("demo")
    file = folder / "ready.json"
    plugins = folder / "plugins"
    plugins.mkdir(mode=0o700)
    (plugins / "youngest.py").write_text(YOUNGEST, "utf-8")
    command = [sys.executable, "-m", "flow2api", "demo", "--port", "0", "--ready-file", str(file)]
    command += ["--plugins-dir", str(plugins), "--plugin", "youngest", "--option", "policy=youngest"]
    process = Process(command, folder / "demo.log", {"PYTHONPATH": str(Path(__file__).parents[2])})
    process.start()
    try:
        deadline = time.monotonic() + STARTS_WITHIN_S
        while not file.exists():
            if time.monotonic() > deadline:
                process.fail("the demo did not start")
            time.sleep(0.05)
        yield json.loads(file.read_text("utf-8"))
    finally:
        process.stop()


@pytest.fixture
async def control(ready: dict[str, Any]) -> AsyncIterator[SimulatorControl]:
    async with SimulatorControl(ready["simulator_url"]) as control:
        await control.configure(picture_s=0.02)
        yield control
        await control.clear_faults()


@pytest.fixture
def client(ready: dict[str, Any], control: SimulatorControl) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=ready["base_url"], api_key=ready["api_key"], max_retries=0, timeout=30) as client:
        yield client


async def asked(control: SimulatorControl, model: str) -> int:
    return len(await control.requests(call=CALLS[model]))


async def test_models_of_three_upstreams_are_served_side_by_side(client: openai.OpenAI) -> None:
    assert {GOOGLE, HOST, "picture"} <= {model.id for model in client.models.list()}
    for model in (FLOW, GOOGLE, HOST):
        answer = client.images.generate(model=model, prompt=f"a mug by {model}")
        assert answer.data is not None
        assert answer.data[0].b64_json


async def test_policy_of_a_plugin_can_be_tried_on_it(ready: dict[str, Any], client: openai.OpenAI) -> None:
    for _ in range(3):
        client.images.generate(model=FLOW, prompt="a mug")
    async with httpx.AsyncClient(base_url=ready["base_url"].removesuffix("/v1")) as visitor:
        sign_in = {"username": ready["operator"], "password": ready["password"]}
        token = (await visitor.post("/api/admin/login", json=sign_in)).json()["token"]
        headers, query = {"authorization": f"Bearer {token}"}, {"limit": 3}
        made = (await visitor.get("/api/admin/generations", headers=headers, params=query)).json()["items"]

    assert [(one["choice"]["policy"], one["account_id"]) for one in made] == [("youngest", 2)] * 3


async def test_name_of_a_route_falls_over_when_its_first_upstream_is_out_of_capacity(
    client: openai.OpenAI, control: SimulatorControl
) -> None:
    before = {model: await asked(control, model) for model in CALLS}
    assert client.images.generate(model="picture", prompt="a mug").data
    assert await asked(control, FLOW) == before[FLOW] + 1
    assert await asked(control, GOOGLE) == before[GOOGLE]

    await control.add_fault("error", call=CALLS[FLOW], times=None, **THROTTLED)
    raw = client.images.with_raw_response.generate(model="picture", prompt="another mug")

    assert raw.parse().data
    assert "google-gemini" in raw.headers["x-flow2api-warnings"]
    assert await asked(control, GOOGLE) == before[GOOGLE] + 1


async def test_its_operator_signs_in_and_nobody_has_to_set_it_up(ready: dict[str, Any]) -> None:
    async with httpx.AsyncClient(base_url=ready["base_url"].removesuffix("/v1")) as visitor:
        sign_in = {"username": ready["operator"], "password": ready["password"]}
        answer = await visitor.post("/api/admin/login", json=sign_in)
        headers = {"authorization": f"Bearer {answer.json()['token']}"}
        operators = (await visitor.get("/api/admin/operators", headers=headers)).json()["items"]

    assert [(one["name"], one["role"]) for one in operators] == [("owner", "owner")]

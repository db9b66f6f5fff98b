"""A gateway whose account is an API key of Google's, through the official SDK: the server is a process, the service is played."""

import base64
import io
import json
import urllib.request
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import openai
import pytest
from openai.types import Video
from PIL import Image

from flow2api.domain.media import sniff_content_type
from flow2api.testing.simulator import SimulatorControl
from tests.e2e.processes import Gateway, Simulator
from tests.e2e.test_pictures import opened, png
from tests.e2e.test_videos import finished, seconds_of

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PICTURE = "google-gemini-3.1-flash-image"
OPTIONS = {"picture_s": 0.02, "video_s": 0.3, "video_scale": 0.1}


class GeminiGateway(Gateway):
    """A server whose accounts are API keys."""

    def add_accounts(self, accounts: list[dict[str, Any]]) -> None:
        for one in accounts:
            file = self.folder / f"{one['id']}.key"
            file.write_text(one["api_key"] + "\n")
            self.run("accounts", "add", "--upstream", "gemini", "--api-key-file", str(file), "--name", one["id"])


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator(tmp_path_factory.mktemp("simulator"), OPTIONS, [{}, {}]) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GeminiGateway]:
    environment = {
        "FLOW2API_GEMINI__BASE_URL": simulator.ready["gemini_base_url"],
        "FLOW2API_GEMINI__API_VERSION": "v1",
        "FLOW2API_OPTIONS__MODEL_ROUTES": json.dumps({"drawing": ["gemini-3.1-flash-image", PICTURE]}),
    }
    with GeminiGateway(tmp_path_factory.mktemp("gateway"), simulator, environment=environment) as running:
        yield running


@pytest.fixture(scope="module")
def client(gateway: GeminiGateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0, timeout=30) as client:
        yield client


@pytest.fixture
async def control(simulator: Simulator) -> AsyncIterator[SimulatorControl]:
    async with SimulatorControl(simulator.ready["base_url"]) as control:
        yield control
        await control.clear_faults()


def extended(client: openai.OpenAI, video_id: str, **fields: str) -> Video:
    """The SDK's own method takes a video as a file alone."""
    body = {"prompt": "it jumps", "seconds": "8", "video": {"id": video_id}, **fields}
    return client.post("/videos/extensions", body=body, cast_to=Video)


def test_models_tell_their_price_in_dollars(client: openai.OpenAI) -> None:
    told = client.models.retrieve(PICTURE).model_dump()

    assert (told["owned_by"], told["costs"], told["cost_unit"]) == ("gemini", {"free": 67}, "usd_millis")
    assert not [one for one in client.models.list() if "imagen-4.0-generate-001" in one.id]


@pytest.mark.parametrize(("resolution", "size"), [("1K", (1264, 848)), ("2K", (2528, 1696))])
def test_picture_is_made_in_ratio_and_resolution(client: openai.OpenAI, resolution: str, size: tuple[int, int]) -> None:
    answer = client.images.generate(
        model=PICTURE, prompt="a red mug", size="1536x1024", extra_body={"resolution": resolution}
    )

    assert answer.data is not None
    assert opened(answer.data[0].b64_json).size == size


def test_several_pictures_are_different_ones(client: openai.OpenAI) -> None:
    answer = client.images.generate(model=PICTURE, prompt="mugs", n=3)

    assert answer.data is not None
    assert len({one.b64_json for one in answer.data}) == 3


async def test_picture_is_edited_with_what_was_sent_along(client: openai.OpenAI, control: SimulatorControl) -> None:
    answer = client.images.edit(model=PICTURE, prompt="make it blue", image=("mug.png", png(), "image/png"))

    assert answer.data is not None
    assert opened(answer.data[0].b64_json).size == (1376, 768)
    parts = (await control.requests(call="gemini_generate"))[-1].body["contents"][0]["parts"]
    assert [sorted(part) for part in parts] == [["text"], ["inlineData"]]


def test_picture_that_was_made_can_be_edited(client: openai.OpenAI) -> None:
    made = client.images.generate(model=PICTURE, prompt="a mug")
    assert made.data is not None
    picture = base64.b64decode(made.data[0].b64_json or "")

    answer = client.images.edit(model=PICTURE, prompt="and a spoon", image=("made.jpg", picture, "image/jpeg"))

    assert answer.data is not None


@pytest.mark.parametrize("model", ["google-gemini-omni-1.2-flash", "google-veo-3.1-fast"])
@pytest.mark.parametrize("with_picture", [False, True])
def test_video_is_made(client: openai.OpenAI, model: str, with_picture: bool) -> None:
    more: dict[str, Any] = {"input_reference": ("a.png", png(), "image/png")} if with_picture else {}
    begun = client.videos.create(model=model, prompt="a cat", seconds="4", **more)

    video = finished(client, begun.id)

    assert (video.status, video.seconds) == ("completed", "4")
    data = client.videos.download_content(begun.id).read()
    assert sniff_content_type(data[:12]) == "video/mp4"


@pytest.mark.parametrize("model", ["google-veo-3.1-fast", "google-veo-3.1-text-9x16-4s"])
def test_video_is_extended_by_the_model_that_made_it(client: openai.OpenAI, model: str) -> None:
    parent = client.videos.create(model=model, prompt="a cat", seconds="4")
    assert finished(client, parent.id).status == "completed"

    longer = extended(client, parent.id)
    done = finished(client, longer.id)

    assert (done.status, done.seconds) == ("completed", "11"), done.error
    assert done.model.startswith(model.partition("-text")[0])
    assert seconds_of(client.videos.download_content(longer.id).read()) == pytest.approx(11, abs=0.5)


async def test_video_of_omni_is_edited_itself(client: openai.OpenAI, control: SimulatorControl) -> None:
    parent = client.videos.create(model="google-gemini-omni-1.2-flash", prompt="a cat", seconds="4")
    assert finished(client, parent.id).status == "completed"

    body = {"prompt": "make it blue", "video": {"id": parent.id}}
    edited = finished(client, client.post("/videos/edits", body=body, cast_to=Video).id)
    again = finished(client, client.post(f"/videos/{edited.id}/remix", body={"prompt": "green"}, cast_to=Video).id)

    for video in (edited, again):
        assert (video.status, video.seconds, video.size) == ("completed", "4", parent.size), video.error
    sent = [one.body for one in await control.requests(call="gemini_interact")][-3:]
    assert sent[1]["previous_interaction_id"] == sent[2]["previous_interaction_id"]
    assert [one["generation_config"]["video_config"]["task"] for one in sent] == ["text_to_video", "edit", "edit"]


def test_video_is_not_extended_by_who_has_not_made_it(client: openai.OpenAI) -> None:
    parent = client.videos.create(model="google-gemini-omni-1.2-flash", prompt="a cat", seconds="4")
    assert finished(client, parent.id).status == "completed"

    with pytest.raises(openai.BadRequestError, match="comes from gemini"):
        extended(client, parent.id, model="veo_3_1_extend")


def test_refused_prompt_is_moderation(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refusal:
        client.images.generate(model=PICTURE, prompt="something unsafe")
    assert refusal.value.code == "moderation_blocked"

    video = finished(client, client.videos.create(model="google-veo-3.1-fast", prompt="something unsafe").id)
    assert video.status == "failed"
    assert video.error.code == "moderation_blocked"


def test_route_falls_over_to_the_key_where_no_account_of_flow_is(client: openai.OpenAI) -> None:
    answer = client.images.generate(model="drawing", prompt="a mug", size="1024x1024")

    assert answer.data is not None
    assert Image.open(io.BytesIO(base64.b64decode(answer.data[0].b64_json or ""))).size == (1024, 1024)


async def test_limited_key_rests_and_the_other_one_serves(
    client: openai.OpenAI, control: SimulatorControl, simulator: Simulator
) -> None:
    first = simulator.ready["accounts"][0]["id"]
    quota = {"quota_id": "GenerateRequestsPerDayPerProjectPerModel-PaidTier", "quota_model": "gemini-3-pro-image"}
    await control.add_fault("error", call="gemini_generate", account=first, status=429, times=None, **quota)

    for size in ("1024x1024", "1536x1024", "1024x1536", "1792x1024", "1024x1792", "1024x1280"):
        assert client.images.generate(model="google-gemini-3-pro-image", prompt="a mug", size=cast("Any", size)).data

    asked = [one for one in await control.requests(call="gemini_generate", account=first) if one.status == 429]
    assert len(asked) <= 1


async def test_dead_key_rests_its_account_and_is_not_asked_again(
    gateway: GeminiGateway, client: openai.OpenAI, control: SimulatorControl, simulator: Simulator
) -> None:
    dead = simulator.ready["accounts"][1]
    asked = len(await control.requests(account=dead["id"]))
    await control.patch_account(dead["id"], revoked="empty")
    before = asked
    for _ in range(40):  # chance chooses between the two, until it was the dead one's turn
        assert client.images.generate(model=PICTURE, prompt="a mug").data
        if (before := len(await control.requests(account=dead["id"]))) > asked:
            break
    assert before > asked

    for _ in range(3):
        assert client.images.generate(model=PICTURE, prompt="a mug").data

    assert len(await control.requests(account=dead["id"])) == before
    listed = {one["name"]: one for one in json.loads(gateway.run("accounts", "list", "--json"))["accounts"]}
    assert (listed[dead["id"]]["status"], len(listed)) == ("suspended", 2)
    assert "auth_expired" in gateway.run("accounts", "show", dead["id"], "--json")


def test_key_is_in_no_log_and_no_metrics(gateway: GeminiGateway, simulator: Simulator) -> None:
    with urllib.request.urlopen(f"{gateway.url}/healthz") as answer:
        assert answer.status == 200
    assert not [one for one in simulator.ready["accounts"] if one["api_key"] in gateway.output()]

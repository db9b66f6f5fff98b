"""Pictures and videos through chat, streaming and not."""

import asyncio
import base64
import json
from typing import Any

import pytest

from flow2api.domain.catalog import Mode
from flow2api.domain.errors import ContentBlockedError, PoolBusyError, UpstreamTimeoutError
from flow2api.domain.generation import InputRole
from flow2api.testing.fakes.media import fake_picture
from tests.fakes.use_cases import FAKE_VIDEO, OTHER_KEY, FakeDoors
from tests.unit.adapters.openai_api.conftest import Client
from tests.unit.adapters.openai_api.listener import Listener
from tests.unit.adapters.openai_api.modest_pool import PoolWithoutThePlan

PATH = "/v1/chat/completions"
MODEL = "gemini-3.1-flash-image"
VIDEO_MODEL = "veo_3_1_t2v_fast"
DATA_URL = "data:image/png;base64," + base64.b64encode(fake_picture()).decode()


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


async def chat(client: Client, *messages: dict[str, Any], **fields: Any) -> Any:
    listed = list(messages) or [user("a red fox")]
    return await client.post(PATH, json={"model": MODEL, "messages": listed, **fields})


def chunks(text: str) -> list[Any]:
    frames = [frame for frame in text.split("\n\n") if frame and not frame.startswith(":")]
    return [frame if frame == "data: [DONE]" else json.loads(frame.removeprefix("data: ")) for frame in frames]


class TestWholeAnswers:
    async def test_a_picture_is_markdown_and_stands_beside_the_text(self, client: Client, fakes: FakeDoors) -> None:
        document = (await chat(client)).json()

        [choice] = document["choices"]
        [media_id] = fakes.media.contents
        url = f"http://testserver.local/media/{media_id}?exp=1&sig=good&for={7 * 24 * 3600}"
        assert document["object"] == "chat.completion"
        assert document["model"] == MODEL
        assert choice["finish_reason"] == "stop"
        assert choice["logprobs"] is None
        message = choice["message"]
        assert message["role"] == "assistant"
        assert message["content"] == f"![image]({url})"
        assert message["refusal"] is None
        assert message["images"] == [{"image_url": {"url": url}, "type": "image_url", "index": 0}]
        assert message["media"] == [{"media_id": media_id, "url": url, "content_type": "image/jpeg"}]
        assert document["usage"]["prompt_tokens"] == 3
        assert document["usage"]["total_tokens"] == 3 + document["usage"]["completion_tokens"]

    async def test_a_video_is_a_link_and_a_player(self, client: Client) -> None:
        message = (await chat(client, model=VIDEO_MODEL)).json()["choices"][0]["message"]

        [shown] = message["media"]
        assert message["content"].split("\n\n") == [shown["url"], f'<video controls src="{shown["url"]}"></video>']
        assert shown["video_id"].startswith("video_")
        assert "images" not in message

    async def test_several_choices(self, client: Client) -> None:
        document = (await chat(client, n=3)).json()
        assert [choice["index"] for choice in document["choices"]] == [0, 1, 2]

    async def test_what_failed_is_told_beside_what_succeeded(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generate.fails = {0: UpstreamTimeoutError("It took too long.")}
        document = (await chat(client, n=2)).json()
        assert len(document["choices"]) == 1
        assert document["warnings"] == ["1 of 2 results is missing: It took too long."]

    async def test_failure_is_an_honest_status(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generate.fails = {0: UpstreamTimeoutError("It took too long.")}
        answer = await chat(client)
        assert answer.status_code == 504
        assert answer.headers["x-should-retry"] == "false"


class TestStreams:
    async def test_chunks_come_in_the_order_that_front_ends_expect(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generate.notes = ("waiting", "making", "making")
        answer = await chat(client, stream=True)

        assert answer.headers["content-type"] == "text/event-stream"
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.text.endswith("data: [DONE]\n\n")
        assert "event:" not in answer.text
        *parts, done = chunks(answer.text)
        assert done == "data: [DONE]"
        choices = [part["choices"][0] for part in parts]
        assert choices[0]["delta"] == {"role": "assistant", "content": ""}
        assert [choice["delta"]["reasoning_content"] for choice in choices[1:3]] == ["waiting\n", "making\n"]
        assert choices[3]["delta"]["content"].startswith("![image](http")
        assert choices[3]["delta"]["images"][0]["image_url"]["url"] in choices[3]["delta"]["content"]
        assert choices[3]["finish_reason"] is None
        assert (choices[4]["delta"], choices[4]["finish_reason"]) == ({}, "stop")
        assert len(choices) == 5
        assert len({(part["id"], part["created"], part["model"], part["object"]) for part in parts}) == 1
        assert all("usage" not in part for part in parts)

    async def test_usage_only_where_it_is_asked_for(self, client: Client) -> None:
        answer = await chat(client, stream=True, stream_options={"include_usage": True})

        *parts, usage, _ = chunks(answer.text)
        assert all(part["usage"] is None for part in parts)
        assert usage["choices"] == []
        assert usage["usage"]["total_tokens"] > 0

    async def test_role_is_sent_before_any_work_is_done(self, fakes: FakeDoors) -> None:
        fakes.generate.gate = asyncio.Event()
        listener = Listener(fakes.doors())
        async with listener.posting(PATH, {"model": MODEL, "messages": [user("a fox")], "stream": True}):
            [role] = await listener.frames(1)
        assert b'"role":"assistant"' in role
        assert fakes.generate.open == 0

    async def test_refusals_before_the_first_byte_are_plain_errors(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generate.refuses = PoolBusyError({"busy": 1})
        answer = await chat(client, stream=True)
        assert answer.status_code == 429
        assert answer.headers["content-type"] == "application/json"

    async def test_a_late_failure_is_an_error_event_and_the_end(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generate.fails = {0: ContentBlockedError()}
        answer = await chat(client, stream=True)

        _, error = chunks(answer.text)
        assert set(error) == {"error"}
        assert set(error["error"]) == {"message", "type", "param", "code"}
        assert error["error"]["code"] == "moderation_blocked"
        assert "[DONE]" not in answer.text

    async def test_one_failed_choice_ends_beside_the_others(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generate.fails = {0: ContentBlockedError()}
        *parts, _ = chunks((await chat(client, stream=True, n=2)).text)

        ends = {part["choices"][0]["index"]: part["choices"][0]["finish_reason"] for part in parts}
        assert ends == {0: "content_filter", 1: "stop"}


class TestConversations:
    async def test_last_user_message_is_the_prompt(self, client: Client, fakes: FakeDoors) -> None:
        await chat(
            client,
            user("first"),
            {"role": "assistant", "content": "ok"},
            user([{"type": "text", "text": "second"}, {"type": "text", "text": "line"}]),
        )
        assert fakes.generate.request.prompt == "second\nline"

    async def test_system_messages_are_told_as_ignored(self, client: Client) -> None:
        answer = await chat(client, {"role": "system", "content": "be nice"}, user("a fox"))
        assert any("System messages" in sentence for sentence in answer.json()["warnings"])

    async def test_everything_is_told_where_the_pool_lacks_the_plan(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generate = PoolWithoutThePlan(fakes.media, fakes.clock)
        system = {"role": "system", "content": "be nice"}
        answer = await chat(client, system, user("a fox"), quality="high", wibble=1)

        told = answer.json()["warnings"]
        assert len(told) == 3
        for words in ("No account may make", "`wibble` has no effect", "System messages"):
            assert any(words in sentence for sentence in told), words

    async def test_pictures_of_the_message_are_its_inputs(self, client: Client, fakes: FakeDoors) -> None:
        part = {"type": "image_url", "image_url": {"url": DATA_URL, "detail": "high"}}
        await chat(client, user([{"type": "text", "text": "bluer"}, part, {**part, "image_url": DATA_URL}]))

        assert [one.role for one in fakes.generate.request.inputs] == [InputRole.REFERENCE] * 2

    @pytest.mark.parametrize("form", ["markdown", "images", "media", "html", "bare", "data"])
    async def test_a_follow_up_uses_the_last_generated_picture(
        self, client: Client, fakes: FakeDoors, form: str
    ) -> None:
        old, new = (fakes.media.keep(fake_picture(salt=salt)) for salt in ("old", "new"))
        url = f"http://elsewhere.example/media/{new.id}?exp=0&sig=expired"
        new_bytes = fake_picture(salt="new")
        replies: dict[str, dict[str, Any]] = {
            "markdown": {"content": f"![image](/media/{old.id}?x) and ![image]({url})"},
            "images": {"content": "", "images": [{"type": "image_url", "image_url": {"url": url}}]},
            "media": {"content": "", "media": [{"media_id": new.id}]},
            "html": {"content": f'<img src="{url}">'},
            "bare": {"content": [{"type": "text", "text": f"Here: {url}."}]},
            "data": {"content": f"![image](data:image/png;base64,{base64.b64encode(new_bytes).decode()})"},
        }
        answer = await chat(client, user("a fox"), {"role": "assistant", **replies[form]}, user("now bluer"))

        assert answer.status_code == 200, answer.text
        [given] = fakes.generate.request.inputs
        assert fakes.media.contents[given.media_id][1] == fake_picture(salt="new")
        assert fakes.ingest.fetched == []

    async def test_an_address_in_an_answer_is_never_fetched(self, client: Client, fakes: FakeDoors) -> None:
        fakes.ingest.addresses["https://evil.example/media/a.png"] = fake_picture()
        reply = {
            "role": "assistant",
            "content": "![x](https://evil.example/media/a.png) ![y](data:image/png;base64,!!)",
        }
        answer = await chat(client, user("a fox"), reply, user("bluer"))

        assert answer.status_code == 200
        assert fakes.ingest.fetched == []
        assert fakes.generate.request.inputs == ()
        assert answer.headers["x-flow2api-warnings"].count("is not kept here for this key, so none is used") == 1

    @pytest.mark.parametrize(
        "shown", ["![x](https://example.com/a.png)", "![x](https://example.com/media/a.png) [y](https://z.example)"]
    )
    async def test_older_picture_of_ours_is_used_in_place_of_a_foreign_one_and_that_is_told(
        self, client: Client, fakes: FakeDoors, shown: str
    ) -> None:
        old = fakes.media.keep(fake_picture())
        first = {"role": "assistant", "content": f"![x](/media/{old.id}?exp=1)"}
        answer = await chat(
            client, user("a fox"), first, user("x"), {"role": "assistant", "content": shown}, user("bluer")
        )
        assert [one.media_id for one in fakes.generate.request.inputs] == [old.id]
        assert "so the one before it is used" in answer.headers["x-flow2api-warnings"]
        assert fakes.ingest.fetched == []

    @pytest.mark.parametrize("content", ["see [x](https://example.com/a.png)", "just words", "![x](/media/%s?exp=1)"])
    async def test_nothing_is_told_where_no_foreign_picture_is_shown(
        self, client: Client, fakes: FakeDoors, content: str
    ) -> None:
        own = fakes.media.keep(fake_picture())
        reply = {"role": "assistant", "content": content.replace("%s", own.id)}
        answer = await chat(client, user("a fox"), reply, user("bluer"))
        assert "x-flow2api-warnings" not in answer.headers

    async def test_media_of_another_key_is_not_found(self, client: Client, fakes: FakeDoors) -> None:
        foreign = fakes.media.keep(fake_picture(), key_id=2)
        reply = {"role": "assistant", "content": f"![x](/media/{foreign.id}?exp=1)"}
        answer = await chat(client, user("a fox"), reply, user("bluer"))
        assert fakes.generate.request.inputs == ()
        assert "is not kept here for this key" in answer.headers["x-flow2api-warnings"]
        client.headers["authorization"] = f"Bearer {OTHER_KEY}"
        await chat(client, user("a fox"), reply, user("bluer"))
        assert len(fakes.generate.request.inputs) == 1

    async def test_a_model_without_inputs_goes_without_the_earlier_picture(
        self, client: Client, fakes: FakeDoors
    ) -> None:
        old = fakes.media.keep(fake_picture())
        reply = {"role": "assistant", "content": f"![x](/media/{old.id}?exp=1)"}
        answer = await chat(client, user("a fox"), reply, user("running"), model=VIDEO_MODEL)
        assert answer.status_code == 200, answer.text
        assert fakes.generate.request.inputs == ()

    async def test_a_long_answer_without_links_costs_no_time(self, client: Client) -> None:
        reply = {"role": "assistant", "content": "a" * 3_000_000}
        assert (await chat(client, user("a fox"), reply, user("bluer"))).status_code == 200

    async def test_a_model_that_extends_takes_the_last_video(self, client: Client, fakes: FakeDoors) -> None:
        video, picture = fakes.media.keep(FAKE_VIDEO), fakes.media.keep(fake_picture())
        reply = {"role": "assistant", "content": f"/media/{video.id}?exp=1 ![x](/media/{picture.id}?exp=1)"}
        answer = await chat(client, user("a fox"), reply, user("and on"), model="veo_3_1_extend")

        assert answer.status_code == 200, answer.text
        assert fakes.generate.request.spec.mode is Mode.EXTEND
        assert [(one.media_id, one.role) for one in fakes.generate.request.inputs] == [(video.id, InputRole.SOURCE)]

    @pytest.mark.parametrize(
        ("model", "data"), [("flow-upscale-video", FAKE_VIDEO), ("flow-upscale-image", fake_picture())]
    )
    async def test_a_model_that_enlarges_takes_what_was_made_last(
        self, client: Client, fakes: FakeDoors, model: str, data: bytes
    ) -> None:
        made = fakes.media.keep(data)
        reply = {"role": "assistant", "content": f"![x](/media/{made.id}?exp=1)"}
        answer = await chat(client, user("a fox"), reply, user("larger"), model=model)

        assert answer.status_code == 200, answer.text
        assert [(one.media_id, one.role) for one in fakes.generate.request.inputs] == [(made.id, InputRole.SOURCE)]

    @pytest.mark.parametrize("form", [{"type": "image_url", "image_url": {"url": "extend://%s"}},
                                      {"type": "video_url", "video_url": {"url": "http://x.example/media/%s?exp=1"}}])  # fmt: skip
    async def test_a_video_to_extend_can_be_named(self, client: Client, fakes: FakeDoors, form: dict[str, Any]) -> None:
        video = fakes.media.keep(FAKE_VIDEO)
        part = json.loads(json.dumps(form).replace("%s", video.id))
        answer = await chat(client, user([{"type": "text", "text": "and on"}, part]), model="veo_3_1_extend")
        assert answer.status_code == 200, answer.text
        assert fakes.generate.request.inputs[0].media_id == video.id

    async def test_a_foreign_video_cannot_be_extended(self, client: Client, fakes: FakeDoors) -> None:
        part = {"type": "video_url", "video_url": "https://example.com/x.mp4"}
        answer = await chat(client, user([{"type": "text", "text": "on"}, part]), model="veo_3_1_extend")
        assert answer.status_code == 400
        assert answer.json()["error"]["param"] == "messages[0].content"


async def test_parameters_shape_the_result(client: Client, fakes: FakeDoors) -> None:
    answer = await chat(client, size="1024x1792", seed=7, temperature=0.5, extra_body={"x": 1}, user="me")

    assert fakes.generate.request.seed == 7
    assert fakes.generate.request.spec.aspect_ratio.value < 1
    assert any("`temperature`" in sentence for sentence in answer.json()["warnings"])
    assert not any("`user`" in sentence for sentence in answer.json()["warnings"])


async def test_lobechats_suffix_is_understood_and_echoed(client: Client, fakes: FakeDoors) -> None:
    document = (await chat(client, model="gpt-image-1:image")).json()
    assert document["model"] == "gpt-image-1:image"
    assert document["choices"][0]["message"]["images"][0]["image_url"]["url"].startswith("http")
    assert fakes.generate.request.model == "gpt-image-1"


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({}, "missing_required_parameter", "model"),
        ({"model": MODEL}, "missing_required_parameter", "messages"),
        ({"model": MODEL, "messages": []}, "invalid_value", "messages"),
        ({"model": MODEL, "messages": "hi"}, "invalid_type", "messages"),
        ({"model": MODEL, "messages": ["hi"]}, "invalid_type", "messages[0]"),
        ({"model": MODEL, "messages": [{"content": "x"}]}, "missing_required_parameter", "messages[0].role"),
        ({"model": MODEL, "messages": [{"role": "king", "content": "x"}]}, "invalid_value", "messages[0].role"),
        ({"model": MODEL, "messages": [user(5)]}, "invalid_type", "messages[0].content"),
        ({"model": MODEL, "messages": [user([{"type": "text", "text": 5}])]}, "invalid_type", "messages[0].content[0].text"),
        ({"model": MODEL, "messages": [{"role": "system", "content": "x"}]}, "invalid_value", "messages"),
        ({"model": MODEL, "messages": [user("")]}, "invalid_prompt", "messages[0].content"),
        ({"model": MODEL, "messages": [user(None)]}, "invalid_prompt", "messages[0].content"),
        ({"model": MODEL, "messages": [user("x" * 32_001)]}, "invalid_prompt", "messages[0].content"),
        ({"model": MODEL, "messages": [user("x")], "n": 5}, "invalid_value", "n"),
        ({"model": MODEL, "messages": [user("x")], "n": "2"}, "invalid_type", "n"),
        ({"model": MODEL, "messages": [user("x")], "stream": "true"}, "invalid_type", "stream"),
        ({"model": MODEL, "messages": [user("x")], "stream_options": 1}, "invalid_type", "stream_options"),
        ({"model": MODEL, "messages": [user([{"type": "input_audio"}])]}, "invalid_value", "messages[0].content[0].type"),
        ({"model": MODEL, "messages": [user([{"type": "file", "file": {"file_id": "f"}}])]}, "image_file_not_found",
         "messages[0].content[0].file.file_id"),
        ({"model": MODEL, "messages": [user([{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": "ftp://x/y"}}])]},
         "invalid_image_url", "messages[0].content[1].image_url"),
        ({"model": MODEL, "messages": [user([{"type": "text", "text": "x"}] + [{"type": "image_url", "image_url": DATA_URL}] * 17)]},
         "too_many_images", "messages[0].content[17].image_url"),
    ],
)  # fmt: skip
async def test_bad_bodies_are_refused_by_field(
    client: Client, fakes: FakeDoors, body: dict[str, Any], code: str, param: str
) -> None:
    answer = await client.post(PATH, json=body)

    error = answer.json()["error"]
    assert answer.status_code == 400, answer.text
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", code, param)
    assert fakes.generate.asked == []

"""Chat completions through the official SDK."""

import base64
import re
import socket
import urllib.request

import openai
import pytest

from flow2api.testing.simulator import SimulatorControl
from tests.e2e.test_pictures import opened, png

LINK = re.compile(r"!\[[^\]]*\]\((http[^)]+)\)")


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url) as answer:
        return bytes(answer.read())


def test_picture_comes_as_markdown_and_as_images(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="gemini-3.0-pro-image", messages=[{"role": "user", "content": "a red mug"}]
    )
    message = answer.choices[0].message
    assert answer.choices[0].finish_reason == "stop"
    assert message.content is not None
    link = LINK.search(message.content)
    assert link is not None
    assert opened(base64.b64encode(fetched(link[1])).decode()).width > 0
    assert message.images[0]["image_url"]["url"] == link[1]  # type: ignore[attr-defined]


def test_stream_has_role_progress_result_and_end(client: openai.OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model="gemini-3.0-pro-image",
            messages=[{"role": "user", "content": "a red mug"}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert deltas[0].role == "assistant"
    assert any(getattr(delta, "reasoning_content", None) for delta in deltas)
    assert sum(1 for delta in deltas if delta.content) == 1
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage is not None
    assert len({chunk.id for chunk in chunks}) == 1


async def test_async_stream_ends(async_client: openai.AsyncOpenAI) -> None:
    stream = await async_client.chat.completions.create(
        model="gemini-3.0-pro-image", messages=[{"role": "user", "content": "a red mug"}], stream=True
    )
    chunks = [chunk async for chunk in stream]
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_video_comes_as_a_link_and_a_tag(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="veo_3_1_t2v_fast", messages=[{"role": "user", "content": "waves at night"}]
    )
    content = answer.choices[0].message.content or ""
    url = content.split()[0]
    assert f'<video controls src="{url}">' in content
    assert fetched(url)[4:8] == b"ftyp"


async def test_picture_in_the_message_is_handed_over(client: openai.OpenAI, control: SimulatorControl) -> None:
    url = "data:image/png;base64," + base64.b64encode(png()).decode()
    client.chat.completions.create(
        model="gemini-3.0-pro-image",
        messages=[
            {
                "role": "user",
                "content": [{"type": "text", "text": "in blue"}, {"type": "image_url", "image_url": {"url": url}}],
            }
        ],
    )
    call = (await control.requests(call="generate_images"))[-1]
    assert len(call.body["requests"][0]["imageInputs"]) == 1


async def test_follow_up_uses_the_last_picture_of_the_conversation(
    client: openai.OpenAI, control: SimulatorControl
) -> None:
    first = client.chat.completions.create(
        model="gemini-3.0-pro-image", messages=[{"role": "user", "content": "a red mug"}]
    )
    client.chat.completions.create(
        model="gemini-3.0-pro-image",
        messages=[
            {"role": "user", "content": "a red mug"},
            {"role": "assistant", "content": first.choices[0].message.content},
            {"role": "user", "content": "now in blue"},
        ],
    )
    call = (await control.requests(call="generate_images"))[-1]
    assert len(call.body["requests"][0]["imageInputs"]) == 1


def test_late_failure_is_an_error_in_the_stream(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="veo_3_1_t2v_fast", messages=[{"role": "user", "content": "latefail"}], stream=True
    )
    with pytest.raises(openai.APIError) as failed:
        list(stream)
    assert failed.value.code == "moderation_blocked"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_foreign_address_in_an_answer_is_never_fetched(client: openai.OpenAI, scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as canary:
        url = f"{scheme}://127.0.0.1:{canary.getsockname()[1]}/picture.png"
        answer = client.chat.completions.create(
            model="gemini-3.0-pro-image",
            messages=[
                {"role": "user", "content": "a red mug"},
                {"role": "assistant", "content": f"![image]({url})\n\n{url}\n<video src='{url}'></video>"},
                {"role": "user", "content": f"like {url}, but blue"},
            ],
        )
        assert answer.choices[0].finish_reason == "stop"
        canary.setblocking(False)
        with pytest.raises(BlockingIOError):
            canary.accept()

"""The command asks for the same, and a shell takes nothing of a prompt for a command."""

import json
import shlex

from hypothesis import given
from hypothesis import strategies as st

from flow2api.adapters.console.generations.curl import as_curl
from flow2api.domain.generation import Input, InputRole
from flow2api.domain.media import MediaKind
from flow2api.testing.samples import generation_of

BASE = "http://127.0.0.1:8000/"


def words(command: str) -> list[str]:
    return shlex.split(command.replace("\\\n", " "))


@given(st.text())
def test_picture_is_asked_for_with_its_prompt_as_it_is(prompt: str) -> None:
    picture = generation_of("gen_1", kind=MediaKind.IMAGE).changed(prompt=prompt, count=2, size="1024x1024")

    asked = words(as_curl(picture, BASE))

    assert asked[:2] == ["curl", "http://127.0.0.1:8000/v1/images/generations"]
    body = json.loads(asked[asked.index("-d") + 1])
    assert body == {"model": picture.model, "prompt": prompt, "n": 2, "size": "1024x1024"}


def test_video_is_asked_for_with_its_length() -> None:
    asked = words(as_curl(generation_of("video_1").changed(seconds=8, prompt="a lake"), BASE))

    assert asked[1] == "http://127.0.0.1:8000/v1/videos"
    assert json.loads(asked[-1])["seconds"] == "8"


def test_inputs_are_files_and_no_value_of_a_field_can_name_one() -> None:
    inputs = (Input("med_1", InputRole.START), Input("med_2", InputRole.END))
    video = generation_of("video_1").changed(prompt="@/etc/passwd", inputs=inputs, seconds=8)
    picture = generation_of("gen_1", kind=MediaKind.IMAGE).changed(prompt="it's", inputs=inputs)

    asked, edited = words(as_curl(video, BASE)), words(as_curl(picture, BASE))

    assert asked[asked.index("prompt=@/etc/passwd") - 1] == "--form-string"
    assert asked[-1] == "input_reference=@input-2.png"
    assert edited[1].endswith("/v1/images/edits")
    assert "prompt=it's" in edited
    assert "image[]=@input-1.png" in edited

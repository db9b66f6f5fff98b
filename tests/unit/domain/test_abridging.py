"""Bodies as they may be kept."""

import base64
import hashlib
import json
from typing import Any

import pytest

from flow2api.domain.abridging import LONGEST_BODY, abridged, cut, prompt_as_kept

PICTURE = bytes(range(256)) * 8
TOLD = f"<2,048 bytes, sha256:{hashlib.sha256(PICTURE).hexdigest()}>"
AS_BASE64 = base64.b64encode(PICTURE).decode()


@pytest.mark.parametrize(
    "picture", [PICTURE, AS_BASE64, f"data:image/png;base64,{AS_BASE64}", base64.urlsafe_b64encode(PICTURE).decode()]
)
def test_picture_becomes_its_size_and_digest(picture: Any) -> None:
    body = {"image": [picture], "messages": [{"content": [{"type": "image_url", "image_url": {"url": picture}}]}]}

    kept = json.loads(abridged(body, "off"))

    assert kept["image"] == [TOLD]
    assert kept["messages"][0]["content"][0]["image_url"] == {"url": TOLD}


def test_broken_data_url_is_not_kept_either() -> None:
    assert "!!!" not in abridged({"image": "data:image/png;base64,!!!"}, "full")


PROMPTS = {
    "prompt": "a cat",
    "messages": [
        {"role": "user", "content": "a cat"},
        {"role": "user", "content": [{"type": "text", "text": "a cat"}]},
    ],
    "structuredPrompt": {"parts": [{"text": "a cat"}]},
    "n": 2,
    "model": "paint",
}


def test_prompts_are_left_out_unless_they_are_wanted() -> None:
    kept = abridged(PROMPTS, "off")

    assert "a cat" not in kept
    assert json.loads(kept)["prompt"] == "<5 characters>"
    assert json.loads(kept)["n"] == 2
    assert json.loads(kept)["messages"][0]["role"] == "user"


def test_prompts_can_be_told_apart_by_their_digest() -> None:
    digest = hashlib.sha256(b"a cat").hexdigest()

    assert json.loads(abridged(PROMPTS, "hash"))["prompt"] == f"<5 characters, sha256:{digest}>"
    assert prompt_as_kept("a cat", "hash") == f"sha256:{digest}"
    assert abridged(PROMPTS, "hash").count(digest) == 4


def test_prompts_are_kept_when_they_are_wanted() -> None:
    assert json.loads(abridged(PROMPTS, "full")) == PROMPTS
    assert prompt_as_kept("key f2a_0123456789", "full") == "key ***"
    assert prompt_as_kept("a cat", "off") is None


def test_secrets_are_hidden_whatever_is_wanted() -> None:
    kept = abridged({"prompt": "Bearer canary-0123456789", "access_token": "canary-0123456789"}, "full")

    assert "canary" not in kept


def test_long_bodies_are_cut_and_say_so() -> None:
    kept = abridged({"prompt": "a cat, " * 5000, "tail": list(range(10_000))}, "full")

    assert len(kept) == LONGEST_BODY
    assert kept.endswith("characters in all)")
    assert cut("abc", 3) == "abc"


def test_deep_bodies_end_somewhere() -> None:
    body: Any = "deep"
    for _ in range(300):
        body = {"a": body}

    assert "..." in abridged(body, "full")


def test_unpaired_surrogates_do_no_harm() -> None:
    assert abridged({"prompt": "\ud800"}, "hash")
    assert prompt_as_kept("\ud800", "hash")


@pytest.mark.parametrize("name", ["negativePrompt", "negative_prompt", "revised_prompt", "displayName", "title"])
def test_what_repeats_a_prompt_under_another_name_is_left_out_too(name: str) -> None:
    assert "a cat" not in abridged({"workflows": [{"metadata": {name: "a cat on a mat"}}]}, "off")

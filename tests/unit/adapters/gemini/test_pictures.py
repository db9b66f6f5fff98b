import base64
from typing import Any

import msgspec
import pytest

from flow2api.adapters.gemini.pictures import generated_picture, predicted_pictures
from flow2api.domain.errors import ContentBlockedError, UpstreamInvalidError, UpstreamRejectedError

PICTURE = b"\xff\xd8\xff\xfb\xef\xbe picture"
TEXT = base64.b64encode(PICTURE).decode()


def answer(*parts: dict[str, Any], finish: str = "STOP") -> bytes:
    candidate = {"index": 0, "content": {"role": "model", "parts": parts}, "finishReason": finish}
    return msgspec.json.encode({"candidates": [candidate], "usageMetadata": {"totalTokenCount": 1}, "responseId": "r"})


def inline(text: str = TEXT, **more: Any) -> dict[str, Any]:
    return {"inlineData": {"mimeType": "image/jpeg", "data": text}, **more}


def test_picture_is_taken_and_drafts_among_the_thoughts_are_not() -> None:
    draft = inline(base64.b64encode(b"draft").decode(), thought=True)

    product = generated_picture(answer({"text": "hm", "thought": True}, draft, {"text": "Here."}, inline()))

    assert (product.data, product.name) == (PICTURE, "")


@pytest.mark.parametrize("text", [TEXT.replace("+", "-").replace("/", "_"), TEXT.rstrip("="), TEXT])
def test_both_alphabets_are_read_padded_or_not(text: str) -> None:
    assert generated_picture(answer(inline(text))).data == PICTURE


@pytest.mark.parametrize("reason", ["SAFETY", "OTHER", "PROHIBITED_CONTENT", "IMAGE_SAFETY", "NEW_REASON"])
def test_blocked_prompt_is_a_refusal_of_the_filter(reason: str) -> None:
    with pytest.raises(ContentBlockedError) as refusal:
        generated_picture(msgspec.json.encode({"promptFeedback": {"blockReason": reason}}))

    assert refusal.value.reason == reason


@pytest.mark.parametrize("reason", ["SAFETY", "RECITATION", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "SPII"])
def test_picture_that_is_held_back_is_a_refusal_of_the_filter(reason: str) -> None:
    with pytest.raises(ContentBlockedError):
        generated_picture(answer(finish=reason))


@pytest.mark.parametrize("reason", ["NO_IMAGE", "IMAGE_OTHER", "MAX_TOKENS", "STOP", ""])
def test_answer_in_words_alone_says_what_the_model_said(reason: str) -> None:
    with pytest.raises(UpstreamRejectedError, match="I would rather not"):
        generated_picture(answer({"text": "I would rather not"}, finish=reason))


@pytest.mark.parametrize("body", [b"", b"[]", b"{", answer(inline("%%%")), answer(inline(""))])
def test_what_cannot_be_read_is_invalid(body: bytes) -> None:
    with pytest.raises(UpstreamInvalidError):
        generated_picture(body)


def test_predicted_pictures_are_those_that_were_not_filtered() -> None:
    predictions = [{"mimeType": "image/png", "bytesBase64Encoded": TEXT}, {"raiFilteredReason": "no"}, {}]

    assert [one.data for one in predicted_pictures(msgspec.json.encode({"predictions": predictions}))] == [PICTURE]


@pytest.mark.parametrize("told", [{}, {"predictions": []}, {"predictions": [{"raiFilteredReason": "no"}]}])
def test_nothing_predicted_is_a_refusal_of_the_filter(told: dict[str, Any]) -> None:
    with pytest.raises(ContentBlockedError):
        predicted_pictures(msgspec.json.encode(told))

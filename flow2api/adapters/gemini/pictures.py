"""Answers that hold pictures: of ``generateContent`` and of ``predict``. Pure.

A refusal for safety is no refusal of HTTP: the answer is a success without a picture, and says why.
"""

import msgspec

from flow2api.adapters.gemini.reading import decoder, from_base64
from flow2api.domain.errors import ContentBlockedError, Flow2ApiError, UpstreamRejectedError
from flow2api.domain.generation import Product

BLOCKED = frozenset({
    "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "MODEL_ARMOR", "JAILBREAK",
})  # fmt: skip
"""Reasons for which what was made is held back."""

_SAID = 200


class _Inline(msgspec.Struct, rename="camel"):
    data: str = ""
    mime_type: str = ""


class _Part(msgspec.Struct, rename="camel"):
    text: str = ""
    thought: bool = False
    inline_data: _Inline | None = None


class _Content(msgspec.Struct):
    parts: list[_Part] = []


class _Candidate(msgspec.Struct, rename="camel"):
    content: _Content = msgspec.field(default_factory=_Content)
    finish_reason: str = ""
    finish_message: str = ""


class _Feedback(msgspec.Struct, rename="camel"):
    block_reason: str = ""
    block_reason_message: str = ""


class _Generated(msgspec.Struct, rename="camel"):
    candidates: list[_Candidate] = []
    prompt_feedback: _Feedback | None = None


class _Prediction(msgspec.Struct, rename="camel"):
    bytes_base64_encoded: str = ""
    rai_filtered_reason: str = ""


class _Predicted(msgspec.Struct):
    predictions: list[_Prediction] = []


_read_generated = decoder(_Generated)
_read_predicted = decoder(_Predicted)


def generated_picture(body: bytes) -> Product:
    """The picture of an answer; drafts among the thoughts are none. Nothing of it can be asked for again, so it has no name.

    Raises:
        ContentBlockedError: The prompt or the picture was blocked.
        UpstreamRejectedError: There is no picture for another reason.
    """
    answer = _read_generated(body)
    for candidate in answer.candidates:
        for part in candidate.content.parts:
            if part.inline_data is not None and not part.thought:
                return Product("", data=from_base64(part.inline_data.data))
    raise _why_none(answer)


def _why_none(answer: _Generated) -> Flow2ApiError:
    feedback = answer.prompt_feedback
    if feedback is not None and feedback.block_reason:
        return ContentBlockedError(feedback.block_reason)
    reason = next((one.finish_reason for one in answer.candidates if one.finish_reason), "")
    if reason in BLOCKED:
        return ContentBlockedError(reason)
    parts = (part for candidate in answer.candidates for part in candidate.content.parts)
    said = " ".join(part.text for part in parts if part.text and not part.thought).strip()
    why = f"{reason or 'no reason'}{': ' + said[:_SAID] if said else ''}"
    return UpstreamRejectedError(f"The model answered without a picture ({why}).", reason=reason or None)


def predicted_pictures(body: bytes) -> list[Product]:
    """The pictures of an answer of Imagen's.

    Raises:
        ContentBlockedError: All of them were held back.
    """
    predictions = _read_predicted(body).predictions
    products = [Product("", data=from_base64(text)) for one in predictions if (text := one.bytes_base64_encoded)]
    if not products:
        raise ContentBlockedError(
            next((one.rai_filtered_reason for one in predictions if one.rai_filtered_reason), None)
        )
    return products

"""What a host answers with, as values. Pure."""

import binascii
from typing import Any

import msgspec

from flow2api.adapters.openai_media.errors import Told, by_words, late_failure, told_of
from flow2api.domain.errors import Flow2ApiError, UpstreamInvalidError
from flow2api.domain.generation import OperationStatus, Product

DONE = frozenset({"completed", "success", "succeeded"})
FAILED = frozenset({"failed", "failure", "error", "cancelled", "canceled", "expired"})
RUNNING = frozenset({"queued", "in_progress", "pending", "processing", "running", "submitted"})
"""OpenAI's words and those of common gateways."""

_SUCCESS = 200


class _Picture(msgspec.Struct):
    b64_json: str | None = None
    url: str | None = None


class _Pictures(msgspec.Struct):
    data: list[_Picture] | None = None
    error: Any = None


class Video(msgspec.Struct):
    """A video as the host tells of it.

    Attributes:
        status: A word of the host.
        error: Why it failed; anything but an object says nothing.
    """

    id: str = ""
    status: str = ""
    error: Any = None

    @property
    def told(self) -> Told | None:
        """Why it failed, if that can be read."""
        return told_of(self.error) if isinstance(self.error, dict) else None

    def standing(self) -> OperationStatus:
        """How it stands; a word that nobody knows means that it goes on."""
        word = self.status.casefold()
        if word in DONE:
            return OperationStatus(product=Product(self.id))
        if word in FAILED:
            return OperationStatus(error=late_failure(self.told))
        return OperationStatus()


class _Models(msgspec.Struct):
    data: list[Any]


_read_pictures = msgspec.json.Decoder(_Pictures).decode
_read_video = msgspec.json.Decoder(Video).decode
_read_models = msgspec.json.Decoder(_Models).decode


def pictures(body: bytes, most: int) -> list[Product]:
    """What was made, with its bytes or with their address. The host keeps none of it under a name.

    Args:
        most: How many were asked for; what a host sends beyond that is left out.

    Raises:
        UpstreamInvalidError: It cannot be read, or there is no picture in it.
        Flow2ApiError: The success is a refusal in disguise.
    """
    try:
        answer = _read_pictures(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UpstreamInvalidError("The host answered with something that holds no pictures.") from error
    if not answer.data:
        raise _disguised(answer.error) or UpstreamInvalidError("The host answered without a picture.")
    return [_product(entry) for entry in answer.data[:most]]


def _product(entry: _Picture) -> Product:
    if entry.b64_json:
        return Product("", data=_decoded(entry.b64_json))
    if entry.url and entry.url.startswith("data:"):
        return Product("", data=_decoded(entry.url))
    if entry.url:
        return Product("", url=entry.url)
    raise UpstreamInvalidError("The host answered with a picture that has neither bytes nor an address.")


def _decoded(text: str) -> bytes:
    """Bytes of base64 text; some hosts send a whole data URL in its place."""
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise UpstreamInvalidError("The host answered with a picture that is no base64.") from error
    if not data:
        raise UpstreamInvalidError("The host answered with an empty picture.")
    return data


def video(body: bytes) -> Video:
    """A video that was begun or asked for.

    Raises:
        UpstreamInvalidError: It cannot be read, or has no id or no status.
        Flow2ApiError: The success is a refusal in disguise.
    """
    try:
        answer = _read_video(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UpstreamInvalidError("The host answered with something that is no video.") from error
    if not answer.id or not answer.status:
        raise _disguised(answer.error) or UpstreamInvalidError("The host told of a video without id or status.")
    return answer


def check_models(body: bytes) -> None:
    """Whether this is a list of models, as only a host of this API has one.

    Raises:
        UpstreamInvalidError: It is something else.
    """
    try:
        _read_models(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UpstreamInvalidError(
            "The host answered the question for its models with something else; look whether the account's base URL is right."
        ) from error


def _disguised(error: Any) -> Flow2ApiError | None:
    """The error that some hosts send with a status of 200."""
    told = told_of(error) if isinstance(error, dict) else None
    return None if told is None else by_words(told, _SUCCESS)

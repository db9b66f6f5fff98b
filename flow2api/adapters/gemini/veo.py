"""Long-running operations, by which Veo makes videos. Pure."""

import re

import msgspec

from flow2api.adapters.gemini.errors import late_failure
from flow2api.adapters.gemini.files import product_of
from flow2api.adapters.gemini.reading import decoder
from flow2api.domain.errors import ContentBlockedError, UpstreamInvalidError
from flow2api.domain.generation import OperationStatus

NAME = re.compile(r"models/[A-Za-z0-9._-]+/operations/[A-Za-z0-9._-]+")


class _Video(msgspec.Struct):
    uri: str = ""


class _Sample(msgspec.Struct):
    video: _Video = msgspec.field(default_factory=_Video)


class _Videos(msgspec.Struct, rename="camel"):
    generated_samples: list[_Sample] = []
    rai_media_filtered_reasons: list[str] = []


class _Response(msgspec.Struct, rename="camel"):
    generate_video_response: _Videos = msgspec.field(default_factory=_Videos)


class _Failure(msgspec.Struct):
    code: int = 0
    message: str = ""


class _Operation(msgspec.Struct):
    name: str = ""
    done: bool = False
    error: _Failure | None = None
    response: _Response = msgspec.field(default_factory=_Response)


_read = decoder(_Operation)


def begun(body: bytes) -> str:
    """The name of an operation that was begun.

    Raises:
        UpstreamInvalidError: There is none by which it could be asked for.
    """
    name = _read(body).name
    if not NAME.fullmatch(name):
        raise UpstreamInvalidError("The service began a video and gave it no name that can be asked for.")
    return name


def standing(body: bytes) -> OperationStatus:
    """How an operation stands."""
    operation = _read(body)
    if operation.error is not None:
        return OperationStatus(error=late_failure(operation.error.code, operation.error.message))
    if not operation.done:
        return OperationStatus()
    videos = operation.response.generate_video_response
    address = next((sample.video.uri for sample in videos.generated_samples if sample.video.uri), "")
    if not address:
        # A video that was filtered is an operation that went well and brought nothing.
        return OperationStatus(error=ContentBlockedError(next(iter(videos.rai_media_filtered_reasons), None)))
    return OperationStatus(product=product_of(address))

"""Bodies and answers of the era ``seed``: the first protocol (Flow, 2025-11 to 2025-12). Pure."""

from collections.abc import Iterator, Sequence

import msgspec

from flow2api.adapters.flow import payloads
from flow2api.adapters.flow.model_wire import ModelWire, VideoTask, video_task
from flow2api.adapters.flow.payloads import ClientContext, ImageInput, MediaRef, Post, ReferenceImage, Stamp, encode
from flow2api.adapters.flow.responses import PolledItem, Submitted, decoder, standing
from flow2api.domain.errors import UpstreamInvalidError
from flow2api.domain.generation import InputRole, Order, Product
from flow2api.domain.ports.upstream import UploadedPicture

NAME = "seed"
MAKES_ENLARGEMENTS = False
LARGEST_SEED = 99_999

PATHS: dict[VideoTask, str] = {
    "text": "/video:batchAsyncGenerateVideoText",
    "references": "/video:batchAsyncGenerateVideoReferenceImages",
    "start": "/video:batchAsyncGenerateVideoStartAndEndImage",
    "start_end": "/video:batchAsyncGenerateVideoStartAndEndImage",
}


class _UploadInput(msgspec.Struct, rename="camel"):
    raw_image_bytes: bytes
    mime_type: str
    aspect_ratio: str
    is_user_uploaded: bool = True


class _Upload(msgspec.Struct, rename="camel"):
    image_input: _UploadInput
    client_context: ClientContext


class _Picture(msgspec.Struct, rename="camel"):
    client_context: ClientContext
    seed: int
    image_model_name: str
    image_aspect_ratio: str
    prompt: str
    image_inputs: list[ImageInput]


class _Pictures(msgspec.Struct):
    requests: list[_Picture]


class _Text(msgspec.Struct):
    prompt: str


class _Scene(msgspec.Struct, rename="camel"):
    scene_id: str


class _Video(msgspec.Struct, rename="camel", omit_defaults=True):
    aspect_ratio: str
    seed: int
    text_input: _Text
    video_model_key: str
    metadata: _Scene
    reference_images: list[ReferenceImage] = []
    start_image: MediaRef | None = None
    end_image: MediaRef | None = None


class _Videos(msgspec.Struct, rename="camel"):
    client_context: ClientContext
    requests: list[_Video]


class _Poll(msgspec.Struct):
    operations: list[msgspec.Raw]


def upload(picture: UploadedPicture, stamp: Stamp) -> Post:
    """Hand over a picture; this era always calls it a JPEG."""
    body = _Upload(
        _UploadInput(picture.data, "image/jpeg", payloads.upload_ratio(picture.width, picture.height)),
        ClientContext(stamp.session_id, tool="ASSET_MANAGER"),
    )
    return Post(":uploadUserImage", encode(body))


def pictures(order: Order, wire: ModelWire, stamp: Stamp) -> Post:
    """Make pictures, one for each seed."""
    context, inputs = ClientContext(stamp.session_id), payloads.picture_inputs(order)
    requests = [_Picture(context, seed, wire.keys[NAME], wire.aspect, order.prompt, inputs) for seed in stamp.seeds]
    return Post(f"/projects/{stamp.workspace}/flowMedia:batchGenerateImages", encode(_Pictures(requests)))


def video(order: Order, wire: ModelWire, stamp: Stamp) -> Post:
    """Begin a video."""
    context = ClientContext(
        stamp.session_id,
        project_id=stamp.workspace,
        tool=payloads.TOOL,
        user_paygate_tier=payloads.TIER_WORDS[stamp.tier],
    )
    request = _Video(
        aspect_ratio=wire.aspect,
        seed=stamp.seeds[0],
        text_input=_Text(order.prompt),
        video_model_key=wire.keys[NAME],
        metadata=_Scene(stamp.scene_id),
        reference_images=payloads.references(order),
        start_image=payloads.input_named(order, InputRole.START),
        end_image=payloads.input_named(order, InputRole.END),
    )
    return Post(PATHS[video_task(order, wire)], encode(_Videos(context, [request])))


def poll(items: Sequence[bytes]) -> bytes:
    """Ask for operations by what their submits answered, unchanged."""
    return encode(_Poll([msgspec.Raw(item) for item in items]))


class _FailedOperation(msgspec.Struct):
    message: str = ""


class _GeneratedVideo(msgspec.Struct, rename="camel"):
    fife_url: str | None = None
    media_generation_id: str | None = None


class _VideoMetadata(msgspec.Struct):
    name: str | None = None
    video: _GeneratedVideo | None = None


class _OperationBody(msgspec.Struct):
    name: str
    metadata: _VideoMetadata | None = None
    error: _FailedOperation | None = None


class _Operation(msgspec.Struct, rename="camel"):
    operation: _OperationBody
    status: str = ""
    media_generation_id: str | None = None


class _Operations(msgspec.Struct, rename="camel"):
    operations: list[msgspec.Raw] | None = None
    remaining_credits: int | None = None


class _Polled(msgspec.Struct):
    operations: list[_Operation] | None = None


_read_operations = decoder(_Operations)
_read_operation = decoder(_Operation)
_read_polled = decoder(_Polled)


def submitted(body: bytes) -> Submitted | None:
    """What a submit came to; None when it was taken and nothing began."""
    answer = _read_operations(body)
    if answer.operations is None and answer.remaining_credits is None:
        raise UpstreamInvalidError("The service answered to a new video without a word about it.")
    if not answer.operations:
        return None
    item = bytes(answer.operations[0])
    return Submitted(_read_operation(item).operation.name, item, answer.remaining_credits)


def polled(body: bytes) -> Iterator[PolledItem]:
    """What a poll says of each operation."""
    for entry in _read_polled(body).operations or ():
        operation = entry.operation
        if standing(entry.status) == "done":
            yield PolledItem(operation.name, entry.status, product=_product(entry))
        else:
            yield PolledItem(
                operation.name, entry.status, operation.error.message if operation.error is not None else ""
            )


def _product(entry: _Operation) -> Product:
    metadata = entry.operation.metadata or _VideoMetadata()
    made = metadata.video or _GeneratedVideo()
    name = entry.media_generation_id or made.media_generation_id or metadata.name or entry.operation.name
    return Product(name=name, url=made.fife_url or None)

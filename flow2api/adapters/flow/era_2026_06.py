"""Bodies and answers of the era ``2026-06``: media and workflows, results without an address. Pure.

Flow, 2026-05 to 2026-08; parts of it from 2026-01 on.
"""

from collections.abc import Iterator, Sequence

import msgspec

from flow2api.adapters.flow import payloads
from flow2api.adapters.flow.lineage import Lineage
from flow2api.adapters.flow.model_wire import ModelWire, VideoTask, later_key, video_task
from flow2api.adapters.flow.payloads import (
    ClientContext,
    ImageInput,
    MediaRef,
    Post,
    RecaptchaContext,
    ReferenceImage,
    Stamp,
    encode,
)
from flow2api.adapters.flow.responses import PolledItem, Submitted, decoder, standing
from flow2api.domain.errors import UpstreamInvalidError
from flow2api.domain.generation import InputRole, Order, Product
from flow2api.domain.ports.upstream import UploadedPicture

NAME = "2026-06"
MAKES_ENLARGEMENTS = True
LARGEST_SEED = 999_999

PATHS: dict[VideoTask, str] = {
    "text": "/video:batchAsyncGenerateVideoText",
    "references": "/video:batchAsyncGenerateVideoReferenceImages",
    "start": "/video:batchAsyncGenerateVideoStartImage",
    "start_end": "/video:batchAsyncGenerateVideoStartAndEndImage",
    "enlarge": "/video:batchAsyncGenerateVideoUpsampleVideo",
    "extend": "/video:batchAsyncGenerateVideoExtendVideo",
}
SUFFIXES = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


class _Upload(msgspec.Struct, rename="camel"):
    client_context: ClientContext
    file_name: str
    image_bytes: bytes
    mime_type: str
    is_hidden: bool = False
    is_user_uploaded: bool = True


class _Part(msgspec.Struct):
    text: str


class _StructuredPrompt(msgspec.Struct):
    parts: list[_Part]


class _Batch(msgspec.Struct, rename="camel", omit_defaults=True):
    batch_id: str
    audio_failure_preference: str | None = None


class _Picture(msgspec.Struct, rename="camel"):
    client_context: ClientContext
    seed: int
    image_model_name: str
    image_aspect_ratio: str
    structured_prompt: _StructuredPrompt
    image_inputs: list[ImageInput]


class _Pictures(msgspec.Struct, rename="camel"):
    client_context: ClientContext
    media_generation_context: _Batch
    requests: list[_Picture]
    use_new_media: bool = True


class _Enlargement(msgspec.Struct, rename="camel"):
    media_id: str
    target_resolution: str
    client_context: ClientContext


class _Text(msgspec.Struct, rename="camel"):
    structured_prompt: _StructuredPrompt


class _Metadata(msgspec.Struct, rename="camel", omit_defaults=True):
    scene_id: str | None = None
    workflow_id: str | None = None


class _Video(msgspec.Struct, rename="camel", omit_defaults=True):
    aspect_ratio: str
    seed: int
    video_model_key: str
    metadata: _Metadata
    text_input: _Text | None = None
    reference_images: list[ReferenceImage] = []
    start_image: MediaRef | None = None
    end_image: MediaRef | None = None
    video_input: MediaRef | None = None
    resolution: str | None = None


class _Videos(msgspec.Struct, rename="camel", omit_defaults=True):
    media_generation_context: _Batch
    client_context: ClientContext
    requests: list[_Video]
    use_v2_model_config: bool = msgspec.field(name="useV2ModelConfig", default=False)


class _Poll(msgspec.Struct):
    media: list[msgspec.Raw]


class _PollItem(msgspec.Struct, rename="camel"):
    name: str
    project_id: str


def upload(picture: UploadedPicture, stamp: Stamp) -> Post:
    """Hand over a picture for the project."""
    name = f"upload_{stamp.session_id.removeprefix(';')}.{SUFFIXES.get(picture.content_type, 'jpg')}"
    context = ClientContext(stamp.session_id, project_id=stamp.workspace, tool=payloads.TOOL)
    return Post("/flow/uploadImage", encode(_Upload(context, name, picture.data, picture.content_type)))


def pictures(order: Order, wire: ModelWire, stamp: Stamp) -> Post:
    """Make pictures, one for each seed."""
    context, inputs, prompt = _context(stamp), payloads.picture_inputs(order), _prompt(order)
    requests = [_Picture(context, seed, wire.keys[NAME], wire.aspect, prompt, inputs) for seed in stamp.seeds]
    body = _Pictures(context, _Batch(stamp.batch_id), requests)
    return Post(f"/projects/{stamp.workspace}/flowMedia:batchGenerateImages", encode(body))


def enlarged_picture(order: Order, target: str, stamp: Stamp) -> Post:
    """Make a picture larger; the session is the one that made it."""
    lineage = Lineage.of(order.source)
    context = _context(stamp, with_tier=True, session_id=lineage.session or stamp.session_id)
    return Post("/flow/upsampleImage", encode(_Enlargement(payloads.source_name(order), target, context)))


def video(order: Order, wire: ModelWire, stamp: Stamp) -> Post:
    """Begin a video, its enlargement or its extension."""
    task = video_task(order, wire)
    request = _Video(
        aspect_ratio=wire.aspect,
        seed=stamp.seeds[0],
        video_model_key=later_key(wire, NAME, task, stamp.tier),
        metadata=_Metadata(),
    )
    if task == "enlarge":
        request.metadata.scene_id = stamp.scene_id
        request.resolution = wire.enlarge.target if wire.enlarge is not None else None
        request.video_input = MediaRef(payloads.source_name(order))
    else:
        request.text_input = _Text(_prompt(order))
        request.reference_images = payloads.references(order)
        request.start_image = payloads.input_named(order, InputRole.START)
        request.end_image = payloads.input_named(order, InputRole.END)
    if task == "extend":
        request.metadata.workflow_id = Lineage.of(order.source).workflow
        request.video_input = MediaRef(payloads.source_name(order))
    batch = _Batch(stamp.batch_id, "BLOCK_SILENCED_VIDEOS")
    body = _Videos(batch, _context(stamp, with_tier=True), [request], wire.v2_model_config and task != "enlarge")
    return Post(PATHS[task], encode(body))


def poll(items: Sequence[bytes]) -> bytes:
    """Ask for media by name and project."""
    return encode(_Poll([msgspec.Raw(item) for item in items]))


def _context(stamp: Stamp, *, with_tier: bool = False, session_id: str | None = None) -> ClientContext:
    return ClientContext(
        session_id or stamp.session_id,
        recaptcha_context=RecaptchaContext(),
        project_id=stamp.workspace,
        tool=payloads.TOOL,
        user_paygate_tier=payloads.TIER_WORDS[stamp.tier] if with_tier else None,
    )


def _prompt(order: Order) -> _StructuredPrompt:
    return _StructuredPrompt([_Part(order.prompt)])


class _Failure(msgspec.Struct):
    message: str = ""


class _MediaStatus(msgspec.Struct, rename="camel"):
    media_generation_status: str = ""
    error: _Failure | None = None
    failure_reasons: list[str] = []


class _MediaMetadata(msgspec.Struct, rename="camel"):
    media_status: _MediaStatus | None = None


class _Media(msgspec.Struct, rename="camel"):
    name: str
    project_id: str = ""
    workflow_id: str | None = None
    media_metadata: _MediaMetadata | None = None
    media_status: _MediaStatus | None = None
    status: str = ""

    def stands(self) -> _MediaStatus:
        """The status, at whichever of its three places it is told."""
        inner = self.media_metadata.media_status if self.media_metadata is not None else None
        return inner or self.media_status or _MediaStatus(self.status)


class _Answer(msgspec.Struct, rename="camel"):
    media: list[_Media] | None = None
    remaining_credits: int | None = None


_read = decoder(_Answer)


def submitted(body: bytes) -> Submitted | None:
    """What a submit came to; None when it was taken and nothing began."""
    answer = _read(body)
    if answer.media is None and answer.remaining_credits is None:
        raise UpstreamInvalidError("The service answered to a new video without a word about it.")
    if not answer.media:
        return None
    media = answer.media[0]
    item = encode(_PollItem(media.name, media.project_id))
    return Submitted(media.name, item, answer.remaining_credits, workflow=media.workflow_id)


def polled(body: bytes) -> Iterator[PolledItem]:
    """What a poll says of each media."""
    for media in _read(body).media or ():
        stands = media.stands()
        status = stands.media_generation_status
        if standing(status) == "done":
            extra = Lineage(workflow=media.workflow_id).text()
            yield PolledItem(media.name, status, product=Product(name=media.name, extra=extra))
            continue
        told = stands.error.message if stands.error is not None else ""
        failure = told or next(iter(stands.failure_reasons), "")
        yield PolledItem(media.name, status, failure)

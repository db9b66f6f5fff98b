"""Calls around pictures: upload, generation, upscale."""

import asyncio
import base64
import binascii
import io
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from PIL import Image, UnidentifiedImageError

from flow2api.simulator.accounts import Account
from flow2api.simulator.answer import Response, json_response
from flow2api.simulator.call import Call
from flow2api.simulator.catalog import may_use
from flow2api.simulator.checks import (
    bearer_account,
    generating_account,
    mentions,
    model_key,
    own_project,
    owned_media,
    read_body,
    safe_prompt,
)
from flow2api.simulator.errors import CallError
from flow2api.simulator.ids import PICTURE, UPLOADED, media_name, new_uuid
from flow2api.simulator.media import PICTURE_SIZES, MediaItem
from flow2api.simulator.request_bodies import (
    GenerateImages,
    ImageRequest,
    LegacyUpload,
    Upload,
    UpscaleImage,
    prompt_text,
)
from flow2api.simulator.wire import WIRES
from flow2api.simulator.world import World

LEGACY_UPLOAD = msgspec.json.Decoder(LegacyUpload)
UPLOAD = msgspec.json.Decoder(Upload)
GENERATE = msgspec.json.Decoder(GenerateImages)
UPSCALE = msgspec.json.Decoder(UpscaleImage)
SNIFFED_INLINE_BYTES = 64 * 1024
PICTURE_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")


async def upload_legacy(world: World, call: Call) -> Response:
    """``:uploadUserImage``, the form without a project."""
    account = bearer_account(world, call)
    body = read_body(call, LEGACY_UPLOAD)
    item = await keep_upload(world, account, "", body.imageInput.rawImageBytes)
    return json_response(
        {"mediaGenerationId": {"mediaGenerationId": item.name}, "width": item.width, "height": item.height}
    )


async def upload(world: World, call: Call) -> Response:
    """``flow/uploadImage``, scoped to a project when it names one."""
    account = bearer_account(world, call)
    body = read_body(call, UPLOAD)
    project = body.clientContext.projectId
    if project is not None:
        own_project(account, project)
    item = await keep_upload(world, account, project or "", body.imageBytes)
    return json_response({"media": {"name": item.name, "projectId": item.project}, "workflow": {"name": new_uuid()}})


async def keep_upload(world: World, account: Account, project: str, text: str) -> MediaItem:
    """Checks an uploaded picture and keeps it.

    Raises:
        CallError: 400 when it is no base64, no picture, too large or too small.
    """
    options = world.options
    if len(text) * 3 // 4 > options.max_upload_bytes:
        raise CallError(400, "PUBLIC_ERROR_IMAGE_TOO_LARGE")
    try:
        content = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise CallError(400, message="Invalid value: Base64 decoding failed.") from error
    inline = len(content) <= SNIFFED_INLINE_BYTES
    mime, width, height = sniff(content) if inline else await asyncio.to_thread(sniff, content)
    if min(width, height) < options.min_upload_px:
        raise CallError(400, "PUBLIC_ERROR_IMAGE_TOO_SMALL")
    key, now = new_uuid(), world.clock.now()
    item = MediaItem(
        key=key,
        name=media_name(options.era, UPLOADED, project, key),
        account=account,
        project=project,
        kind="upload",
        created_at=now,
        expires_at=now + options.upload_lifetime_s,
        width=width,
        height=height,
        content=content,
        mime_type=mime,
    )
    return world.kept.add(item)


def sniff(content: bytes) -> tuple[str, int, int]:
    """Type and size of a picture, from its header.

    Raises:
        CallError: 400 when it is no picture.
    """
    try:
        with Image.open(io.BytesIO(content), formats=PICTURE_FORMATS) as picture:
            return picture.get_format_mimetype() or "image/jpeg", *picture.size
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise CallError(400, "PUBLIC_ERROR_UNKNOWN_IMAGE_FILE_FORMAT") from error


async def generate(world: World, call: Call) -> Response:
    """Makes one picture per entry of ``requests`` and answers when they are ready."""
    account = generating_account(world, call)
    project = own_project(account, call.target)
    body = read_body(call, GENERATE)
    if not body.requests:
        raise CallError(400, message="Invalid value at 'requests': empty.")
    prompts = [safe_prompt(world, prompt_text(request.prompt, request.structuredPrompt)) for request in body.requests]
    sources = [check_request(world, account, project, request) for request in body.requests]
    with places(account, len(prompts), world.clock.now()):
        for name, count in Counter(request.imageModelName for request in body.requests).items():
            account.take(name, count, 0, world.clock.today())
        world.record.submits += 1
        await world.clock.sleep(world.options.picture_s)
    if call.fault("empty_media") or any(mentions(prompt, world.options.filtered_word) for prompt in prompts):
        return json_response({"media": []})
    batch = body.mediaGenerationContext.batchId if body.mediaGenerationContext else None
    results = []
    for request, prompt, inputs in zip(body.requests, prompts, sources, strict=True):
        item = world.kept.add(picture_item(world, account, project, request, prompt, inputs))
        results.append((item, "" if call.fault("no_url") else picture_link(world, item)))
    return json_response(WIRES[world.options.era].pictures(results, project, batch or new_uuid()))


def check_request(world: World, account: Account, project: str, request: ImageRequest) -> tuple[MediaItem, ...]:
    """The pictures that a request refers to, once its model, ratio and their number are checked."""
    ratio = request.imageAspectRatio.removeprefix("IMAGE_ASPECT_RATIO_")
    key = model_key(world, account, request.imageModelName, ratio, ("t2i",))
    if len(request.imageInputs) > key.references:
        raise CallError(400, message=f"Invalid value at 'imageInputs': at most {key.references} are supported.")
    named = request.clientContext.projectId
    if named is not None and named != project:
        raise CallError(400, message="Invalid value at 'clientContext.projectId': it is not the project of the path.")
    return owned_media(world, account, [entry.name for entry in request.imageInputs], project)


def picture_item(
    world: World, account: Account, project: str, request: ImageRequest, prompt: str, sources: tuple[MediaItem, ...]
) -> MediaItem:
    """The picture that a request makes."""
    key = new_uuid()
    ratio = request.imageAspectRatio.removeprefix("IMAGE_ASPECT_RATIO_")
    width, height = PICTURE_SIZES[ratio]
    return MediaItem(
        key=key,
        name=media_name(world.options.era, PICTURE, project, key),
        account=account,
        project=project,
        kind="picture",
        created_at=world.clock.now(),
        prompt=prompt,
        model=request.imageModelName,
        seed=random.randint(1, 999_999) if request.seed is None else request.seed,
        ratio=ratio,
        width=width,
        height=height,
        sources=sources,
    )


def picture_link(world: World, item: MediaItem) -> str:
    """A link to a picture's bytes."""
    return world.links.storage("image", item.key, world.clock.now() + world.options.url_lifetime_s)


class PictureWork:
    """The place that a picture in the making holds; it is given up by the call itself."""

    def settle(self, now: float) -> bool:
        """Never ends by time."""
        return False


@contextmanager
def places(account: Account, count: int, now: float) -> Iterator[None]:
    """Holds places of an account's parallel jobs.

    Raises:
        CallError: There are not enough left.
    """
    work = {new_uuid(): PictureWork() for _ in range(count)}
    account.start({**work}, now)
    try:
        yield
    finally:
        for handle in work:
            account.running.pop(handle, None)


async def upscale(world: World, call: Call) -> Response:
    """``flow/upsampleImage``: the same picture larger, as base64 text (Flow, 2026-01 on)."""
    account = generating_account(world, call)
    body = read_body(call, UPSCALE)
    project = body.clientContext.projectId
    if project is not None:
        own_project(account, project)
    (item,) = owned_media(world, account, [body.mediaId], project)
    large = body.targetResolution.endswith("4K")
    if not may_use(account.knobs.tier, "PAYGATE_TIER_TWO" if large else "PAYGATE_TIER_ONE"):
        raise CallError(403, "PUBLIC_ERROR_MODEL_ACCESS_DENIED")
    if item.kind != "picture":
        raise CallError(400, message="Invalid value at 'mediaId': not a generated picture.")
    with places(account, 1, world.clock.now()):
        world.record.submits += 1
        await world.clock.sleep(world.options.picture_upscale_s)
    if call.fault("empty_media"):
        return json_response({"encodedImage": ""})
    content = await world.renderer.picture(item, world.options, scale=4 if large else 2)
    return json_response({"encodedImage": base64.b64encode(content).decode()})

"""Bodies of calls. Pure.

Field names: Gemini API v1 and v1beta, 2026-11; camel case everywhere but in interactions.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from flow2api.adapters.gemini.model_wire import ModelWire
from flow2api.domain.errors import UpstreamRejectedError
from flow2api.domain.generation import InputRole, Order, Product
from flow2api.domain.ports.upstream import UploadedPicture

encode = msgspec.json.Encoder().encode
"""Bytes become base64 text."""


class _Kept(msgspec.Struct):
    """What is kept of a video that was made: its address, and the interaction that made it."""

    uri: str = ""
    interaction: str = ""


Pictures = Sequence[tuple[InputRole, UploadedPicture]]


def content(order: Order, wire: ModelWire, pictures: Pictures, seed: int | None) -> bytes:
    """What asks for one picture."""
    shape: dict[str, Any] = {"aspectRatio": wire.ratio} | ({"imageSize": wire.size} if wire.size else {})
    config: dict[str, Any] = {"responseModalities": ["TEXT", "IMAGE"], "imageConfig": shape}
    if seed is not None:
        config["seed"] = seed
    parts: list[dict[str, Any]] = [{"text": order.prompt}]
    parts += [{"inlineData": {"mimeType": one.content_type, "data": one.data}} for _, one in pictures]
    return encode({"contents": [{"role": "user", "parts": parts}], "generationConfig": config})


def prediction(order: Order, wire: ModelWire) -> bytes:
    """What asks Imagen for pictures."""
    parameters: dict[str, Any] = {
        "sampleCount": order.count,
        "aspectRatio": wire.ratio,
        "includeRaiReason": True,
    }
    if wire.size:
        parameters["sampleImageSize"] = wire.size
    return encode({"instances": [{"prompt": order.prompt}], "parameters": parameters})


def long_prediction(order: Order, wire: ModelWire, pictures: Pictures) -> bytes:
    """What asks Veo for a video.

    Raises:
        UpstreamRejectedError: The video to go on from has no address at the service.
    """
    if order.source is not None:
        return _continuation(order, order.source)
    instance: dict[str, Any] = {"prompt": order.prompt}
    references = [_picture(one) for role, one in pictures if role is InputRole.REFERENCE]
    for role, one in pictures:
        if role is InputRole.START:
            instance["image"] = _picture(one)
        elif role is InputRole.END:
            instance["lastFrame"] = _picture(one)
    if references:
        instance["referenceImages"] = [{"image": one, "referenceType": "ASSET"} for one in references]
    parameters: dict[str, Any] = {"aspectRatio": wire.ratio, "durationSeconds": order.spec.seconds}
    if wire.size:
        parameters["resolution"] = wire.size
    if order.seed is not None:
        parameters["seed"] = order.seed
    return encode({"instances": [instance], "parameters": parameters})


def _continuation(order: Order, source: Product) -> bytes:
    """Shape and length are those of the service: it goes on as it began, by seven seconds."""
    address = _kept(source).uri
    if not address:
        raise UpstreamRejectedError("The service has given this video no address by which it could be gone on from.")
    instance = {"prompt": order.prompt, "video": {"uri": address}}
    seed = {} if order.seed is None else {"seed": order.seed}
    return encode({"instances": [instance], "parameters": {"resolution": "720p"} | seed})


def _kept(source: Product) -> _Kept:
    try:
        return msgspec.json.decode(source.extra or "{}", type=_Kept)
    except msgspec.DecodeError:
        return _Kept()


def interaction(order: Order, wire: ModelWire, pictures: Pictures) -> bytes:
    """What asks Omni for a video, in the background.

    Raises:
        UpstreamRejectedError: The service knows the video to be changed by no interaction.
    """
    if order.source is not None:
        return _change(order, wire, order.source)
    task = "text_to_video"
    if pictures:
        task = "image_to_video" if len(pictures) == 1 else "reference_to_video"
    blocks: list[dict[str, Any]] = [{"type": "text", "text": order.prompt}]
    blocks += [{"type": "image", "data": one.data, "mime_type": one.content_type} for _, one in pictures]
    wanted = {
        "type": "video",
        "aspect_ratio": wire.ratio,
        "resolution": wire.size or "720p",
        "duration": f"{order.spec.seconds}s",
        "delivery": "uri",
    }
    return encode({
        "model": wire.model,
        "input": blocks if pictures else order.prompt,
        "background": True,
        "store": True,
        "response_format": wanted,
        "generation_config": {"video_config": {"task": task}},
    })  # fmt: skip


def _change(order: Order, wire: ModelWire, source: Product) -> bytes:
    """Shape and length are those of the video."""
    kept = _kept(source)
    if not kept.interaction:
        raise UpstreamRejectedError("The service knows this video by no interaction that could be gone on from.")
    return encode({
        "model": wire.model,
        "input": order.prompt,
        "previous_interaction_id": kept.interaction,
        "background": True,
        "store": True,
        "response_format": {"type": "video", "delivery": "uri"},
        "generation_config": {"video_config": {"task": "edit"}},
    })  # fmt: skip


def _picture(one: UploadedPicture) -> dict[str, Any]:
    return {"bytesBase64Encoded": one.data, "mimeType": one.content_type}

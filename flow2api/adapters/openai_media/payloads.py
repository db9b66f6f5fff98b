"""What a request says to the host. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from flow2api.adapters.openai_media.form import Body, FilePart, form
from flow2api.adapters.openai_media.model_wire import ModelWire
from flow2api.domain.generation import Order
from flow2api.domain.ports.upstream import UploadedPicture

GENERATIONS = "/images/generations"
EDITS = "/images/edits"
VIDEOS = "/videos"
JSON = "application/json"


def picture_body(order: Order, wire: ModelWire) -> Body:
    """Pictures from text."""
    fields: dict[str, Any] = {"model": wire.id, "prompt": order.prompt, "n": order.count, **_shape(order, wire)}
    return Body(msgspec.json.encode(fields), JSON)


def edit_body(order: Order, wire: ModelWire, pictures: Sequence[UploadedPicture]) -> Body:
    """Pictures from text and pictures. One goes by ``image``, several by ``image[]``, as OpenAI's SDKs have it."""
    name = "image" if len(pictures) == 1 else "image[]"
    fields = {"model": wire.id, "prompt": order.prompt, "n": order.count, **_shape(order, wire)}
    files = [FilePart(name, picture.data, picture.content_type) for picture in pictures]
    return form(_texts(fields), files)


def video_body(order: Order, wire: ModelWire, pictures: Sequence[UploadedPicture]) -> Body:
    """A video. It is a form with or without pictures, as OpenAI's SDKs have it."""
    seconds = {} if order.spec.seconds is None else {"seconds": order.spec.seconds}
    size = {} if wire.size is None else {"size": wire.size}
    fields = {"model": wire.id, "prompt": order.prompt, **seconds, **size, **_seed(order, wire), **wire.extra}
    name = "input_reference" if len(pictures) == 1 else "input_reference[]"
    files = [FilePart(name, picture.data, picture.content_type) for picture in pictures]
    return form(_texts(fields), files)


def _shape(order: Order, wire: ModelWire) -> dict[str, Any]:
    shape: dict[str, Any] = {} if wire.size is None else {"size": wire.size}
    if wire.response_format is not None:
        shape["response_format"] = wire.response_format
    return {**shape, **_seed(order, wire), **wire.extra}


def _seed(order: Order, wire: ModelWire) -> dict[str, Any]:
    return {"seed": order.seed} if wire.has_seed and order.seed is not None else {}


def _texts(fields: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in fields.items():
        yield name, value if isinstance(value, str) else msgspec.json.encode(value).decode()

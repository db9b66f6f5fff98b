"""What a request says to the host. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from flow2api.adapters.openai_media.form import Body, FilePart, form
from flow2api.adapters.openai_media.model_wire import ModelWire
from flow2api.domain.generation import InputRole, Order, Product
from flow2api.domain.ports.upstream import UploadedPicture

GENERATIONS = "/images/generations"
EDITS = "/images/edits"
VIDEOS = "/videos"
EXTENSIONS = "/videos/extensions"
JSON = "application/json"

Pictures = Sequence[tuple[InputRole, UploadedPicture]]


def picture_body(order: Order, wire: ModelWire) -> Body:
    """Pictures from text."""
    fields: dict[str, Any] = {"model": wire.id, "prompt": order.prompt, "n": order.count, **_shape(order, wire)}
    return Body(msgspec.json.encode(fields), JSON)


def edit_body(order: Order, wire: ModelWire, inputs: Pictures) -> Body:
    """Pictures from text and pictures. One goes by ``image``, several by ``image[]``, as OpenAI's SDKs have it."""
    pictures = [picture for role, picture in inputs if role is not InputRole.MASK]
    name = "image" if len(pictures) == 1 else "image[]"
    fields = {"model": wire.id, "prompt": order.prompt, "n": order.count, **_shape(order, wire)}
    files = [FilePart(name, picture.data, picture.content_type) for picture in pictures]
    masks = [FilePart("mask", one.data, one.content_type) for role, one in inputs if role is InputRole.MASK]
    return form(_texts(fields), [*files, *masks])


def video_body(order: Order, wire: ModelWire, inputs: Pictures) -> Body:
    """A video. It is a form with or without pictures, as OpenAI's SDKs have it."""
    seconds = {} if order.spec.seconds is None else {"seconds": order.spec.seconds}
    size = {} if wire.size is None else {"size": wire.size}
    fields = {"model": wire.id, "prompt": order.prompt, **seconds, **size, **_seed(order, wire), **wire.extra}
    name = "input_reference" if len(inputs) == 1 else "input_reference[]"
    files = [FilePart(name, picture.data, picture.content_type) for _, picture in inputs]
    return form(_texts(fields), files)


def extension_body(order: Order, wire: ModelWire, source: Product) -> Body:
    """What comes after the end of a video; the host knows its model and its shape."""
    fields = {"prompt": order.prompt, "seconds": str(order.spec.seconds), "video": {"id": source.name}}
    return Body(msgspec.json.encode({**fields, **_seed(order, wire), **wire.extra}), JSON)


def remix_body(order: Order, wire: ModelWire) -> Body:
    """A video changed as the prompt says; the host knows its model, its shape and its length."""
    return Body(msgspec.json.encode({"prompt": order.prompt, **_seed(order, wire), **wire.extra}), JSON)


def _shape(order: Order, wire: ModelWire) -> dict[str, Any]:
    shape: dict[str, Any] = {} if wire.size is None else {"size": wire.size}
    if wire.quality is not None:
        shape["quality"] = wire.quality
    if wire.response_format is not None:
        shape["response_format"] = wire.response_format
    return {**shape, **_seed(order, wire), **wire.extra}


def _seed(order: Order, wire: ModelWire) -> dict[str, Any]:
    return {"seed": order.seed} if wire.has_seed and order.seed is not None else {}


def _texts(fields: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in fields.items():
        yield name, value if isinstance(value, str) else msgspec.json.encode(value).decode()

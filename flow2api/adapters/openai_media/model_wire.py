"""What a model's ``wire`` says to this adapter."""

from typing import Literal

import msgspec

from flow2api.domain.catalog import ModelSpec
from flow2api.domain.errors import ConfigurationError

Scalar = str | int | float | bool


class ModelWire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The wire of a model of an OpenAI-compatible host.

    Attributes:
        id: What the host calls the model.
        size: The size to ask for; None to send none.
        quality: The word to ask for; None to send none.
        response_format: ``b64_json`` or ``url``, for hosts that want it said; None to leave it to them.
        has_seed: Whether the host takes a seed.
        extra: Further fields that go along with every request.
    """

    id: str
    size: str | None = None
    quality: str | None = None
    response_format: Literal["b64_json", "url"] | None = None
    has_seed: bool = False
    extra: dict[str, Scalar] = {}


def read_wire(spec: ModelSpec) -> ModelWire:
    """The wire of a model.

    Raises:
        ConfigurationError: Whoever registered the model got its wire wrong.
    """
    try:
        return msgspec.convert(spec.wire, ModelWire)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"The model {spec.name!r} has a wire that cannot be read: {error}.") from error

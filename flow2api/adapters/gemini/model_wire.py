"""What a model of the catalog is in the words of the Gemini API."""

from typing import Literal

import msgspec

from flow2api.domain.catalog import ModelSpec
from flow2api.domain.errors import UpstreamInvalidError

Method = Literal["generateContent", "predict", "predictLongRunning", "interactions"]


class ModelWire(msgspec.Struct, frozen=True):
    """One model.

    Attributes:
        model: Its id.
        method: The call that makes its results.
        ratio: Such as ``16:9``.
        size: The word for its resolution; empty for what is made when none is named.
    """

    model: str
    method: Method
    ratio: str
    size: str = ""


def read_wire(spec: ModelSpec) -> ModelWire:
    """What the catalog holds for this adapter.

    Raises:
        UpstreamInvalidError: It was not written for this adapter.
    """
    try:
        return msgspec.convert(spec.wire, ModelWire)
    except msgspec.ValidationError as error:
        raise UpstreamInvalidError(f"The model {spec.name} has no words for the Gemini API: {error}.") from error

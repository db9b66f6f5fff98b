"""A body as its struct, and what is said of one that is none."""

from typing import TypeVar

import msgspec

from flow2api.simulator.call import Call
from flow2api.simulator.checks import complaint
from flow2api.simulator.gemini.errors import GeminiError

T = TypeVar("T")


def read_json(call: Call, decoder: msgspec.json.Decoder[T]) -> T:
    """The body.

    Raises:
        GeminiError: 400: not JSON, an unknown name, a wrong value.
    """
    try:
        return decoder.decode(call.body)
    except msgspec.ValidationError as error:
        raise GeminiError(400, complaint(str(error))) from error
    except msgspec.DecodeError as error:
        raise GeminiError(400, f"Invalid JSON payload received. {error}") from error

"""From bytes to plain values. Pure."""

import binascii
from collections.abc import Callable
from typing import TypeVar

import msgspec

from flow2api.domain.errors import UpstreamInvalidError

T = TypeVar("T")

_FROM_URL_SAFE = str.maketrans("-_", "+/")


def decoder(shape: type[T]) -> Callable[[bytes], T]:
    """A reader of one shape.

    Returns:
        A function that raises `UpstreamInvalidError` for bytes of any other shape.
    """
    decode = msgspec.json.Decoder(shape).decode

    def read(body: bytes) -> T:
        try:
            return decode(body)
        except (msgspec.DecodeError, RecursionError) as error:
            raise UpstreamInvalidError("The service answered with something that cannot be read.") from error

    return read


def from_base64(text: str) -> bytes:
    """The bytes that a text stands for, in either alphabet, padded or not.

    Raises:
        UpstreamInvalidError: It is no base64 text, or an empty one.
    """
    # The text may be of tens of megabytes: it is not copied unless that is needed.
    plain = text.translate(_FROM_URL_SAFE) if "-" in text or "_" in text else text
    if len(plain) % 4:
        plain = plain.rstrip("=")
        plain += "=" * (-len(plain) % 4)
    try:
        data = binascii.a2b_base64(plain, strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise UpstreamInvalidError("The service answered with media that is no base64 text.") from error
    if not data:
        raise UpstreamInvalidError("The service answered with media that is empty.")
    return data

"""Pictures that a caller sends inside the request, as ``data:`` URLs or as bare base64."""

import binascii
from urllib.parse import unquote_to_bytes

from flow2api.domain.errors import UnsupportedInputError

MAX_PICTURE_BYTES = 12 * 1024 * 1024
"""The largest picture that is taken in."""

_PREFIX = "data:"
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_WHITE_SPACE = b" \t\r\n\v\f"


def is_data_url(url: str) -> bool:
    """Whether the text is a ``data:`` URL, decodable or not."""
    return url[: len(_PREFIX)].lower() == _PREFIX


def decode_data_url(url: str, param: str | None = None, *, max_bytes: int = MAX_PICTURE_BYTES) -> bytes:
    """The bytes of ``data:<type>;base64,<text>``. What the URL claims as its type is not looked at.

    Args:
        param: The field of the request that held it.
        max_bytes: The largest picture that is accepted.

    Raises:
        UnsupportedInputError: ``invalid_base64_image``, ``empty_image_file`` or ``image_too_large``.
    """
    head, comma, payload = url.partition(",")
    if not comma or not is_data_url(url) or not head.rstrip().lower().endswith(";base64"):
        raise UnsupportedInputError(
            "The data URL is not of the form data:<type>;base64,<text>; send the picture as base64.",
            param=param,
            code="invalid_base64_image",
        )
    return _decode(payload, param, max_bytes, escaped="%" in payload)


def decode_base64(text: str, param: str | None = None, *, max_bytes: int = MAX_PICTURE_BYTES) -> bytes:
    """The bytes of base64 in either alphabet, white space and missing padding tolerated.

    A text of many megabytes takes tens of milliseconds: call it from a thread then.

    Args:
        param: The field of the request that held it.
        max_bytes: The largest picture that is accepted.

    Raises:
        UnsupportedInputError: ``invalid_base64_image``, ``empty_image_file`` or ``image_too_large``.
    """
    return _decode(text, param, max_bytes, escaped=False)


def _decode(text: str, param: str | None, max_bytes: int, *, escaped: bool) -> bytes:
    # Twice the room that base64 needs leaves enough for line breaks; beyond that the text is not even copied.
    if len(text) > 2 * (max_bytes * 4 // 3 + 4) * (3 if escaped else 1):
        raise _too_large(param, max_bytes)
    try:
        data = _decode_tolerantly(unquote_to_bytes(text) if escaped else text.encode("ascii"))
    except (binascii.Error, UnicodeEncodeError) as cause:
        raise UnsupportedInputError(
            "The picture is not valid base64; encode its bytes anew and send them whole.",
            param=param,
            code="invalid_base64_image",
        ) from cause
    if not data:
        raise UnsupportedInputError(
            "The picture is empty; send the bytes of a file.", param=param, code="empty_image_file"
        )
    if len(data) > max_bytes:
        raise _too_large(param, max_bytes)
    return data


def _decode_tolerantly(text: bytes) -> bytes:
    """Strictly first, as nearly every caller sends it; then what is harmless is put right, once."""
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        bare = text.translate(_URL_SAFE, _WHITE_SPACE).rstrip(b"=")
        return binascii.a2b_base64(bare + b"=" * (-len(bare) % 4), strict_mode=True)


def _too_large(param: str | None, max_bytes: int) -> UnsupportedInputError:
    return UnsupportedInputError(
        f"The picture has more than {max_bytes:,} bytes; send a smaller one.", param=param, code="image_too_large"
    )

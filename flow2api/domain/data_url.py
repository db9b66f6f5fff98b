"""Pictures that a caller sends inside the request, as ``data:`` URLs or as bare base64."""

import binascii
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from flow2api.domain.errors import UnsupportedInputError

MAX_PICTURE_BYTES = 12 * 1024 * 1024
"""The largest picture that is taken in."""

PIECE_CHARACTERS = 128 * 1024
"""How much text is decoded at a time: about a millisecond in which nothing else runs, in a thread or not."""

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
    return b"".join(data_url_pieces(url, param, max_bytes=max_bytes))


def decode_base64(text: str, param: str | None = None, *, max_bytes: int = MAX_PICTURE_BYTES) -> bytes:
    """The bytes of base64 in either alphabet, white space and missing padding tolerated.

    Args:
        param: The field of the request that held it.
        max_bytes: The largest picture that is accepted.

    Raises:
        UnsupportedInputError: ``invalid_base64_image``, ``empty_image_file`` or ``image_too_large``.
    """
    return b"".join(base64_pieces(text, param, max_bytes=max_bytes))


def data_url_pieces(url: str, param: str | None = None, *, max_bytes: int = MAX_PICTURE_BYTES) -> Iterator[bytes]:
    """What :func:`decode_data_url` gives, piece by piece: many megabytes at once take a tenth of a second."""
    comma = url.find(",")
    if comma < 0 or not is_data_url(url) or not url[:comma].rstrip().lower().endswith(";base64"):
        raise UnsupportedInputError(
            "The data URL is not of the form data:<type>;base64,<text>; send the picture as base64.",
            param=param,
            code="invalid_base64_image",
        )
    yield from _pieces(url, comma + 1, param, max_bytes, is_escaped="%" in url)


def base64_pieces(text: str, param: str | None = None, *, max_bytes: int = MAX_PICTURE_BYTES) -> Iterator[bytes]:
    """What :func:`decode_base64` gives, piece by piece."""
    yield from _pieces(text, 0, param, max_bytes, is_escaped=False)


def _pieces(text: str, start: int, param: str | None, max_bytes: int, *, is_escaped: bool) -> Iterator[bytes]:
    # Twice the room that base64 needs leaves enough for line breaks; beyond that nothing is decoded.
    if len(text) - start > 2 * (max_bytes * 4 // 3 + 4) * (3 if is_escaped else 1):
        raise _too_large(param, max_bytes)
    size = 0
    try:
        for piece in _decoded(_encoded(text, start, is_escaped=is_escaped)):
            size += len(piece)
            if size > max_bytes:
                raise _too_large(param, max_bytes)
            yield piece
    except (binascii.Error, UnicodeEncodeError) as cause:
        raise UnsupportedInputError(
            "The picture is not valid base64; encode its bytes anew and send them whole.",
            param=param,
            code="invalid_base64_image",
        ) from cause
    if not size:
        raise UnsupportedInputError(
            "The picture is empty; send the bytes of a file.", param=param, code="empty_image_file"
        )


def _encoded(text: str, start: int, *, is_escaped: bool) -> Iterator[bytes]:
    """The text from there on in the usual alphabet, without white space; no ``%XX`` is cut in two."""
    while start < len(text):
        stop = start + PIECE_CHARACTERS
        if is_escaped and (escape := text.rfind("%", stop - 2, stop)) > start:
            stop = escape
        piece = text[start:stop]
        raw = unquote_to_bytes(piece) if is_escaped else piece.encode("ascii")
        yield raw.translate(_URL_SAFE, _WHITE_SPACE)
        start = stop


def _decoded(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The bytes behind pieces of base64; what does not fill a group of four waits for the next piece."""
    rest = b""
    for piece in pieces:
        rest += piece
        bare = rest.rstrip(b"=")
        whole = len(bare) // 4 * 4
        made = binascii.a2b_base64(bare[:whole], strict_mode=True)
        if len(made) != whole // 4 * 3:
            raise binascii.Error("padding in the middle")
        rest = bare[whole:] + (b"=" if len(bare) < len(rest) else b"")
        yield made
    bare = rest.rstrip(b"=")
    yield binascii.a2b_base64(bare + b"=" * (-len(bare) % 4), strict_mode=True)


def _too_large(param: str | None, max_bytes: int) -> UnsupportedInputError:
    return UnsupportedInputError(
        f"The picture has more than {max_bytes:,} bytes; send a smaller one.", param=param, code="image_too_large"
    )

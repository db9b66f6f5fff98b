"""Single values of requests, read strictly: what each spelling means, and a refusal that names the field.

Every reader takes the value as it was decoded from JSON or, with ``text``, from a form, where all is text. ``None``
(and in a form the empty text) stands for a field that was left out.
"""

import re

from flow2api.domain.catalog import (
    FOUR_THREE,
    LANDSCAPE,
    PORTRAIT,
    QUALITIES,
    SQUARE,
    THREE_FOUR,
    AspectRatio,
    Size,
)
from flow2api.domain.errors import UnsupportedInputError

SHORTEST_SIDE, LONGEST_SIDE = 64, 8192
SHORTEST_SECONDS, LONGEST_SECONDS = 1, 60
WIDEST_RATIO = 32
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

_SIZE = re.compile(r"\s*([0-9]{1,5})\s*[xX*×]\s*([0-9]{1,5})\s*")  # noqa: RUF001 - people type it
_RATIO = re.compile(r"([0-9]{1,5})(?:\.([0-9]{1,3}))?\s*[:/xX×*：∶]\s*([0-9]{1,5})(?:\.([0-9]{1,3}))?")  # noqa: RUF001 - some keyboards give these
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_SECONDS = re.compile(r"([0-9]{1,4})(?:\.0+)?\s*s?")

_RATIO_WORDS = {
    "landscape": LANDSCAPE,
    "portrait": PORTRAIT,
    "square": SQUARE,
    "four-three": FOUR_THREE,
    "three-four": THREE_FOUR,
}
_UNDECIDED = frozenset({"", "auto", "adaptive", "default", "original"})
_RESOLUTIONS = {
    "512": "512",
    "0.5k": "512",
    "1k": "1k",
    "2k": "2k",
    "4k": "4k",
    "720p": "720p",
    "1080p": "1080p",
    "2160p": "4k",
}
_NEAREST_RESOLUTIONS = {
    "360p": "720p",
    "480p": "720p",
    "540p": "720p",
    "1440p": "1080p",
    "8k": "4k",
}
_QUALITIES = {
    "low": None,
    "standard": None,
    "medium": "2k",
    "high": "4k",
    "hd": "4k",
    "ultra": "4k",
    "xhigh": "4k",
    "max": "4k",
}
_QUALITY_WORDS = {"standard": "medium", "hd": "high", "ultra": "high"} | {word: word for word in QUALITIES}
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}


def read_size(value: object, param: str, *, text: bool = False) -> Size | None:
    """``WIDTHxHEIGHT`` with sides of 64 to 8,192; None for ``auto``.

    Raises:
        UnsupportedInputError: It is anything else.
    """
    words = _words(value, param, text=text)
    if words is None or words.strip().casefold() == "auto":
        return None
    found = _SIZE.fullmatch(words)
    if found is not None:
        size = Size(int(found[1]), int(found[2]))
        if min(size.width, size.height) >= SHORTEST_SIDE and max(size.width, size.height) <= LONGEST_SIDE:
            return size
    raise _unsupported(param, value, f'"auto" or WIDTHxHEIGHT with sides of {SHORTEST_SIDE} to {LONGEST_SIDE}')


def read_aspect_ratio(value: object, param: str) -> AspectRatio | None:
    """A ratio such as ``16:9`` (also ``16/9``, ``16x9``, with a full-width colon) or a word such as ``landscape``.

    Returns:
        None where the choice is left to us (``auto``).

    Raises:
        UnsupportedInputError: It is neither, or steeper than 32 to 1.
    """
    words = _words(value, param, text=True)
    folded = "" if words is None else words.strip().casefold().replace("_", "-")
    if folded in _UNDECIDED:
        return None
    if folded in _RATIO_WORDS:
        return _RATIO_WORDS[folded]
    found = _RATIO.fullmatch(folded)
    if found is not None:
        width, height = _thousandths(found[1], found[2]), _thousandths(found[3], found[4])
        if 0 < width <= height * WIDEST_RATIO and 0 < height <= width * WIDEST_RATIO:
            return AspectRatio.of(width, height)
    raise _unsupported(
        param, value, "a ratio such as 16:9, or one of landscape, portrait, square, four-three, three-four"
    )


def read_resolution(value: object, param: str) -> tuple[str | None, str | None]:
    """One of ``512``, ``1k``, ``2k``, ``4k``, ``720p``, ``1080p`` in any case.

    Returns:
        The word, None where the choice is left to us; and a sentence when another one had to be taken instead.

    Raises:
        UnsupportedInputError: No resolution is known by this word.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value == 512:
        value = "512"
    words = _words(value, param, text=True)
    folded = "" if words is None else words.strip().casefold()
    if folded in _UNDECIDED:
        return None, None
    if folded in _RESOLUTIONS:
        return _RESOLUTIONS[folded], None
    if (nearest := _NEAREST_RESOLUTIONS.get(folded)) is not None:
        return nearest, f"{param} {folded} is not made; {nearest} is used."
    raise _unsupported(param, value, "one of 512, 1K, 2K, 4K, 720p, 1080p")


def is_resolution(value: object) -> bool:
    """Whether this is a word for a resolution at all."""
    folded = value.strip().casefold() if isinstance(value, str) else ""
    return folded in _RESOLUTIONS or folded in _NEAREST_RESOLUTIONS


def read_quality(value: object, param: str, *, text: bool = False) -> tuple[str | None, str | None]:
    """The resolution that a word for quality stands for: ``medium`` 2k, ``high`` and above 4k, the others none.

    Returns:
        The resolution or None; and a sentence when the word is unknown and therefore ignored.

    Raises:
        UnsupportedInputError: It is no text.
    """
    words = _words(value, param, text=text)
    folded = "" if words is None else words.strip().casefold()
    if folded in _UNDECIDED or folded in _QUALITIES:
        return _QUALITIES.get(folded), None
    return None, f"{param} {_shown(value)} is not known and ignored; it may be low, medium or high."


def quality_word(value: object) -> str | None:
    """One of ``QUALITIES``, as OpenAI calls what was asked for; None when it is left to us, or no such word."""
    return _QUALITY_WORDS.get(value.strip().casefold()) if isinstance(value, str) else None


def read_seconds(value: object, param: str, *, text: bool = False) -> int | None:
    """A whole number of seconds from 1 to 60, as a number or as text (``"8"``, ``"8s"``), for OpenAI has it as text.

    Raises:
        UnsupportedInputError: It is anything else.
    """
    if isinstance(value, str):
        if text and not value.strip():
            return None
        found = _SECONDS.fullmatch(value.strip().casefold())
        seconds = None if found is None else int(found[1])
    elif value is None:
        return None
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong_type(param, value, "a number of seconds")
    else:
        seconds = int(value) if isinstance(value, int) or value.is_integer() else None
    if seconds is None or not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise _unsupported(param, value, f"a whole number of seconds from {SHORTEST_SECONDS} to {LONGEST_SECONDS}")
    return seconds


def read_integer(value: object, param: str, *, least: int, most: int, text: bool = False) -> int | None:
    """A whole number in this range; as text only in a form.

    Raises:
        UnsupportedInputError: It is anything else.
    """
    if text and isinstance(value, str):
        stripped = value.strip()
        if not stripped:
            return None
        value = int(stripped) if _INTEGER.fullmatch(stripped) else value
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong_type(param, value, "a whole number")
    if not least <= value <= most:
        raise _unsupported(param, value, f"a whole number from {least} to {most}")
    return value


def read_flag(value: object, param: str, *, text: bool = False) -> bool | None:
    """True or false; as text only in a form.

    Raises:
        UnsupportedInputError: It is anything else.
    """
    if text and isinstance(value, str):
        stripped = value.strip().casefold()
        if not stripped:
            return None
        value = _TRUTHS.get(stripped, value)
    if value is None or isinstance(value, bool):
        return value
    raise _wrong_type(param, value, "true or false")


def _words(value: object, param: str, *, text: bool) -> str | None:
    if value is None or (text and isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, str):
        return value
    raise _wrong_type(param, value, "a text")


def _thousandths(whole: str, fraction: str | None) -> int:
    return int(whole) * 1000 + int((fraction or "").ljust(3, "0"))


def _unsupported(param: str, value: object, expected: str) -> UnsupportedInputError:
    return UnsupportedInputError(f"{param} must be {expected}; it was {_shown(value)}.", param=param)


def _wrong_type(param: str, value: object, expected: str) -> UnsupportedInputError:
    return UnsupportedInputError(
        f"{param} must be {expected}; it was {_kind(value)}.", param=param, code="invalid_type"
    )


def _shown(value: object) -> str:
    if isinstance(value, str):
        return repr(value[:40])
    # Python refuses to write out integers of thousands of digits, and JSON may hold them.
    if isinstance(value, int | float) and INT64_MIN <= value <= INT64_MAX:
        return str(value)
    return _kind(value)


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return "a list" if isinstance(value, list | tuple) else "an object"

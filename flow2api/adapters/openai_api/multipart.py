"""Forms (``multipart/form-data``), as the SDKs send them: all values are text, files are bytes.

Names may carry brackets: ``image[]`` and ``image[0]`` are lists, ``input_reference[image_url]`` is an object (the
JavaScript SDK writes objects so).
"""

import hashlib
import re
from collections.abc import AsyncIterator
from typing import Any, Final

# The parser that Litestar itself uses, and depends on; it ships no types.
from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser  # type: ignore[import-untyped]

from flow2api.adapters.openai_api.doors import Limits
from flow2api.domain.errors import UnsupportedInputError

_NAME: Final = re.compile(r"([^\[\]]{1,128})((?:\[[^\[\]]{0,128}\]){0,2})")
_INDEX: Final = re.compile(r"[0-9]+")
_KEPT_WHEN_EMPTY: Final = "prompt"

Fields = dict[str, object]


async def read_form(chunks: AsyncIterator[bytes], boundary: str, limits: Limits) -> tuple[Fields, bytes]:
    """The fields of a form, and the digest of its content (whatever its boundary).

    Empty text counts as not sent, but for the prompt.

    Raises:
        UnsupportedInputError: It is no form, or has too many or too large parts.
    """
    reading = _Reading(limits)
    try:
        with PushMultipartParser(boundary, max_segment_count=limits.parts) as parser:
            async for chunk in chunks:
                for event in parser.parse(chunk):
                    reading.take(event)
    except ParserLimitReached as cause:
        raise _invalid(f"it has more than {limits.parts} parts, or parts with overlong headers") from cause
    except MultipartError as cause:
        raise _invalid(str(cause)) from cause
    return reading.fields, reading.digest.digest()


class _Reading:
    """A form as far as it has arrived."""

    def __init__(self, limits: Limits) -> None:
        self.fields: Fields = {}
        self.digest = hashlib.sha256()
        self._limits = limits
        self._part: Any = None
        self._pieces: list[bytes] = []
        self._size = 0
        self._files = 0

    def take(self, event: Any) -> None:
        """One event of the parser: the head of a part, some of its bytes, or its end."""
        if isinstance(event, MultipartSegment):
            self._begin(event)
        elif event is None:
            self._end()
        else:
            self._size += len(event)
            if self._is_file and self._size > self._limits.picture_bytes:
                most = f"{self._limits.picture_bytes:,} bytes"
                raise UnsupportedInputError(
                    f"The file is larger than the {most} that are taken; send a smaller one.",
                    param=self._part.name,
                    code="image_too_large",
                )
            self.digest.update(event)
            self._pieces.append(event)

    @property
    def _is_file(self) -> bool:
        return self._part.filename is not None or str(self._part.content_type or "").startswith("image/")

    def _begin(self, part: Any) -> None:
        self._part, self._pieces, self._size = part, [], 0
        self.digest.update(b"\0" + part.name.encode() + b"\0")
        if self._is_file:
            self._files += 1
            if self._files > self._limits.files:
                raise UnsupportedInputError(
                    f"The form has more than {self._limits.files} files; send fewer.", param=part.name
                )

    def _end(self) -> None:
        name, content = self._part.name, b"".join(self._pieces)
        self.digest.update(b"%d" % self._size)
        if self._is_file:
            _place(self.fields, name, content)
            return
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as cause:
            raise UnsupportedInputError(f"`{name[:64]}` is not UTF-8 text.", param=name) from cause
        if text or name == _KEPT_WHEN_EMPTY:
            _place(self.fields, name, text)


def _place(fields: Fields, name: str, value: object) -> None:
    """Put a value where its bracketed name says. A plain name that is repeated becomes a list for files, else the last
    one counts.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        fields[name] = value
        return
    base, keys = match[1], [key.rstrip("]") for key in match[2].split("[")[1:]]
    before = fields.get(base)
    if not keys:
        if isinstance(value, bytes) and before is not None:
            fields[base] = [*(before if isinstance(before, list) else [before]), value]
        else:
            fields[base] = value
    elif not keys[0] or _INDEX.fullmatch(keys[0]):
        entries = before if isinstance(before, list) else [] if before is None else [before]
        fields[base] = entries
        _append(entries, keys, value)
    else:
        fields[base] = {**(before if isinstance(before, dict) else {}), keys[0]: value}


def _append(entries: list[Any], keys: list[str], value: object) -> None:
    if len(keys) == 1:
        entries.append(value)
    elif keys[0] == str(len(entries) - 1) and isinstance(entries[-1], dict):
        entries[-1][keys[1]] = value
    else:
        entries.append({keys[1]: value})


def _invalid(why: str) -> UnsupportedInputError:
    return UnsupportedInputError(f"The body is no usable form: {why}.", code="invalid_form")

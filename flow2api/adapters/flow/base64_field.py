"""Media that comes as base64 text inside JSON, decoded while it arrives, so that neither memory nor the loop suffers. Pure."""

import binascii
import re

from flow2api.domain.errors import UpstreamInvalidError

MIB = 1024 * 1024

_FIELD = re.compile(rb'"(?:encodedVideo|encodedImage)"\s*:\s*"')
_TAIL_BYTES = 64
_REST_LIMIT_BYTES = MIB
_ESCAPES = ((b"\\/", b"/"), (b"\\n", b""), (b"\\r", b""), (b"\\u003d", b"="), (b"\\u002b", b"+"), (b"\\u002f", b"/"))
_FROM_URL_SAFE = bytes.maketrans(b"-_", b"+/")


class Base64Field:
    """Splits JSON into the bytes of its one large field (``encodedVideo`` or ``encodedImage``) and the small rest.

    Attributes:
        rest: Everything else, with an empty text where the field was; complete after the last `feed`.
    """

    def __init__(self) -> None:
        self.rest = bytearray()
        self._text = b""
        self._is_inside = False
        self._is_over = False

    def feed(self, chunk: bytes) -> bytes:
        """Take in the next piece of JSON; returns what it held of the field, decoded.

        Raises:
            UpstreamInvalidError: The field is no base64 text, or the rest is not small.
        """
        if self._is_inside:
            return self._take(chunk)
        seen = len(self.rest)
        self.rest += chunk
        if self._is_over:
            return self._nothing()
        found = _FIELD.search(self.rest, max(0, seen - _TAIL_BYTES))
        if found is None:
            return self._nothing()
        text = bytes(self.rest[found.end() :])
        del self.rest[found.end() :]
        self._is_inside = True
        return self._take(text)

    def finish(self) -> bytes:
        """The rest, once all has been fed.

        Raises:
            UpstreamInvalidError: The field has no end.
        """
        if self._is_inside:
            raise UpstreamInvalidError("The service answered with media that breaks off.")
        return bytes(self.rest)

    def _nothing(self) -> bytes:
        if len(self.rest) > _REST_LIMIT_BYTES:
            raise UpstreamInvalidError("The service answered with JSON that holds no media and does not end.")
        return b""

    def _take(self, chunk: bytes) -> bytes:
        text, quote, after = chunk.partition(b'"')
        text = self._text + text
        if quote:
            self._is_inside, self._is_over = False, True
            self._text = b""
            self.rest += quote + after
            return _decoded(_unescaped(text).rstrip(b"="), is_last=True)
        escape = text.rfind(b"\\", max(0, len(text) - 5))
        whole = text if escape < 0 else text[:escape]
        plain = _unescaped(whole)
        usable = len(plain) & ~3
        self._text = plain[usable:] + text[len(whole) :]
        return _decoded(plain[:usable], is_last=False)


def _unescaped(text: bytes) -> bytes:
    if b"\\" in text:
        for escape, character in _ESCAPES:
            text = text.replace(escape, character)
    return text


def _decoded(text: bytes, *, is_last: bool) -> bytes:
    if is_last:
        text += b"=" * (-len(text) % 4)
    try:
        return binascii.a2b_base64(text.translate(_FROM_URL_SAFE), strict_mode=True)
    except binascii.Error as error:
        raise UpstreamInvalidError("The service answered with media that is no base64 text.") from error

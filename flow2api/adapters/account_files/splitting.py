"""The rows of a JSON file, told apart piece by piece: nobody who shares the process waits for a whole file."""

import codecs
import json
import re
from collections.abc import Iterator

from flow2api.domain.errors import UnsupportedInputError

LONGEST_VALUE = 256 * 1024
"""In characters: what is longer is no account, or the JSON never comes to an end."""

_PIECE = 256 * 1024
_LOOKAHEAD = 4
"""In characters: a number that ends earlier before the end of what was read might go on, as in ``1e-7``."""
_SPACE = re.compile(r"[ \t\n\r]*")
_decode = json.JSONDecoder().raw_decode


def split_rows(data: bytes, name: str) -> Iterator[object]:
    """The elements of a list, or of the list that an object has under a name; what else the object has is passed over.

    Raises:
        UnsupportedInputError: The file is something else, or its JSON is broken.
    """
    text = _Text(data)
    if text.take("["):
        yield from _elements(text)
    else:
        yield from _named(text, name)
    if text.next():
        raise text.fault("more comes behind its end")


def _named(text: "_Text", name: str) -> Iterator[object]:
    text.need("{")
    is_found, mark = False, "}" if text.take("}") else ","
    while mark == ",":
        key = text.value()
        text.need(":")
        if key == name and not is_found:
            is_found = True
            text.need("[")
            yield from _elements(text)
        else:
            text.value()
        mark = text.need(",", "}")
    if not is_found:
        raise text.fault(f"it has no list {name}")


def _elements(text: "_Text") -> Iterator[object]:
    if text.take("]"):
        return
    mark = ","
    while mark == ",":
        yield text.value()
        mark = text.need(",", "]")


class _Text:
    """Text that is decoded as it is read; what was read is let go."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._ahead, self._at, self._read, self._passed = "", 0, 0, 0

    def next(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            space = _SPACE.match(self._ahead, self._at)
            self._at = self._at if space is None else space.end()
            if self._at < len(self._ahead) or not self._more():
                return self._ahead[self._at : self._at + 1]

    def take(self, mark: str) -> bool:
        """Whether this mark comes next; then it is passed."""
        is_next = self.next() == mark
        self._at += is_next
        return is_next

    def need(self, *marks: str) -> str:
        """The mark that comes next, which is passed.

        Raises:
            UnsupportedInputError: It is none of these.
        """
        mark = self.next()
        if mark not in marks or not mark:
            raise self.fault(f"{' or '.join(repr(one) for one in marks)} should come")
        self._at += 1
        return mark

    def value(self) -> object:
        """The value that comes next.

        Raises:
            UnsupportedInputError: There is none.
        """
        while True:
            self.next()
            try:
                value, end = _decode(self._ahead, self._at)
            except (ValueError, RecursionError) as error:
                if len(self._ahead) - self._at > LONGEST_VALUE or not self._more():
                    raise self.fault("no value comes that could be read") from error
                continue
            if len(self._ahead) - end < _LOOKAHEAD and self._more():
                continue
            self._at = end
            return value

    def fault(self, what: str) -> UnsupportedInputError:
        """What to raise about this place."""
        return UnsupportedInputError(
            f'The file is not of the form {{"tokens": [...]}}: at character {self._passed + self._at + 1:,} {what}.'
        )

    def _more(self) -> bool:
        piece = self._data[self._read : self._read + _PIECE]
        self._read += len(piece)
        try:
            text = self._decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            raise self.fault("comes what is no UTF-8") from error
        if not piece:
            return False
        self._passed += self._at
        self._ahead, self._at = self._ahead[self._at :] + text, 0
        return True

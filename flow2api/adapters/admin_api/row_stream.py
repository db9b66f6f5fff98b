"""Rows of a body like ``{"tokens": [...]}``, told apart while it arrives, so that no number of them is held."""

import asyncio
import codecs
import json
import re
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from enum import Enum, auto
from itertools import islice
from typing import Any

from flow2api.domain.errors import UnsupportedInputError

LONGEST_ROW = 256 * 1024
"""In characters: what is longer is no account, or the JSON is broken and never comes to an end."""

_SPACE = re.compile(r"[ \t\n\r]*")
_decode = json.JSONDecoder().raw_decode


class _Place(Enum):
    BEFORE = auto()
    AMONG = auto()
    BEHIND = auto()


class RowStream:
    """The rows of a body, in batches.

    Attributes:
        fault: What is wrong with the body from some row on, once the rows before it have come; None when all is well.
    """

    def __init__(self, chunks: AsyncIterable[bytes], name: str, *, batch: int, most: int) -> None:
        """Begin before the first chunk.

        Args:
            name: Of the only field, a list.
            batch: How many rows come at once at most.
            most: How many there may be.
        """
        self.fault: UnsupportedInputError | None = None
        self._chunks = chunks
        self._name = name
        self._beginning = re.compile(rf'\s*{{\s*"{name}"\s*:\s*\[')
        self._batch = batch
        self._most = most
        self._text, self._at = "", 0
        self._count = 0
        self._place = _Place.BEFORE

    async def __aiter__(self) -> AsyncIterator[tuple[Any, ...]]:
        """Yield the rows as they arrive; other work goes on between.

        Raises:
            UnsupportedInputError: The body does not even begin as it should; no row was yielded.
        """
        decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        async for chunk in self._chunks:
            try:
                self._text, self._at = self._text[self._at :] + decode(chunk), 0
            except UnicodeDecodeError:
                self._fail("is no UTF-8 text")
                break
            arrived = self._arrived()
            while rows := tuple(islice(arrived, self._batch)):
                yield rows
                await asyncio.sleep(0)
            if self.fault is not None:
                break
        if self.fault is None and (self._place is not _Place.BEHIND or self._rest() != "}"):
            self._fail("is no JSON")
        if self._place is _Place.BEFORE:
            raise UnsupportedInputError(
                f'The body is no JSON object that has "{self._name}", a list, and nothing else.', param=self._name
            )

    def _arrived(self) -> Iterator[Any]:
        """The rows that are there as a whole."""
        if self._place is _Place.BEFORE:
            self._pass_beginning()
        while self._place is _Place.AMONG and self.fault is None:
            at = self._behind_space(self._at)
            if not self._count and self._text.startswith("]", at):
                self._at, self._place = at + 1, _Place.BEHIND
                break
            try:
                row, end = _decode(self._text, at)
            except ValueError:  # cut off, or no JSON at all
                self._refuse_endless(at)
                return
            end = self._behind_space(end)
            mark = self._text[end : end + 1]
            if not mark:  # a number might go on
                self._refuse_endless(at)
                return
            if mark not in ",]":
                self._fail("is no JSON")
            elif self._count == self._most:
                self._fail(f"was not looked at: {self._most:,} rows are taken at once; send the others in another call")
            else:
                self._count, self._at = self._count + 1, end + 1
                self._place = _Place.BEHIND if mark == "]" else _Place.AMONG
                yield row
        if self._place is _Place.BEHIND and len(self._rest()) > 1:
            self._fail("is no JSON")

    def _pass_beginning(self) -> None:
        begun = self._beginning.match(self._text)
        if begun is not None:
            self._at, self._place = begun.end(), _Place.AMONG
        else:
            self._refuse_endless(0)

    def _refuse_endless(self, at: int) -> None:
        if len(self._text) - at > LONGEST_ROW:
            self._fail("is no JSON, or longer than any row")

    def _rest(self) -> str:
        return self._text[self._at :].strip(" \t\n\r")

    def _behind_space(self, at: int) -> int:
        space = _SPACE.match(self._text, at)
        return at if space is None else space.end()

    def _fail(self, how: str) -> None:
        self.fault = UnsupportedInputError(f"What comes behind row {self._count:,} {how}.", param=self._name)

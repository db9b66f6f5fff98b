"""A dictionary by number that never takes long to grow."""

from typing import Generic, TypeVar

T = TypeVar("T")

_BITS = 12
"""Numbers that differ only in their last twelve bits share a part."""


class SpreadDict(Generic[T]):
    """Values by number, in parts of some thousand neighbours.

    One dictionary of a hundred thousand numbers takes milliseconds each time it doubles, and dozens that grow alike do so
    with the very same account.
    """

    __slots__ = ("_parts", "_size")

    def __init__(self) -> None:
        self._parts: dict[int, dict[int, T]] = {}
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def __contains__(self, number: int) -> bool:
        part = self._parts.get(number >> _BITS)
        return part is not None and number in part

    def get(self, number: int) -> T | None:
        """The value of this number; None when it has none."""
        part = self._parts.get(number >> _BITS)
        return None if part is None else part.get(number)

    def __getitem__(self, number: int) -> T:
        return self._parts[number >> _BITS][number]

    def __setitem__(self, number: int, value: T) -> None:
        part = self._parts.get(number >> _BITS)
        if part is None:
            part = self._parts[number >> _BITS] = {}
        before = len(part)
        part[number] = value
        self._size += len(part) - before

    def pop(self, number: int) -> T:
        """The value of this number, which has none any more.

        Raises:
            KeyError: It had none.
        """
        part = self._parts[number >> _BITS]
        value = part.pop(number)
        self._size -= 1
        if not part:
            del self._parts[number >> _BITS]
        return value

"""Pages of lists that are in memory as a whole: the part behind a given item, wherever that is now."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

PAGE = 50


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """A page of a list.

    Attributes:
        first: The place of the first item, from 1; 0 when there is none.
        total: How many items there are on all pages.
        has_before: Whether there are items in front of it.
        before: The item behind which the page in front of it begins; empty for the first page.
        behind: The item behind which the next page begins; empty when there is none.
    """

    items: Sequence[T]
    first: int
    total: int
    has_before: bool
    before: str
    behind: str


def slice_behind(items: Sequence[T], after: str, key: Callable[[T], str], size: int = PAGE) -> Slice[T]:
    """The items behind the one with this key; from the first one on when there is no such item."""
    keys = [key(item) for item in items]
    start = keys.index(after) + 1 if after in keys else 0
    shown = items[start : start + size]
    front = start - size
    return Slice(
        items=shown,
        first=start + 1 if shown else 0,
        total=len(items),
        has_before=start > 0,
        before=keys[front - 1] if front > 0 else "",
        behind=keys[start + size - 1] if start + size < len(items) else "",
    )

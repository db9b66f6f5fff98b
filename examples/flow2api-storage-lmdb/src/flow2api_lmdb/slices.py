"""Parts of what a scan finds."""

from collections.abc import Iterable
from itertools import islice
from typing import TypeVar

V = TypeVar("V")


def first(count: int, values: Iterable[V]) -> list[V]:
    """So many of the values, or all when there are fewer."""
    return list(islice(values, count))

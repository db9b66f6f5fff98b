"""Addresses of our pages: filters, order and place stand in the query, so that a link shows exactly what was seen."""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlencode

from litestar.params import PathParameter


def address(path: str, query: Mapping[str, object], **changes: object) -> str:
    """A path with its query; values that are empty or None are left out.

    Args:
        changes: Further values, which win.
    """
    kept = {name: str(value) for name, value in {**query, **changes}.items() if value not in (None, "")}
    return f"{path}?{urlencode(kept)}" if kept else path


LARGEST_ID = 2**63 - 1

Id = Annotated[int, PathParameter(ge=1, le=LARGEST_ID)]
"""A number in an address by which something is looked up."""

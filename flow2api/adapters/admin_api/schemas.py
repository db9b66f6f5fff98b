"""Answers that several areas give, and what all bodies have in common."""

from typing import Annotated

import msgspec
from litestar.params import PathParameter

LARGEST_ID = 2**63 - 1
"""No database counts further."""

BODY = "body"
"""The key of a handler's ``opt`` that says which struct its body is, where it reads that itself."""

Id = Annotated[int, PathParameter(le=LARGEST_ID)]
"""The number of something, in a path."""


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is sent to this surface; a field that is not known is refused."""


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """It was done."""

    message: str
    success: bool = True

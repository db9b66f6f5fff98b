"""Answers that several areas give, and what all bodies have in common."""

import msgspec


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is sent to this surface; a field that is not known is refused."""


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """It was done."""

    message: str
    success: bool = True

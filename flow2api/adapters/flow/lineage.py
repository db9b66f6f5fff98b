"""What a product must remember so that something can be built on it later: the opaque text beside its name."""

from typing import Self

import msgspec

from flow2api.domain.generation import Product


class Clip(msgspec.Struct, array_like=True, frozen=True):
    """One video in a row of extensions."""

    name: str
    seconds: int


class Lineage(msgspec.Struct, omit_defaults=True, frozen=True):
    """Where a product came from.

    Attributes:
        session: The session id of the call that made it.
        workflow: The workflow that it belongs to.
        clips: The videos that it is joined of, in their order; itself alone when it is of one piece, and none for
            pictures and for videos of old.
    """

    session: str | None = None
    workflow: str | None = None
    clips: tuple[Clip, ...] = ()

    @classmethod
    def of(cls, product: Product | None) -> Self:
        """The lineage of a product; an empty one when it tells none that can be read."""
        if product is None or product.extra is None:
            return cls()
        try:
            return msgspec.json.decode(product.extra, type=cls)
        except msgspec.DecodeError:
            return cls()

    def text(self) -> str:
        """The opaque text."""
        return msgspec.json.encode(self).decode()

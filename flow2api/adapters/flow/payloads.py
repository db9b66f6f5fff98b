"""The parts that the bodies of every era share, as structs. Pure.

Field names: Flow, 2025-11 (seed) to 2026-06. The field of the anti-abuse token is sent empty: we obtain none.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from flow2api.domain.account import Tier
from flow2api.domain.generation import InputRole, Order

TOOL = "PINHOLE"
TIER_WORDS = {Tier.FREE: "PAYGATE_TIER_NOT_PAID", Tier.PRO: "PAYGATE_TIER_ONE", Tier.ULTRA: "PAYGATE_TIER_TWO"}
PICTURE_RATIO = "IMAGE_ASPECT_RATIO_"
UNSET = msgspec.UNSET

encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Post:
    """A call of the API base.

    Attributes:
        path: What follows the base, with its ``/`` or ``:``.
        body: JSON.
    """

    path: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a call carries besides its content.

    Attributes:
        seeds: One for each result.
    """

    workspace: str
    tier: Tier
    session_id: str
    batch_id: str
    scene_id: str
    seeds: tuple[int, ...]


class RecaptchaContext(msgspec.Struct, rename="camel"):
    """The place of the anti-abuse token."""

    token: str = ""
    application_type: str = "RECAPTCHA_APPLICATION_TYPE_WEB"


class ClientContext(msgspec.Struct, rename="camel", omit_defaults=True):
    """Who calls, from where, in which project."""

    session_id: str
    recaptcha_context: RecaptchaContext | None = None
    project_id: str | None = None
    tool: str | None = None
    user_paygate_tier: str | None = None


class ImageInput(msgspec.Struct, rename="camel"):
    """A picture that a new picture is made from."""

    name: str
    image_input_type: str


class MediaRef(msgspec.Struct, rename="camel"):
    """A frame or a video that a video is made from."""

    media_id: str


class ReferenceImage(msgspec.Struct, rename="camel"):
    """A picture whose content shall appear in a video."""

    media_id: str
    image_usage_type: str = "IMAGE_USAGE_TYPE_ASSET"


class TrpcBody(msgspec.Struct):
    """What the labs base wraps every body in."""

    json: dict[str, object]


def picture_inputs(order: Order) -> list[ImageInput]:
    """The input pictures of a picture, the one to be changed marked as such."""
    return [
        ImageInput(name, "IMAGE_INPUT_TYPE_BASE_IMAGE" if role is InputRole.BASE else "IMAGE_INPUT_TYPE_REFERENCE")
        for role, name in order.inputs
    ]


def input_named(order: Order, role: InputRole) -> MediaRef | None:
    """The input with this role, or None."""
    return next((MediaRef(name) for each, name in order.inputs if each is role), None)


def references(order: Order) -> list[ReferenceImage]:
    """The reference pictures of a video."""
    return [ReferenceImage(name) for role, name in order.inputs if role is InputRole.REFERENCE]


def source_name(order: Order) -> str:
    """The id of the product that is enlarged or extended; empty when the order names none."""
    if order.source is not None:
        return order.source.name
    return next((name for role, name in order.inputs if role is InputRole.SOURCE), "")


def upload_ratio(width: int, height: int) -> str:
    """Upstream's word for the ratio that is nearest to a picture's (seed era: landscape and portrait only)."""
    return PICTURE_RATIO + ("LANDSCAPE" if width >= height else "PORTRAIT")


def trpc_body(**fields: object) -> bytes:
    """A body of the labs base."""
    return encode(TrpcBody(fields))


def names_body(names: Sequence[str]) -> bytes:
    """The body that deletes media."""
    return trpc_body(names=list(names))

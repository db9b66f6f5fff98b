"""The answers that all eras share, read into plain values. Pure.

Field names: Flow, 2025-11 to 2026-06.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

import msgspec

from flow2api.adapters.flow.errors import late_failure
from flow2api.adapters.flow.lineage import Lineage
from flow2api.domain.account import Tier
from flow2api.domain.errors import UpstreamInvalidError
from flow2api.domain.generation import OperationStatus, Product
from flow2api.domain.ports.upstream import Allowance

T = TypeVar("T")

STATUS_PREFIX = "MEDIA_GENERATION_STATUS_"
TIERS = {"PAYGATE_TIER_ONE": Tier.PRO, "PAYGATE_TIER_TWO": Tier.ULTRA}
"""Every other word ranks as free."""
Standing = Literal["running", "done", "failed"]
STANDINGS: dict[str, Standing] = {
    "": "running",
    "PENDING": "running",
    "SCHEDULED": "running",
    "ACTIVE": "running",
    "IN_PROGRESS": "running",
    "SUCCESSFUL": "done",
    "COMPLETE": "done",
    "FAILED": "failed",
    "CANCELED": "failed",
}


@dataclass(frozen=True, slots=True)
class Submitted:
    """What a submit came to.

    Attributes:
        item: What to hand to the poll of the same era, as JSON.
    """

    name: str
    item: bytes
    credits_left: int | None
    workflow: str | None = None


def standing(status: str) -> Standing:
    """What a status, with or without its prefix, comes to; an unknown one is taken for running."""
    word = status.removeprefix(STATUS_PREFIX)
    return STANDINGS.get(word, "failed" if "ERROR" in word else "running")


@dataclass(frozen=True, slots=True)
class PolledItem:
    """What a poll says of one operation.

    Attributes:
        status: Upstream's word, with its prefix.
        failure: Upstream's reason, if it failed.
        product: What came of it, if it is done.
    """

    name: str
    status: str
    failure: str = ""
    product: Product | None = None

    def outcome(self) -> OperationStatus:
        """The same in our words."""
        if standing(self.status) == "failed":
            return OperationStatus(error=late_failure(self.failure or self.status))
        return OperationStatus(product=self.product)


def decoder(shape: type[T]) -> Callable[[bytes], T]:
    """A reader of one shape.

    Returns:
        A function that raises `UpstreamInvalidError` for bytes of any other shape.
    """
    decode = msgspec.json.Decoder(shape).decode

    def read(body: bytes) -> T:
        try:
            return decode(body)
        except (msgspec.DecodeError, RecursionError) as error:
            raise UpstreamInvalidError("The service answered with something that cannot be read.") from error

    return read


class _GeneratedImage(msgspec.Struct, rename="camel"):
    fife_url: str | None = None
    media_generation_id: str | None = None


class _Dimensions(msgspec.Struct):
    width: int | None = None
    height: int | None = None


class _Image(msgspec.Struct, rename="camel"):
    generated_image: _GeneratedImage | None = None
    dimensions: _Dimensions | None = None


class _PictureMedia(msgspec.Struct, rename="camel"):
    name: str | None = None
    workflow_id: str | None = None
    image: _Image | None = None


class _Pictures(msgspec.Struct):
    media: list[_PictureMedia] | None = None


_read_pictures = decoder(_Pictures)


def pictures(body: bytes, session_id: str) -> list[Product]:
    """The pictures that were made; none when upstream held all back."""
    products = []
    for media in _read_pictures(body).media or ():
        image = media.image or _Image()
        made = image.generated_image or _GeneratedImage()
        size = image.dimensions or _Dimensions()
        name = media.name or made.media_generation_id
        if name is None:
            raise UpstreamInvalidError("The service answered with a picture that has no name.")
        extra = Lineage(session=session_id, workflow=media.workflow_id).text()
        products.append(Product(name, made.fife_url or None, width=size.width, height=size.height, extra=extra))
    return products


class _UploadedMedia(msgspec.Struct):
    name: str | None = None


class _LegacyId(msgspec.Struct, rename="camel"):
    media_generation_id: str | None = None


class _Uploaded(msgspec.Struct, rename="camel"):
    media: _UploadedMedia | None = None
    media_generation_id: _LegacyId | None = None


_read_uploaded = decoder(_Uploaded)


def uploaded(body: bytes) -> str:
    """The handle of an uploaded picture, in either form."""
    answer = _read_uploaded(body)
    name = answer.media.name if answer.media is not None else None
    if not name and answer.media_generation_id is not None:
        name = answer.media_generation_id.media_generation_id
    if not name:
        raise UpstreamInvalidError("The service took the picture and gave it no name.")
    return name


class _Credits(msgspec.Struct, rename="camel"):
    credits: int | None = None
    user_paygate_tier: str | None = None


_read_credits = decoder(_Credits)


def allowance(body: bytes) -> Allowance:
    """Plan and credits; credits that are not told are 0 when the plan is."""
    answer = _read_credits(body)
    if answer.user_paygate_tier is None:
        if answer.credits is None:
            raise UpstreamInvalidError("The service told neither the plan nor the credits of the account.")
        return Allowance(Tier.FREE, answer.credits)
    return Allowance(TIERS.get(answer.user_paygate_tier, Tier.FREE), answer.credits or 0)


class _TrpcJson(msgspec.Struct):
    result: msgspec.Raw = msgspec.Raw(b"{}")
    status: int = 200


class _TrpcData(msgspec.Struct):
    json: _TrpcJson


class _TrpcResult(msgspec.Struct):
    data: _TrpcData


class _Trpc(msgspec.Struct):
    result: _TrpcResult


class _Project(msgspec.Struct, rename="camel"):
    project_id: str | None = None


_read_trpc = decoder(_Trpc)
_read_project = decoder(_Project)


def trpc_status(body: bytes) -> int:
    """The status inside a labs answer; HTTP 200 may wrap a failure."""
    return _read_trpc(body).result.data.json.status


def project(body: bytes) -> str:
    """The id of a project that was made."""
    found = _read_project(bytes(_read_trpc(body).result.data.json.result)).project_id
    if not found:
        raise UpstreamInvalidError("The service made a project and did not say which.")
    return found

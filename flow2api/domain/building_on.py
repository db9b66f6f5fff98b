"""Whether a model can build on a certain result, and whether the account that made it can."""

from enum import StrEnum

from flow2api.domain.account import Account
from flow2api.domain.catalog import Mode, ModelSpec
from flow2api.domain.media import Media


class Obstacle(StrEnum):
    """Why a model cannot build on a result."""

    OTHER_KIND = "other_kind"
    OTHER_UPSTREAM = "other_upstream"
    OTHER_MODEL = "other_model"
    UNKNOWN_UPSTREAM = "unknown_upstream"
    """The upstream keeps nothing of it under a name, as of pictures that came along with the answer or from a caller."""

    IN_PIECES = "in_pieces"
    """It was put together of several videos, and the upstream knows only the pieces."""

    LARGE_ALREADY = "large_already"
    MAKER_GONE = "maker_gone"
    MAKER_MOVED_ON = "maker_moved_on"
    """The upstream knows it in a project of the account that is not the account's any more."""

    PLAN_TOO_LOW = "plan_too_low"
    TOO_FEW_CREDITS = "too_few_credits"


def obstacle(spec: ModelSpec, source: Media, made_by: ModelSpec | None) -> Obstacle | None:
    """What keeps a model from building on a result, whoever asks; None when nothing does.

    Args:
        made_by: The model that made it; None when that is not offered any more.
    """
    if source.kind is not spec.kind:
        return Obstacle.OTHER_KIND
    if source.upstream_name is None:
        return Obstacle.UNKNOWN_UPSTREAM
    if made_by is not None and made_by.upstream != spec.upstream:
        return Obstacle.OTHER_UPSTREAM
    if spec.enlarges:
        return _obstacle_to_enlarging(spec, source, made_by)
    if spec.mode is Mode.EDIT and made_by is not None and made_by.rests_as != spec.rests_as:
        return Obstacle.OTHER_MODEL
    return None


def obstacle_of_maker(spec: ModelSpec, source: Media, maker: Account | None) -> Obstacle | None:
    """What keeps the account that made a result from building on it now; None when nothing does that is known.

    Args:
        maker: The account of ``source.account_id``; None when it was removed.
    """
    if maker is None:
        return Obstacle.MAKER_GONE
    if maker.workspace != source.workspace:
        return Obstacle.MAKER_MOVED_ON
    if maker.tier is not None and maker.tier < spec.min_tier:
        return Obstacle.PLAN_TOO_LOW
    if maker.credits is not None and maker.credits < spec.cost(maker.tier):
        return Obstacle.TOO_FEW_CREDITS
    return None


def _obstacle_to_enlarging(spec: ModelSpec, source: Media, made_by: ModelSpec | None) -> Obstacle | None:
    if made_by is not None and made_by.mode is Mode.EXTEND:
        return Obstacle.IN_PIECES
    known = None if made_by is None else made_by.size.area
    area = source.width * source.height if source.width and source.height else known
    return Obstacle.LARGE_ALREADY if area is not None and area >= spec.size.area else None

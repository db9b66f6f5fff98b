"""What can be built on which result, and by whom."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.domain.account import Tier
from flow2api.domain.building_on import Obstacle, obstacle, obstacle_of_maker
from flow2api.domain.catalog import Mode, ModelSpec, Size
from flow2api.domain.media import Media, MediaKind
from flow2api.testing.factories import AccountFactory, MediaFactory, enlarging_spec, picture_spec, video_spec

LARGER_PICTURE, LARGER_VIDEO = enlarging_spec(MediaKind.IMAGE), enlarging_spec(MediaKind.VIDEO)
EXTENSION = video_spec("extension", mode=Mode.EXTEND)
EDIT = video_spec("edit", mode=Mode.EDIT, limited_as="film")
PICTURE = MediaFactory.build(upstream_name="p", width=1376, height=768, workspace="workspace")
VIDEO = replace(PICTURE, kind=MediaKind.VIDEO, width=1280, height=720)


@pytest.mark.parametrize(
    ("spec", "source", "made_by"),
    [
        (LARGER_PICTURE, PICTURE, picture_spec()),
        (LARGER_PICTURE, replace(PICTURE, width=None), picture_spec()),
        (LARGER_PICTURE, replace(PICTURE, width=None), None),
        (LARGER_VIDEO, VIDEO, video_spec()),
        (LARGER_VIDEO, VIDEO, None),
        (EXTENSION, VIDEO, video_spec("other")),
        (EXTENSION, VIDEO, EXTENSION),
        (EDIT, VIDEO, video_spec()),
        (EDIT, VIDEO, None),
    ],
)
def test_can_be_built_on(spec: ModelSpec, source: Media, made_by: ModelSpec | None) -> None:
    assert obstacle(spec, source, made_by) is None


@pytest.mark.parametrize(
    ("spec", "source", "made_by", "found"),
    [
        (LARGER_PICTURE, VIDEO, video_spec(), Obstacle.OTHER_KIND),
        (LARGER_VIDEO, PICTURE, picture_spec(), Obstacle.OTHER_KIND),
        (LARGER_PICTURE, replace(PICTURE, upstream_name=None), picture_spec(), Obstacle.UNKNOWN_UPSTREAM),
        (EXTENSION, replace(VIDEO, upstream_name=None), None, Obstacle.UNKNOWN_UPSTREAM),
        (LARGER_VIDEO, VIDEO, video_spec(upstream="elsewhere"), Obstacle.OTHER_UPSTREAM),
        (EDIT, VIDEO, video_spec("other"), Obstacle.OTHER_MODEL),
        (LARGER_VIDEO, VIDEO, EXTENSION, Obstacle.IN_PIECES),
        (LARGER_VIDEO, replace(VIDEO, width=1920, height=1080), video_spec(), Obstacle.LARGE_ALREADY),
        (LARGER_PICTURE, replace(PICTURE, width=None), picture_spec(size=Size(2752, 1536)), Obstacle.LARGE_ALREADY),
    ],
)
def test_cannot_be_built_on(spec: ModelSpec, source: Media, made_by: ModelSpec | None, found: Obstacle) -> None:
    assert obstacle(spec, source, made_by) is found


@given(width=st.integers(1, 8000), height=st.integers(1, 8000))
def test_only_what_becomes_larger_is_enlarged(width: int, height: int) -> None:
    source = replace(PICTURE, width=width, height=height)
    is_larger = LARGER_PICTURE.size.area > width * height
    assert obstacle(LARGER_PICTURE, source, None) is (None if is_larger else Obstacle.LARGE_ALREADY)


def test_maker_that_is_as_it_was_can() -> None:
    maker = AccountFactory.build(credits=50)
    assert obstacle_of_maker(LARGER_VIDEO, VIDEO, maker) is None
    assert obstacle_of_maker(LARGER_VIDEO, VIDEO, replace(maker, tier=None, credits=None)) is None


def test_maker_that_is_gone_or_has_not_what_it_needs_cannot() -> None:
    maker, dear = AccountFactory.build(credits=49), replace(LARGER_VIDEO, min_tier=Tier.ULTRA)
    assert obstacle_of_maker(LARGER_VIDEO, VIDEO, None) is Obstacle.MAKER_GONE
    assert obstacle_of_maker(LARGER_VIDEO, VIDEO, replace(maker, workspace="new")) is Obstacle.MAKER_MOVED_ON
    assert obstacle_of_maker(dear, VIDEO, maker) is Obstacle.PLAN_TOO_LOW
    assert obstacle_of_maker(LARGER_VIDEO, VIDEO, maker) is Obstacle.TOO_FEW_CREDITS

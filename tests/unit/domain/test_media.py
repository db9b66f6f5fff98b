"""What is known of kept bytes, and for how long they are kept."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.domain.media import CONTENT_TYPES, MediaKind, MediaRole, Retention, sniff_content_type
from flow2api.domain.options import Options
from flow2api.testing.factories import MediaFactory
from flow2api.testing.fakes.clock import START
from flow2api.testing.fakes.media import fake_picture
from flow2api.testing.fakes.upstream import MP4_HEAD


@pytest.mark.parametrize("content_type", ["image/png", "image/jpeg", "image/webp"])
def test_pictures_are_known_by_their_first_bytes(content_type: str) -> None:
    assert sniff_content_type(fake_picture(content_type)[:12]) == content_type


def test_videos_are_known_by_their_first_box() -> None:
    assert sniff_content_type(MP4_HEAD[:12]) == "video/mp4"


@given(st.binary(max_size=64))
def test_anything_else_is_nothing_that_we_keep(head: bytes) -> None:
    assert sniff_content_type(head) in {None, *CONTENT_TYPES}
    assert sniff_content_type(b"<" + head) is None or head[3:7] == b"ftyp"


def test_file_name_is_made_of_id_and_type() -> None:
    assert MediaFactory.build(id="media_1", content_type="video/mp4").file_name == "media_1.mp4"


def test_retention_ends_at_its_moment() -> None:
    media = MediaFactory.build(expires_at=START)
    assert media.is_expired(START)
    assert not media.is_expired(START - timedelta(seconds=1))
    assert not MediaFactory.build(expires_at=None).is_expired(START)


@pytest.mark.parametrize(
    ("kind", "role", "hours"),
    [
        (MediaKind.IMAGE, MediaRole.RESULT, 1),
        (MediaKind.VIDEO, MediaRole.RESULT, 2),
        (MediaKind.VIDEO, MediaRole.THUMBNAIL, 2),
        (MediaKind.IMAGE, MediaRole.INPUT, 3),
        (MediaKind.VIDEO, MediaRole.INPUT, 3),
    ],
)
def test_each_kind_has_its_retention(kind: MediaKind, role: MediaRole, hours: int) -> None:
    options = Options(image_retention_h=1, video_retention_h=2, input_retention_h=3)
    assert options.retention.expiry(kind, role, START) == START + timedelta(hours=hours)
    for_ever = Options(image_retention_h=0, video_retention_h=0, input_retention_h=0).retention
    assert for_ever.expiry(kind, role, START) is None
    assert Retention().input == timedelta(days=1)

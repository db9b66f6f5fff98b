from dataclasses import replace

import pytest

from flow2api.adapters.openai_media.kept_pictures import KeptPictures
from flow2api.domain.account import Tier
from flow2api.domain.errors import UpstreamNotFoundError
from flow2api.domain.ports.upstream import Access, UploadedPicture
from flow2api.domain.secret import Secret
from flow2api.testing.fakes.clock import FakeClock

ACCESS = Access(account_id=1, session_token=None, access_token=Secret("key"), tier=Tier.FREE)


def picture(data: bytes) -> UploadedPicture:
    return UploadedPicture(data, "image/png", 1, 1)


def kept(clock: FakeClock | None = None, limit_bytes: int = 100) -> KeptPictures:
    return KeptPictures(clock or FakeClock(), lifetime_s=60, limit_bytes=limit_bytes)


def test_picture_is_held_under_one_handle_however_often_it_comes() -> None:
    pictures = kept()

    handles = {pictures.keep(ACCESS, picture(b"12345")) for _ in range(3)}

    assert len(handles) == 1
    assert pictures.held_bytes == 5
    assert pictures.get(ACCESS, handles.pop()).data == b"12345"


@pytest.mark.parametrize("other", [replace(ACCESS, account_id=2), replace(ACCESS, access_token=Secret("other"))])
def test_handle_is_of_no_use_to_another_account_or_key(other: Access) -> None:
    pictures = kept()
    handle = pictures.keep(ACCESS, picture(b"12345"))

    with pytest.raises(UpstreamNotFoundError):
        pictures.get(other, handle)


def test_handle_ends() -> None:
    clock = FakeClock()
    pictures = kept(clock)
    handle = pictures.keep(ACCESS, picture(b"12345"))
    clock.advance(60)

    with pytest.raises(UpstreamNotFoundError):
        pictures.get(ACCESS, handle)


def test_picture_that_was_not_used_for_longest_goes_when_there_is_no_room() -> None:
    pictures = kept(limit_bytes=10)
    first, second = pictures.keep(ACCESS, picture(b"1111")), pictures.keep(ACCESS, picture(b"2222"))
    pictures.get(ACCESS, first)

    third = pictures.keep(ACCESS, picture(b"3333"))

    assert pictures.held_bytes == 8
    assert [pictures.get(ACCESS, handle).data for handle in (first, third)] == [b"1111", b"3333"]
    with pytest.raises(UpstreamNotFoundError):
        pictures.get(ACCESS, second)


def test_picture_larger_than_all_room_is_held_alone() -> None:
    pictures = kept(limit_bytes=10)
    pictures.keep(ACCESS, picture(b"1111"))

    handle = pictures.keep(ACCESS, picture(b"x" * 50))

    assert pictures.get(ACCESS, handle).data == b"x" * 50
    assert pictures.held_bytes == 50

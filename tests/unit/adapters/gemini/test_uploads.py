import pytest

from flow2api.adapters.gemini.uploads import HeldPictures
from flow2api.domain.account import Tier
from flow2api.domain.errors import UpstreamNotFoundError
from flow2api.domain.ports.upstream import Access, UploadedPicture
from flow2api.domain.secret import Secret
from flow2api.testing.fakes.clock import FakeClock

ACCESS = Access(account_id=1, session_token=None, access_token=Secret("one"), tier=Tier.FREE)
STRANGER = Access(account_id=2, session_token=None, access_token=Secret("two"), tier=Tier.FREE)


def picture(size: int = 10) -> UploadedPicture:
    return UploadedPicture(bytes(size), "image/png", 1, 1)


def test_picture_is_found_by_who_handed_it_over_alone() -> None:
    held = HeldPictures(FakeClock(), lifetime_s=60)
    handle = held.hold(ACCESS, picture())

    assert held.find(ACCESS, handle) == picture()
    assert held.find(ACCESS, handle) == picture()
    with pytest.raises(UpstreamNotFoundError):
        held.find(STRANGER, handle)
    with pytest.raises(UpstreamNotFoundError):
        held.find(ACCESS, "another")


def test_picture_is_forgotten_in_time() -> None:
    clock = FakeClock()
    held = HeldPictures(clock, lifetime_s=60)
    handle = held.hold(ACCESS, picture())
    clock.advance(61)

    with pytest.raises(UpstreamNotFoundError):
        held.find(ACCESS, handle)


def test_oldest_make_room_for_new_ones() -> None:
    held = HeldPictures(FakeClock(), lifetime_s=60, most_bytes=25)
    first, second, third = (held.hold(ACCESS, picture()) for _ in range(3))

    with pytest.raises(UpstreamNotFoundError):
        held.find(ACCESS, first)
    assert held.find(ACCESS, second) == picture()
    assert held.find(ACCESS, third) == picture()


def test_single_picture_may_be_larger_than_the_room() -> None:
    held = HeldPictures(FakeClock(), lifetime_s=60, most_bytes=25)

    assert held.find(ACCESS, held.hold(ACCESS, picture(100))) == picture(100)

"""Whoever tells something sees no error."""

from flow2api.domain import notices
from flow2api.domain.notices import Notice, NoticeKind
from flow2api.domain.usecases.spread_notices import SpreadNotices
from flow2api.testing.fakes.clock import START as NOW


def test_listener_that_fails_keeps_nobody_from_hearing() -> None:
    spread, heard = SpreadNotices(), list[Notice]()

    def fail(notice: Notice) -> None:
        raise RuntimeError("listener")

    spread.subscribe(fail)
    spread.subscribe(heard.append)
    spread(notices.disk_full(NOW))

    assert heard == [notices.disk_full(NOW)]


def test_notice_is_wanted_when_one_listener_wants_its_kind() -> None:
    spread = SpreadNotices()
    assert not spread.is_wanted(NoticeKind.DISK_FULL)

    spread.subscribe(lambda notice: None, lambda kind: kind is NoticeKind.DISK_FULL)
    assert spread.is_wanted(NoticeKind.DISK_FULL)
    assert not spread.is_wanted(NoticeKind.DISK_FREED)

    spread.subscribe(lambda notice: None)
    assert spread.is_wanted(NoticeKind.DISK_FREED)

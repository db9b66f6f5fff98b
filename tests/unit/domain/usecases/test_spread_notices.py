"""Whoever tells something sees no error."""

from flow2api.domain import notices
from flow2api.domain.notices import Notice
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

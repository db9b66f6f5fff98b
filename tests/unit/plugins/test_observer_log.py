"""What operators ought to know becomes lines of the log."""

import pytest
from structlog.testing import capture_logs

from flow2api.domain import notices
from flow2api.domain.notices import NoticeKind
from flow2api.domain.ports.observers import Observer
from flow2api.plugins.observer_log import LogObserver, build, register_observers
from flow2api.testing.contracts import ObserverContract
from flow2api.testing.fakes.clock import START


class TestLogObserver(ObserverContract):
    @pytest.fixture
    def observer(self) -> Observer:
        return LogObserver()


def test_trouble_is_a_warning_and_its_end_is_none() -> None:
    with capture_logs() as lines:
        LogObserver().notify(notices.disk_full(START))
        LogObserver().notify(notices.disk_freed(START))

    assert [(line["log_level"], line["kind"]) for line in lines] == [("warning", "disk.full"), ("info", "disk.freed")]
    assert all(line["event"] and line["subject"] == "disk" for line in lines)


def test_generations_are_left_to_the_request_log() -> None:
    assert NoticeKind.GENERATION_COMPLETED not in LogObserver().kinds


def test_is_registered_by_its_name() -> None:
    (factory,) = register_observers()

    assert (factory.name, factory.build) == ("log", build)

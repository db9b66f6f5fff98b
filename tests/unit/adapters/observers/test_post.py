"""Observers hear everything in its order, and whatever they do, nobody else notices."""

import threading

import pytest
from structlog.testing import capture_logs

from flow2api.adapters.observers import ObserverPost, post
from flow2api.domain import notices
from flow2api.domain.notices import Notice
from flow2api.plugins.observer_log import LogObserver
from flow2api.testing.fakes.clock import START as NOW


class Recorder:
    def __init__(self) -> None:
        self.heard: list[str] = []
        self.threads: set[str] = set()

    def notify(self, notice: Notice) -> None:
        self.heard.append(notice.subject)
        self.threads.add(threading.current_thread().name)
        if notice.subject == "proxy bad":
            raise RuntimeError("observer")


class Hanging:
    def __init__(self) -> None:
        self.free = threading.Event()
        self.ends = 0

    def notify(self, notice: Notice) -> None:
        self.free.wait(100)
        self.ends += 1


def notice(name: str) -> Notice:
    return notices.proxy_recovered(name, NOW)


def test_observer_that_chooses_is_not_woken_for_the_rest() -> None:
    class Choosy(Recorder):
        kinds = frozenset({notices.NoticeKind.PROXY_RECOVERED})

    recorder = Choosy()
    observer = ObserverPost("mine", recorder)
    observer.take(notices.breaker_closed("flow", NOW))
    observer.take(notice("a"))
    assert observer._queue.qsize() == 1
    observer.start()
    observer.stop(within_s=60)

    assert recorder.heard == ["proxy a"]


def test_observer_hears_everything_in_its_order_in_its_own_thread() -> None:
    recorder = Recorder()
    observer = ObserverPost("mine", recorder)
    observer.start()
    for number in range(100):
        observer.take(notice(str(number)))
    observer.stop(within_s=60)

    assert recorder.heard == [f"proxy {number}" for number in range(100)]
    assert recorder.threads == {"observer mine"}


def test_error_is_logged_by_name_and_the_next_notice_is_heard() -> None:
    recorder = Recorder()
    observer = ObserverPost("mine", recorder)
    with capture_logs() as logs:
        observer.start()
        observer.take(notice("bad"))
        observer.take(notice("good"))
        observer.stop(within_s=60)

    assert recorder.heard == ["proxy bad", "proxy good"]
    assert [(one["event"], one["observer"]) for one in logs] == [("observer failed", "mine")]


def test_one_that_hangs_holds_up_nobody_and_misses_what_its_queue_cannot_hold() -> None:
    hanging, recorder = Hanging(), Recorder()
    slow, quick = ObserverPost("slow", hanging, held=10), ObserverPost("quick", recorder)
    with capture_logs() as logs:
        slow.start()
        quick.start()
        for number in range(500):
            for observer in (slow, quick):
                observer.take(notice(str(number)))
        quick.stop(within_s=60)
        slow.stop(within_s=0.1)
    assert hanging.ends == 0, "nobody has waited for it, neither who told it something nor who stopped it"
    hanging.free.set()

    assert len(recorder.heard) == 500
    assert slow.missed >= 489
    warnings = [one for one in logs if one["event"] == "observer is too slow and misses notices"]
    assert [one["observer"] for one in warnings] == ["slow"]


def test_slow_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "SLOW_S", 0.0)
    observer = ObserverPost("mine", Recorder())
    with capture_logs() as logs:
        observer.start()
        observer.take(notice("a"))
        observer.stop(within_s=60)

    # One that a test before left hanging may be told of, too.
    assert [one["event"] for one in logs if one["observer"] == "mine"] == ["observer is slow"]


def test_log_has_what_concerns_operators() -> None:
    with capture_logs() as logs:
        observer = ObserverPost("log", LogObserver())
        observer.take(notices.disk_full(NOW))
        observer.take(notices.disk_freed(NOW))
        observer.take(Notice(kind=notices.NoticeKind.GENERATION_COMPLETED, at=NOW, subject="gen_1", sentence="Done."))
        observer.start()
        observer.stop(within_s=60)

    assert [(one["log_level"], one["kind"]) for one in logs] == [("warning", "disk.full"), ("info", "disk.freed")]

from datetime import UTC, datetime, timedelta

from flow2api.domain.throttle import FORGOTTEN_AFTER, FREE_TRIES, LONGEST_PAUSE, ToldPauses, Tries

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def after(count: int) -> Tries:
    tries = Tries()
    for _ in range(count):
        tries = tries.one_more(NOW)
    return tries


def test_pause_doubles_after_the_free_tries_and_stays_bounded() -> None:
    pauses = [after(count).pause_left(NOW).total_seconds() for count in range(1, 20)]

    assert pauses[: FREE_TRIES + 3] == [0, 0, 0, 0, 2, 4, 8, 16]
    assert max(pauses) == LONGEST_PAUSE.total_seconds()


def test_count_that_is_beyond_all_measure_does_no_harm() -> None:
    assert Tries(10**9, NOW).one_more(NOW).pause_left(NOW) == LONGEST_PAUSE


def test_clock_that_was_set_back_locks_nobody_out() -> None:
    assert after(50).pause_left(NOW - timedelta(days=1)) == LONGEST_PAUSE


def test_old_tries_count_no_more() -> None:
    later = NOW + LONGEST_PAUSE + FORGOTTEN_AFTER + timedelta(seconds=1)

    assert after(50).one_more(later).count == 1


def test_pause_is_told_once_however_often_somebody_knocks() -> None:
    told, pause = ToldPauses(), timedelta(seconds=10)

    assert told.is_new([b"ada", b"here"], NOW, pause)
    assert not told.is_new([b"ada", b"elsewhere"], NOW, pause)
    assert not told.is_new([b"bob", b"here"], NOW + timedelta(seconds=9), pause)
    assert told.is_new([b"bob", b"elsewhere"], NOW + timedelta(seconds=9), pause)
    assert told.is_new([b"ada", b"here"], NOW + timedelta(seconds=10), pause)

from flow2api.domain.media import MediaKind
from flow2api.domain.pace import Pace


def seconds_for(pace: Pace, slots: int, now: float) -> float | None:
    return pace.seconds_for("flow", MediaKind.IMAGE, slots, now)


def test_estimate_follows_the_recent_pace() -> None:
    pace = Pace()
    for at in range(0, 100, 10):
        pace.note("flow", MediaKind.IMAGE, float(at))
    assert seconds_for(pace, 3, 100.0) == 30.0


def test_estimate_grows_while_nothing_comes_free() -> None:
    pace = Pace()
    pace.note("flow", MediaKind.IMAGE, 0.0)
    assert seconds_for(pace, 1, 10.0) == 10.0
    assert seconds_for(pace, 1, 60.0) == 60.0


def test_nothing_is_known_of_other_kinds_and_of_long_ago() -> None:
    pace = Pace()
    assert seconds_for(pace, 1, 5.0) is None
    pace.note("flow", MediaKind.VIDEO, 0.0)
    assert seconds_for(pace, 1, 5.0) is None
    pace.note("flow", MediaKind.IMAGE, 0.0)
    assert seconds_for(pace, 1, 0.0) is None
    assert seconds_for(pace, 1, 3000.0) is None

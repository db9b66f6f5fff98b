import pytest

from flow2api.domain.media import MediaKind
from flow2api.domain.pace import Pace

IMAGE = MediaKind.IMAGE


def seconds_for(pace: Pace, slots: int, now: float) -> float | None:
    return pace.seconds_for("flow", IMAGE, slots, now)


def held(pace: Pace, since: float, until: float, kind: MediaKind = IMAGE) -> None:
    """A slot was taken and given back."""
    pace.carried("flow", kind, 1, since)
    pace.returned("flow", kind, until, until - since)
    pace.carried("flow", kind, -1, until)


def test_estimate_follows_how_long_slots_are_held_and_how_many_are() -> None:
    pace = Pace()
    for at in range(0, 100, 10):
        held(pace, at, at + 10.0)
    pace.carried("flow", IMAGE, 1, 100.0)
    assert seconds_for(pace, 3, 100.0) == 30.0
    pace.carried("flow", IMAGE, 1, 100.0)
    assert seconds_for(pace, 3, 100.0) == 15.0


@pytest.mark.parametrize("quiet_s", [10.0, 1200.0])
def test_quiet_time_before_does_not_lengthen_it(quiet_s: float) -> None:
    pace = Pace()
    held(pace, 0.0, 2.0)
    pace.carried("flow", IMAGE, 1, quiet_s)
    assert seconds_for(pace, 2, quiet_s + 1.0) == 4.0


def test_estimate_grows_while_nothing_comes_free() -> None:
    pace = Pace()
    held(pace, 0.0, 10.0)
    pace.carried("flow", IMAGE, 1, 20.0)
    assert seconds_for(pace, 1, 25.0) == 10.0
    assert seconds_for(pace, 1, 80.0) == 60.0


def test_slots_of_every_kind_are_counted_together_as_well() -> None:
    pace = Pace()
    held(pace, 0.0, 10.0)
    held(pace, 0.0, 30.0, MediaKind.VIDEO)
    for kind in MediaKind:
        pace.carried("flow", kind, 1, 30.0)
    assert pace.seconds_for_any(2, 31.0) == 20.0
    assert seconds_for(pace, 2, 31.0) == 20.0
    assert pace.seconds_for("flow", MediaKind.VIDEO, 2, 31.0) == 60.0


def test_nothing_is_known_of_other_kinds_and_of_long_ago() -> None:
    pace = Pace()
    assert seconds_for(pace, 1, 5.0) is None
    assert pace.seconds_for_any(1, 5.0) is None
    held(pace, 0.0, 1.0, MediaKind.VIDEO)
    assert seconds_for(pace, 1, 5.0) is None
    held(pace, 0.0, 1.0)
    assert seconds_for(pace, 1, 5.0) == 4.0
    assert seconds_for(pace, 1, 3000.0) is None

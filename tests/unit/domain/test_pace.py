from flow2api.domain.media import MediaKind
from flow2api.domain.pace import Pace

IMAGES, VIDEOS = ("flow", MediaKind.IMAGE), ("flow", MediaKind.VIDEO)


def test_estimate_follows_how_long_slots_are_held_and_how_many_are() -> None:
    pace = Pace()
    for at in range(10, 110, 10):
        pace.returned(*IMAGES, float(at), 10.0)
    assert pace.seconds_for(3, 100.0, held=1, place=IMAGES) == 30.0
    assert pace.seconds_for(3, 100.0, held=2, place=IMAGES) == 15.0
    assert pace.seconds_for(3, 100.0, held=0, place=IMAGES) == 30.0


def test_quiet_time_before_does_not_lengthen_it() -> None:
    pace = Pace()
    pace.returned(*IMAGES, 2.0, 2.0)
    for now in (11.0, 1201.0):
        assert pace.seconds_for(2, now, held=1, latest=now - 1.0, place=IMAGES) == 4.0


def test_estimate_grows_while_nothing_comes_free() -> None:
    pace = Pace()
    pace.returned(*IMAGES, 10.0, 10.0)
    assert pace.seconds_for(1, 25.0, held=1, latest=20.0, place=IMAGES) == 10.0
    assert pace.seconds_for(1, 80.0, held=1, latest=20.0, place=IMAGES) == 60.0


def test_slots_of_every_kind_are_taken_together_as_well() -> None:
    pace = Pace()
    pace.returned(*IMAGES, 10.0, 10.0)
    pace.returned(*VIDEOS, 30.0, 30.0)
    assert pace.seconds_for(2, 31.0, held=2) == 20.0
    assert pace.seconds_for(2, 31.0, held=1, place=IMAGES) == 20.0
    assert pace.seconds_for(2, 31.0, held=1, place=VIDEOS) == 60.0


def test_nothing_is_known_of_other_kinds_and_of_long_ago() -> None:
    pace = Pace()
    assert pace.seconds_for(1, 5.0, held=1) is None
    pace.returned(*VIDEOS, 1.0, 1.0)
    assert pace.seconds_for(1, 5.0, held=1, place=IMAGES) is None
    pace.returned(*IMAGES, 1.0, 1.0)
    assert pace.seconds_for(1, 5.0, held=1, place=IMAGES) == 1.0
    assert pace.seconds_for(1, 3000.0, held=1, place=IMAGES) is None

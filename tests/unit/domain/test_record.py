from dataclasses import FrozenInstanceError, dataclass

import pytest

from flow2api.domain.record import Record


@dataclass(frozen=True)
class Point(Record):
    x: int
    y: int = 0


def test_changed_record_has_the_other_values_and_the_first_one_stays() -> None:
    first = Point(1, 2)
    assert (first.changed(y=3), first) == (Point(1, 3), Point(1, 2))


def test_field_that_does_not_exist_is_refused() -> None:
    with pytest.raises(TypeError, match="a Point has no z"):
        Point(1).changed(z=1)


def test_changed_record_is_as_frozen_as_the_first_one() -> None:
    with pytest.raises(FrozenInstanceError):
        Point(1).changed(y=2).y = 4  # type: ignore[misc]

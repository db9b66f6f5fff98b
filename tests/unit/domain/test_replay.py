import pytest

from flow2api.domain.replay import Waits, gini


@pytest.mark.parametrize(
    ("counts", "uneven"), [([], 0.0), ([0, 0], 0.0), ([5, 5, 5], 0.0), ([0, 0, 0, 8], 0.75), ([1, 3], 0.25)]
)
def test_gini_tells_how_unevenly_work_is_spread(counts: list[int], uneven: float) -> None:
    assert gini(counts) == pytest.approx(uneven)


def test_quantiles_of_waits() -> None:
    waits = Waits()
    assert (waits.quantile(0.5), waits.longest_s) == (0.0, 0.0)
    for seconds in (0.0, 0.0, 0.0, 3.0, 61.234):
        waits.add(seconds)
    assert (waits.quantile(0.5), waits.quantile(0.95), waits.longest_s, waits.waited) == (0.0, 61.0, 61.234, 2)


def test_millions_of_waits_take_no_room() -> None:
    waits = Waits()
    for number in range(20_000):
        waits.add(number * 0.0137)
    assert len(waits._counts) < 600

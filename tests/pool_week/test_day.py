"""A day with 60 accounts of all kinds, played in seconds; ``bench/pool_week.py`` plays the week."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.pool_week.loop import run
from tests.pool_week.proofs import PROOFS
from tests.pool_week.week import DAY, Played, folder_in_memory, play

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def day() -> Iterator[Played]:
    log = logging.getLogger("flow2api")
    level = log.level
    log.setLevel(logging.ERROR)
    with folder_in_memory() as folder:
        played = run(lambda: play(DAY, Path(folder)))
    yield played
    log.setLevel(level)


@pytest.mark.parametrize("proof", PROOFS.values(), ids=PROOFS)
def test_day_of_all_troubles(day: Played, proof: Callable[[Played], list[str]]) -> None:
    assert proof(day) == []

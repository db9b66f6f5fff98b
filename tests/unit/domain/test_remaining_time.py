"""What is left of something is told by how long others took, and never more surely than that allows."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.domain.generation import FailedAttempt, Generation, Passage, Phase, State
from flow2api.domain.remaining_time import LEAST, OVERDUE, Remaining, remaining, work_begins_ms, work_took_s
from flow2api.testing.samples import NOW, generation_of

FAILED = FailedAttempt(3, 1000, 4000, Phase.SUBMITTING, "upstream_error", "No.")


def test_too_few_tell_nothing() -> None:
    assert remaining([10.0] * (LEAST - 1), 1.0) is None
    assert remaining([], 0.0) is None


def test_left_is_what_half_of_the_others_needed_from_here() -> None:
    took = [20.0, 40.0, 60.0, 80.0, 100.0]

    assert remaining(took, 0.0) == Remaining(40.0, 80.0)
    assert remaining(took, 50.0) == Remaining(20.0, 40.0)


def test_what_takes_longer_than_nearly_all_others_is_overdue() -> None:
    took = [float(number) for number in range(1, 41)]

    assert remaining(took, 39.5) == OVERDUE
    assert remaining(took, 40.0) == OVERDUE
    assert remaining(took, 38.0) != OVERDUE


@pytest.mark.parametrize(
    ("left", "is_close"),
    [(Remaining(40, 60), True), (Remaining(40, 61), False), (Remaining(1, 6), True), (Remaining(1, 6.5), False)],
)
def test_two_ends_that_are_near_are_told_as_one(left: Remaining, is_close: bool) -> None:
    assert left.is_close is is_close
    assert left.middle_s == (left.least_s + left.most_s) / 2


@given(st.lists(st.floats(0, 1e4), max_size=70), st.floats(0, 2e4))
def test_nothing_is_ever_left_that_is_less_than_nothing(took: list[float], so_far_s: float) -> None:
    left = remaining(sorted(took), so_far_s)

    assert left is None or 0 <= left.least_s <= left.most_s


def made(**changes: Any) -> Generation:
    passages = (Passage(Phase.AUTHENTICATING, 500), Passage(Phase.SUBMITTING, 900), Passage(Phase.STORING, 7000))
    whole: dict[str, Any] = {"state": State.COMPLETED, "ended_at": NOW + timedelta(seconds=8), "passages": passages}
    return generation_of("gen_1").changed(**(whole | changes))


def test_work_begins_with_the_first_phase_in_which_an_account_has_it() -> None:
    assert work_begins_ms(made()) == 500
    assert work_begins_ms(made(passages=())) is None
    assert work_took_s(made()) == 7.5


def test_attempts_that_came_to_nothing_do_not_count() -> None:
    again = (*made().passages[:2], Passage(Phase.LEASING, 5100), Passage(Phase.SUBMITTING, 6000))

    assert work_begins_ms(made(failed_attempts=(FAILED,), passages=again)) == 6000
    assert work_took_s(made(failed_attempts=(FAILED,), passages=again)) == 2.0
    waiting = made(state=State.RUNNING, ended_at=None, failed_attempts=(FAILED,), passages=again[:3])
    assert work_begins_ms(waiting) is None


@pytest.mark.parametrize(
    "changes",
    [{"state": State.FAILED}, {"ended_at": None}, {"passages": ()}, {"passages": (Passage(Phase.LEASING, 1),)}],
)
def test_only_what_ended_well_and_left_its_course_tells_how_long_it_took(changes: dict[str, Any]) -> None:
    assert work_took_s(made(**changes)) is None

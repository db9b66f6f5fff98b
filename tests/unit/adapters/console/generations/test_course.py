"""The time of a generation adds up, whatever it went into."""

from hypothesis import given
from hypothesis import strategies as st

from flow2api.adapters.console.generations.course import LOST, WAIT, course_of
from flow2api.domain.generation import FailedAttempt, Generation, Passage, Phase
from flow2api.testing.samples import generation_of


def went(passages: list[tuple[Phase, int]], failed: list[tuple[int, int]] | None = None) -> Generation:
    attempts = tuple(FailedAttempt(1, at, took, None, "upstream_error", "No.") for at, took in failed or [])
    return generation_of("gen_1").changed(passages=tuple(Passage(*one) for one in passages), failed_attempts=attempts)


def test_phases_follow_each_other_after_the_wait() -> None:
    spans = course_of(went([(Phase.SUBMITTING, 100), (Phase.STORING, 900)]), 1000)

    assert [(one.name, one.ms) for one in spans] == [(WAIT, 100), ("submitting", 800), ("storing", 100)]
    assert [(one.start, one.share) for one in spans] == [(0.0, 0.1), (0.1, 0.8), (0.9, 0.1)]


def test_what_failed_attempts_took_is_lost_and_counts_for_no_phase() -> None:
    passages = [(Phase.SUBMITTING, 100), (Phase.LEASING, 600), (Phase.SUBMITTING, 800)]

    spans = course_of(went(passages, [(100, 400)]), 1000)

    assert {one.name: one.ms for one in spans} == {WAIT: 400, LOST: 400, "submitting": 200}


def test_nothing_takes_no_time() -> None:
    assert course_of(went([]), 0) == []


@given(
    st.lists(st.tuples(st.sampled_from(Phase), st.integers(0, 5000)), max_size=6),
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 2000)), max_size=4),
    st.integers(1, 6000),
)
def test_parts_add_up_to_the_whole(
    passages: list[tuple[Phase, int]], failed: list[tuple[int, int]], total_ms: int
) -> None:
    spans = course_of(went(sorted(passages, key=lambda one: one[1]), failed), total_ms)

    assert sum(one.ms for one in spans) == total_ms
    assert abs(sum(one.share for one in spans) - 1) < 1e-9

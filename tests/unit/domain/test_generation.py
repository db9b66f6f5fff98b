"""The record of a generation and its steps."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.domain.generation import FailedAttempt, Fault, Operation, OperationStatus, Passage, Phase, Product, State
from flow2api.testing.factories import GenerationFactory
from flow2api.testing.fakes.clock import START

LATER = START + timedelta(minutes=1)


def test_entering_a_phase_keeps_the_time_of_the_first() -> None:
    generation = GenerationFactory.build().entering(Phase.UPLOADING, START).entering(Phase.SUBMITTING, LATER)
    assert (generation.state, generation.phase, generation.started_at) == (State.RUNNING, Phase.SUBMITTING, START)


def test_course_tells_when_each_phase_began_and_what_came_to_nothing() -> None:
    asked = GenerationFactory.build(created_at=START)
    failed = FailedAttempt(3, 100, 900, Phase.UPLOADING, "upstream_error", "It did not answer.")
    generation = asked.entering(Phase.UPLOADING, START).met(failed).entering(Phase.SUBMITTING, LATER)
    assert generation.passages == (Passage(Phase.UPLOADING, 0), Passage(Phase.SUBMITTING, 60_000))
    assert generation.failed_attempts == (failed,)
    assert asked.age_ms(START - timedelta(seconds=1)) == 0


@given(st.lists(st.integers(-10, 200)))
def test_progress_never_goes_back_and_stops_short_of_the_end(steps: list[int]) -> None:
    generation, before = GenerationFactory.build(), 0
    for percent in steps:
        generation = generation.progressed(percent)
        assert before <= generation.progress <= 99
        before = generation.progress


def test_completion_lets_go_of_what_only_the_work_needed() -> None:
    begun = GenerationFactory.build(
        owner="here", lease_until=LATER, operation=Operation("o"), made="{}", phase=Phase.STORING, state=State.RUNNING
    )
    done = begun.completed(("media_1",), START, LATER)
    assert (done.state, done.progress, done.results, done.expires_at) == (State.COMPLETED, 100, ("media_1",), LATER)
    assert (done.phase, done.operation, done.made, done.owner, done.lease_until) == (None,) * 5


@pytest.mark.parametrize("how", ["failed", "cancelled"])
def test_other_ends_keep_the_handle_for_whoever_looks_into_it(how: str) -> None:
    begun = GenerationFactory.build(owner="here", lease_until=LATER, operation=Operation("o"), state=State.RUNNING)
    ended = begun.failed(Fault("x", "y"), START) if how == "failed" else begun.cancelled(START)
    assert ended.state.value == how
    assert ended.state.is_final
    assert (ended.owner, ended.lease_until, ended.phase, ended.operation) == (None, None, None, Operation("o"))
    assert ended.fault is not None


def test_only_three_states_are_final() -> None:
    assert [state for state in State if state.is_final] == [State.COMPLETED, State.FAILED, State.CANCELLED]


def test_poll_is_over_with_a_product_or_an_error() -> None:
    assert not OperationStatus().is_final
    assert OperationStatus(product=Product("p")).is_final
    assert OperationStatus(error=ValueError()).is_final


def test_change_of_a_field_that_there_is_not_is_a_mistake() -> None:
    assert GenerationFactory.build().changed(prompt="a lake").prompt == "a lake"
    with pytest.raises(TypeError, match="colour"):
        GenerationFactory.build().changed(colour="red")

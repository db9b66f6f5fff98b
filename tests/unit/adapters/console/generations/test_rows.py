"""A row tells what is done now, what went wrong, and shows no secret."""

from datetime import timedelta

import pytest

from flow2api.adapters.console.generations.names import Names
from flow2api.adapters.console.generations.rows import Row, row_of
from flow2api.adapters.console.generations.states import phase_words, state_words
from flow2api.domain.generation import FailedAttempt, Fault, Generation, Phase, Stage, State
from flow2api.domain.usecases.follow_generations import UnderWay
from flow2api.domain.waiting_line import Turn
from flow2api.testing.samples import NOW, generation_of

NAMES = Names({1: "shop"}, lambda account_id: None)


def row(turn: Turn | None = None, **changes: object) -> Row:
    generation: Generation = generation_of("gen_1").changed(created_at=NOW, **changes)
    return row_of(UnderWay(generation, turn), NAMES, NOW + timedelta(seconds=90))


def test_queued_one_tells_its_place_and_when_it_may_begin() -> None:
    assert row(Turn(3, 18.2)).step == "Place 3 in line, starts in about 18.0 s"
    assert row(Turn(3)).step == "Place 3 in line"
    assert row(Turn(3)).beside == "all slots in use"
    assert row().took_s == 90


def test_running_one_tells_phase_and_progress() -> None:
    shown = row(state=State.RUNNING, phase=Phase.POLLING, progress=40)

    assert (shown.state.words, shown.step, shown.progress) == ("Running", "Generating, 40 %", 40)
    assert phase_words(Phase.POLLING, Stage.ENLARGE) == "Enlarging"


def test_one_that_an_account_failed_at_is_retrying_and_tells_why() -> None:
    failed = FailedAttempt(3, 0, 900, Phase.UPLOADING, "upstream_error", "Bearer abcdefghijklmnop was refused.")

    shown = row(state=State.RUNNING, phase=Phase.LEASING, failed_attempts=(failed,))

    assert shown.state.words == "Retrying"
    assert shown.beside.startswith("Attempt 2; before: ")
    assert "abcdefghijklmnop" not in shown.beside


def test_failed_one_tells_the_reason_and_an_unknown_outcome_is_told_apart() -> None:
    failed = row(state=State.FAILED, fault=Fault("upstream_error", "It was down."), ended_at=NOW)
    unknown = row(state=State.FAILED, fault=Fault("upstream_state_unknown", "Nobody knows."), ended_at=NOW)

    assert (failed.state.words, failed.reason, failed.took_s) == ("Failed", "It was down.", 0)
    assert unknown.state.words == "Outcome unknown"


def test_long_prompt_is_cut_and_an_empty_one_is_named() -> None:
    assert len(row(prompt="word " * 100).title) <= 141
    assert row(prompt=" ").title == "Without a prompt"


@pytest.mark.parametrize("name", ["", "queued", "running", "retrying", "completed", "failed", "cancelled", "unknown"])
def test_every_state_has_a_symbol_and_a_word(name: str) -> None:
    assert state_words(name).words
    assert state_words(name).symbol

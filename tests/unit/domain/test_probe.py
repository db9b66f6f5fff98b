"""A test of an account knows its steps, what failed, and whether it is over."""

from datetime import UTC, datetime

from flow2api.domain.probe import Probe, ProbePart, ProbeStep, StepState

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def test_test_begins_with_every_step_waiting() -> None:
    probe = Probe(account_id=1, by="ada", began_at=NOW)

    assert [step.part for step in probe.steps] == list(ProbePart)
    assert {step.state for step in probe.steps} == {StepState.WAITING}
    assert (probe.is_over, probe.failure, probe.passed) == (False, None, 0)


def test_step_takes_the_place_of_the_one_of_its_part() -> None:
    failed = ProbeStep(ProbePart.SIGN_IN, StepState.FAILED, 0.1, "credential_revoked", "Sign in again.")
    probe = Probe(account_id=1, by="ada", began_at=NOW, ended_at=NOW)
    probe = probe.with_step(ProbeStep(ProbePart.WAY, StepState.PASSED, 0.0)).with_step(failed)

    assert [step.part for step in probe.steps] == list(ProbePart)
    assert (probe.is_over, probe.failure, probe.passed) == (True, failed, 1)

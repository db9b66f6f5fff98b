"""A test of one account: what is tried, step by step, and what came of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum


class ProbePart(StrEnum):
    """What is tried, in this order."""

    WAY = "way"
    SIGN_IN = "sign_in"
    ALLOWANCE = "allowance"
    WORKSPACE = "workspace"


class StepState(StrEnum):
    """How a step stands."""

    WAITING = "waiting"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class ProbeStep:
    """One step.

    Attributes:
        took_s: How long it took; None before its end.
        code: Of the error by which it failed; empty otherwise. The same for ``message``.
        found: What it found out, as names and plain values; no secret is among them.
    """

    part: ProbePart
    state: StepState = StepState.WAITING
    took_s: float | None = None
    code: str = ""
    message: str = ""
    found: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A test, under way or over.

    Attributes:
        by: Who wanted it.
        ended_at: None while it is under way.
    """

    account_id: int
    by: str
    began_at: datetime
    ended_at: datetime | None = None
    steps: tuple[ProbeStep, ...] = tuple(map(ProbeStep, ProbePart))

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes."""
        return self.ended_at is not None

    @property
    def failure(self) -> ProbeStep | None:
        """The step that failed; None when none has."""
        return next((step for step in self.steps if step.state is StepState.FAILED), None)

    @property
    def passed(self) -> int:
        """How many steps went well."""
        return sum(step.state is StepState.PASSED for step in self.steps)

    def with_step(self, step: ProbeStep) -> "Probe":
        """The test with this step in the place of the one of the same part."""
        return replace(self, steps=tuple(step if one.part is step.part else one for one in self.steps))

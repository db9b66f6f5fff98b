"""The last test of an account, step by step."""

from dataclasses import dataclass
from datetime import datetime

from flow2api.adapters.console.language import gettext, ngettext, retold
from flow2api.adapters.console.wording import number
from flow2api.domain.probe import Probe, ProbePart, ProbeStep, StepState

_STEP_LOOKS = {
    StepState.WAITING: ("", "circle"),
    StepState.RUNNING: ("run", "loader"),
    StepState.PASSED: ("ok", "check"),
    StepState.FAILED: ("err", "x"),
    StepState.SKIPPED: ("", "minus"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLine:
    """One step of a test."""

    kind: str
    icon: str
    title: str
    detail: str
    code: str
    took_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeView:
    """The last test of an account.

    Attributes:
        ended_at: None while it is under way.
    """

    steps: tuple[StepLine, ...]
    passed: int
    by: str
    ended_at: datetime | None


def probe_view(probe: Probe) -> ProbeView:
    """A test as its page shows it, whether it has ended or not."""
    lines = tuple(_step(step) for step in probe.steps)
    return ProbeView(steps=lines, passed=probe.passed, by=probe.by, ended_at=probe.ended_at)


def _step(step: ProbeStep) -> StepLine:
    kind, icon = _STEP_LOOKS[step.state]
    titles = {
        ProbePart.WAY: gettext("Way to the service"),
        ProbePart.SIGN_IN: gettext("Sign-in"),
        ProbePart.ALLOWANCE: gettext("Plan and credits"),
        ProbePart.WORKSPACE: gettext("Workspace"),
    }
    return StepLine(
        kind=kind,
        icon=icon,
        title=titles[step.part],
        detail=retold(step.message) if step.message else _detail(step),
        code=step.code,
        took_s=step.took_s,
    )


def _detail(step: ProbeStep) -> str:
    found = step.found
    if step.state is StepState.SKIPPED:
        return gettext("not tried, because the step before failed")
    if step.state is not StepState.PASSED:
        return ""
    match step.part:
        case ProbePart.WAY if found.get("egress"):
            return gettext("through %(proxy)s, seen as %(egress)s") % dict(found)
        case ProbePart.WAY if found.get("proxy"):
            return gettext("through %(proxy)s") % dict(found)
        case ProbePart.WAY:
            return gettext("direct, without a proxy")
        case ProbePart.SIGN_IN:
            return gettext("accepted, access token received")
        case ProbePart.ALLOWANCE if "credits" in found:
            left = int(found["credits"])
            return ngettext("%(count)s credit left", "%(count)s credits left", left) % {"count": number(left)}
        case ProbePart.ALLOWANCE:
            return gettext("told; credits are not counted")
        case _:
            return str(found.get("workspace") or gettext("made when the account is enabled"))

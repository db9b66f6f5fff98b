"""The newest generations of an account."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.language import gettext
from flow2api.domain.generation import Generation, State
from flow2api.domain.ports.storage import GenerationFilter
from flow2api.domain.request_log import LogFilter, LoggedRequest

_JOBS = 6
_JOB_LOOKS = {
    State.QUEUED: ("", "clock"),
    State.RUNNING: ("run", "loader"),
    State.COMPLETED: ("ok", "check"),
    State.FAILED: ("err", "x"),
    State.CANCELLED: ("", "ban"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLine:
    """One of its generations."""

    id: str
    kind: str
    icon: str
    words: str
    model: str
    took_s: float | None
    at: datetime


async def jobs_of(doors: ConsoleDoors, account_id: int) -> tuple[JobLine, ...]:
    """Its newest generations: what has ended from the request log, which knows those of an account apart."""
    wanted = GenerationFilter(account_id=account_id, is_unfinished=True)
    running = [_job_under_way(one) for one in (await doors.generations.page(wanted, limit=_JOBS)).items]
    lines = await doors.log.page(LogFilter(account_id=account_id), limit=_JOBS)
    # What has just ended may stand in the log before its row is written, and the reverse.
    known = {one.id for one in running}
    ended = [_job_ended(line) for line in lines.items if line.generation_id and line.generation_id not in known]
    return tuple([*running, *ended][:_JOBS])


def _job_under_way(one: Generation) -> JobLine:
    return _job(one.id, one.state, one.spec_name, None, one.created_at)


def _job_ended(line: LoggedRequest) -> JobLine:
    took = timedelta(milliseconds=line.duration_ms)
    return _job(line.generation_id or "", State(line.state), line.model, took.total_seconds(), line.at - took)


def _job(generation_id: str, state: State, model: str, took_s: float | None, at: datetime) -> JobLine:
    words = {
        State.QUEUED: gettext("Queued"),
        State.RUNNING: gettext("Running"),
        State.COMPLETED: gettext("Done"),
        State.FAILED: gettext("Failed"),
        State.CANCELLED: gettext("Cancelled"),
    }
    kind, icon = _JOB_LOOKS[state]
    return JobLine(id=generation_id, kind=kind, icon=icon, words=words[state], model=model, took_s=took_s, at=at)

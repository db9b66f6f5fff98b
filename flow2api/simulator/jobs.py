"""Asynchronous jobs: the state machine of a video from PENDING or SCHEDULED to its end."""

from dataclasses import dataclass, field
from typing import Literal

import msgspec

from flow2api.simulator.accounts import Account
from flow2api.simulator.control_schema import Era, JobView
from flow2api.simulator.media import MediaItem

State = Literal["PENDING", "SCHEDULED", "ACTIVE", "SUCCESSFUL", "FAILED"]
STATUS_PREFIX = "MEDIA_GENERATION_STATUS_"
KEPT_JOBS = 100_000


@dataclass(slots=True, eq=False)
class Job:
    """One job and the media that it makes.

    Attributes:
        name: The handle that polls name; unique.
        item: The result; its bytes can be had from ``ends_at`` on if the job succeeds.
        kind: ``t2v``, ``i2v``, ``r2v``, ``upscale``, ``extend`` or ``concat``.
        ends_at: When it ends; None when it never leaves ACTIVE.
        active_at: When it becomes ACTIVE.
        waiting_state: What it is before that: PENDING for text, SCHEDULED for pictures.
        fail_reason: Why it fails at its end; empty when it succeeds.
        wire: Encoded answers that were sent for it, so that a poll of many jobs is cheap.
    """

    name: str
    item: MediaItem
    account: Account
    project: str
    kind: str
    model_key: str
    prompt: str
    price: int
    created_at: float
    active_at: float
    ends_at: float | None
    waiting_state: State = "PENDING"
    fail_reason: str = ""
    workflow: str = ""
    scene: str = ""
    batch: str = ""
    settled: bool = False
    wire: dict[tuple[Era, State], tuple[float, msgspec.Raw]] = field(default_factory=dict)

    def state(self, now: float) -> State:
        """The upstream's word for where it is at that time, without its prefix."""
        if self.ends_at is not None and now >= self.ends_at:
            return "FAILED" if self.fail_reason else "SUCCESSFUL"
        return "ACTIVE" if now >= self.active_at else self.waiting_state

    def settle(self, now: float) -> bool:
        """Gives credits back once it has failed; returns whether it has ended."""
        if self.ends_at is None or now < self.ends_at:
            return False
        if not self.settled:
            self.settled = True
            if self.fail_reason:
                self.account.give_back(self.price)
        return True

    def view(self, now: float) -> JobView:
        """The job as the control API shows it."""
        return JobView(
            name=self.name,
            account=self.account.id,
            project=self.project,
            kind=self.kind,
            model_key=self.model_key,
            prompt=self.prompt,
            state=self.state(now),
            price=self.price,
            created_at=self.created_at,
            ends_at=self.ends_at,
        )


class JobBoard:
    """All jobs by their handle and by the id of the media they make."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._by_media: dict[str, Job] = {}

    def add(self, job: Job) -> None:
        """Keeps a job; the oldest are forgotten when there are too many."""
        self._jobs[job.name] = job
        self._by_media[job.item.name] = job
        if len(self._jobs) > KEPT_JOBS:
            oldest = self._jobs.pop(next(iter(self._jobs)))
            self._by_media.pop(oldest.item.name, None)

    def find(self, name: str) -> Job | None:
        """The job with that handle or that media."""
        return self._jobs.get(name) or self._by_media.get(name)

    def all(self) -> list[Job]:
        """Every job, oldest first."""
        return list(self._jobs.values())

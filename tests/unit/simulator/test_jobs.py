from typing import Any

import pytest

from flow2api.simulator.accounts import Account
from flow2api.simulator.control_schema import AccountKnobs
from flow2api.simulator.jobs import Job, JobBoard
from flow2api.simulator.media import MediaItem


def job_of(name: str = "job", **fields: Any) -> Job:
    account = Account("acc-1", AccountKnobs(credits=80))
    item = MediaItem(key=f"key-{name}", name=f"media-{name}", account=account, project="p", kind="video", created_at=0)
    times = {"created_at": 0.0, "active_at": 1.0, "ends_at": 10.0} | fields
    return Job(
        name=name, item=item, account=account, project="p", kind="t2v", model_key="veo", prompt="x", price=20, **times
    )


@pytest.mark.parametrize(
    ("now", "state"),
    [(0, "PENDING"), (0.9, "PENDING"), (1, "ACTIVE"), (9.9, "ACTIVE"), (10, "SUCCESSFUL"), (99, "SUCCESSFUL")],
)
def test_passes_its_states_in_time(now: float, state: str) -> None:
    assert job_of().state(now) == state


def test_waits_as_scheduled_when_it_has_pictures() -> None:
    assert job_of(waiting_state="SCHEDULED").state(0) == "SCHEDULED"


def test_without_an_end_it_stays_active() -> None:
    job = job_of(ends_at=None)
    assert (job.state(1e12), job.settle(1e12)) == ("ACTIVE", False)


def test_fails_at_its_end_and_gives_its_credits_back_once() -> None:
    job = job_of(fail_reason="PUBLIC_ERROR_SEXUAL")
    assert (job.state(9), job.settle(9)) == ("ACTIVE", False)
    assert job.state(10) == "FAILED"
    assert [job.settle(10), job.settle(11)] == [True, True]
    assert job.account.knobs.credits == 100


def test_keeps_its_price_when_it_succeeds() -> None:
    job = job_of()
    job.settle(10)
    assert job.account.knobs.credits == 80


def test_is_found_by_its_handle_and_by_its_media() -> None:
    board, job = JobBoard(), job_of()
    board.add(job)
    assert board.find("job") is board.find("media-job") is job
    assert board.find("other") is None


def test_the_oldest_jobs_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flow2api.simulator.jobs.KEPT_JOBS", 2)
    board = JobBoard()
    for name in ("a", "b", "c"):
        board.add(job_of(name))
    assert [job.name for job in board.all()] == ["b", "c"]
    assert board.find("media-a") is None

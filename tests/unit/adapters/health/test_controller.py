"""What supervisors and load balancers are told."""

import asyncio

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from flow2api.adapters.health import Readiness, health_handlers
from flow2api.domain.errors import StorageBusyError, StorageError, StorageFullError


async def well() -> None:
    return


def refusing(error: Exception) -> Readiness:
    async def ping() -> None:
        raise error

    return Readiness(ping)


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (StorageFullError("full"), "storage_full"),
        (StorageBusyError("locked"), "storage_unavailable"),
        (StorageError("The database is read-only."), "storage_unavailable"),
    ],
    ids=lambda one: type(one).__name__,
)
async def test_problem_is_what_the_database_says(error: Exception, problem: str) -> None:
    assert await refusing(error).problem() == problem


async def test_problem_is_a_database_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flow2api.adapters.health.controller._STORAGE_ANSWERS_WITHIN_S", 0.01)
    assert await Readiness(asyncio.Event().wait).problem() == "storage_unavailable"  # type: ignore[arg-type]


@pytest.mark.parametrize("problem", ["media_full", "media_unavailable", None])
async def test_problem_is_what_keeps_media_from_being_kept(problem: str | None) -> None:
    assert await Readiness(well, lambda: problem).problem() == problem


async def test_problem_is_first_of_all_that_it_stops() -> None:
    readiness = refusing(StorageError("?"))
    readiness.is_draining = True
    assert await readiness.problem() == "draining"


async def test_process_answers_whatever_keeps_it_from_its_work() -> None:
    problem: list[str] = []
    readiness = Readiness(well, lambda: problem[0] if problem else None)
    async with AsyncTestClient(Litestar(health_handlers(readiness), openapi_config=None)) as client:
        answers = [await client.get("/readyz")]
        problem.append("media_full")
        answers += [await client.get("/readyz"), await client.get("/healthz")]

    assert [(one.status_code, one.json()["status"]) for one in answers] == [
        (200, "ready"),
        (503, "media_full"),
        (200, "ok"),
    ]

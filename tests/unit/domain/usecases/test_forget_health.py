"""Timelines go back as far as the operator wants."""

import asyncio
from datetime import timedelta

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.health import HealthEvent, HealthKind
from flow2api.domain.usecases.forget_health import ForgetHealth
from tests.unit.domain.usecases.stage import Stage


async def days_left(stage: Stage) -> list[int]:
    page = await stage.storage.health.page(1, limit=100)
    return [(stage.clock.now() - event.at).days for event in page.items]


@pytest.fixture
async def forget(stage: Stage) -> ForgetHealth:
    for days in (40, 31, 29, 1):
        event = HealthEvent(1, stage.clock.now() - timedelta(days=days), HealthKind.ACCESS_RENEWED)
        stage.storage.health.note(event)
    return ForgetHealth(stage.storage.health, stage.clock, lambda: stage.options)


@pytest.mark.parametrize(("days", "left"), [(30.0, [1, 29]), (1.5, [1]), (0.0, [1, 29, 31, 40]), (35.0, [1, 29, 31])])
async def test_forgets_what_is_too_old(stage: Stage, forget: ForgetHealth, days: float, left: list[int]) -> None:
    stage.configure(health_days=days)
    await forget.look()
    assert await days_left(stage) == left


async def test_database_that_refuses_is_asked_again_in_an_hour(stage: Stage, forget: ForgetHealth) -> None:
    stage.tables.fault = tree.StorageBusyError("locked")
    looking = asyncio.create_task(forget.run())
    await stage.clock.sleep(10)
    assert len(await days_left(stage)) == 4
    stage.tables.fault = None
    await stage.clock.sleep(3600)
    looking.cancel()
    assert len(await days_left(stage)) == 2

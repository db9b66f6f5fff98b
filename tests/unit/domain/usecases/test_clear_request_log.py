"""The request log is forgotten in steps, once it is put down who wants it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from flow2api.domain.audit import Actor, AuditAction
from flow2api.domain.errors import StorageError
from flow2api.domain.usecases.clear_request_log import ClearRequestLog
from flow2api.testing.fakes.clock import START, FakeClock
from flow2api.testing.fakes.storage import FakeStorage
from tests.unit.domain.usecases.test_read_request_log import ENTRY

ADA = Actor(name="ada", door="admin_api", operator_id=1)


def filled(clock: FakeClock, count: int) -> FakeStorage:
    storage = FakeStorage(clock)
    for number in range(count):
        storage.tables.records.take(replace(ENTRY, at=START + timedelta(seconds=number)))
    return storage


@pytest.mark.parametrize("count", [0, 3, 500, 1200])
async def test_everything_from_before_goes_in_steps_that_let_others_write(count: int) -> None:
    clock = FakeClock()
    storage = filled(clock, count + 2)
    clear = ClearRequestLog(storage.request_log, storage.audit_log, clock)

    assert await clear(START + timedelta(seconds=count), ADA) == count

    assert len(storage.tables.records.lines) == 2
    assert len(clock.slept) == count // 500
    (noted,) = storage.tables.audit
    assert (noted.action, noted.actor) == (AuditAction.REQUEST_LOG_CLEARED, ADA)
    assert noted.details == {"before": (START + timedelta(seconds=count)).isoformat()}


async def test_nothing_is_forgotten_that_nobody_answers_for() -> None:
    clock = FakeClock()
    storage = filled(clock, 3)
    storage.tables.audit_fault = StorageError("The disk is full.")

    with pytest.raises(StorageError):
        await ClearRequestLog(storage.request_log, storage.audit_log, clock)(START + timedelta(days=1), ADA)

    assert len(storage.tables.records.lines) == 3

"""A server that takes nothing new, because an operator wants that."""

import pytest

from flow2api.domain.account import Capacity
from flow2api.domain.audit import Actor, AuditAction
from flow2api.domain.errors import ShuttingDownError, StorageError
from flow2api.domain.generation import State
from flow2api.domain.media import MediaKind
from flow2api.domain.usecases.drain_server import DrainServer
from tests.unit.domain.usecases.stage import FILM, PAINT, Stage

ADA = Actor(name="ada", door="console", operator_id=1)


def drain_of(stage: Stage) -> DrainServer:
    return DrainServer(stage.work, stage.storage.audit_log, stage.clock)


async def test_what_was_begun_goes_on_and_nothing_new_is_taken_until_that_ends(stage: Stage) -> None:
    await stage.accounts(1, capacity=Capacity(video=1))
    stage.upstream.video_s = 30
    drain = drain_of(stage)
    events = stage.events(FILM)
    accepted = await anext(events)
    await anext(stage.events(FILM))
    assert (drain.left(), drain.left(MediaKind.VIDEO), drain.left(MediaKind.IMAGE)) == (2, 2, 0)
    assert drain.waiting() == 1

    await drain.begin(ADA)
    assert drain.is_on
    with pytest.raises(ShuttingDownError):
        await anext(stage.events(PAINT))
    async for _ in events:
        pass
    assert stage.stored(accepted.generation.id).state is State.COMPLETED

    await drain.end(ADA)
    assert not drain.is_on
    await anext(stage.events(PAINT))
    actions = [entry.action for entry in stage.storage.tables.audit]
    assert actions == [AuditAction.SERVER_DRAINED, AuditAction.SERVER_REOPENED]


async def test_a_server_that_is_being_stopped_is_not_opened_again(stage: Stage) -> None:
    drain = drain_of(stage)
    await drain.begin(ADA)
    await stage.work.drain(1)
    await drain.end(ADA)
    assert not stage.work.is_open


async def test_nothing_changes_that_nobody_answers_for(stage: Stage) -> None:
    drain = drain_of(stage)
    stage.storage.tables.audit_fault = StorageError("The disk is full.")
    with pytest.raises(StorageError):
        await drain.begin(ADA)
    assert stage.work.is_open

"""The timeline is that of an account that is there."""

import pytest

from flow2api.domain.errors import AccountNotFoundError
from flow2api.domain.health import HealthEvent, HealthKind
from flow2api.domain.usecases.read_timeline import ReadTimeline
from tests.unit.domain.usecases.stage import Stage


async def test_events_of_an_account_are_shown_latest_first(stage: Stage) -> None:
    await stage.account()
    timeline = ReadTimeline(stage.storage.accounts, stage.storage.health)
    for kind in (HealthKind.ADDED, HealthKind.WARMED):
        stage.storage.health.note(HealthEvent(1, stage.clock.now(), kind))
    latest = await timeline.page(1, limit=1)
    rest = await timeline.page(1, before=latest.items[-1].number)

    assert [one.kind for one in latest.items] == [HealthKind.WARMED]
    assert HealthKind.ADDED in [one.kind for one in rest.items]
    with pytest.raises(AccountNotFoundError):
        await timeline.page(2)

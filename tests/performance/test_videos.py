"""Rows 7 and 9: a thousand videos at once take few status calls, none is lost, and no account is blamed for our faults."""

import asyncio
from collections import Counter

from flow2api.domain.errors import StorageBusyError
from flow2api.domain.generation import Failed, Finished, GenerationEvent, State
from flow2api.plugins.policies import LeastBusy
from tests.unit.domain.usecases.stage import FILM, Stage

VIDEOS, ACCOUNTS, VIDEO_S = 1000, 10, 30.0


async def crowded() -> Stage:
    """A process with enough warm accounts for all videos."""
    stage = Stage(policy=LeastBusy())
    await stage.accounts(ACCOUNTS)
    for player in stage.upstream.players:
        player.credits = 10**6
    for account in list(stage.pool):
        await stage.warm.warm(account.id)
    stage.upstream.calls.clear()
    stage.upstream.video_s = VIDEO_S
    return stage


async def all_ends(stage: Stage) -> list[GenerationEvent]:
    return await asyncio.gather(*(stage.end(FILM, prompt=f"hill {number}") for number in range(VIDEOS)))


def blamed(stage: Stage) -> list[int]:
    return [account.id for account in stage.pool if account.rests or account.streak]


async def test_thousand_videos_share_their_status_calls_and_all_come() -> None:
    stage = await crowded()
    ends = await all_ends(stage)
    assert Counter(type(end) for end in ends) == {Finished: VIDEOS}
    assert Counter(row.state for row in stage.tables.generations.values()) == {State.COMPLETED: VIDEOS}
    assert stage.upstream.count("submit") == VIDEOS
    assert blamed(stage) == []
    per_video = stage.upstream.count("poll") / VIDEOS
    assert per_video <= 1.5 * (ACCOUNTS / VIDEOS * VIDEO_S / stage.options.poll_interval_s)


async def test_database_that_is_locked_for_a_while_costs_no_video_and_blames_no_account() -> None:
    stage = await crowded()
    making = asyncio.create_task(all_ends(stage))
    await stage.clock.sleep(VIDEO_S / 2)
    stage.tables.fault = StorageBusyError("locked")
    await stage.clock.sleep(VIDEO_S)
    stage.tables.fault = None
    ends = await making
    assert not [end for end in ends if isinstance(end, Failed)]
    assert Counter(row.state for row in stage.tables.generations.values()) == {State.COMPLETED: VIDEOS}
    assert stage.upstream.count("submit") == VIDEOS
    assert blamed(stage) == []

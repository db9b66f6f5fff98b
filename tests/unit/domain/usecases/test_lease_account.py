"""Getting an account: at once, by warming one, or by waiting one's turn."""

import asyncio
from contextlib import aclosing

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.account import Capacity, RestReason
from flow2api.domain.api_key import Caller
from flow2api.domain.generation import Accepted, Failed, Finished, Input, InputRole, Progressed, State
from flow2api.domain.media import MediaKind
from flow2api.domain.options import Options
from flow2api.domain.usecases.lease_account import longest_lease_s
from flow2api.domain.waiting_line import Turn
from flow2api.plugins.policies import Sticky
from tests.unit.domain.usecases.stage import FILM, PAINT, Stage

ONE = Capacity(image=1, video=1)


async def test_request_that_finds_only_cold_accounts_warms_one_and_waits_for_it(stage: Stage) -> None:
    for _ in range(5):
        await stage.cold_account()
    await stage.made(PAINT)
    assert stage.upstream.count("exchange") == 1
    assert sum(account.is_warm for account in stage.pool) == 1


async def test_hundred_requests_that_find_only_cold_accounts_warm_one(stage: Stage) -> None:
    for _ in range(5):
        await stage.cold_account()
    ends = await asyncio.gather(*(stage.end(PAINT) for _ in range(100)))
    assert all(isinstance(end, Finished) for end in ends)
    assert stage.upstream.count("exchange") == 1


async def test_cold_account_that_turns_out_dead_is_not_the_last_word(stage: Stage) -> None:
    for number in range(3):
        await stage.cold_account(stage.upstream.add_player(is_revoked=number < 2))
    assert (await stage.made(PAINT)).generation.account_id == 3


async def test_no_more_than_three_are_warmed_for_one_request(stage: Stage) -> None:
    for _ in range(10):
        await stage.cold_account(stage.upstream.add_player(is_revoked=True))
    with pytest.raises(tree.NoEligibleAccountError) as caught:
        await stage.all_events(PAINT)
    assert stage.upstream.count("exchange") == 3
    assert caught.value.reasons == {"auth_expired": 3, "warming": 7}
    assert caught.value.waiting_helps


async def test_cold_account_that_cannot_serve_is_not_warmed(stage: Stage) -> None:
    await stage.cold_account()
    await stage.cold_account(tags=frozenset({"eu"}))
    await stage.made(PAINT, caller=Caller(1, tag="eu"))
    assert not stage.known(1).is_warm


async def test_none_that_could_be_warmed_is_left_to_try(stage: Stage) -> None:
    account = await stage.cold_account()
    stage.upstream.fail("exchange", tree.UpstreamUnavailableError("down", reached=False), times=None)
    with pytest.raises(tree.NoEligibleAccountError) as caught:
        await stage.all_events(PAINT)
    assert caught.value.reasons == {"warming": 1}
    assert stage.known(account.id).rests == ()


async def test_picture_waits_its_turn_and_is_accepted_meanwhile(stage: Stage) -> None:
    await stage.accounts(1, capacity=ONE)
    gate = stage.upstream.hold("produce")
    first = stage.events(PAINT)
    await anext(first)
    second = stage.events(PAINT)
    assert isinstance(await anext(second), Accepted)
    gate.set()
    assert isinstance([event async for event in second][-1], Finished)
    await first.aclose()


async def test_video_that_waits_is_stored_as_queued(stage: Stage) -> None:
    await stage.accounts(1, capacity=ONE)
    stage.upstream.video_s = 300.0
    await anext(stage.events(FILM))
    accepted = await anext(stage.events(FILM))
    assert stage.stored(accepted.generation.id).state is State.QUEUED
    await stage.until_done()
    assert stage.stored(accepted.generation.id).state is State.COMPLETED


@pytest.mark.parametrize("options", [{"waiting_limit": 0}, {"image_wait_s": 0.0}])
async def test_without_waiting_it_is_refused_at_once(stage: Stage, options: dict[str, float]) -> None:
    await stage.accounts(1, capacity=ONE)
    stage.configure(**options)
    stage.upstream.hold("produce")
    await anext(stage.events(PAINT))
    with pytest.raises(tree.PoolBusyError) as caught:
        await stage.all_events(PAINT)
    assert caught.value.reasons == {"busy": 1}
    assert caught.value.retry_after_s == 5


async def test_no_more_wait_than_the_limit_says(stage: Stage) -> None:
    await stage.accounts(1, capacity=ONE)
    stage.configure(waiting_limit=2)
    gate = stage.upstream.hold("produce")
    tasks = [asyncio.create_task(stage.all_events(PAINT)) for _ in range(5)]
    await stage.clock.sleep(1)
    gate.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(isinstance(result, tree.PoolBusyError) for result in results) == 2
    assert stage.lease._waiting == 0


async def test_who_waited_too_long_is_refused_and_leaves_the_line(stage: Stage) -> None:
    await stage.accounts(1, capacity=ONE)
    stage.configure(image_timeout_s=1e5)
    stage.upstream.hold("produce")
    await anext(stage.events(PAINT))
    begun = stage.clock.monotonic()
    failed = await stage.end(PAINT)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, tree.PoolBusyError)
    assert stage.clock.monotonic() - begun == pytest.approx(60)
    assert stage.stored(failed.generation.id).fault.code == "rate_limit_exceeded"  # type: ignore[union-attr]
    assert stage.lease._waiting == 0


async def test_who_waits_for_an_account_that_dies_is_told_soon(stage: Stage) -> None:
    await stage.accounts(1, capacity=ONE)
    stage.upstream.video_s = 1e6
    await anext(stage.events(FILM))
    waiting = asyncio.create_task(stage.end(FILM))
    await stage.clock.sleep(10)
    stage.pool.put(stage.known(1).resting(RestReason.MANUAL, stage.clock.now()))
    begun = stage.clock.monotonic()
    failed = await waiting
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, tree.NoEligibleAccountError)
    assert stage.clock.monotonic() - begun <= 5


async def test_who_waits_while_every_session_turns_out_revoked_is_told_at_once(stage: Stage) -> None:
    await stage.accounts(2, capacity=ONE)
    for player in stage.upstream.players:
        player.is_revoked = True
        player.kill_access_tokens()
    begun = stage.clock.monotonic()
    results = await asyncio.gather(*(stage.all_events(PAINT) for _ in range(4)), return_exceptions=True)
    ends = [result[-1].error if isinstance(result, list) else result for result in results]  # type: ignore[union-attr]
    assert [type(end) for end in ends] == [tree.NoEligibleAccountError] * 4
    assert {str(end) for end in ends} == {"No account can serve this request: 2 auth_expired."}
    assert stage.clock.monotonic() - begun < 1


async def test_rate_limited_pool_is_not_waited_for(stage: Stage) -> None:
    await stage.accounts(1)
    await stage.tend.went_wrong(1, tree.UpstreamRateLimitedError("too fast", retry_after_s=42), None)
    with pytest.raises(tree.PoolBusyError) as caught:
        await stage.all_events(PAINT)
    assert caught.value.retry_after_s == pytest.approx(42, abs=0.1)


async def test_database_that_cannot_keep_a_waiting_video_refuses_it(stage: Stage) -> None:
    await stage.accounts(1, capacity=ONE)
    stage.upstream.video_s = 1e6
    await anext(stage.events(FILM))
    await stage.clock.sleep(1)
    stage.tables.fault = tree.StorageBusyError("locked")
    with pytest.raises(tree.StorageBusyError):
        await stage.all_events(FILM)
    assert stage.lease._waiting == 0


async def test_who_waits_is_told_the_position_as_progress(stage: Stage) -> None:
    await stage.accounts(1, capacity=ONE)
    gate = stage.upstream.hold("produce")
    async with aclosing(stage.events(PAINT)) as first, aclosing(stage.events(PAINT)) as second:
        await anext(first)
        accepted = await anext(second)
        told = await anext(second)
        assert isinstance(told, Progressed)
        assert (told.generation.id, told.note) == (accepted.generation.id, "waiting, position 1")
        job = stage.work.job(accepted.generation.id)
        assert job is not None
        assert job.stands() == Turn(1)
        gate.set()
        made = [event async for event in second][-1]
    assert isinstance(made, Finished)
    assert job.stands() is None
    assert made.generation.choice is not None
    assert made.generation.choice.position == 1


async def test_callers_wait_in_turn(stage: Stage) -> None:
    await stage.accounts(1, capacity=ONE)
    gate = stage.upstream.hold("produce")
    ended = list[int]()

    async def ask(key_id: int) -> None:
        await stage.end(PAINT, caller=Caller(key_id=key_id))
        ended.append(key_id)

    tasks = [asyncio.create_task(ask(key_id)) for key_id in (1, 1, 1, 1, 2)]
    await stage.clock.sleep(1)
    gate.set()
    await asyncio.gather(*tasks)
    assert ended == [1, 1, 2, 1, 1]


async def test_no_more_run_than_the_option_allows(stage: Stage) -> None:
    await stage.accounts(3)
    stage.configure(max_running=1, image_wait_s=0.0)
    stage.upstream.hold("produce")
    await anext(stage.events(PAINT))
    with pytest.raises(tree.PoolBusyError) as caught:
        await stage.all_events(PAINT)
    assert caught.value.reasons == {"max_running": 3}


async def test_picture_is_worked_on_where_its_parent_was_made(stage: Stage) -> None:
    await stage.accounts(8)
    stage.policy = Sticky()
    parent = await stage.media(account_id=5)
    inputs = (Input(parent.id, InputRole.REFERENCE),)
    assert {(await stage.made(PAINT, inputs=inputs)).generation.account_id for _ in range(5)} == {5}


async def test_caller_keeps_his_account(stage: Stage) -> None:
    await stage.accounts(8)
    stage.policy = Sticky()
    assert len({(await stage.made(PAINT)).generation.account_id for _ in range(5)}) == 1


@pytest.mark.parametrize("kind", MediaKind)
def test_lease_outlasts_the_time_outs_of_its_generation(kind: MediaKind) -> None:
    options = Options()
    own_s = {
        MediaKind.IMAGE: 2 * options.image_timeout_s,
        MediaKind.VIDEO: options.video_timeout_s + options.enlarge_timeout_s,
    }
    assert longest_lease_s(kind, options) > own_s[kind]

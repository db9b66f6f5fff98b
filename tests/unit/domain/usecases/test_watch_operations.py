"""Watching: few calls, often enough near the end, patient with errors, and nobody left waiting."""

import asyncio
from itertools import pairwise

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.account import RestReason
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.generation import Operation, Order, Product
from flow2api.domain.ports.upstream import Access
from flow2api.domain.usecases.watch_operations import Durations
from tests.unit.domain.usecases.stage import FILM, Stage, swap


async def submitted(stage: Stage, account_id: int = 1, spec: ModelSpec = FILM) -> Operation:
    access = await stage.credentials.access(stage.known(account_id))
    operation, _ = await stage.upstream.submit(access, Order(spec=spec, prompt="a hill"))
    return operation


def watching(
    stage: Stage, operation: Operation, account_id: int = 1, limit_s: float = 1500, told: list[int] | None = None
) -> "asyncio.Task[Product]":
    progress = [] if told is None else told
    return asyncio.create_task(
        stage.watch.watch(account_id, operation, FILM, limit_s=limit_s, on_progress=progress.append)
    )


def polls(stage: Stage) -> list[int]:
    return [len(call.names) for call in stage.upstream.calls if call.name == "poll"]


async def test_hundred_operations_of_one_account_share_its_calls(stage: Stage) -> None:
    await stage.accounts(1)
    stage.upstream.players[0].credits = 10**6
    stage.upstream.video_s = 60.0
    begun, times = stage.clock.monotonic(), list[float]()
    original = stage.upstream.poll

    async def timed(access: Access, operations: list[Operation]) -> object:
        times.append(stage.clock.monotonic())
        return await original(access, operations)

    swap(stage.upstream, poll=timed)
    await asyncio.gather(*[watching(stage, await submitted(stage)) for _ in range(100)])

    assert set(polls(stage)) == {100}
    gaps = [later - earlier for earlier, later in zip([begun, *times], times, strict=False)]
    assert min(gaps) >= stage.options.poll_interval_s
    assert len(times) <= 60 / stage.options.poll_interval_s


async def test_calls_grow_with_accounts_and_not_with_operations(stage: Stage) -> None:
    await stage.accounts(4)
    stage.upstream.video_s = 45.0
    await asyncio.gather(
        *[watching(stage, await submitted(stage, number % 4 + 1), number % 4 + 1) for number in range(40)]
    )
    assert len(polls(stage)) <= 1.5 * 4 * 45 / stage.options.poll_interval_s


async def test_long_lists_are_asked_for_in_batches(stage: Stage) -> None:
    await stage.accounts(1)
    stage.upstream.players[0].credits = 10**6
    stage.configure(poll_batch=30)
    await asyncio.gather(*[watching(stage, await submitted(stage)) for _ in range(100)])
    assert polls(stage) == [30, 30, 30, 10]


async def test_batch_that_is_refused_does_not_hold_the_others_back(stage: Stage) -> None:
    await stage.accounts(1)
    stage.configure(poll_batch=1)
    bad, good = await submitted(stage), await submitted(stage)
    original = stage.upstream.poll

    async def refusing(access: Access, operations: list[Operation]) -> object:
        if bad in operations:
            raise tree.UpstreamRejectedError("400")
        return await original(access, operations)

    swap(stage.upstream, poll=refusing)
    stuck = watching(stage, bad, limit_s=300)
    assert (await watching(stage, good)).name == f"video-of-{good.name}"
    with pytest.raises(tree.UpstreamTimeoutError):
        await stuck


async def test_learns_how_long_it_takes_and_asks_seldom_before(stage: Stage) -> None:
    await stage.accounts(1)
    stage.upstream.video_s = 200.0
    await watching(stage, await submitted(stage))
    stage.upstream.calls.clear()
    await watching(stage, await submitted(stage))
    assert len(polls(stage)) < 200 / stage.options.poll_interval_s / 2


async def test_operation_that_ends_sooner_than_expected_is_found_within_15_seconds(stage: Stage) -> None:
    await stage.accounts(1)
    stage.upstream.video_s = 20.0
    operation = await submitted(stage)
    begun = stage.clock.monotonic()
    await watching(stage, operation)
    assert stage.clock.monotonic() - begun <= 20 + 15


async def test_backs_off_while_upstream_fails_and_comes_back(stage: Stage) -> None:
    await stage.accounts(1)
    stage.upstream.fail("poll", tree.UpstreamUnavailableError("down", reached=True), times=6)
    times = list[float]()
    original = stage.upstream.poll

    async def timed(access: Access, operations: list[Operation]) -> object:
        times.append(stage.clock.monotonic())
        return await original(access, operations)

    swap(stage.upstream, poll=timed)
    await watching(stage, await submitted(stage))
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert gaps == pytest.approx([min(gaps[0] * 2**number, 60) for number in range(6)])
    assert gaps[-1] == 60
    assert stage.known(1).streak == 0


async def test_fault_of_ours_in_a_poll_is_survived(stage: Stage) -> None:
    await stage.accounts(1)
    stage.upstream.fail("poll", ZeroDivisionError())
    assert (await watching(stage, await submitted(stage))).name


async def test_operation_upstream_says_nothing_about_runs_into_its_limit(stage: Stage) -> None:
    await stage.accounts(1)
    told = list[int]()
    with pytest.raises(tree.UpstreamTimeoutError, match="120 s"):
        await watching(stage, Operation("unheard-of"), limit_s=120, told=told)
    assert told == sorted(told)
    assert max(told) <= 95
    await stage.clock.sleep(600)
    assert not stage.watch._tasks
    assert not stage.watch._watched


async def test_failed_operation_says_why(stage: Stage) -> None:
    await stage.accounts(1)
    access = await stage.credentials.access(stage.known(1))
    operation, _ = await stage.upstream.submit(access, Order(spec=FILM, prompt="latefail"))
    with pytest.raises(tree.ContentBlockedError):
        await watching(stage, operation)


async def test_dead_token_is_renewed_in_the_middle_of_a_long_job(stage: Stage) -> None:
    await stage.accounts(1)
    stage.upstream.video_s = 120.0
    task = watching(stage, await submitted(stage))
    await stage.clock.sleep(40)
    stage.upstream.players[0].kill_access_tokens()
    assert (await task).name
    assert stage.upstream.count("exchange") == 1


async def test_ended_session_rests_the_account_and_a_new_one_finishes_the_video(stage: Stage) -> None:
    await stage.accounts(1)
    stage.upstream.video_s = 60.0
    player = stage.upstream.players[0]
    task = watching(stage, await submitted(stage))
    player.is_revoked = True
    player.kill_access_tokens()
    await stage.clock.sleep(120)
    assert stage.known(1).rest_of(RestReason.AUTH_EXPIRED) is not None
    assert stage.upstream.count("exchange") == 1
    player.is_revoked = False
    stage.pool.put(stage.known(1).without(lambda rest: False))
    assert (await task).name


async def test_removed_account_ends_the_waiting(stage: Stage) -> None:
    await stage.accounts(1)
    stage.upstream.video_s = 1e6
    tasks = [watching(stage, await submitted(stage)) for _ in range(3)]
    await stage.clock.sleep(30)
    stage.pool.remove(1)
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(result, tree.UpstreamError)


async def test_account_removed_at_the_moment_when_somebody_leaves_disturbs_nobody(stage: Stage) -> None:
    await stage.accounts(1)
    stage.upstream.video_s = 1e6
    leaving, staying = [watching(stage, await submitted(stage)) for _ in range(2)]
    await stage.clock.sleep(1)
    leaving.cancel()
    stage.watch._fail_all(1, tree.UpstreamError("removed"))
    with pytest.raises(tree.UpstreamError):
        await staying
    assert leaving.cancelled()


async def test_nobody_is_asked_for_once_nobody_waits(stage: Stage) -> None:
    await stage.accounts(1)
    stage.upstream.video_s = 1e6
    task = watching(stage, await submitted(stage))
    await stage.clock.sleep(40)
    task.cancel()
    await stage.clock.sleep(15)
    stage.upstream.calls.clear()
    await stage.clock.sleep(3600)
    assert polls(stage) == []


async def test_result_for_somebody_who_has_just_gone_is_dropped(stage: Stage) -> None:
    await stage.accounts(1)
    operation = await submitted(stage)
    gate = stage.upstream.hold("poll")
    task = watching(stage, operation)
    await stage.clock.sleep(30)
    task.cancel()
    gate.set()
    await stage.clock.sleep(30)
    assert task.cancelled()


async def test_closing_stops_every_watch(stage: Stage) -> None:
    await stage.accounts(2)
    stage.upstream.video_s = 1e6
    tasks = [watching(stage, await submitted(stage, one), one) for one in (1, 2)]
    await stage.clock.sleep(10)
    await stage.watch.aclose()
    stage.upstream.calls.clear()
    await stage.clock.sleep(600)
    assert polls(stage) == []
    for task in tasks:
        task.cancel()


def test_durations_follow_slowly_what_is_seen() -> None:
    durations = Durations()
    assert durations.expected_s("film") == 90
    durations.learn("film", 100)
    durations.learn("film", 200)
    assert durations.expected_s("film") == pytest.approx(120)
    assert durations.expected_s("other") == 90

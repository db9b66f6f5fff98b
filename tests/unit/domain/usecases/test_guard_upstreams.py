"""An upstream that fails for most accounts is left alone: nothing hammers it, and nothing that was paid is lost."""

import asyncio
import logging
from contextlib import suppress
from typing import Any

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.account import Capacity, Tier
from flow2api.domain.breaker import BreakerState, Host
from flow2api.domain.generation import Failed, Finished
from flow2api.domain.media import MediaKind
from flow2api.domain.usecases.guard_upstreams import BreakerChange, GuardUpstreams
from flow2api.testing.factories import picture_spec
from flow2api.testing.fakes.coordination import FakeCoordination
from flow2api.testing.fakes.virtual_time import VirtualClock
from flow2api.testing.planting import plant_secrets
from tests.unit.domain.usecases.stage import FILM, LARGE_PAINT, PAID_PAINT, PAINT, Stage, swap

DOWN = tree.UpstreamUnavailableError("no answer", reached=False)


async def answers() -> str:
    return "done"


async def fails() -> str:
    raise DOWN


async def opened(guard: GuardUpstreams) -> None:
    for account_id in range(5):
        with pytest.raises(tree.UpstreamUnavailableError):
            await guard.during(("flow", None), account_id, fails)


async def down(stage: Stage, accounts: int = 6, **fields: Any) -> None:
    """A stage whose upstream has just been found to fail."""
    await stage.accounts(accounts, **fields)
    await stage.clock.sleep(31)
    for call in ("exchange", "allowance", "upload", "produce", "submit", "poll"):
        stage.upstream.fail(call, DOWN, times=None)
    assert isinstance(await stage.end(PAINT), Failed)
    assert stage.guard.wait_s("flow") is not None
    stage.upstream.calls.clear()


async def refused(stage: Stage) -> tree.UpstreamPausedError:
    with pytest.raises(tree.UpstreamPausedError) as refusal:
        await stage.end(PAINT)
    return refusal.value


async def test_hands_on_what_calls_bring_and_what_they_meet() -> None:
    guard = GuardUpstreams(VirtualClock())
    assert await guard.during(("flow", None), 1, answers) == "done"
    with pytest.raises(tree.UpstreamUnavailableError, match="no answer"):
        await guard.during(("flow", None), 1, fails)
    assert guard.statuses()[("flow", None), Host.API].failures == 1


async def test_tells_listeners_and_the_log_once_for_each_change(caplog: pytest.LogCaptureFixture) -> None:
    clock = VirtualClock()
    guard, heard = GuardUpstreams(clock), list[BreakerChange]()
    guard.subscribe(heard.append)
    with caplog.at_level(logging.INFO):
        await opened(guard)
        with pytest.raises(tree.UpstreamPausedError) as refusal:
            await guard.during(("flow", None), 1, answers)
        assert refusal.value.retry_after_s == 30
        await clock.sleep(30)
        assert guard.statuses()[("flow", None), Host.API].state is BreakerState.HALF_OPEN
        await guard.during(("flow", None), 1, answers)
    assert heard == [
        BreakerChange("flow", Host.API, BreakerState.OPEN, "no answer"),
        BreakerChange("flow", Host.API, BreakerState.CLOSED),
    ]
    told = [one.getMessage() for one in caplog.records if one.name.endswith("guard_upstreams")]
    assert told == ["upstream is left alone for a while", "upstream is called again"]


async def test_upstreams_are_apart() -> None:
    guard = GuardUpstreams(VirtualClock())
    await opened(guard)
    assert await guard.during(("other", None), 1, answers) == "done"
    assert guard.wait_s("other") is None


@pytest.mark.parametrize(
    "error",
    [
        tree.UpstreamRateLimitedError("too fast"),
        tree.UpstreamRefusedError("abuse"),
        tree.ContentBlockedError(),
        tree.CredentialRevokedError("gone"),
        tree.CredentialExpiredError("401"),
        tree.UpstreamOverloadedError("busy"),
        tree.UpstreamDriftError("unknown name"),
        tree.StorageBusyError("locked"),
        ValueError(),
        asyncio.CancelledError(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_answers_and_faults_of_ours_open_nothing(error: BaseException) -> None:
    guard = GuardUpstreams(VirtualClock())

    async def meets() -> None:
        raise error

    for account_id in range(20):
        with pytest.raises(type(error)):
            await guard.during(("flow", None), account_id, meets)
    assert guard.wait_s("flow") is None


async def test_probe_that_is_cancelled_makes_way_for_another() -> None:
    clock = VirtualClock()
    guard = GuardUpstreams(clock)
    await opened(guard)
    await clock.sleep(30)
    probe = asyncio.create_task(guard.during(("flow", None), 1, lambda: asyncio.sleep(1000)))
    await clock.sleep(1)
    with pytest.raises(tree.UpstreamPausedError):
        await guard.during(("flow", None), 2, answers)
    probe.cancel()
    await asyncio.wait([probe])
    assert await guard.during(("flow", None), 2, answers) == "done"


async def test_call_that_spends_is_no_probe() -> None:
    clock = VirtualClock()
    guard = GuardUpstreams(clock)
    assert await guard.during(("flow", None), 1, answers, spends=True) == "done"
    await opened(guard)
    await clock.sleep(30)
    assert guard.is_half_open(("flow", None))
    with pytest.raises(tree.UpstreamPausedError):
        await guard.during(("flow", None), 1, answers, spends=True)
    assert await guard.during(("flow", None), 2, answers) == "done"
    assert not guard.is_half_open(("flow", None))
    assert await guard.during(("flow", None), 1, answers, spends=True) == "done"


async def test_of_many_videos_that_wait_one_tries_at_a_time() -> None:
    clock = VirtualClock()
    guard, tried = GuardUpstreams(clock), list[float]()
    await opened(guard)

    async def video() -> None:
        await guard.turn("flow", MediaKind.VIDEO, 1800)
        tried.append(clock.monotonic())

    waiting = [asyncio.create_task(video()) for _ in range(20)]
    await clock.sleep(100)
    assert [round(at) for at in tried] == [30, 60, 90]
    await guard.during(("flow", None), 1, answers)
    await asyncio.gather(*waiting)
    assert len(tried) == 20


class TestPictures:
    async def test_are_refused_at_once_and_nothing_is_called(self, stage: Stage) -> None:
        await down(stage)
        began = stage.clock.monotonic()
        for _ in range(50):
            refusal = await refused(stage)
            assert refusal.code == "upstream_paused"
            assert 0 < refusal.retry_after_s <= 30
        assert stage.clock.monotonic() == began
        assert stage.upstream.calls == []

    async def test_are_made_again_when_the_upstream_is_back(self, stage: Stage) -> None:
        await down(stage)
        await stage.clock.sleep(30)
        stage.upstream.faults.clear()
        ends = await asyncio.gather(*(stage.end(PAINT) for _ in range(5)), return_exceptions=True)
        assert sum(isinstance(end, Finished) for end in ends) >= 1
        await stage.made(PAINT)
        assert stage.guard.statuses()[("flow", None), Host.API].state is BreakerState.CLOSED

    async def test_that_get_no_answer_at_all_open_it_as_well(self, stage: Stage) -> None:
        stage.configure(image_timeout_s=20.0)
        await stage.accounts(6)
        await stage.clock.sleep(31)
        stage.upstream.hold("produce")
        ends = await asyncio.gather(*(stage.end(PAINT) for _ in range(6)), return_exceptions=True)
        assert all(isinstance(end, Failed) for end in ends)
        assert stage.guard.wait_s("flow") is not None

    async def test_go_on_to_the_next_account_when_the_first_is_not_even_signed_in(self, stage: Stage) -> None:
        await down(stage)
        await stage.clock.sleep(30)
        stage.upstream.faults.clear()
        first = stage.upstream.players[0]
        first.is_revoked = True
        stage.credentials.forget(1)
        await plant_secrets(stage.storage.vault, stage.known(1), first.credentials)
        assert (await stage.made(PAINT)).generation.account_id != 1

    async def test_that_no_account_can_make_keep_nobody_from_trying(self, stage: Stage) -> None:
        await down(stage)
        await stage.clock.sleep(30)
        stage.upstream.faults.clear()
        with pytest.raises(tree.NoEligibleAccountError):
            await stage.end(picture_spec("grand", min_tier=Tier.ULTRA))
        await stage.made(PAINT)

    async def test_whose_slot_cannot_be_counted_keep_nobody_from_trying(self) -> None:
        shared = FakeCoordination()
        stage = Stage(slots=shared)
        await down(stage, capacity=Capacity(image=2))
        await stage.clock.sleep(30)
        stage.upstream.faults.clear()
        shared.meeting.lose(tree.CoordinationError("gone"))
        with pytest.raises(tree.CoordinationError):
            await stage.end(PAINT)
        shared.meeting.fault = None
        await stage.made(PAINT)

    async def test_one_probe_each_half_minute_while_it_stays_down(self, stage: Stage) -> None:
        await down(stage)
        for _ in range(120):
            await stage.clock.sleep(5)
            with suppress(tree.UpstreamPausedError):
                await stage.end(PAINT)
        assert stage.upstream.count("produce") <= 20
        assert all(not one.rests for one in stage.pool)

    async def test_that_cost_credits_are_no_probe(self, stage: Stage) -> None:
        await down(stage)
        await stage.clock.sleep(30)
        end = await stage.end(PAID_PAINT)
        assert isinstance(end, Failed)
        assert isinstance(end.error, tree.UpstreamPausedError)
        assert [call.name for call in stage.upstream.calls] == ["allowance"]

    async def test_that_were_made_are_kept_in_their_plain_size(self, stage: Stage) -> None:
        await stage.accounts(6)
        await stage.clock.sleep(31)
        original, calls = stage.upstream.produce, 0

        async def fails_from_the_second_on(*args: object) -> object:
            nonlocal calls
            calls += 1
            if calls > 1:
                raise DOWN
            made = await original(*args)  # type: ignore[arg-type]
            await opened(stage.guard)
            return made

        swap(stage.upstream, produce=fails_from_the_second_on)
        assert "left alone" in (await stage.made(LARGE_PAINT)).generation.warnings[0]


class TestVideos:
    async def test_wait_until_the_upstream_is_back(self, stage: Stage) -> None:
        await down(stage)
        waiting = [asyncio.create_task(stage.made(FILM)) for _ in range(3)]
        await stage.clock.sleep(300)
        assert stage.upstream.count("submit") <= 10
        stage.upstream.faults.clear()
        await asyncio.gather(*waiting)

    async def test_try_the_upstream_with_a_call_that_costs_nothing(self, stage: Stage) -> None:
        await down(stage)
        making = asyncio.create_task(stage.made(FILM))
        await stage.clock.sleep(300)
        assert stage.upstream.count("submit") == 0
        assert 5 <= stage.upstream.count("allowance") <= 10
        assert all(not one.rests and not one.streaks for one in stage.pool)
        stage.upstream.faults.clear()
        assert (await making).generation.attempts == 1
        assert stage.upstream.count("submit") == 1

    async def test_wait_no_longer_than_they_may_however_often_it_is_tried(self, stage: Stage) -> None:
        stage.configure(video_wait_s=200.0)
        await down(stage)
        began = stage.clock.monotonic()
        end = await stage.end(FILM)
        assert isinstance(end, Failed)
        assert isinstance(end.error, tree.UpstreamPausedError)
        assert 150 <= stage.clock.monotonic() - began <= 231
        assert stage.upstream.count("submit") == 0

    async def test_are_submitted_on_the_account_whose_token_was_refused_at_the_trial(self, stage: Stage) -> None:
        await down(stage)
        await stage.clock.sleep(30)
        stage.upstream.faults.clear()
        for player in stage.upstream.players:
            player.access_tokens.clear()
        await stage.made(FILM)
        assert [call.name for call in stage.upstream.calls][:4] == ["allowance", "exchange", "allowance", "submit"]

    async def test_leave_an_account_whose_fresh_token_is_refused_at_the_trial(self, stage: Stage) -> None:
        await down(stage)
        await stage.clock.sleep(30)
        stage.upstream.faults.clear()
        stage.upstream.fail("allowance", tree.CredentialExpiredError("401"), times=2)
        made = await stage.made(FILM)
        suspended = [one.id for one in stage.pool if one.rests]
        assert len(suspended) == 1
        assert made.generation.account_id not in suspended

    async def test_go_on_elsewhere_when_the_trial_says_that_the_account_is_limited(self, stage: Stage) -> None:
        await down(stage)
        await stage.clock.sleep(30)
        stage.upstream.faults.clear()
        stage.upstream.fail("allowance", tree.UpstreamRateLimitedError("too fast"))
        await stage.made(FILM)
        assert stage.guard.statuses()[("flow", None), Host.API].state is BreakerState.CLOSED

    async def test_give_up_after_the_time_that_they_may_wait(self, stage: Stage) -> None:
        stage.configure(video_wait_s=100.0)
        await down(stage)
        stage.upstream.faults = [one for one in stage.upstream.faults if one.call != "submit"]
        await opened(stage.guard) if stage.guard.wait_s("flow") is None else None
        swap(stage.guard._breakers[("flow", None), Host.API], take_turn=lambda at: 30.0)
        end = await stage.end(FILM)
        assert isinstance(end, Failed)
        assert isinstance(end.error, tree.UpstreamPausedError)
        assert stage.upstream.count("submit") == 0

    async def test_under_way_are_not_lost(self, stage: Stage) -> None:
        await stage.accounts(6)
        await stage.clock.sleep(31)
        stage.upstream.video_s = 60.0
        making = asyncio.create_task(stage.made(FILM))
        await stage.clock.sleep(1)
        for call in ("poll", "produce"):
            stage.upstream.fail(call, DOWN, times=None)
        await stage.end(PAINT)
        await stage.clock.sleep(200)
        stage.upstream.faults.clear()
        await making
        assert stage.upstream.count("submit") == 1

    async def test_fetching_goes_on_while_the_upstream_is_left_alone(self, stage: Stage) -> None:
        await stage.accounts(2)
        await stage.clock.sleep(31)
        original = stage.upstream.poll

        async def last_word(*args: object) -> object:
            told = await original(*args)  # type: ignore[arg-type]
            await opened(stage.guard)
            return told

        swap(stage.upstream, poll=last_word)
        await stage.made(FILM)


async def test_wave_of_refused_fresh_tokens_opens_it_and_suspends_nobody(stage: Stage) -> None:
    await stage.accounts(20)
    await stage.clock.sleep(31)

    async def refusing(*args: object) -> object:
        raise tree.CredentialExpiredError("401")

    original = stage.upstream.produce
    swap(stage.upstream, produce=refusing)
    assert isinstance(await stage.end(PAINT), Failed)
    for _ in range(10):
        await refused(stage)
    assert stage.guard.wait_s("flow") is not None
    suspended = [one for one in stage.pool if one.status(stage.clock.now()).value == "suspended"]
    assert not suspended
    untouched = [one for one in stage.pool if not one.rests]
    assert len(untouched) >= 15
    swap(stage.upstream, produce=original)
    await stage.clock.sleep(60)
    await stage.made(PAINT)


async def test_dead_session_among_good_ones_opens_nothing(stage: Stage) -> None:
    await stage.accounts(3)
    for _ in range(3):
        await stage.made(PAINT)
    stage.upstream.fail("produce", tree.CredentialExpiredError("401"), account_id=1, times=None)
    for _ in range(10):
        await stage.made(PAINT)
    assert stage.guard.wait_s("flow") is None


async def test_accounts_with_a_good_token_serve_while_no_session_can_be_exchanged(stage: Stage) -> None:
    await stage.accounts(6)
    await stage.clock.sleep(31)
    stage.upstream.fail("exchange", DOWN, times=None)
    for account_id in range(1, 6):
        stage.upstream.players[account_id - 1].access_tokens.clear()
        with pytest.raises(tree.UpstreamUnavailableError):
            await stage.credentials.renew(account_id, force=True)
    assert stage.guard.statuses()[("flow", None), Host.SESSION].state is BreakerState.OPEN
    assert stage.guard.wait_s("flow") is None
    stage.upstream.calls.clear()
    for spec in (PAINT, FILM):
        assert (await stage.made(spec)).generation.account_id == 6
    assert stage.upstream.count("exchange") == 0

"""What went wrong in the server that this one takes the place of, each as a test that it can't happen here."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.account import AccountStatus, Capacity, Credentials, RestReason, Tier
from flow2api.domain.generation import Failed, Finished, OperationStatus, State
from flow2api.domain.health import HealthKind
from flow2api.domain.ports.upstream import Access, Exchanged
from flow2api.domain.secret import Secret
from flow2api.domain.selection import Need
from flow2api.domain.usecases.import_accounts import ImportAccounts, ImportedAccount
from flow2api.domain.usecases.manage_accounts import ManageAccounts
from flow2api.testing.factories import video_spec
from tests.unit.domain.usecases.stage import FILM, LARGE_FILM, LARGE_PAINT, PAINT, Stage, swap

HOUR = 3600.0
DOWN = tree.UpstreamUnavailableError("no answer", reached=False)


@pytest.fixture
async def stage() -> Stage:
    return Stage()


@asynccontextmanager
async def keeper(stage: Stage) -> AsyncIterator[None]:
    keeping = asyncio.create_task(stage.warm.run())
    try:
        yield
        assert not keeping.done()
    finally:
        keeping.cancel()


def status(stage: Stage, account_id: int) -> AccountStatus:
    return stage.known(account_id).status(stage.clock.now())


async def test_gap_01_exchange_that_brings_a_dead_token_does_not_count_as_a_renewal(stage: Stage) -> None:
    await stage.accounts(2)
    original = stage.upstream.exchange

    async def dead(credentials: Credentials, proxy: Secret | None) -> Exchanged:
        exchanged = await original(credentials, proxy)
        past = stage.clock.now() - timedelta(hours=4)
        return replace(exchanged, credentials=replace(exchanged.credentials, expires_at=past))

    swap(stage.upstream, exchange=dead)
    stage.upstream.players[0].kill_access_tokens()
    assert (await stage.made(PAINT)).generation.account_id == 2
    assert stage.upstream.count("exchange") <= 2


async def test_gap_01_token_that_exchanges_but_is_refused_suspends_with_its_reason(stage: Stage) -> None:
    stage.upstream.fail("allowance", tree.CredentialExpiredError("401"), times=None)
    async with keeper(stage):
        account = await stage.cold_account()
        await stage.clock.sleep(60)
    rest = stage.known(account.id).rest_of(RestReason.AUTH_EXPIRED)
    assert rest is not None
    assert rest.why


async def test_gap_02_old_rate_limit_does_not_switch_on_what_was_disabled_later(stage: Stage) -> None:
    await stage.accounts(1)
    await stage.tend.went_wrong(1, tree.UpstreamRateLimitedError("too fast", retry_after_s=60), PAINT)
    await stage.clock.sleep(120)
    assert status(stage, 1) is AccountStatus.ACTIVE
    await stage.tend.change(1, lambda one: one.resting(RestReason.MANUAL, stage.clock.now()))
    async with keeper(stage):
        await stage.clock.sleep(48 * HOUR)
    assert status(stage, 1) is AccountStatus.DISABLED
    with pytest.raises(tree.NoEligibleAccountError):
        await stage.made(PAINT)


async def test_gap_03_rate_limited_account_whose_token_ran_out_meanwhile_comes_back(stage: Stage) -> None:
    stage.upstream.access_life = timedelta(hours=1)
    async with keeper(stage):
        await stage.accounts(1)
        await stage.tend.went_wrong(1, tree.UpstreamRateLimitedError("too fast", retry_after_s=12 * HOUR), PAINT)
        await stage.clock.sleep(12 * HOUR + 1)
        stage.upstream.calls.clear()
        await stage.made(PAINT)
    assert stage.upstream.count("exchange") == 0


async def test_gap_04_blip_during_a_renewal_disables_nothing_and_is_told(stage: Stage) -> None:
    async with keeper(stage):
        await stage.accounts(1)
        stage.upstream.fail("exchange", DOWN, times=2)
        await stage.clock.sleep(23 * HOUR)
    assert status(stage, 1) is AccountStatus.ACTIVE
    assert stage.upstream.count("exchange") >= 3
    failed = [event for event in stage.tables.health if event.kind is HealthKind.RENEWAL_FAILED]
    assert [event.cause for event in failed] == ["no answer", "no answer"]


async def test_gap_05_slow_exchange_of_one_account_stalls_nobody(stage: Stage) -> None:
    await stage.accounts(3)
    stage.upstream.hold("exchange")
    stage.upstream.players[2].kill_access_tokens()
    async with keeper(stage):
        for _ in range(5):
            await stage.cold_account()
        await stage.clock.sleep(60)
        began = stage.clock.monotonic()
        assert (await stage.made(PAINT)).generation.account_id == 1
    assert stage.clock.monotonic() == began


async def test_gap_06_slots_are_taken_with_the_choice_and_nobody_gets_an_error_for_losing(stage: Stage) -> None:
    await stage.accounts(2, capacity=Capacity(image=1))
    running = dict[int, int]()
    original, most = stage.upstream.produce, 0

    async def counted(access: Access, order: object) -> object:
        nonlocal most
        running[access.account_id] = running.get(access.account_id, 0) + 1
        most = max(most, *running.values())
        await stage.clock.sleep(1)
        running[access.account_id] -= 1
        return await original(access, order)  # type: ignore[arg-type]

    swap(stage.upstream, produce=counted)
    ends = await asyncio.gather(*(stage.end(PAINT) for _ in range(20)))
    assert all(isinstance(end, Finished) for end in ends)
    assert most == 1


async def test_gap_07_failed_video_is_booked_as_failed(stage: Stage) -> None:
    await stage.accounts(1)
    assert isinstance(await stage.end(FILM, prompt="latefail"), Failed)
    await stage.until_done()
    (entry,) = stage.tables.log
    assert (entry.state, entry.code) == ("failed", "moderation_blocked")


async def test_gap_08_number_429_in_a_text_is_no_rate_limit(stage: Stage) -> None:
    await stage.accounts(2)
    stage.upstream.fail("produce", tree.UpstreamInvalidError("HTTP 429 stands in this page"), account_id=1)
    await stage.made(PAINT)
    assert stage.known(1).rests == ()


async def test_gap_09_unsafe_prompts_disable_nothing(stage: Stage) -> None:
    await stage.accounts(1)
    for _ in range(10):
        assert isinstance(await stage.end(PAINT, prompt="unsafe"), Failed)
    assert status(stage, 1) is AccountStatus.ACTIVE
    assert stage.known(1).streaks == ()


async def test_gap_10_rate_limited_account_cools_down_and_another_serves(stage: Stage) -> None:
    await stage.accounts(2)
    stage.upstream.fail("produce", tree.UpstreamRateLimitedError("too fast"), account_id=1)
    assert (await stage.made(PAINT)).generation.account_id == 2
    assert status(stage, 1) is AccountStatus.COOLING_DOWN
    await stage.clock.sleep(61)
    assert status(stage, 1) is AccountStatus.ACTIVE
    lease = await stage.pool.acquire(Need(PAINT), stage.policy, avoid={2})
    assert lease.account_id == 1


async def test_gap_11_failed_video_ends_at_once_and_a_missing_status_ends_nothing(stage: Stage) -> None:
    await stage.accounts(1)
    began = stage.clock.monotonic()
    assert isinstance(await stage.end(FILM, prompt="latefail"), Failed)
    assert stage.clock.monotonic() - began < 120
    original, asked = stage.upstream.poll, 0

    async def silent_at_first(*args: object) -> object:
        nonlocal asked
        asked += 1
        return {} if asked < 4 else await original(*args)  # type: ignore[arg-type]

    swap(stage.upstream, poll=silent_at_first)
    await stage.made(FILM)


async def test_gap_12_token_that_dies_during_a_long_video_is_renewed(stage: Stage) -> None:
    await stage.accounts(1)
    stage.upstream.video_s = 600.0
    making = asyncio.create_task(stage.made(FILM))
    await stage.clock.sleep(100)
    stage.upstream.players[0].kill_access_tokens()
    end = await making
    assert stage.stored(end.generation.id).state is State.COMPLETED
    assert stage.upstream.count("submit") == 1


async def test_gap_13_enlargement_has_half_an_hour_of_its_own(stage: Stage) -> None:
    await stage.accounts(1)
    stage.upstream.video_s = 1400.0
    end = await stage.made(LARGE_FILM)
    assert end.generation.warnings == ()


async def test_gap_14_time_limits_are_those_that_are_set(stage: Stage) -> None:
    await stage.accounts(1)
    stage.configure(video_timeout_s=100.0, poll_interval_s=1.0)
    stage.upstream.video_s = 1000.0
    began = stage.clock.monotonic()
    end = await stage.end(FILM)
    assert isinstance(end, Failed)
    assert isinstance(end.error, tree.UpstreamTimeoutError)
    assert stage.clock.monotonic() - began == pytest.approx(100, abs=5)


@pytest.mark.parametrize("error", [DOWN, tree.UpstreamRateLimitedError("too fast")], ids=lambda e: type(e).__name__)
async def test_gap_15_submit_that_is_refused_is_made_on_another_account(stage: Stage, error: Exception) -> None:
    await stage.accounts(2)
    stage.upstream.fail("submit", error, account_id=1)
    assert (await stage.made(FILM)).generation.account_id == 2


async def test_gap_16_credits_and_plan_decide_and_are_kept_current(stage: Stage) -> None:
    async with keeper(stage):
        await stage.accounts(2)
        stage.pool.put(replace(stage.known(1), credits=5))
        assert (await stage.made(FILM)).generation.account_id == 2
        grand = video_spec("grand", min_tier=Tier.ULTRA)
        with pytest.raises(tree.NoEligibleAccountError):
            await stage.made(grand)
        stage.upstream.players[0].tier = Tier.ULTRA
        await stage.clock.sleep(24 * HOUR)
        assert (await stage.made(grand)).generation.account_id == 1


async def test_gap_16_size_that_was_not_delivered_is_told(stage: Stage) -> None:
    await stage.accounts(1)
    stage.upstream.fail("produce", tree.UpstreamInvalidError("garbage"), nth=2)
    assert "plain size" in (await stage.made(LARGE_PAINT)).generation.warnings[0]


async def test_gap_17_protocol_drift_has_a_name_and_keeps_the_reason(stage: Stage) -> None:
    await stage.accounts(1)
    stage.upstream.fail("produce", tree.UpstreamDriftError("unknown name 'seeds'", reason="INVALID_ARGUMENT"))
    end = await stage.end(PAINT)
    assert isinstance(end, Failed)
    fault = end.generation.fault
    assert fault is not None
    assert (fault.code, fault.message) == ("upstream_protocol_drift", "unknown name 'seeds'")
    assert status(stage, 1) is AccountStatus.ACTIVE


async def test_gap_18_video_without_an_address_is_fetched_by_its_name(stage: Stage) -> None:
    await stage.accounts(1)
    original, seen = stage.upstream.poll, list[OperationStatus]()

    async def watched(access: Access, operations: object) -> object:
        told = await original(access, operations)  # type: ignore[arg-type]
        seen.extend(told.values())
        return told

    swap(stage.upstream, poll=watched)
    end = await stage.made(FILM)
    assert all(one.product.url is None for one in seen if one.product is not None)
    assert end.media[0].size_bytes > 0


async def test_gap_19_nought_keeps_for_ever(stage: Stage) -> None:
    stage.configure(image_retention_h=0.0, video_retention_h=0.0)
    await stage.accounts(1)
    for spec in (PAINT, FILM, LARGE_FILM):
        assert (await stage.made(spec)).media[0].expires_at is None


@pytest.mark.parametrize("spec", [PAINT, FILM], ids=lambda spec: spec.name)
async def test_gap_20_client_that_goes_away_ends_nothing(stage: Stage, spec: object) -> None:
    await stage.accounts(1)
    async with aclosing(stage.events(spec)) as events:  # type: ignore[arg-type]
        accepted = await anext(events)
    await stage.until_done()
    assert stage.stored(accepted.generation.id).state is State.COMPLETED


async def test_gap_21_account_with_a_history_can_be_removed(stage: Stage) -> None:
    await stage.accounts(1)
    made = await stage.made(PAINT)
    manage = ManageAccounts(stage.storage.accounts, stage.storage.vault, stage.clock)
    await manage.remove(stage.known(1))
    assert await stage.storage.accounts.get(1) is None
    assert stage.stored(made.generation.id).account_id == 1
    assert await stage.storage.media.get([made.media[0].id])


async def test_gap_22_same_address_with_another_session_token_is_the_same_account(stage: Stage) -> None:
    bring = ImportAccounts(stage.storage.accounts, stage.storage.vault, stage.clock)
    for letter in "ab":
        row = ImportedAccount(session_token=Secret(letter * 300), email="Me@Example.com")
        await bring([row])
    assert len(stage.tables.accounts) == 1
    assert stage.tables.credentials[1].session_token == Secret("b" * 300)


async def test_gap_23_dead_session_token_that_is_sent_again_and_again_wakes_nothing(stage: Stage) -> None:
    player = stage.upstream.add_player(is_revoked=True)
    async with keeper(stage):
        account = await stage.cold_account(player, email="me@example.com")
        await stage.clock.sleep(60)
        bring = ImportAccounts(stage.storage.accounts, stage.storage.vault, stage.clock)
        for _ in range(5):
            report = await bring([ImportedAccount(session_token=Secret(player.session_tokens[-1]))])
            assert report.unchanged == 1
            await stage.clock.sleep(HOUR)
    assert status(stage, account.id) is AccountStatus.SUSPENDED
    assert stage.upstream.count("exchange") == 1


async def test_gap_24_wave_of_refusals_cools_accounts_down_and_kills_none(stage: Stage) -> None:
    await stage.accounts(5)
    stage.upstream.fail("produce", tree.UpstreamRefusedError("unusual activity"), times=5)
    for _ in range(5):
        end = await stage.end(PAINT)
        assert isinstance(end, Failed)
        assert end.error.code == "upstream_refused"  # type: ignore[attr-defined]
    assert {status(stage, one.id) for one in stage.pool} == {AccountStatus.COOLING_DOWN}
    await stage.clock.sleep(61)
    await stage.made(PAINT)


async def test_gap_25_account_that_was_moved_is_set_aside_and_looked_at_again_each_day(stage: Stage) -> None:
    async with keeper(stage):
        await stage.accounts(2)
        moved = tree.AccountUnusableError("moved", reason="migrated")
        stage.upstream.fail("produce", moved, account_id=1)
        stage.upstream.fail("allowance", moved, account_id=1, times=2)
        assert (await stage.made(PAINT)).generation.account_id == 2
        assert status(stage, 1) is AccountStatus.SUSPENDED
        stage.upstream.calls.clear()
        await stage.clock.sleep(2.9 * 24 * HOUR)
        assert stage.upstream.count("allowance", 1) == 2
        assert status(stage, 1) is AccountStatus.SUSPENDED
        await stage.clock.sleep(24 * HOUR)
    assert status(stage, 1) is AccountStatus.ACTIVE


async def test_gap_26_secrets_show_in_no_text(stage: Stage) -> None:
    await stage.accounts(1)
    access = await stage.credentials.access(stage.known(1), with_session=True)
    kept = stage.tables.credentials[1]
    assert access.access_token is not None
    for shown in (repr(access), str(access), repr(kept), repr(stage.known(1)), repr(stage.tables.health)):
        assert access.access_token.reveal() not in shown
        assert kept.session_token.reveal() not in shown

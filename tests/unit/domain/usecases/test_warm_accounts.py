"""The keeper: everything is ready before a request needs it, at a gentle pace, and nobody is hammered."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.account import Credentials, Cure, RestReason, Tier
from flow2api.domain.breaker import BreakerState, Host
from flow2api.domain.health import HealthKind
from flow2api.domain.ports.upstream import Access, Allowance, Exchanged
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.follow_changes import FollowChanges
from flow2api.testing.planting import plant_secrets
from tests.unit.domain.usecases.stage import FILM, PAINT, Stage, swap

HOUR = 3600.0


@pytest.fixture
async def kept(stage: Stage) -> AsyncIterator[Stage]:
    """A stage whose keeper is at work."""
    keeping = asyncio.create_task(stage.warm.run())
    yield stage
    assert not keeping.done()
    keeping.cancel()


async def test_warms_what_was_imported(kept: Stage) -> None:
    for _ in range(5):
        await kept.cold_account()
    await kept.clock.sleep(5)
    for account in kept.pool:
        assert account.is_warm
        assert (account.tier, account.credits) == (Tier.PRO, 1000)
        assert account.email is not None
        assert kept.tables.accounts[account.id] == account
    for call in ("exchange", "allowance", "open_workspace"):
        assert kept.upstream.count(call) == 5
    await kept.made(PAINT)


async def test_at_most_four_at_once_and_twenty_a_second(kept: Stage) -> None:
    running, most, begun = 0, 0, list[float]()
    original = kept.upstream.exchange

    async def slow(credentials: Credentials, proxy: Secret | None) -> Exchanged:
        nonlocal running, most
        begun.append(kept.clock.monotonic())
        running += 1
        most = max(most, running)
        await kept.clock.sleep(1.0)
        running -= 1
        return await original(credentials, proxy)

    swap(kept.upstream, exchange=slow)
    for _ in range(30):
        await kept.cold_account()
    await kept.clock.sleep(20)
    assert (len(begun), most) == (30, 4)

    swap(kept.upstream, exchange=original)
    begun.clear()
    times = list[float]()
    plain = kept.upstream.allowance

    async def timed(access: Access) -> Allowance:
        times.append(kept.clock.monotonic())
        return await plain(access)

    swap(kept.upstream, allowance=timed)
    for _ in range(100):
        await kept.cold_account()
    await kept.clock.sleep(10)
    assert len(times) == 100
    assert all(later - earlier > 0.99 for earlier, later in zip(times, times[20:], strict=False))


async def test_pace_can_be_changed_while_it_works(kept: Stage) -> None:
    kept.configure(renewals_per_s=1.0)
    for _ in range(10):
        await kept.cold_account()
    await kept.clock.sleep(5.5)
    assert kept.upstream.count("exchange") <= 6


async def test_does_nothing_while_it_is_switched_off_and_catches_up_when_it_is_on_again(kept: Stage) -> None:
    kept.configure(background_renewal=False)
    for _ in range(3):
        await kept.cold_account()
    await kept.clock.sleep(HOUR)
    assert kept.upstream.calls == []

    kept.configure(background_renewal=True)
    await kept.clock.sleep(5)
    assert all(account.is_warm for account in kept.pool)


async def test_request_warms_an_account_though_the_keeper_is_switched_off(kept: Stage) -> None:
    kept.configure(background_renewal=False)
    await kept.cold_account()

    await kept.made(PAINT)


async def test_renews_before_the_margin_so_that_no_request_has_to(kept: Stage) -> None:
    for _ in range(10):
        await kept.account()
    begun = kept.clock.now()
    kept.upstream.calls.clear()
    await kept.clock.sleep(19 * HOUR)
    assert kept.upstream.count("exchange") <= 10
    for _ in range(60):
        await kept.clock.sleep(HOUR)
        assert all(
            account.access_expires_at and account.access_expires_at - kept.clock.now() > timedelta(minutes=59)
            for account in kept.pool
        )
    elapsed = kept.clock.now() - begun
    assert kept.upstream.count("exchange") <= 10 * (elapsed / timedelta(hours=18) + 1)


@pytest.mark.parametrize("life", [timedelta(seconds=90), timedelta(minutes=20), timedelta(hours=1)])
async def test_short_tokens_are_renewed_at_half_of_their_life(kept: Stage, life: timedelta) -> None:
    kept.upstream.access_life = life
    await kept.cold_account()
    await kept.clock.sleep(5)
    kept.upstream.calls.clear()
    await kept.clock.sleep(10 * life.total_seconds())
    assert 15 <= kept.upstream.count("exchange") <= 22


async def test_session_is_kept_alive_though_its_token_lives_for_weeks(kept: Stage) -> None:
    kept.upstream.access_life = timedelta(days=20)
    await kept.cold_account()
    await kept.clock.sleep(5)
    kept.upstream.calls.clear()
    await kept.clock.sleep(72 * HOUR)
    assert 3 <= kept.upstream.count("exchange") <= 5


async def test_accounts_are_out_of_step(kept: Stage) -> None:
    for _ in range(20):
        await kept.account()
    assert len({kept.warm._next_visit(account) for account in kept.pool}) == 20


async def test_service_that_gives_the_same_token_until_it_ends_is_not_asked_all_the_time(kept: Stage) -> None:
    account = await kept.account()
    ends, exchanges = kept.clock.now() + timedelta(hours=24), list[float]()
    assert account.access_expires_at is not None

    async def same(credentials: Credentials, proxy: Secret | None) -> Exchanged:
        nonlocal ends
        exchanges.append(kept.clock.monotonic())
        if kept.clock.now() > ends - timedelta(seconds=30):
            ends = kept.clock.now() + timedelta(hours=24)
        token = Secret(f"token-{ends}")
        kept.upstream.players[0].access_tokens[token.reveal()] = ends.timestamp()
        return Exchanged(
            replace(credentials, access_token=token, expires_at=ends, obtained_at=kept.clock.now()), None, None
        )

    swap(kept.upstream, exchange=same)
    await kept.clock.sleep(48 * HOUR)
    assert len(exchanges) < 40
    gaps = [later - earlier for earlier, later in pairwise(exchanges)]
    assert min(gaps) >= 15


@pytest.mark.parametrize("call", ["exchange", "allowance", "open_workspace"])
@pytest.mark.parametrize(
    "error",
    [
        tree.UpstreamUnavailableError("down", reached=False),
        tree.UpstreamTimeoutError("late"),
        tree.UpstreamInvalidError("garbage"),
        tree.StorageBusyError("locked"),
        ZeroDivisionError(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_transient_failure_never_disables_and_is_tried_again_later_each_time(
    kept: Stage, call: str, error: Exception
) -> None:
    kept.upstream.fail(call, error, times=4)
    account = await kept.cold_account()
    await kept.clock.sleep(20)
    assert kept.upstream.count(call) == 1
    await kept.clock.sleep(1200)
    assert kept.upstream.count(call) == 4
    await kept.clock.sleep(2400)
    assert kept.known(account.id).is_warm
    assert (kept.known(account.id).rests, kept.known(account.id).streak) == ((), 0)
    assert not kept.warm._failures


async def test_outage_leaves_a_valid_token_in_use(kept: Stage) -> None:
    await kept.account()
    kept.upstream.fail("exchange", tree.UpstreamUnavailableError("down", reached=False), times=None)
    await kept.clock.sleep(22 * HOUR)
    kept.upstream.calls.clear()
    await kept.made(PAINT)
    assert kept.upstream.count("exchange") == 0


async def test_refused_session_is_called_once_and_then_left_alone_until_it_has_a_new_one(kept: Stage) -> None:
    player = kept.upstream.add_player()
    player.is_revoked = True
    account = await kept.cold_account(player)
    await kept.clock.sleep(48 * HOUR)
    assert kept.upstream.count("exchange") == 1
    assert kept.known(account.id).rest_of(RestReason.AUTH_EXPIRED) is not None

    player.is_revoked = False
    player.session_tokens.append("new-".ljust(240, "n"))
    renewed = kept.known(account.id).without(lambda rest: rest.reason is not RestReason.AUTH_EXPIRED)
    await plant_secrets(kept.storage.vault, renewed, player.credentials)
    kept.credentials.forget(account.id)
    kept.pool.put(renewed)
    await kept.clock.sleep(5)
    assert kept.known(account.id).is_warm


async def test_session_whose_grant_has_ended_rests_though_it_exchanges(kept: Stage) -> None:
    kept.upstream.fail("allowance", tree.CredentialExpiredError("401"), times=None)
    account = await kept.cold_account()
    await kept.clock.sleep(48 * HOUR)
    assert kept.known(account.id).rest_of(RestReason.AUTH_EXPIRED) is not None
    assert kept.upstream.count("allowance") == 2


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (tree.AccountUnusableError("region"), RestReason.UNUSABLE),
        (tree.UpstreamRefusedError("abuse"), RestReason.REFUSED),
        (tree.UpstreamRateLimitedError("too fast"), RestReason.RATE_LIMITED),
    ],
)
async def test_refusals_of_the_account_itself_are_booked(
    kept: Stage, error: tree.UpstreamError, reason: RestReason
) -> None:
    kept.upstream.fail("allowance", error)
    account = await kept.cold_account()
    await kept.clock.sleep(5)
    assert kept.known(account.id).rest_of(reason) is not None


async def test_new_project_is_called_as_somebody_has_said_and_else_by_its_day(kept: Stage) -> None:
    wanted, other = await kept.cold_account(), await kept.cold_account()
    await kept.tend.change(wanted.id, lambda one: one.working_in(None, "Mugs"))
    opened = kept.clock.now()
    await kept.clock.sleep(5)
    assert kept.known(wanted.id).workspace_name == "Mugs"
    assert (kept.known(other.id).workspace_name or "").startswith(f"{opened:%b %d - }")


async def test_disabled_account_is_not_called(kept: Stage) -> None:
    account = await kept.account()
    kept.pool.put(kept.known(account.id).resting(RestReason.MANUAL, kept.clock.now()))
    kept.upstream.calls.clear()
    await kept.clock.sleep(72 * HOUR)
    assert kept.upstream.calls == []
    await kept.warm.warm(account.id)
    assert kept.upstream.calls == []


async def test_account_warmed_by_a_request_is_looked_after_from_then_on(kept: Stage) -> None:
    swap(kept.warm, _take_due=lambda: None)
    await kept.cold_account()
    await kept.made(PAINT)
    del kept.warm.__dict__["_take_due"]
    kept.upstream.calls.clear()
    await kept.clock.sleep(30 * HOUR)
    assert kept.upstream.count("exchange") >= 1
    assert kept.known(1).access_expires_at > kept.clock.now() + timedelta(minutes=59)  # type: ignore[operator]


async def test_request_joins_the_visit_that_is_under_way(kept: Stage) -> None:
    gate = kept.upstream.hold("exchange")
    await kept.cold_account()
    await kept.clock.sleep(5)
    making = asyncio.create_task(kept.made(PAINT))
    await kept.clock.sleep(5)
    gate.set()
    await making
    assert kept.upstream.count("exchange") == 1


async def test_removed_account_is_forgotten(kept: Stage) -> None:
    account = await kept.account()
    gate = kept.upstream.hold("exchange")
    await kept.clock.sleep(23 * HOUR)
    await kept.storage.accounts.remove(account.id)
    kept.pool.remove(account.id)
    gate.set()
    await kept.clock.sleep(48 * HOUR)
    assert not kept.warm._due
    await kept.warm.warm(account.id)


async def test_higher_plan_lifts_what_was_refused_for_the_plan(kept: Stage) -> None:
    account = await kept.account()
    await kept.tend.went_wrong(account.id, tree.ModelAccessError("plan"), FILM)
    assert kept.known(account.id).rests
    kept.upstream.players[0].tier = Tier.ULTRA
    await kept.clock.sleep(19.9 * HOUR)
    assert kept.known(account.id).rests == ()
    assert kept.known(account.id).tier is Tier.ULTRA


@pytest.mark.parametrize(("credits_seen", "is_lifted"), [(1500, True), (1000, False), (0, False)])
async def test_more_credits_than_before_lift_what_rested_for_want_of_them(
    kept: Stage, credits_seen: int, is_lifted: bool
) -> None:
    account = await kept.account()
    error = tree.UpstreamRateLimitedError("used up", exhausted=True, retry_after_s=1e9)
    await kept.tend.went_wrong(account.id, error)
    kept.upstream.players[0].credits = credits_seen
    kept.pool.put(replace(kept.known(account.id), access_expires_at=kept.clock.now() + timedelta(hours=2)))
    await kept.clock.sleep(3 * HOUR)
    assert (kept.known(account.id).rests == ()) is is_lifted


async def test_accounts_of_an_upstream_that_is_gone_disturb_nobody_and_are_told_once(
    kept: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        orphan = await kept.cold_account()
        kept.pool.put(replace(kept.known(orphan.id), upstream="gone"))
    await kept.cold_account()

    await kept.clock.sleep(HOUR)

    assert kept.known(3).is_warm
    assert [record.message for record in caplog.records] == ["upstream of accounts is missing"]
    with pytest.raises(tree.ConfigurationError, match="No plugin brings the upstream 'gone'"):
        await kept.warm.warm(1)


async def test_token_without_a_beginning_is_renewed_by_the_hour_before_its_end(stage: Stage) -> None:
    account = await stage.account()
    due = stage.warm._next_visit(replace(account, access_obtained_at=None))
    assert account.access_expires_at is not None
    assert timedelta(hours=1) <= account.access_expires_at - due <= timedelta(hours=1.1)


async def test_visits_under_way_end_with_the_keeper(stage: Stage) -> None:
    stage.upstream.hold("exchange")
    await stage.cold_account()
    keeping = asyncio.create_task(stage.warm.run())
    await stage.clock.sleep(5)
    keeping.cancel()
    await stage.clock.sleep(1)
    assert not stage.warm._running


async def test_ten_thousand_imported_accounts_do_not_slow_a_picture(kept: Stage) -> None:
    await kept.account()
    for _ in range(10_000):
        await kept.cold_account()
    kept.upstream.calls.clear()
    began, exchanged = kept.clock.monotonic(), list[int]()
    for _ in range(20):
        asked = kept.clock.monotonic()
        await kept.made(PAINT)
        assert kept.clock.monotonic() == asked
        await kept.clock.sleep(1)
        exchanged.append(kept.upstream.count("exchange"))
    elapsed = kept.clock.monotonic() - began
    assert exchanged[-1] <= 20 * elapsed + 4
    assert all(later - earlier <= 21 for earlier, later in pairwise(exchanged))
    assert kept.upstream.count("produce", 1) + kept.upstream.count("produce") >= 20


async def test_outage_puts_visits_off_without_holding_it_against_the_accounts(kept: Stage) -> None:
    await kept.accounts(10)
    for call in ("exchange", "allowance", "open_workspace"):
        kept.upstream.fail(call, tree.UpstreamUnavailableError("down", reached=False), times=None)
    for _ in range(20):
        await kept.cold_account()
    await kept.clock.sleep(2 * HOUR)
    assert kept.guard.statuses()[("flow", None), Host.SESSION].state is not BreakerState.CLOSED
    assert kept.upstream.count("exchange") <= 2 * 3600 / 30 + 20
    kept.upstream.faults.clear()
    await kept.clock.sleep(38 * 60)
    assert all(one.is_warm and not one.rests for one in kept.pool)


async def test_refusal_is_waited_out_and_not_asked_against(kept: Stage) -> None:
    kept.upstream.fail("allowance", tree.UpstreamRateLimitedError("slow down", retry_after_s=6 * HOUR), times=None)
    await kept.cold_account()
    await kept.clock.sleep(5.9 * HOUR)
    assert kept.upstream.count("allowance") == 1
    kept.upstream.faults.clear()
    await kept.clock.sleep(0.2 * HOUR)
    assert kept.known(1).is_warm


async def test_unusable_account_is_looked_at_again_once_a_day_and_comes_back(kept: Stage) -> None:
    kept.upstream.fail("allowance", tree.AccountUnusableError("region"), times=3)
    await kept.cold_account()
    await kept.clock.sleep(60)
    await kept.clock.sleep(3 * 24 * HOUR)
    assert kept.upstream.count("allowance") == 3
    assert kept.known(1).rest_of(RestReason.UNUSABLE) is not None
    await kept.clock.sleep(24 * HOUR)
    assert kept.known(1).rests == ()
    assert kept.known(1).is_warm


async def test_unusable_account_that_cannot_be_looked_at_stays_set_aside_and_is_not_hammered(kept: Stage) -> None:
    await kept.accounts(2)
    await kept.tend.went_wrong(1, tree.AccountUnusableError("region"))
    kept.upstream.fail("exchange", tree.UpstreamTimeoutError("late"), times=None)
    kept.upstream.fail("allowance", tree.UpstreamTimeoutError("late"), times=None, account_id=1)
    await kept.clock.sleep(48 * HOUR)
    assert kept.known(1).rest_of(RestReason.UNUSABLE) is not None
    assert kept.upstream.count("exchange") <= 2 * 2 * 48 + 40


async def test_timeline_tells_what_the_keeper_did(kept: Stage) -> None:
    kept.upstream.fail("exchange", tree.UpstreamTimeoutError("late"))
    await kept.cold_account()
    await kept.clock.sleep(60)
    kept.upstream.players[0].tier, kept.upstream.players[0].credits = Tier.ULTRA, 5000
    await kept.clock.sleep(24 * HOUR)
    told = [event.kind for event in kept.tables.health]
    assert told[:4] == [
        HealthKind.RENEWAL_FAILED,
        HealthKind.ACCESS_RENEWED,
        HealthKind.SESSION_ROTATED,
        HealthKind.WARMED,
    ]
    assert {HealthKind.TIER_CHANGED, HealthKind.CREDITS_CHANGED} <= set(told[4:])
    renewed = next(event for event in kept.tables.health if event.kind is HealthKind.ACCESS_RENEWED)
    assert renewed.until == renewed.at + timedelta(hours=24)


async def test_rest_that_ends_while_nobody_asks_is_in_the_timeline_at_its_time(kept: Stage) -> None:
    await kept.accounts(1)
    await kept.tend.went_wrong(1, tree.UpstreamRateLimitedError("too fast", retry_after_s=100), PAINT)
    ends = kept.clock.now() + timedelta(seconds=100)
    await kept.clock.sleep(170)
    (event,) = [one for one in kept.tables.health if one.kind is HealthKind.REST_LIFTED]
    assert (event.at, event.by, event.reason) == (ends, "time", RestReason.RATE_LIMITED)


async def test_rests_end_with_a_request_as_well_as_with_time(stage: Stage) -> None:
    await stage.accounts(1)
    await stage.tend.went_wrong(1, tree.UpstreamRateLimitedError("too fast", retry_after_s=100), PAINT)
    stage.pool.put(replace(stage.known(1), access_expires_at=stage.clock.now() - timedelta(hours=1)))
    await stage.clock.sleep(100)
    await stage.made(PAINT)
    assert [one.kind for one in stage.tables.health if one.kind is HealthKind.REST_LIFTED] == [HealthKind.REST_LIFTED]


class TestAccountThatWasPutOff:
    """Its next visit was planned by a failure, and then something else happened to it."""

    @pytest.fixture
    async def put_off(self, kept: Stage) -> Stage:
        await kept.account()
        kept.upstream.fail("exchange", tree.UpstreamUnavailableError("down", reached=False), times=None)
        await kept.clock.sleep(22 * HOUR)
        assert kept.upstream.count("exchange") > 4
        return kept

    async def test_is_looked_after_again_when_it_is_switched_on_after_a_while(self, put_off: Stage) -> None:
        now = put_off.clock.now()
        await put_off.tend.change(1, lambda one: one.resting(RestReason.MANUAL, now))
        await put_off.clock.sleep(2 * HOUR)
        put_off.upstream.faults.clear()
        put_off.upstream.calls.clear()
        await put_off.tend.change(1, lambda one: one.cured(Cure.OPERATOR))
        await put_off.clock.sleep(HOUR)
        assert put_off.upstream.count("exchange") == 1

    async def test_is_looked_after_again_with_a_new_session(self, put_off: Stage) -> None:
        revoked = tree.CredentialRevokedError("no such session")
        await put_off.tend.went_wrong(1, revoked)
        await put_off.clock.sleep(2 * HOUR)
        put_off.upstream.faults.clear()
        put_off.upstream.calls.clear()
        await put_off.tend.change(1, lambda one: one.cured(Cure.NEW_CREDENTIAL))
        await put_off.clock.sleep(HOUR)
        assert put_off.upstream.count("exchange") == 1

    async def test_is_visited_at_once_with_a_new_session_however_late_its_next_visit_was(self, put_off: Stage) -> None:
        await put_off.tend.went_wrong(1, tree.CredentialRevokedError("no such session"))
        put_off.upstream.faults.clear()
        put_off.upstream.calls.clear()
        await put_off.tend.change(1, lambda one: one.cured(Cure.NEW_CREDENTIAL))
        await put_off.clock.sleep(5)
        assert put_off.upstream.count("allowance") == 1


@pytest.mark.parametrize("reason", [RestReason.REFUSED, RestReason.RATE_LIMITED])
async def test_restart_asks_nothing_of_a_cold_account_that_is_to_rest_for_hours(
    stage: Stage, reason: RestReason
) -> None:
    account = await stage.cold_account()
    now = stage.clock.now()
    await stage.tend.change(account.id, lambda one: one.resting(reason, now, until=now + timedelta(hours=12)))
    later = Stage(stage.world)
    await later.load()
    keeping = asyncio.create_task(later.warm.run())
    await stage.clock.sleep(11 * HOUR)
    assert not stage.upstream.calls
    await stage.clock.sleep(2 * HOUR)
    assert later.known(account.id).is_warm
    keeping.cancel()


async def test_two_processes_exchange_an_account_once(stage: Stage) -> None:
    await stage.accounts(20)
    other = Stage(stage.world, seed=2)
    await other.load()
    loops = []
    for one in (stage, other):
        follow = FollowChanges(
            one.storage.changes,
            one.storage.accounts,
            one.pool,
            one.credentials,
            one.clock,
            reload_keys=nothing,
            reload_options=nothing,
        )
        await follow.begin()
        loops += [asyncio.create_task(one.warm.run()), asyncio.create_task(follow.run())]
    await stage.clock.sleep(22 * HOUR)
    assert stage.upstream.count("exchange") == 20
    for loop in loops:
        assert not loop.done()
        loop.cancel()


async def nothing() -> None:
    return None

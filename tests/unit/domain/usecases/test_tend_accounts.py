"""What accounts go through is in memory at once, in the database right after, and nobody's word is lost."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.account import Account, CallKind, Cure, RestReason
from flow2api.domain.generation import Failed
from flow2api.domain.selection import Need
from flow2api.domain.usecases.tend_accounts import TendAccounts
from flow2api.testing.fakes.virtual_time import settle
from flow2api.testing.planting import plant
from tests.unit.domain.usecases.stage import FILM, PAINT, Stage, swap


def rested(account: Account) -> set[RestReason]:
    return {rest.reason for rest in account.rests}


async def test_change_is_in_memory_at_once_and_then_in_the_database(stage: Stage) -> None:
    await stage.accounts(1)
    changing = asyncio.create_task(stage.tend.change(1, lambda one: replace(one, remark="new")))
    await asyncio.sleep(0)
    assert stage.known(1).remark == "new"
    changed = await changing
    assert changed == stage.tables.accounts[1] == stage.known(1)


async def test_what_stays_as_it_was_is_not_written(stage: Stage) -> None:
    await stage.accounts(1)
    stage.tables.writes = 0
    await stage.tend.change(1, lambda one: replace(one))
    await stage.tend.went_well(1, PAINT)
    await stage.tend.went_wrong(1, tree.ContentBlockedError(), PAINT)
    assert stage.tables.writes == 0


async def test_unknown_account_is_nobodys(stage: Stage) -> None:
    assert await stage.tend.change(9, lambda one: one) is None
    await stage.tend.went_well(9)
    await stage.tend.went_wrong(9, tree.UpstreamTimeoutError("late"))
    assert stage.tables.writes == 0


async def test_operators_change_that_memory_does_not_know_yet_stays(stage: Stage) -> None:
    await stage.accounts(1)
    await plant(stage.storage.accounts, stage.known(1).resting(RestReason.MANUAL, stage.clock.now()))
    await stage.tend.went_wrong(1, tree.UpstreamRateLimitedError("too fast"), PAINT)
    assert rested(stage.tables.accounts[1]) == {RestReason.MANUAL, RestReason.RATE_LIMITED}
    assert stage.known(1) == stage.tables.accounts[1]


async def test_account_that_the_operator_removed_is_not_brought_back(stage: Stage) -> None:
    await stage.accounts(1)
    await stage.storage.accounts.remove(1)
    assert await stage.tend.change(1, lambda one: replace(one, remark="new")) is None
    assert 1 not in stage.tables.accounts
    assert stage.pool.get(1) is None


async def test_many_changes_at_once_are_all_kept(stage: Stage) -> None:
    await stage.accounts(1)
    await asyncio.gather(
        *(
            stage.tend.change(1, lambda one, tag=f"t{number}": replace(one, tags=one.tags | {tag}))  # type: ignore[misc]
            for number in range(50)
        )
    )
    assert len(stage.known(1).tags) == len(stage.tables.accounts[1].tags) == 50
    assert not stage.tend._unwritten


async def test_changes_that_come_while_one_is_written_are_written_together(stage: Stage) -> None:
    await stage.accounts(1)
    stage.tables.writes = 0
    await asyncio.gather(
        *(stage.tend.change(1, lambda one, n=number: replace(one, weight=one.weight + n)) for number in (1, 2, 4, 8))  # type: ignore[misc]
    )
    assert stage.tables.accounts[1].weight == 16
    assert stage.tables.writes <= 2


async def test_database_that_refuses_fails_nobody_and_gets_it_with_the_next_change(stage: Stage) -> None:
    await stage.accounts(1)
    stage.tables.fault = tree.StorageBusyError("locked")
    await stage.tend.went_wrong(1, tree.UpstreamRateLimitedError("too fast"), PAINT)
    await stage.tend.change(1, lambda one: replace(one, remark="new"))
    assert rested(stage.known(1)) == {RestReason.RATE_LIMITED}
    assert stage.tables.accounts[1].rests == ()
    stage.tables.fault = None
    await stage.tend.change(1, lambda one: one)
    assert stage.tables.accounts[1] == stage.known(1)
    assert (stage.known(1).remark, rested(stage.known(1))) == ("new", {RestReason.RATE_LIMITED})


async def test_change_during_a_write_that_fails_is_not_lost(stage: Stage) -> None:
    await stage.accounts(1)
    original, gate = stage.storage.accounts.change, asyncio.Event()

    async def slow(account_id: int, change: Callable[[Account], Account]) -> object:
        await gate.wait()
        raise tree.StorageBusyError("locked")

    swap(stage.storage.accounts, change=slow)
    first = asyncio.create_task(stage.tend.change(1, lambda one: replace(one, remark="one")))
    await stage.clock.sleep(1)
    second = asyncio.create_task(stage.tend.change(1, lambda one: replace(one, name="two")))
    await stage.clock.sleep(1)
    gate.set()
    await asyncio.gather(first, second)
    swap(stage.storage.accounts, change=original)
    await stage.tend.change(1, lambda one: one)
    assert (stage.tables.accounts[1].remark, stage.tables.accounts[1].name) == ("one", "two")


async def test_change_during_a_write_stays_in_memory(stage: Stage) -> None:
    await stage.accounts(1)
    original, gate = stage.storage.accounts.change, asyncio.Event()

    async def slow(account_id: int, change: Callable[[Account], Account]) -> object:
        await gate.wait()
        return await original(account_id, change)

    swap(stage.storage.accounts, change=slow)
    first = asyncio.create_task(stage.tend.change(1, lambda one: replace(one, remark="one")))
    await stage.clock.sleep(1)
    second = asyncio.create_task(stage.tend.change(1, lambda one: replace(one, name="two")))
    await stage.clock.sleep(1)
    gate.set()
    await asyncio.gather(first, second)
    assert (stage.known(1).remark, stage.known(1).name) == ("one", "two")
    assert stage.tables.accounts[1] == stage.known(1)


async def test_whoever_is_cancelled_leaves_the_write_to_end(stage: Stage) -> None:
    await stage.accounts(1)
    changing = asyncio.create_task(stage.tend.change(1, lambda one: replace(one, remark="new")))
    await asyncio.sleep(0)
    changing.cancel()
    await asyncio.wait([changing])
    assert stage.tables.accounts[1].remark == "new"
    assert not stage.tend._unwritten


async def test_own_faults_count_only_while_others_fare_well(stage: Stage) -> None:
    await stage.accounts(3)
    late = tree.UpstreamTimeoutError("late")
    await stage.tend.went_wrong(1, late, PAINT)
    assert stage.known(1).streak == 0
    await stage.tend.went_well(2, PAINT)
    assert stage.known(1).streak == 1
    await stage.tend.went_wrong(1, late, PAINT)
    assert stage.known(1).streak == 2
    await stage.tend.went_wrong(3, late, PAINT)
    assert stage.known(3).streak == 0


async def test_fault_at_no_call_in_particular_is_held_against_how_others_fare_at_all_calls(stage: Stage) -> None:
    await stage.accounts(2)
    await stage.tend.went_well(2, PAINT)
    await stage.tend.went_wrong(1, tree.UpstreamTimeoutError("late"))
    assert stage.known(1).streak == 1


async def fails() -> None:
    raise tree.UpstreamUnavailableError("no answer", reached=False)


REFUSED_AFRESH = tree.CredentialRevokedError("refused right after a renewal", after_renewal=True)


class TestServiceThatRefusesEveryFreshToken:
    async def test_rests_every_account_for_a_moment_and_ends_no_session(self, stage: Stage) -> None:
        await stage.accounts(4)
        for account_id in (1, 2, 3, 4):
            await stage.tend.went_wrong(account_id, REFUSED_AFRESH, PAINT)
        for account_id in (1, 2, 3, 4):
            (rest,) = stage.known(account_id).rests
            assert rest.reason is RestReason.ERROR_STREAK
            assert rest.until == stage.clock.now() + timedelta(seconds=30)
            assert "several accounts" in rest.why
            assert stage.known(account_id).is_warm

    async def test_is_taken_at_its_word_when_an_account_is_refused_alone_again(self, stage: Stage) -> None:
        await stage.accounts(2)
        for account_id in (1, 2):
            await stage.tend.went_wrong(account_id, REFUSED_AFRESH, PAINT)
        await stage.clock.sleep(120)
        await stage.tend.went_well(1, PAINT)
        await stage.tend.went_wrong(2, REFUSED_AFRESH, PAINT)
        assert RestReason.AUTH_EXPIRED in rested(stage.known(2))

    async def test_is_not_doubted_about_accounts_that_never_worked(self, stage: Stage) -> None:
        await stage.accounts(1)
        await stage.cold_account()
        for account_id in (1, 2):
            await stage.tend.went_wrong(account_id, REFUSED_AFRESH)
        assert rested(stage.known(2)) == {RestReason.AUTH_EXPIRED}

    async def test_is_found_out_in_a_quiet_pool_too_where_hours_lie_between_two_calls(self, stage: Stage) -> None:
        await stage.accounts(3)
        await stage.tend.went_wrong(1, REFUSED_AFRESH)
        assert rested(stage.known(1)) == {RestReason.AUTH_EXPIRED}
        await stage.clock.sleep(2 * 3600)
        await stage.tend.went_wrong(2, REFUSED_AFRESH)
        assert rested(stage.known(1)) == rested(stage.known(2)) == {RestReason.ERROR_STREAK}
        assert stage.known(1).is_warm

    async def test_is_told_from_sessions_that_end_one_by_one(self, stage: Stage) -> None:
        await stage.accounts(3)
        for account_id in (1, 2):
            await stage.tend.went_wrong(account_id, REFUSED_AFRESH)
            await stage.clock.sleep(2 * 3600)
            stage.tend.accepted(3)
        assert rested(stage.known(1)) == rested(stage.known(2)) == {RestReason.AUTH_EXPIRED}

    async def test_leaves_alone_who_has_got_a_new_session_meanwhile(self, stage: Stage) -> None:
        await stage.accounts(2)
        await stage.tend.went_wrong(1, REFUSED_AFRESH)
        await stage.tend.change(1, lambda one: one.cured(Cure.NEW_CREDENTIAL))
        await stage.tend.went_wrong(2, REFUSED_AFRESH)
        assert not stage.known(1).rests

    async def test_is_believed_of_accounts_that_fail_each_time_while_others_fare_well(self, stage: Stage) -> None:
        await stage.accounts(6)
        for pause_s in (31, 301, 1801, 0):
            for account_id in (3, 4, 5, 6):
                await stage.tend.went_well(account_id, PAINT)
            for account_id in (1, 2):
                await stage.tend.went_wrong(account_id, REFUSED_AFRESH, PAINT)
            await stage.clock.sleep(pause_s)
        for account_id in (1, 2):
            assert RestReason.AUTH_EXPIRED in rested(stage.known(account_id))

    async def test_is_doubted_as_long_as_nobody_fares_well_and_everybody_is_tried_each_half_hour(
        self, stage: Stage
    ) -> None:
        await stage.accounts(2)
        for _ in range(10):
            for account_id in (1, 2):
                await stage.tend.went_wrong(account_id, REFUSED_AFRESH, PAINT)
            assert stage.pool.next_lift_s() is not None
            await stage.clock.sleep(1801)
        for account_id in (1, 2):
            assert rested(stage.known(account_id)) == {RestReason.ERROR_STREAK}
            assert stage.known(account_id).blocking_rest(stage.clock.now()) is None

    async def test_is_not_believed_of_the_one_account_that_tries_an_upstream_which_is_left_alone(
        self, stage: Stage
    ) -> None:
        await stage.accounts(6)
        await stage.clock.sleep(31)
        for account_id in range(1, 6):
            with pytest.raises(tree.UpstreamUnavailableError):
                await stage.guard.during(("flow", None), account_id, fails)
        await stage.clock.sleep(600)
        await stage.tend.went_wrong(6, REFUSED_AFRESH, PAINT)
        assert rested(stage.known(6)) == {RestReason.ERROR_STREAK}

    async def test_counts_for_nobody_who_was_removed(self, stage: Stage) -> None:
        await stage.accounts(1)
        stage.pool.remove(1)
        stage.tend.accepted(1)
        await stage.tend.went_wrong(1, REFUSED_AFRESH, PAINT)

    async def test_leaves_revoked_sessions_what_they_are(self, stage: Stage) -> None:
        await stage.accounts(2)
        for account_id in (1, 2):
            await stage.tend.went_wrong(account_id, tree.CredentialRevokedError("no such session"), PAINT)
        assert rested(stage.known(2)) == {RestReason.AUTH_EXPIRED}

    async def test_costs_no_account_and_all_serve_again_soon(self, stage: Stage) -> None:
        await stage.accounts(10)
        original = stage.upstream.produce

        async def refusing(*args: object) -> object:
            raise tree.CredentialExpiredError("401")

        swap(stage.upstream, produce=refusing)
        end = await stage.end(PAINT)
        assert isinstance(end, Failed)
        assert isinstance(end.error, tree.NoEligibleAccountError)
        assert (end.error.reasons, end.error.waiting_helps) == ({"tried": 8}, True)
        swap(stage.upstream, produce=original)
        await stage.clock.sleep(60)
        assert all(account.rest_of(RestReason.AUTH_EXPIRED) is None for account in stage.pool)
        for number in range(1, 11):
            await stage.made(PAINT)
            await stage.tend.change(number, lambda one: one.resting(RestReason.MANUAL, stage.clock.now()))


async def test_without_a_health_log_rests_come_and_go_all_the_same(stage: Stage) -> None:
    await stage.accounts(1)
    tend = TendAccounts(stage.pool, stage.storage.accounts, stage.clock, lambda: stage.options)
    await tend.change(1, lambda one: one.rate_limited(stage.clock.now(), retry_after_s=30))
    assert not stage.pool.can_serve(Need(PAINT))
    await stage.clock.sleep(60)
    assert stage.pool.can_serve(Need(PAINT))


async def test_fault_that_somebody_else_has_written_is_counted_once(stage: Stage) -> None:
    await stage.accounts(2)
    await stage.tend.went_well(2, PAINT)
    stage.tables.fault = tree.StorageBusyError("locked")
    await stage.tend.went_wrong(1, tree.UpstreamTimeoutError("late"), PAINT)
    stage.tables.fault = None
    await stage.credentials.renew(1, force=True)
    await stage.tend.went_wrong(1, tree.UpstreamTimeoutError("late"), PAINT)
    assert stage.known(1).streak == 2
    assert stage.tables.accounts[1].streak == 2


async def test_fault_that_comes_while_a_renewal_is_written_is_counted_once(stage: Stage) -> None:
    await stage.accounts(2)
    await stage.tend.went_well(2, PAINT)
    original, reading = stage.storage.accounts.get, asyncio.Event()
    gate = asyncio.Event()

    async def slow(account_id: int) -> object:
        reading.set()
        await gate.wait()
        return await original(account_id)

    swap(stage.storage.accounts, get=slow)
    renewing = asyncio.create_task(stage.credentials.renew(1, force=True))
    await reading.wait()
    booking = asyncio.create_task(stage.tend.went_wrong(1, tree.UpstreamTimeoutError("late"), PAINT))
    await settle()
    gate.set()
    await asyncio.gather(renewing, booking)
    assert stage.known(1).streak == 1
    assert stage.tables.accounts[1].streak == 1


async def test_downloads_that_fail_say_nothing_about_the_service(stage: Stage) -> None:
    await stage.accounts(4)
    for account_id in (2, 3, 4):
        await stage.tend.went_wrong(account_id, tree.UpstreamTimeoutError("late"), PAINT, call=CallKind.DOWNLOAD)
    await stage.tend.went_well(2, PAINT)
    await stage.tend.went_wrong(1, tree.UpstreamTimeoutError("late"), FILM)
    assert stage.known(1).streak == 1

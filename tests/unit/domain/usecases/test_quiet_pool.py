"""With so few requests that nobody else is seen at the time of a fault, a broken account rests all the same."""

import pytest

from flow2api.domain.account import CallKind, RestReason
from flow2api.domain.errors import UpstreamUnavailableError
from flow2api.domain.generation import Failed
from tests.unit.domain.usecases.stage import FILM, LARGE_PAINT, PAINT, Stage

DOWN = UpstreamUnavailableError("It failed.", reached=False)
BROKEN = UpstreamUnavailableError("It failed.", reached=True)


async def test_account_that_fails_alone_rests_in_a_quiet_pool_too() -> None:
    stage = Stage()
    bad, _ = await stage.accounts(2)
    stage.upstream.fail("produce", DOWN, account_id=bad.id, times=None)
    for _ in range(10):
        await stage.made(PAINT)
        await stage.clock.sleep(600)
    assert stage.upstream.count("produce", bad.id) < 10


async def test_success_that_comes_after_a_while_tells_whose_a_lost_submit_was() -> None:
    stage = Stage()
    bad, good = await stage.accounts(2)
    stage.upstream.fail("submit", BROKEN, account_id=bad.id, times=None)
    for number in range(3):
        assert isinstance(await stage.end(FILM), Failed)
        await stage.clock.sleep(600)
        await stage.tend.went_well(good.id, FILM)
        assert stage.known(bad.id).streaks[0].faults == number + 1
        await stage.clock.sleep(600)
    assert stage.known(bad.id).rest_of(RestReason.ERROR_STREAK, call=CallKind.VIDEO) is not None
    await stage.made(FILM)


async def test_account_that_did_well_itself_since_is_not_counted_a_fault() -> None:
    stage = Stage()
    first, second = await stage.accounts(2)
    await stage.tend.went_wrong(first.id, DOWN, PAINT)
    await stage.tend.went_well(first.id, PAINT)
    await stage.tend.went_well(second.id, PAINT)
    assert not stage.known(first.id).streaks


async def test_fault_waits_for_its_judgement_while_most_others_fail() -> None:
    stage = Stage()
    first, second, third, *rest = await stage.accounts(6)
    await stage.tend.went_wrong(first.id, DOWN, PAINT)
    for one in (second, third):
        await stage.tend.went_wrong(one.id, DOWN, PAINT)
    await stage.tend.went_well(rest[0].id, PAINT)
    assert not stage.known(first.id).streaks
    for one in rest[1:]:
        await stage.tend.went_well(one.id, PAINT)
    assert stage.known(first.id).streaks[0].faults == 1
    assert not stage.known(second.id).streaks


@pytest.mark.parametrize("call", [CallKind.ENLARGEMENT, CallKind.UPLOAD])
async def test_success_at_another_kind_of_call_tells_nothing(call: CallKind) -> None:
    stage = Stage()
    first, second = await stage.accounts(2)
    await stage.tend.went_wrong(first.id, DOWN, LARGE_PAINT, call=call)
    await stage.tend.went_well(second.id, LARGE_PAINT)
    assert not stage.known(first.id).streaks
    await stage.tend.went_well(second.id, LARGE_PAINT, call=call)
    assert stage.known(first.id).streaks[0].faults == 1


async def test_outage_in_a_quiet_pool_puts_nobody_to_rest() -> None:
    stage = Stage()
    accounts = await stage.accounts(3)
    stage.upstream.fail("produce", DOWN, times=None)
    for _ in range(5):
        assert isinstance(await stage.end(PAINT), Failed)
        await stage.clock.sleep(600)
    stage.upstream.faults.clear()
    for _ in range(5):
        await stage.made(PAINT)
        await stage.clock.sleep(600)
    assert not [account.id for account in accounts if stage.known(account.id).rests]


async def test_fault_of_hours_ago_is_not_held_against_an_account_any_more() -> None:
    stage = Stage()
    first, second = await stage.accounts(2)
    await stage.tend.went_wrong(first.id, DOWN, PAINT)
    await stage.clock.sleep(3 * 3600)
    await stage.tend.went_well(second.id, PAINT)
    assert not stage.known(first.id).streaks

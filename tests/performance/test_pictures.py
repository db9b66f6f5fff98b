"""Rows 2 and 12: what a picture costs with many accounts, and that no request waits for a credential."""

import asyncio
import contextlib
from contextvars import ContextVar
from dataclasses import replace
from datetime import timedelta
from typing import Any

from flow2api.domain.generation import Finished
from flow2api.plugins.policies import LeastBusy
from tests.performance.executed_lines import executed_lines
from tests.unit.domain.usecases.stage import PAINT, Stage, swap

FEW, MANY, PICTURES = 10, 10_000, 20
ACCOUNTS, DAYS, AT_ONCE = 3, 4, 100

is_request: ContextVar[bool] = ContextVar("is_request", default=False)


async def stage_with(accounts: int) -> Stage:
    """A process that has found this many warm accounts at its start; they are all signed in as one player."""
    stage = Stage(policy=LeastBusy())
    one = await stage.account(stage.upstream.add_player(rotates=False))
    for number in range(accounts):
        stage.tables.accounts[number + 1] = replace(one, id=number + 1)
        stage.tables.credentials[number + 1] = stage.tables.credentials[one.id]
    await stage.load()
    await stage.made(PAINT)
    return stage


async def lines_of_pictures(stage: Stage) -> int:
    with executed_lines() as executed:
        for _ in range(PICTURES):
            await stage.made(PAINT)
        await stage.until_done()
    return executed.lines


async def test_ten_thousand_accounts_make_no_picture_dearer() -> None:
    few, many = await stage_with(FEW), await stage_with(MANY)
    assert len(many.pool) == MANY
    assert await lines_of_pictures(many) <= 1.1 * await lines_of_pictures(few)


def renewals(stage: Stage) -> list[bool]:
    """For everybody who waits for a renewal from now on, whether it is a request."""
    waited: list[bool] = []
    original = stage.credentials.renew

    async def noted(account_id: int, **how: Any) -> None:
        waited.append(is_request.get())
        await original(account_id, **how)

    swap(stage.credentials, renew=noted)
    return waited


async def test_no_request_of_many_days_waits_for_an_exchange(stage: Stage) -> None:
    stage.policy = LeastBusy()
    await stage.accounts(ACCOUNTS)
    waited = renewals(stage)
    keeping = asyncio.create_task(stage.warm.run())
    is_request.set(True)
    for _ in range(DAYS * 24):
        assert isinstance(await stage.end(PAINT), Finished)
        await stage.clock.sleep(3600)
    keeping.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await keeping
    assert stage.upstream.count("exchange") >= DAYS * ACCOUNTS
    assert waited
    assert not any(waited)


async def test_hundred_requests_after_an_expiry_exchange_once(stage: Stage) -> None:
    await stage.accounts(1)
    waited = renewals(stage)
    is_request.set(True)
    for expiries in range(1, 4):
        await stage.clock.sleep(stage.upstream.access_life / timedelta(seconds=1))
        ends = await asyncio.gather(*(stage.end(PAINT) for _ in range(AT_ONCE)))
        assert all(isinstance(end, Finished) for end in ends)
        assert stage.upstream.count("exchange") == expiries
        assert waited == [True] * AT_ONCE * expiries

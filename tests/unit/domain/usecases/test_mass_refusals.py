"""What the service, or our clock, does to everybody at once ends nobody's session."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime, timedelta

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.account import RestReason
from flow2api.domain.generation import Finished
from flow2api.testing.fakes.virtual_time import VirtualClock
from tests.unit.domain.usecases.stage import PAINT, Stage, World

HOUR = 3600.0
OVER = tree.CredentialRevokedError("The session is over.", after_renewal=True)
REFUSED = tree.CredentialExpiredError("401")


@pytest.fixture
async def kept(stage: Stage) -> AsyncIterator[Stage]:
    """A stage whose keeper is at work."""
    keeping = asyncio.create_task(stage.warm.run())
    yield stage
    assert not keeping.done()
    keeping.cancel()


def ended(stage: Stage) -> list[int]:
    return [one.id for one in stage.pool if one.rest_of(RestReason.AUTH_EXPIRED) is not None]


async def try_pictures(stage: Stage, seconds: float, every_s: float) -> int:
    """How many of the pictures that were asked for meanwhile were made."""
    made, until = 0, stage.clock.monotonic() + seconds
    while stage.clock.monotonic() < until:
        with suppress(tree.PoolError, tree.UpstreamPausedError):
            made += isinstance(await stage.end(PAINT), Finished)
        await stage.clock.sleep(every_s)
    return made


@pytest.mark.parametrize("accounts", [2, 6, 40])
@pytest.mark.parametrize("every_s", [10.0, 600.0])
async def test_service_that_refuses_every_token_for_two_hours_ends_no_session(
    kept: Stage, accounts: int, every_s: float
) -> None:
    await kept.accounts(accounts)
    for call in ("produce", "allowance"):
        kept.upstream.fail(call, REFUSED, times=None)
    assert await try_pictures(kept, 2 * HOUR, every_s) == 0
    assert not ended(kept)
    kept.upstream.faults.clear()
    await kept.clock.sleep(HOUR)
    assert not [one.id for one in kept.pool if one.blocking_rest(kept.clock.now())]
    for _ in range(accounts):
        await kept.made(PAINT)


@pytest.mark.parametrize("accounts", [2, 40])
async def test_clock_that_is_a_day_fast_for_hours_ends_no_session(kept: Stage, accounts: int) -> None:
    await kept.accounts(accounts)
    await kept.clock.sleep(10 * HOUR)
    for player in kept.upstream.players:
        player.access_tokens.clear()
    kept.upstream.fail("exchange", OVER, times=None)
    await try_pictures(kept, 13 * HOUR, 600.0)
    assert not ended(kept)
    asked = kept.upstream.count("exchange")
    assert asked < 13 * 2 * 60 + accounts
    kept.upstream.faults.clear()
    await kept.clock.sleep(HOUR)
    assert not ended(kept)
    await kept.made(PAINT)


async def test_dead_session_is_found_although_an_outage_came_between(kept: Stage) -> None:
    await kept.accounts(6)
    for call in ("produce", "allowance"):
        kept.upstream.fail(call, REFUSED, times=None)
    await try_pictures(kept, HOUR, 10.0)
    kept.upstream.faults.clear()
    for call in ("produce", "allowance"):
        kept.upstream.fail(call, REFUSED, account_id=1, times=None)
    await try_pictures(kept, 24 * HOUR, 300.0)
    assert ended(kept) == [1]


class TurnedClock(VirtualClock):
    """A clock that somebody turns while time goes on as ever."""

    turned = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.turned


@pytest.fixture
async def turned() -> AsyncIterator[tuple[Stage, TurnedClock]]:
    """A stage whose clock can be turned; the service has its own."""
    clock = TurnedClock()
    world = World(clock=clock)
    world.upstream.clock = VirtualClock()
    stage = Stage(world)
    keeping = asyncio.create_task(stage.warm.run())
    yield stage, clock
    assert not keeping.done()
    keeping.cancel()


@pytest.mark.parametrize("hours", [1, -1, -24])
async def test_clock_that_is_turned_keeps_no_picture_from_being_made(
    turned: tuple[Stage, TurnedClock], hours: int
) -> None:
    stage, clock = turned
    await stage.accounts(3)
    await stage.clock.sleep(2 * HOUR)
    clock.turned = timedelta(hours=hours)
    for _ in range(60):
        await stage.made(PAINT)
        await stage.clock.sleep(HOUR)
    assert not ended(stage)
    assert stage.upstream.count("exchange") <= 3 * 6


async def test_clock_that_was_a_day_fast_leaves_nothing_behind(turned: tuple[Stage, TurnedClock]) -> None:
    stage, clock = turned
    await stage.accounts(3)
    await stage.clock.sleep(2 * HOUR)
    clock.turned = timedelta(hours=25)
    await try_pictures(stage, HOUR, 60.0)
    clock.turned = timedelta(0)
    assert not ended(stage)
    await stage.clock.sleep(60)
    for _ in range(30):
        await stage.made(PAINT)
        await stage.clock.sleep(HOUR)

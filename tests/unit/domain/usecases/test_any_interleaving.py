"""Callers with routes and tags come and go while accounts, limits and policies change: nothing is lost, held or lied about."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.account import Account, Capacity, RestReason, Tier
from flow2api.domain.api_key import Caller
from flow2api.domain.generation import Accepted, Finished, GenerationRequest
from flow2api.domain.media import MediaKind
from flow2api.domain.selection import SelectionPolicy
from flow2api.plugins.policies import FillFirst, LeastBusy, LeastRecentlyUsed, RoundRobin, Sticky
from flow2api.testing.factories import picture_spec, video_spec
from tests.unit.domain.usecases.stage import Stage

DEAR, PAINT = picture_spec("dear", min_tier=Tier.ULTRA), picture_spec("paint")
EPIC, FILM = video_spec("epic", min_tier=Tier.ULTRA), video_spec("film")
ROUTES = [[DEAR], [PAINT], [DEAR, PAINT], [PAINT, DEAR], [EPIC], [FILM], [EPIC, FILM]]
POLICIES: list[Callable[[], SelectionPolicy]] = [RoundRobin, FillFirst, LeastBusy, Sticky, LeastRecentlyUsed]
FAULTS: list[tree.UpstreamError] = [
    tree.UpstreamRateLimitedError("too fast", retry_after_s=20),
    tree.ModelAccessError("not this model"),
]


class Crowd:
    """Everybody who uses one process, in an order that a seed decides."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.stage = Stage(
            policy=self.random.choice(POLICIES)(),
            max_running=self.random.choice([0, 0, 1, 3]),
            image_wait_s=self.random.choice([5.0, 60.0]),
            video_wait_s=self.random.choice([20.0, 600.0]),
        )
        self.callers: list[asyncio.Task[None]] = []
        self.accepted: list[str] = []

    async def begin(self) -> None:
        draw, stage = self.random, self.stage
        for _ in range(draw.randint(1, 4)):
            make = draw.choice([stage.account, stage.account, stage.account, stage.cold_account])
            await make(
                tier=draw.choice([Tier.ULTRA, Tier.FREE]),
                capacity=Capacity(draw.choice([1, 2, None]), draw.choice([1, 2])),
                tags=frozenset(draw.sample(["here", "there"], draw.randint(0, 2))),
            )

    async def ask(self) -> None:
        """One request; what is told of it on the way is true."""
        first, *others = (
            GenerationRequest(model="wanted", spec=spec, prompt="a hill", size=str(spec.size))
            for spec in self.random.choice(ROUTES)
        )
        caller = Caller(self.random.randint(1, 3), self.random.choice([None, None, "here", "nowhere"]))
        try:
            async with aclosing(await self.stage.generate(replace(first, others=tuple(others)), caller)) as events:
                async for event in events:
                    job = self.stage.work.job(event.generation.id)
                    turn = None if job is None else job.stands()
                    assert turn is None or turn.position >= 1
                    if isinstance(event, Accepted):
                        self.accepted.append(event.generation.id)
                    if isinstance(event, Finished):
                        assert caller.tag != "nowhere"
                        assert bool(event.generation.warnings) == (event.generation.spec_name != first.spec.name)
        except tree.Flow2ApiError:
            pass  # refused before anything began

    def anyone(self) -> Account:
        return self.random.choice(list(self.stage.pool))

    async def step(self) -> None:
        draw, stage = self.random, self.stage
        match draw.choices(range(8), [60, 10, 5, 5, 5, 5, 5, 5])[0]:
            case 0:
                self.callers.append(asyncio.create_task(self.ask()))
            case 1:
                await stage.clock.sleep(draw.choice([0.1, 3, 30]))
            case 2 if self.accepted:
                await stage.work.cancel(draw.choice(self.accepted))
            case 3:
                stage.configure(max_running=draw.choice([0, 1, 2]), waiting_limit=draw.choice([0, 5, 1000]))
            case 4:
                stage.policy = draw.choice(POLICIES)()
            case 5:
                call = draw.choice(["produce", "submit"])
                stage.upstream.fail(call, draw.choice(FAULTS), account_id=self.anyone().id)
            case 6:
                until = stage.clock.now() + timedelta(seconds=draw.choice([5, 500]))
                stage.pool.put(self.anyone().resting(RestReason.ERROR_STREAK, stage.clock.now(), until=until))
            case 7 if self.callers:
                draw.choice(self.callers).cancel()
            case _:
                pass
        await asyncio.sleep(0)


@pytest.mark.parametrize("seed", range(40))
async def test_every_slot_comes_back_and_every_generation_has_its_end(seed: int) -> None:
    crowd = Crowd(seed)
    stage = crowd.stage
    await crowd.begin()
    for _ in range(40):
        await crowd.step()
    for end in await asyncio.gather(*crowd.callers, return_exceptions=True):
        assert end is None or isinstance(end, asyncio.CancelledError), end
    await stage.until_done()
    assert all(generation.state.is_final for generation in stage.tables.generations.values())
    assert stage.pool.running == stage.lease._waiting == 0
    assert not stage.pool._turns.line
    assert not [one for one in stage.pool if any(stage.pool.load_of(one.id, kind) for kind in MediaKind)]

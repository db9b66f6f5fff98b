"""Callers with routes and tags come and go while accounts, limits and policies change: nothing is lost, held or lied about."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow2api.domain import errors as tree
from flow2api.domain.account import Account, Capacity, RestReason, Tier
from flow2api.domain.api_key import Caller
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.generation import Accepted, Finished, GenerationRequest
from flow2api.domain.lease import AccountPool
from flow2api.domain.media import MediaKind
from flow2api.domain.selection import Need, SelectionPolicy
from flow2api.plugins.coordination_memory import MemorySlots
from flow2api.plugins.policies import FillFirst, LeastBusy, LeastRecentlyUsed, RoundRobin, Sticky
from flow2api.testing.factories import AccountFactory, picture_spec, video_spec
from flow2api.testing.fakes.virtual_time import VirtualClock, VirtualTimeLoop
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

    routes = ROUTES

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
            for spec in self.random.choice(self.routes)
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


KEYED, HOSTED = picture_spec("keyed", upstream="keyed"), picture_spec("hosted", upstream="hosts")
KEYED_FILM, HOSTED_FILM = video_spec("keyed-film", upstream="keyed"), video_spec("hosted-film", upstream="hosts")
MIXED_ROUTES = [
    [KEYED], [HOSTED], [PAINT, KEYED], [DEAR, KEYED, HOSTED], [HOSTED, PAINT], [KEYED_FILM], [FILM, HOSTED_FILM, KEYED_FILM],
]  # fmt: skip


class MixedCrowd(Crowd):
    """The same with accounts of three upstreams and kinds in the one pool."""

    routes = MIXED_ROUTES

    async def begin(self) -> None:
        draw, stage = self.random, self.stage
        await super().begin()
        for number in range(draw.randint(1, 4)):
            key, home = f"k{number}", draw.choice([None, "https://a.example", "https://b.example"])
            if draw.random() < 0.8:
                (stage.world.keyed if home is None else stage.world.hosts).add_key(key, home)
            await stage.key_account(
                key,
                home,
                capacity=Capacity(draw.choice([1, 2, None]), draw.choice([1, 2])),
                tags=frozenset(draw.sample(["here", "there"], draw.randint(0, 2))),
                priority=draw.choice([0, 0, 1]),
            )

    async def step(self) -> None:
        upstreams = (self.stage.upstream, self.stage.world.keyed, self.stage.world.hosts)
        if self.random.random() < 0.1:
            call = self.random.choice(["produce", "submit"])
            self.random.choice(upstreams).fail(call, self.random.choice(FAULTS))
        await super().step()


@pytest.mark.parametrize("seed", range(30))
async def test_accounts_of_every_kind_share_one_pool_and_each_makes_only_what_its_upstream_has(seed: int) -> None:
    crowd = MixedCrowd(seed)
    stage = crowd.stage
    await crowd.begin()
    for _ in range(40):
        await crowd.step()
    for end in await asyncio.gather(*crowd.callers, return_exceptions=True):
        assert end is None or isinstance(end, asyncio.CancelledError), end
    await stage.until_done()
    assert all(generation.state.is_final for generation in stage.tables.generations.values())
    assert stage.pool.running == stage.lease._waiting == 0
    for upstream in (stage.upstream, stage.world.keyed, stage.world.hosts):
        makers = {call.account_id for call in upstream.calls if call.name in ("produce", "submit")}
        assert {stage.known(number).upstream for number in makers if number is not None} <= {upstream.name}
    for account in stage.pool:
        proofs = [asked for asked in stage.world.hosts.asked if asked[1] == account.base_url]
        assert account.base_url is None or {key for key, _ in proofs} <= {f"k{number}" for number in range(4)}
        if account.rest_of(RestReason.AUTH_EXPIRED) is not None:
            key = stage.tables.credentials[account.id].session_token.reveal()
            asked = (stage.world.keyed if account.base_url is None else stage.world.hosts).asked
            assert asked.count((key, account.base_url)) <= 1


@pytest.mark.parametrize("policy", POLICIES)
async def test_public_name_falls_from_one_upstream_to_the_next_when_the_first_is_out_of_capacity(
    policy: Callable[[], SelectionPolicy],
) -> None:
    stage = Stage(policy=policy())
    await stage.account(capacity=Capacity(1, 1))
    stage.world.keyed.add_key("k1")
    stage.world.hosts.add_key("k2", "https://a.example")
    for key, home in (("k1", None), ("k2", "https://a.example")):
        await stage.warm.warm((await stage.key_account(key, home, capacity=Capacity(1, 1))).id)
    gate = stage.upstream.hold("produce")
    second, third = stage.world.keyed.hold("produce"), asyncio.Event()
    third.set()
    first, *others = (
        GenerationRequest(model="any", spec=spec, prompt="a hill", size=str(spec.size))
        for spec in (PAINT, KEYED, HOSTED)
    )

    async def made() -> str:
        async with aclosing(await stage.generate(replace(first, others=tuple(others)), Caller(1))) as events:
            *_, end = [event async for event in events]
        assert isinstance(end, Finished)
        return end.generation.spec_name

    running = [asyncio.create_task(made())]
    await stage.clock.sleep(1)
    running.append(asyncio.create_task(made()))
    await stage.clock.sleep(1)
    running.append(asyncio.create_task(made()))
    await stage.clock.sleep(1)
    gate.set()
    second.set()
    assert await asyncio.gather(*running) == ["paint", "keyed", "hosted"]


@given(
    kinds=st.lists(st.sampled_from(["flow", "keyed", "hosts"]), min_size=1, max_size=9),
    policy=st.sampled_from([RoundRobin, FillFirst]),
)
@settings(max_examples=60, deadline=None)
def test_policy_treats_accounts_of_one_upstream_as_if_there_were_no_others(
    kinds: list[str], policy: Callable[[], SelectionPolicy]
) -> None:
    specs = {"flow": PAINT, "keyed": KEYED, "hosts": HOSTED}
    warm = [
        AccountFactory.build(id=number, upstream=kind, base_url="https://a.b" if kind == "hosts" else None)
        for number, kind in enumerate(kinds, 1)
    ]
    for upstream in set(kinds):
        alone = [one for one in warm if one.upstream == upstream]
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            among = runner.run(_picked(warm, specs[upstream], policy(), 2 * len(kinds)))
            assert among == runner.run(_picked(alone, specs[upstream], policy(), 2 * len(kinds)))
        assert {kinds[number - 1] for number in among} == {upstream}


async def _picked(accounts: list[Account], spec: ModelSpec, policy: SelectionPolicy, times: int) -> list[int]:
    """Whom the policy takes, one after the other."""
    pool, picked = AccountPool(MemorySlots(), VirtualClock(), Random(1)), []
    for account in accounts:
        pool.put(account)
    for _ in range(times):
        async with await pool.acquire(Need(spec), policy) as lease:
            picked.append(lease.account_id)
        await asyncio.sleep(1)
    return picked

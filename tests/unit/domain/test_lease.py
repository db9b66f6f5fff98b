"""The pool: who is chosen, who waits, and that no slot is ever lost or given twice."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from flow2api.domain.account import Account, Capacity, Rest, RestReason, Tier
from flow2api.domain.choice import Choice
from flow2api.domain.errors import NoEligibleAccountError, PoolBusyError, PoolError
from flow2api.domain.guarded_policy import GuardedPolicy
from flow2api.domain.lease import AccountPool, Lease
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.coordination import Slots
from flow2api.domain.ready_set import ReadyAccounts
from flow2api.domain.selection import Candidate, Need, ReadySet, SelectionPolicy, Signature, refusal, refusal_for
from flow2api.domain.waiting_line import Turn
from flow2api.plugins.coordination_memory import MemorySlots
from flow2api.plugins.policies import FillFirst, LeastBusy, RandomChoice
from flow2api.testing.factories import AccountFactory, picture_spec, video_spec
from flow2api.testing.fakes.clock import START
from flow2api.testing.fakes.virtual_time import VirtualClock, VirtualTimeLoop, settle

PAINT = picture_spec()
FILM = video_spec()
ULTRA = video_spec("ultra", min_tier=Tier.ULTRA)
ONE_EACH = Capacity(image=1, video=1)
POLICY = RandomChoice()


def pool_of(*accounts: Account, slots: Slots | None = None) -> AccountPool:
    pool = AccountPool(slots or MemorySlots(), VirtualClock(), Random(1))
    for account in accounts:
        pool.put(account)
    return pool


def account(account_id: int, **changes: object) -> Account:
    return AccountFactory.build(**{"id": account_id, "capacity": ONE_EACH, **changes})


def resting(reason: RestReason, seconds: float | None = None, model: str | None = None) -> tuple[Rest, ...]:
    return (Rest(reason, START, None if seconds is None else START + timedelta(seconds=seconds), model),)


class SharedSlots:
    """Slots of which other processes hold some; calls may be held up or fail."""

    def __init__(self) -> None:
        self._counted = MemorySlots()
        self.is_full = False
        self.fault: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.asked = 0
        self.held: set[str] = set()

    async def take(self, account_id: int, kind: MediaKind, limit: int | None) -> str | None:
        self.asked += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        if self.is_full:
            return None
        ticket = await self._counted.take(account_id, kind, limit)
        if ticket is not None:
            self.held.add(ticket)
        return ticket

    async def give_back(self, ticket: str) -> None:
        self.held.discard(ticket)
        await self._counted.give_back(ticket)
        if self.fault is not None:
            raise self.fault


class FaultyPolicy:
    def select(self, ready: ReadySet, need: Need, random: Random) -> Candidate:
        raise LookupError("a plugin's mistake")


class StubbornPolicy:
    """Always picks the same one, ready or not."""

    def __init__(self, candidate: Candidate) -> None:
        self.candidate = candidate

    def select(self, ready: ReadySet, need: Need, random: Random) -> Candidate:
        return self.candidate


# --- choosing ---------------------------------------------------------------------------------------------------------


async def test_holds_a_slot_until_it_is_released() -> None:
    pool = pool_of(account(1))
    async with await pool.acquire(Need(PAINT), POLICY) as lease:
        assert (lease.account_id, pool.load_of(1, MediaKind.IMAGE)) == (1, 1)
        with pytest.raises(PoolBusyError) as caught:
            await pool.acquire(Need(PAINT), POLICY)
        assert caught.value.reasons == {"busy": 1}
        await (await pool.acquire(Need(FILM), POLICY)).release()
    await lease.release()
    assert pool.load_of(1, MediaKind.IMAGE) == 0


async def test_knows_its_accounts() -> None:
    pool = pool_of(account(1), account(2))
    assert (len(pool), [one.id for one in pool]) == (2, [1, 2])
    assert pool.get(3) is None
    pool.remove(2)
    pool.remove(2)
    assert len(pool) == 1


async def test_tells_every_listener_of_every_account_that_is_put_in() -> None:
    pool, heard = pool_of(), list[int]()
    pool.subscribe(lambda one: heard.append(one.id))
    pool.put(account(1))
    pool.put(account(1, remark="new"))
    assert heard == [1, 1]


@pytest.mark.parametrize(
    ("accounts", "spec", "error", "reasons", "waiting_helps"),
    [
        ([], PAINT, NoEligibleAccountError, {}, False),
        ([{"tier": Tier.FREE}], ULTRA, NoEligibleAccountError, {"no_tier": 1}, False),
        ([{"tier": Tier.FREE, "rests": resting(RestReason.RATE_LIMITED, 9)}], ULTRA, NoEligibleAccountError, {"no_tier": 1}, False),
        ([{"rests": resting(RestReason.MANUAL)}], PAINT, NoEligibleAccountError, {"manual": 1}, False),
        ([{"rests": resting(RestReason.REFUSED, 9)}], PAINT, NoEligibleAccountError, {"refused": 1}, True),
        ([{"rests": resting(RestReason.RATE_LIMITED, 9)}, {}], ULTRA, PoolBusyError, {"rate_limited": 1, "no_tier": 1}, None),
        ([{"credits": 3}], FILM, NoEligibleAccountError, {"quota": 1}, True),
        ([{"rests": resting(RestReason.NO_ACCESS, 9, "paint")}], PAINT, NoEligibleAccountError, {"no_access": 1}, False),
        ([{"workspace": None}], PAINT, NoEligibleAccountError, {"warming": 1}, True),
    ],
)  # fmt: skip
async def test_tells_how_many_were_refused_for_what(
    accounts: list[dict[str, object]],
    spec: object,
    error: type[PoolError],
    reasons: dict[str, int],
    waiting_helps: bool | None,
) -> None:
    tiers = {0: Tier.ULTRA, 1: Tier.PRO}
    pool = pool_of(*(account(n, **{"tier": tiers[n], **fields}) for n, fields in enumerate(accounts)))
    with pytest.raises(error) as caught:
        await pool.acquire(Need(spec), POLICY)  # type: ignore[arg-type]
    assert caught.value.reasons == reasons
    assert getattr(caught.value, "waiting_helps", None) is waiting_helps


async def test_rate_limited_pool_says_when_to_come_again() -> None:
    pool = pool_of(
        account(1, rests=resting(RestReason.RATE_LIMITED, 40)), account(2, rests=resting(RestReason.RATE_LIMITED, 20))
    )
    with pytest.raises(PoolBusyError) as caught:
        await pool.acquire(Need(PAINT), POLICY)
    assert caught.value.retry_after_s == 20
    assert pool.next_lift_s() == 20


async def test_rest_that_is_over_is_lifted_when_somebody_asks() -> None:
    pool = pool_of(account(1, rests=resting(RestReason.RATE_LIMITED, 20)))
    assert pool.refusals(Need(PAINT).signature) == {"rate_limited": 1}
    await asyncio.sleep(20)
    assert pool.refusals(Need(PAINT).signature) == {}
    assert pool.next_lift_s() is None
    await pool.acquire(Need(PAINT), POLICY)


async def test_rest_that_was_shortened_is_lifted_once_at_its_new_end() -> None:
    pool = pool_of(account(1, rests=resting(RestReason.RATE_LIMITED, 60)))
    pool.put(account(1, rests=resting(RestReason.RATE_LIMITED, 20)))
    await asyncio.sleep(20)
    pool.lift_rests()
    assert pool.refusals(Need(PAINT).signature) == {}
    await asyncio.sleep(60)
    pool.lift_rests()
    assert pool.next_lift_s() is None


async def test_accounts_that_were_tried_are_avoided_and_counted() -> None:
    pool = pool_of(account(1), account(2))
    lease = await pool.acquire(Need(PAINT), FillFirst(), avoid={1})
    assert lease.account_id == 2
    with pytest.raises(PoolBusyError) as caught:
        await pool.acquire(Need(PAINT), FillFirst(), avoid={1, 9})
    assert caught.value.reasons == {"busy": 1, "tried": 1}
    with pytest.raises(NoEligibleAccountError) as refused:
        await pool_of(account(1)).acquire(Need(PAINT), FillFirst(), avoid={1})
    assert refused.value.reasons == {"tried": 1}


async def test_lower_priority_serves_when_the_better_one_is_busy_or_excluded() -> None:
    pool = pool_of(account(1, priority=0), account(2, priority=1), account(3, priority=2))
    assert [(await pool.acquire(Need(PAINT), POLICY)).account_id for _ in range(3)] == [1, 2, 3]

    excluded = [account(n, rests=resting(RestReason.QUOTA, 99, "paint")) for n in range(1, 9)]
    pool = pool_of(*excluded, account(9, priority=1))
    assert (await pool.acquire(Need(PAINT), POLICY)).account_id == 9


@pytest.mark.parametrize("policy", [RandomChoice(), LeastBusy(), FillFirst()])
@pytest.mark.parametrize("avoid", [set(), {40}])
async def test_finds_the_one_account_that_is_not_excluded(policy: SelectionPolicy, avoid: set[int]) -> None:
    excluded = [account(n, rests=resting(RestReason.QUOTA, 99, "paint")) for n in range(40)]
    pool = pool_of(*excluded, account(40), account(41))
    found = {(await pool.acquire(Need(PAINT), policy, avoid)).account_id for _ in {40, 41} - avoid}
    assert found == {40, 41} - avoid
    if not avoid:
        with pytest.raises(PoolBusyError) as caught:
            await pool.acquire(Need(PAINT), policy)
        assert caught.value.reasons == {"busy": 2, "quota": 40}


async def test_rare_account_that_was_tried_is_not_chosen_again() -> None:
    excluded = [account(n, rests=resting(RestReason.QUOTA, 99, "paint")) for n in range(40)]
    pool = pool_of(*excluded, account(40))
    with pytest.raises(NoEligibleAccountError):
        await pool.acquire(Need(PAINT), POLICY, avoid={40})


async def test_model_set_follows_the_accounts() -> None:
    pool = pool_of(*(account(n, rests=resting(RestReason.QUOTA, 30, "paint")) for n in range(20)))
    with pytest.raises(NoEligibleAccountError):
        await pool.acquire(Need(PAINT), POLICY)
    pool.put(account(3))
    assert (await pool.acquire(Need(PAINT), POLICY)).account_id == 3
    await asyncio.sleep(31)
    assert (await pool.acquire(Need(PAINT), POLICY)).account_id != 3


async def test_removed_account_leaves_the_model_set_too() -> None:
    pool = pool_of(*(account(n, rests=resting(RestReason.QUOTA, 30, "paint")) for n in range(20)))
    counts = []
    for number in (7, 8):
        with pytest.raises(NoEligibleAccountError) as caught:
            await pool.acquire(Need(PAINT), POLICY)
        counts.append(caught.value.reasons)
        pool.remove(number)
    assert counts == [{"quota": 20}, {"quota": 19}]


async def test_keeps_only_so_many_model_sets() -> None:
    pool = pool_of(account(1, credits=0))
    for number in range(100):
        with pytest.raises(NoEligibleAccountError):
            await pool.acquire(Need(video_spec(f"film-{number}")), POLICY)
    assert len(pool.ready_sets._model_sets) == 64


async def test_need_for_one_account_takes_no_other() -> None:
    pool = pool_of(account(1), account(2))
    lease = await pool.acquire(Need(PAINT, only=2), POLICY)
    assert lease.account_id == 2
    with pytest.raises(PoolBusyError) as busy:
        await pool.acquire(Need(PAINT, only=2), POLICY)
    assert busy.value.reasons == {"busy": 1}
    with pytest.raises(NoEligibleAccountError) as removed:
        await pool.acquire(Need(PAINT, only=7), POLICY)
    assert removed.value.reasons == {"removed": 1}
    with pytest.raises(NoEligibleAccountError) as tried:
        await pool.acquire(Need(PAINT, only=1), POLICY, avoid={1})
    assert tried.value.reasons == {"tried": 1}


async def test_pick_of_a_policy_that_is_not_ready_is_not_taken() -> None:
    pool = pool_of(account(1), account(2))
    stranger = StubbornPolicy(Candidate(account(1)))
    assert (await pool.acquire(Need(PAINT), stranger)).account_id in {1, 2}
    with pytest.raises(LookupError):
        await pool.acquire(Need(PAINT), FaultyPolicy())
    assert sum(pool.load_of(n, MediaKind.IMAGE) for n in (1, 2)) == 1


async def test_stubborn_policy_gets_the_rare_account_all_the_same() -> None:
    excluded = [account(n, rests=resting(RestReason.QUOTA, 99, "paint")) for n in range(3)]
    pool = pool_of(*excluded, account(3))
    first = pool.candidates[0]
    assert (await pool.acquire(Need(PAINT), StubbornPolicy(first))).account_id == 3


async def test_some_account_with_the_plan_counts_even_while_it_rests() -> None:
    pool = pool_of(account(1, tier=Tier.PRO), account(2, tier=Tier.ULTRA, rests=resting(RestReason.MANUAL)))
    assert pool.has_any_for(Need(ULTRA).signature)
    assert not pool.has_any_for(Need(ULTRA, tag="eu").signature)
    pool.remove(2)
    assert not pool.has_any_for(Need(ULTRA).signature)


async def test_names_an_account_that_is_worth_warming() -> None:
    pool = pool_of(
        account(1),
        account(2, tier=None),
        account(3, tier=None, tags=frozenset({"eu"})),
        account(4, workspace=None, rests=resting(RestReason.REFUSED, 10)),
        account(5, workspace=None, rests=resting(RestReason.MANUAL)),
    )
    assert pool.warming(Need(PAINT).signature) == 2
    assert pool.warming(Need(PAINT, tag="eu").signature) == 3
    assert pool.warming(Need(PAINT).signature, {2, 3}) is None
    await asyncio.sleep(10)
    pool.lift_rests()
    assert pool.warming(Need(PAINT).signature, {2, 3}) == 4


async def test_prepared_sets_are_kept_current() -> None:
    pool = pool_of()
    pool.prepare([Need(PAINT).signature])
    pool.put(account(1))
    assert pool.refusals(Need(PAINT).signature) == {}
    pool.put(account(1, rests=resting(RestReason.MANUAL)))
    assert pool.refusals(Need(PAINT).signature) == {"manual": 1}


async def test_accounts_of_other_upstreams_are_no_matter_of_a_signature() -> None:
    pool = pool_of(account(1, upstream="other"))
    assert pool.refusals(Need(PAINT).signature) == {}
    pool.put(account(2, upstream="other"))
    assert not pool.has_any_for(Need(PAINT).signature)
    with pytest.raises(NoEligibleAccountError) as caught:
        await pool.acquire(Need(PAINT), POLICY)
    assert caught.value.reasons == {}


# --- slots ------------------------------------------------------------------------------------------------------------


async def test_unlimited_account_asks_for_no_slot() -> None:
    slots = SharedSlots()
    pool = pool_of(account(1, capacity=Capacity()), slots=slots)
    await asyncio.gather(*(pool.acquire(Need(PAINT), POLICY) for _ in range(100)))
    assert (slots.asked, pool.load_of(1, MediaKind.IMAGE)) == (0, 100)


async def test_slots_that_other_processes_hold_count_as_busy_for_a_moment() -> None:
    slots = SharedSlots()
    pool = pool_of(account(1, capacity=Capacity(image=2)), slots=slots)
    slots.is_full = True
    for _ in range(5):
        with pytest.raises(PoolBusyError) as caught:
            await pool.acquire(Need(PAINT), POLICY)
        assert caught.value.reasons == {"busy": 1}
    assert slots.asked == 1
    slots.is_full = False
    await asyncio.sleep(1)
    await pool.acquire(Need(PAINT), POLICY)


async def test_own_release_ends_the_doubt_about_slots_of_others() -> None:
    slots = SharedSlots()
    pool = pool_of(account(1, capacity=Capacity(image=2)), slots=slots)
    lease = await pool.acquire(Need(PAINT), POLICY)
    slots.is_full = True
    with pytest.raises(PoolBusyError):
        await pool.acquire(Need(PAINT), POLICY)
    slots.is_full = False
    await lease.release()
    await pool.acquire(Need(PAINT), POLICY)


async def test_next_account_is_asked_when_others_hold_the_first() -> None:
    slots = SharedSlots()
    pool = pool_of(account(1), account(2), slots=slots)
    await slots.take(1, MediaKind.IMAGE, None)
    assert (await pool.acquire(Need(PAINT), FillFirst())).account_id == 2


async def test_slots_port_that_fails_holds_nothing() -> None:
    slots = SharedSlots()
    pool = pool_of(account(1), slots=slots)
    slots.fault = OSError("no connection")
    with pytest.raises(OSError, match="no connection"):
        await pool.acquire(Need(PAINT), POLICY)
    slots.fault = None
    await pool.acquire(Need(PAINT), POLICY)


async def test_slot_that_cannot_be_given_back_fails_nobody() -> None:
    slots = SharedSlots()
    pool = pool_of(account(1), slots=slots)
    async with await pool.acquire(Need(PAINT), POLICY):
        slots.fault = OSError("no connection")
    assert pool.load_of(1, MediaKind.IMAGE) == 0


async def test_cancellation_while_a_slot_is_taken_gives_it_back() -> None:
    slots = SharedSlots()
    slots.gate = asyncio.Event()
    pool = pool_of(account(1), slots=slots)
    task = asyncio.create_task(pool.acquire(Need(PAINT), POLICY))
    await settle()
    task.cancel()
    await asyncio.wait([task])
    assert pool.load_of(1, MediaKind.IMAGE) == 0
    slots.gate.set()
    await settle()
    assert not slots.held


async def test_lease_on_a_removed_account_can_be_released_and_leaves_a_namesake_alone() -> None:
    slots = SharedSlots()
    pool = pool_of(account(1, capacity=Capacity(image=2)), slots=slots)
    lease = await pool.acquire(Need(PAINT), POLICY)
    pool.remove(1)
    pool.put(account(1, capacity=Capacity(image=2)))
    other = await pool.acquire(Need(PAINT), POLICY)
    await lease.release()
    assert pool.load_of(1, MediaKind.IMAGE) == 1
    await other.release()
    assert not slots.held


async def test_account_that_vanishes_while_its_slot_is_refused_stays_gone() -> None:
    slots = SharedSlots()
    slots.gate, slots.is_full = asyncio.Event(), True
    pool = pool_of(account(1), slots=slots)
    task = asyncio.create_task(pool.acquire(Need(PAINT), POLICY))
    await settle()
    pool.remove(1)
    slots.gate.set()
    with pytest.raises(NoEligibleAccountError):
        await task
    assert pool.next_lift_s() is None


async def test_work_from_before_a_restart_is_counted_beyond_the_limit() -> None:
    pool = pool_of(account(1))
    leases = [await pool.take(1, MediaKind.VIDEO) for _ in range(3)]
    with pytest.raises(PoolBusyError):
        await pool.acquire(Need(FILM), POLICY)
    for lease in leases:
        await lease.release()
    await pool.acquire(Need(FILM), POLICY)
    with pytest.raises(NoEligibleAccountError):
        await pool.take(2, MediaKind.VIDEO)


async def test_lowered_capacity_holds_back_new_work_only() -> None:
    pool = pool_of(account(1, capacity=Capacity(image=3)))
    leases = [await pool.acquire(Need(PAINT), POLICY) for _ in range(3)]
    pool.put(account(1, capacity=Capacity(image=1)))
    await leases[0].release()
    await leases[1].release()
    with pytest.raises(PoolBusyError):
        await pool.acquire(Need(PAINT), POLICY)
    await leases[2].release()
    await pool.acquire(Need(PAINT), POLICY)


async def test_account_without_a_way_is_passed_over_and_its_leases_go_on() -> None:
    pool = pool_of(account(1), account(2))
    lease = await pool.acquire(Need(PAINT), POLICY)
    for account_id in (1, 2, 3):
        pool.reach(account_id, has_way=False)

    with pytest.raises(NoEligibleAccountError) as caught:
        await pool.acquire(Need(PAINT), POLICY)

    assert (caught.value.reasons, caught.value.waiting_helps) == ({"no_proxy": 2}, True)
    await lease.release()
    pool.put(account(1, remark="changed"))
    with pytest.raises(NoEligibleAccountError):
        await pool.acquire(Need(PAINT), POLICY)
    pool.reach(2, has_way=True)
    assert (await pool.acquire(Need(PAINT), POLICY)).account_id == 2


async def test_account_that_finds_its_way_goes_to_who_waits() -> None:
    pool = pool_of(account(1), account(2))
    pool.reach(2, has_way=False)
    held = await pool.acquire(Need(PAINT), POLICY)
    waiter = waiting(pool, Need(PAINT))
    await settle()

    pool.reach(2, has_way=True)

    assert (await waiter).account_id == 2
    await held.release()


# --- waiting ----------------------------------------------------------------------------------------------------------


def waiting(pool: AccountPool, need: Need, avoid: frozenset[int] = frozenset()) -> "asyncio.Task[Lease]":
    return asyncio.create_task(pool.wait(need, POLICY, avoid))


async def test_waiting_takes_at_once_what_is_ready() -> None:
    assert (await pool_of(account(1)).wait(Need(PAINT), POLICY)).account_id == 1


async def test_freed_slot_goes_to_who_has_waited_longest() -> None:
    pool = pool_of(account(1))
    lease, served = await pool.acquire(Need(PAINT), POLICY), list[int]()

    async def queue(number: int) -> None:
        async with await pool.wait(Need(PAINT), POLICY):
            served.append(number)

    tasks = [asyncio.create_task(queue(number)) for number in range(20)]
    await settle()
    assert pool.waiting(Need(PAINT).signature) == 20
    await lease.release()
    await asyncio.gather(*tasks)
    assert served == list(range(20))
    assert pool.waiting(Need(PAINT).signature) == 0


async def test_who_comes_later_does_not_overtake() -> None:
    pool = pool_of(account(1))
    lease = await pool.acquire(Need(PAINT), POLICY)
    first = waiting(pool, Need(PAINT))
    await settle()
    await lease.release()
    with pytest.raises(PoolBusyError):
        await pool.acquire(Need(PAINT), POLICY)
    assert (await first).account_id == 1


async def test_more_slots_serve_as_many_at_once() -> None:
    pool = pool_of(account(1))
    await pool.acquire(Need(PAINT), POLICY)
    tasks = [waiting(pool, Need(PAINT)) for _ in range(5)]
    await settle()
    pool.put(account(1, capacity=Capacity(image=4)))
    await settle()
    assert [task.done() for task in tasks] == [True, True, True, False, False]
    pool.put(account(1, capacity=Capacity()))
    await asyncio.gather(*tasks)


async def test_account_that_cannot_serve_the_first_in_line_goes_to_the_next_that_it_can() -> None:
    pool = pool_of(account(1), account(2))
    leases = [await pool.acquire(Need(PAINT), FillFirst()) for _ in range(2)]
    avoiding = waiting(pool, Need(PAINT), frozenset({1}))
    particular = waiting(pool, Need(PAINT, only=2))
    any_one = waiting(pool, Need(PAINT))
    await settle()
    await next(lease for lease in leases if lease.account_id == 1).release()
    assert (await any_one).account_id == 1
    assert not avoiding.done()
    await next(lease for lease in leases if lease.account_id == 2).release()
    assert (await avoiding).account_id == 2
    await (await avoiding).release()
    assert (await particular).account_id == 2


async def test_two_waiters_that_nobody_can_serve_sit_still() -> None:
    pool = pool_of(account(1), account(2, rests=resting(RestReason.QUOTA, 3600, "paint")))
    await pool.acquire(Need(PAINT), POLICY)
    chosen = 0
    original = pool.ready_sets.choose

    def counting(*args: object) -> Candidate | None:
        nonlocal chosen
        chosen += 1
        return original(*args)  # type: ignore[arg-type]

    pool.ready_sets.choose = counting  # type: ignore[assignment,method-assign]
    tasks = [waiting(pool, Need(PAINT)) for _ in range(3)]
    await asyncio.sleep(60)
    assert chosen == 3
    for task in tasks:
        task.cancel()


async def test_end_of_a_models_rest_serves_who_waits_for_that_model() -> None:
    pool = pool_of(account(1), account(2, rests=resting(RestReason.QUOTA, 30, "paint")))
    await pool.acquire(Need(PAINT), POLICY)
    lease = await waiting(pool, Need(PAINT))
    assert lease.account_id == 2
    assert VirtualClock().monotonic() == pytest.approx(30, abs=0.01)


async def test_end_of_a_rest_serves_who_waits_though_nobody_asks() -> None:
    pool = pool_of(account(1), account(2, rests=resting(RestReason.RATE_LIMITED, 7)))
    await pool.acquire(Need(PAINT), POLICY)
    assert (await waiting(pool, Need(PAINT))).account_id == 2
    assert VirtualClock().monotonic() == pytest.approx(7, abs=0.01)


async def test_credits_that_come_in_serve_who_waits() -> None:
    pool = pool_of(account(1), account(2, credits=3))
    await pool.acquire(Need(FILM), POLICY)
    task = waiting(pool, Need(FILM))
    await settle()
    pool.put(account(2, credits=300))
    assert (await task).account_id == 2


async def test_oldest_waiter_of_all_signatures_is_served_first() -> None:
    pool = pool_of(account(1, tier=Tier.ULTRA))
    lease = await pool.acquire(Need(FILM), POLICY)
    pro, ultra = waiting(pool, Need(FILM)), waiting(pool, Need(ULTRA))
    await settle()
    await lease.release()
    assert (await pro).account_id == 1
    await (await pro).release()
    assert (await ultra).account_id == 1


async def test_who_waits_in_vain_is_told() -> None:
    pool = pool_of(account(1))
    await pool.acquire(Need(PAINT), POLICY)
    task = waiting(pool, Need(PAINT))
    await settle()
    pool.put(account(1, rests=resting(RestReason.AUTH_EXPIRED)))
    with pytest.raises(NoEligibleAccountError) as caught:
        await task
    assert caught.value.reasons == {"auth_expired": 1}
    assert pool.waiting(Need(PAINT).signature) == 0


@pytest.mark.parametrize("is_removed", [True, False])
async def test_who_waits_is_told_at_once_when_the_last_account_that_could_serve_dies(is_removed: bool) -> None:
    pool = pool_of(account(1), account(2))
    first, second = await pool.acquire(Need(PAINT), POLICY), await pool.acquire(Need(PAINT), POLICY)
    waiting = [asyncio.create_task(pool.wait(Need(PAINT), POLICY)) for _ in range(3)]
    await settle()
    pool.put(account(1, rests=resting(RestReason.AUTH_EXPIRED)))
    await settle()
    assert not any(task.done() for task in waiting)
    if is_removed:
        pool.remove(2)
    else:
        pool.put(account(2, rests=resting(RestReason.AUTH_EXPIRED)))
    await settle()
    assert [type(task.exception()) for task in waiting] == [NoEligibleAccountError] * 3
    assert pool.waiting(Need(PAINT).signature) == 0
    await first.release()
    await second.release()


async def test_account_that_was_tried_and_is_busy_is_not_waited_for() -> None:
    pool = pool_of(account(1), account(2, rests=resting(RestReason.AUTH_EXPIRED)))
    lease = await pool.acquire(Need(PAINT), POLICY)
    for asked in (pool.acquire, pool.wait):
        with pytest.raises(NoEligibleAccountError) as caught:
            await asked(Need(PAINT), POLICY, {1})
        assert caught.value.reasons == {"auth_expired": 1, "tried": 1}
    await lease.release()


async def test_who_waits_goes_on_waiting_while_an_account_is_warmed() -> None:
    pool = pool_of(account(1))
    lease = await pool.acquire(Need(PAINT), POLICY)
    task = waiting(pool, Need(PAINT))
    await settle()
    pool.put(account(1, workspace=None))
    await asyncio.sleep(30)
    await lease.release()
    assert not task.done()
    pool.put(account(1))
    assert (await task).account_id == 1


@pytest.mark.parametrize("turns", range(8))
async def test_cancelled_waiter_leaves_its_slot_to_the_next(turns: int) -> None:
    slots = SharedSlots()
    pool = pool_of(account(1), slots=slots)
    lease = await pool.acquire(Need(PAINT), POLICY)
    first, second = waiting(pool, Need(PAINT)), waiting(pool, Need(PAINT))
    await settle()
    await lease.release()
    for _ in range(turns):
        await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    if not first.cancelled():
        await first.result().release()
    assert (await second).account_id == 1
    await (await second).release()
    await settle()
    assert (pool.load_of(1, MediaKind.IMAGE), slots.held) == (0, set())


async def test_waiter_whose_slot_others_snatch_is_served_later() -> None:
    slots = SharedSlots()
    pool = pool_of(account(1), slots=slots)
    lease = await pool.acquire(Need(PAINT), POLICY)
    tasks = [waiting(pool, Need(PAINT)) for _ in range(3)]
    await settle()
    slots.is_full = True
    await lease.release()
    await asyncio.sleep(10)
    assert slots.asked < 20
    slots.is_full = False
    for _ in tasks:
        done, _ = await asyncio.wait([task for task in tasks if not task.done()], return_when=asyncio.FIRST_COMPLETED)
        await done.pop().result().release()
    assert all(task.done() for task in tasks)


async def test_waiter_whose_slot_others_snatch_keeps_his_place() -> None:
    slots, order = SharedSlots(), list[int]()
    pool = pool_of(account(1), slots=slots)
    lease = await pool.acquire(Need(PAINT), POLICY)

    async def queue(number: int) -> None:
        async with await pool.wait(Need(PAINT, key_id=number % 2), POLICY):
            order.append(number)

    tasks = [asyncio.create_task(queue(number)) for number in range(4)]
    await settle()
    slots.is_full = True
    await lease.release()
    await asyncio.sleep(2.5)
    slots.is_full = False
    await asyncio.gather(*tasks)
    assert order == [0, 1, 2, 3]


async def test_who_waits_is_served_by_the_least_bad_when_all_begin_to_fail() -> None:
    failing = resting(RestReason.ERROR_STREAK, 1000)
    pool = pool_of(account(1), account(2, rests=failing))
    lease = await pool.acquire(Need(PAINT), POLICY)
    tasks = [waiting(pool, Need(PAINT)) for _ in range(3)]
    await settle()
    pool.put(account(1, rests=failing))
    await settle()
    assert tasks[0].done()
    assert (await tasks[0]).account_id == 2
    await lease.release()
    assert {type(task.exception()) for task in tasks[1:]} <= {NoEligibleAccountError}


async def test_only_one_of_those_who_wait_looks_out_for_the_ends_of_rests() -> None:
    """With a thousand waiting and rests ending all the time, each end would else wake a thousand."""
    others = [account(n, rests=resting(RestReason.RATE_LIMITED, n / 10), tier=Tier.FREE) for n in range(2, 40)]
    pool = pool_of(account(1), *others)
    spec = picture_spec("dear", min_tier=Tier.PRO)
    lease, heard = await pool.acquire(Need(spec), POLICY), Counter[int]()

    def hears(number: int) -> Callable[[Turn], None]:
        return lambda turn: heard.update([number])

    tasks = [asyncio.create_task(pool.wait(Need(spec), POLICY, (), hears(number))) for number in range(50)]
    await asyncio.sleep(4)
    assert sum(heard.values()) < 50 * 3 + 40
    assert sorted(heard.values())[-2] <= 3
    await lease.release()
    for task in tasks:  # whoever looks out may be served or go: another one does it then
        await (await task).release()


async def test_look_out_is_taken_over() -> None:
    pool = pool_of(account(1), account(2, rests=resting(RestReason.RATE_LIMITED, 2)))
    await pool.acquire(Need(PAINT), POLICY)
    first, second = waiting(pool, Need(PAINT)), waiting(pool, Need(PAINT))
    await asyncio.sleep(1)
    first.cancel()
    assert (await second).account_id == 2
    assert VirtualClock().monotonic() == pytest.approx(2, abs=0.01)


async def test_who_waits_is_served_by_another_model_that_comes_free_first() -> None:
    other = picture_spec("other", upstream="elsewhere")
    pool = pool_of(account(1), account(2, upstream="elsewhere"))
    lease = await pool.acquire(Need(PAINT), POLICY)
    elsewhere = await pool.acquire(Need(other), POLICY)
    task = asyncio.create_task(pool.wait(Need(PAINT), POLICY, others=[Need(other)]))
    await settle()
    pool.put(account(1, rests=resting(RestReason.AUTH_EXPIRED)))  # the first will never serve, the second may
    await settle()
    assert not task.done()
    await elsewhere.release()
    served = await task
    assert (served.account_id, served.need, served.choice is not None) == (2, Need(other), True)
    await lease.release()
    assert not pool._turns.line


async def test_first_model_is_taken_when_both_are_free() -> None:
    other = picture_spec("other", upstream="elsewhere")
    pool = pool_of(account(1), account(2, upstream="elsewhere"))
    assert (await pool.wait(Need(PAINT), POLICY, others=[Need(other)])).need == Need(PAINT)
    assert (await pool.wait(Need(PAINT), POLICY, others=[Need(other)])).need == Need(other)
    task = asyncio.create_task(pool.wait(Need(PAINT), POLICY, others=[Need(other)]))
    await settle()
    pool.put(account(1, rests=resting(RestReason.AUTH_EXPIRED)))
    pool.put(account(2, upstream="elsewhere", rests=resting(RestReason.AUTH_EXPIRED)))
    with pytest.raises(NoEligibleAccountError):
        await task


async def test_each_key_has_its_turn() -> None:
    pool = pool_of(account(1))
    lease, served = await pool.acquire(Need(PAINT), POLICY), list[int | None]()

    async def queue(key_id: int) -> None:
        async with await pool.wait(Need(PAINT, key_id=key_id), POLICY):
            served.append(key_id)

    tasks = [asyncio.create_task(queue(key_id)) for key_id in [*[1] * 5, 2, 2, 3]]
    await settle()
    await lease.release()
    await asyncio.gather(*tasks)
    assert served == [1, 2, 3, 1, 2, 1, 1, 1]


async def test_who_waits_hears_where_he_stands_and_when_it_may_be_his_turn() -> None:
    pool, heard = pool_of(account(1)), list[Turn]()
    for _ in range(4):
        async with await pool.acquire(Need(PAINT), POLICY):
            await asyncio.sleep(10)
    leases = [await pool.acquire(Need(PAINT), POLICY)]
    tasks = [waiting(pool, Need(PAINT)) for _ in range(2)]
    await settle()
    told = asyncio.create_task(pool.wait(Need(PAINT), POLICY, (), heard.append))
    await asyncio.sleep(1)
    assert [one.position for one in heard] == [3]
    assert heard[0].starts_in_s == pytest.approx(30, abs=0.1)
    assert str(heard[0]) == "waiting, position 3, about 30 s"
    await leases[0].release()
    await asyncio.sleep(5)
    assert heard[-1].position == 2
    for task in tasks:
        await (await task).release()
    choice = (await told).choice
    assert choice is not None
    assert (choice.position, choice.refused, choice.why) == (
        3,
        {"busy": 1},
        "it came free when it was this request's turn",
    )
    assert choice.waited_ms == pytest.approx(6000, abs=100)


async def test_where_one_stands_is_told_at_any_moment_as_it_is_then() -> None:
    pool, asked = pool_of(account(1)), list[Callable[[], Turn | None]]()
    lease = await pool.acquire(Need(PAINT), POLICY)
    first = waiting(pool, Need(PAINT))
    await settle()
    last = asyncio.create_task(pool.wait(Need(PAINT), POLICY, stands=asked.append))
    await settle()
    assert asked[0]() == Turn(2)
    first.cancel()
    await settle()
    assert asked[0]() == Turn(1)
    await lease.release()
    await last
    assert asked[0]() is None


async def test_who_may_be_served_elsewhere_hears_of_the_turn_that_comes_first() -> None:
    other = Need(picture_spec("other", upstream="elsewhere"))
    pool, heard = pool_of(account(1), account(2, upstream="elsewhere")), list[Turn]()
    for need, seconds in ((Need(PAINT), 30), (other, 3)):
        async with await pool.acquire(need, POLICY):
            await asyncio.sleep(seconds)
    for need in (Need(PAINT), other):
        async with await pool.acquire(need, POLICY):
            await asyncio.sleep(0.1)
        await pool.acquire(need, POLICY)
    busy = [waiting(pool, other) for _ in range(2)]
    await settle()
    routed = asyncio.create_task(pool.wait(Need(PAINT), POLICY, (), heard.append, [other]))
    await settle()
    assert heard[0].position == 3  # at the other upstream, where slots come free far more often
    assert heard[0].starts_in_s == pytest.approx(4.65, abs=0.1)
    for task in (*busy, routed):
        task.cancel()


async def test_nothing_is_said_of_the_time_before_a_slot_has_ever_come_free() -> None:
    pool, heard = pool_of(account(1)), list[Turn]()
    await pool.acquire(Need(PAINT), POLICY)
    task = asyncio.create_task(pool.wait(Need(PAINT), POLICY, (), heard.append))
    await settle()
    assert (heard, str(heard[0])) == ([Turn(1)], "waiting, position 1")
    task.cancel()


# --- all that runs ----------------------------------------------------------------------------------------------------


async def test_no_more_run_in_all_than_the_operator_allows() -> None:
    most = 2
    pool = AccountPool(MemorySlots(), VirtualClock(), Random(1), lambda: most)
    for number in range(5):
        pool.put(account(number, capacity=Capacity()))
    leases = [await pool.acquire(Need(PAINT), POLICY), await pool.acquire(Need(FILM), POLICY)]
    with pytest.raises(PoolBusyError) as caught:
        await pool.acquire(Need(PAINT), POLICY)
    assert (caught.value.reasons, caught.value.retry_after_s) == ({"max_running": 5}, 5.0)
    with pytest.raises(PoolBusyError) as only:
        await pool.acquire(Need(PAINT, only=3), POLICY)
    assert only.value.reasons == {"max_running": 1}
    with pytest.raises(NoEligibleAccountError):
        await pool.acquire(Need(PAINT, tag="eu"), POLICY)
    tasks = [waiting(pool, Need(PAINT)), waiting(pool, Need(PAINT, only=3)), waiting(pool, Need(FILM))]
    await settle()
    await leases[0].release()
    assert (await tasks[0]).account_id in range(5)
    assert pool.running == 2
    await leases[1].release()
    assert (await tasks[1]).account_id == 3
    most = 3
    await asyncio.sleep(6)
    assert tasks[2].done()
    assert pool.running == 3


async def test_under_the_limit_a_key_that_wants_another_kind_has_its_turn() -> None:
    pool = AccountPool(MemorySlots(), VirtualClock(), Random(1), lambda: 1)
    pool.put(account(1, capacity=Capacity(image=1, video=0)))
    pool.put(account(2, capacity=Capacity(image=0, video=1)))
    lease, served = await pool.acquire(Need(PAINT), POLICY), list[str]()

    async def queue(need: Need) -> None:
        async with await pool.wait(need, POLICY):
            served.append(need.spec.name)

    tasks = [asyncio.create_task(queue(Need(PAINT, key_id=1))) for _ in range(4)]
    await settle()
    tasks.append(asyncio.create_task(queue(Need(FILM, key_id=2))))
    await settle()
    await lease.release()
    await asyncio.gather(*tasks)
    assert served.index("film") == 1


async def test_under_the_limit_all_who_wait_stand_in_one_line() -> None:
    pool, heard = AccountPool(MemorySlots(), VirtualClock(), Random(1), lambda: 1), list[Turn]()
    pool.put(account(1, capacity=Capacity()))
    async with await pool.acquire(Need(PAINT), POLICY):
        await asyncio.sleep(8)
    await pool.acquire(Need(PAINT), POLICY)
    others = [waiting(pool, Need(PAINT)) for _ in range(3)]
    await settle()
    await asyncio.sleep(4)
    told = asyncio.create_task(pool.wait(Need(FILM, key_id=2), POLICY, (), heard.append))
    await settle()
    assert heard[0].position == 2
    assert heard[0].starts_in_s == pytest.approx(16, abs=0.1)
    for task in (*others, told):
        task.cancel()


async def test_limit_that_came_and_went_before_anybody_looked_keeps_nobody_out() -> None:
    most = 0
    pool = AccountPool(MemorySlots(), VirtualClock(), Random(1), lambda: most)
    pool.put(account(1, capacity=Capacity()))
    lease = await pool.acquire(Need(PAINT), POLICY)
    most = 1
    task = waiting(pool, Need(PAINT))
    await settle()
    assert not task.done()
    most = 0
    await asyncio.sleep(6)
    assert (await task).account_id == lease.account_id == 1


async def test_room_under_the_limit_goes_past_those_whose_accounts_have_none() -> None:
    most = 2
    pool = AccountPool(MemorySlots(), VirtualClock(), Random(1), lambda: most)
    pool.put(account(1, capacity=Capacity(image=1, video=None)))
    held, other = await pool.acquire(Need(PAINT), POLICY), await pool.acquire(Need(FILM), POLICY)
    painters = [waiting(pool, Need(PAINT)), waiting(pool, Need(PAINT)), waiting(pool, Need(PAINT), frozenset({2}))]
    film = waiting(pool, Need(FILM))
    await settle()
    await other.release()
    assert (await film).kind is MediaKind.VIDEO
    assert not any(task.done() for task in painters)
    await held.release()
    assert (await painters[0]).kind is MediaKind.IMAGE
    for task in painters[1:]:
        task.cancel()


async def test_who_waits_for_another_kind_is_served_once_when_the_limit_is_raised() -> None:
    most = 1
    pool = AccountPool(MemorySlots(), VirtualClock(), Random(1), lambda: most)
    pool.put(account(1, capacity=Capacity(image=1, video=1)))
    pool.put(account(2, capacity=Capacity(image=1, video=1)))
    leases = [await pool.take(1, MediaKind.IMAGE)]
    waiting = [asyncio.create_task(pool.wait(Need(spec, key_id=1), RandomChoice())) for spec in (PAINT, FILM)]
    await settle()
    most = 0
    await asyncio.sleep(6)
    leases += await asyncio.gather(*waiting)
    assert pool.running == len(leases)
    for lease in leases:
        await lease.release()
    assert pool.running == 0


async def test_lease_held_past_its_limit_is_given_back_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    pool = pool_of(account(1))
    lease = await pool.acquire(Need(PAINT, limit_s=60), POLICY)
    await asyncio.sleep(59)
    assert await pool.reclaim() == 0
    task = waiting(pool, Need(PAINT, limit_s=60))
    await asyncio.sleep(2)
    assert await pool.reclaim() == 1
    assert (await task).account_id == 1
    await lease.release()
    assert (pool.load_of(1, MediaKind.IMAGE), pool.running) == (1, 1)
    assert [record.message for record in caplog.records] == ["lease held past its limit is given back"]


async def test_knows_whether_a_request_could_be_served_at_once() -> None:
    pool = pool_of(account(1), account(2, rests=resting(RestReason.QUOTA, 30, "paint")))
    assert pool.can_serve(Need(PAINT))
    lease = await pool.acquire(Need(PAINT), POLICY)
    assert not pool.can_serve(Need(PAINT))
    assert pool.can_serve(Need(picture_spec("draw")))
    await lease.release()
    assert pool.can_serve(Need(PAINT), {2, 99})
    assert not pool.can_serve(Need(PAINT), {1})


async def test_each_lease_knows_how_its_account_was_chosen() -> None:
    policy = GuardedPolicy("fill_first", FillFirst, VirtualClock().monotonic)
    pool = pool_of(account(1), account(2), account(3, rests=resting(RestReason.MANUAL)), account(4, tier=None))
    first, second = await pool.acquire(Need(PAINT), policy), await pool.acquire(Need(PAINT, only=2), policy)
    refused = {"manual": 1, "warming": 1}
    assert first.choice == Choice("fill_first", 2, refused, "the first that has room")
    assert second.choice is not None
    assert second.choice.why == "only it has what the request builds on"
    assert (await pool.take(1, MediaKind.IMAGE)).choice is None


# --- whatever happens -------------------------------------------------------------------------------------------------

NEEDS = [Need(PAINT), Need(FILM), Need(ULTRA), Need(PAINT, tag="eu"), Need(picture_spec("draw")), Need(PAINT, only=1)]

# Plain cases come often: what is rare must meet accounts that work and requests that wait.
OFTEN_PAINT = st.sampled_from([*NEEDS, *[Need(PAINT)] * 6])

ACCOUNTS = st.builds(
    lambda **fields: AccountFactory.build(**fields),
    id=st.integers(1, 3),
    capacity=st.sampled_from([*[ONE_EACH] * 4, Capacity(2, 2), Capacity(0, 1), Capacity()]),
    tier=st.sampled_from([*[Tier.ULTRA] * 4, Tier.PRO, Tier.FREE, None]),
    tags=st.sampled_from([frozenset[str](), frozenset({"eu"})]),
    priority=st.integers(0, 1),
    weight=st.integers(1, 3),
    credits=st.sampled_from([None, 0, 30, 1000]),
    workspace=st.sampled_from([*["workspace"] * 5, None]),
)

RESTS: st.SearchStrategy[list[tuple[RestReason, int | None, str | None]]] = st.just([]) | st.lists(
    st.tuples(st.sampled_from(RestReason), st.none() | st.integers(1, 120), st.sampled_from([None, "paint", "film"])),
    max_size=2,
)


class Pool(RuleBasedStateMachine):
    """Accounts come, change and go; slots are taken, waited for, refused, given back and cancelled in any order."""

    @initialize()
    def begin(self) -> None:
        self.loop = VirtualTimeLoop()
        self.slots = SharedSlots()
        self.most_running = 0
        self.pool = self.loop.run_until_complete(self.new_pool())
        self.leases: list[Lease] = []
        self.waiters: list[asyncio.Task[Lease]] = []
        self.policy: SelectionPolicy = RandomChoice()
        for account_id in (1, 2):
            self.put(account(account_id), [])

    async def new_pool(self) -> AccountPool:
        return AccountPool(self.slots, VirtualClock(), Random(1), lambda: self.most_running)

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.loop.run_until_complete(self.end())
            self.loop.close()

    async def end(self) -> None:
        """When everybody has gone nothing is held."""
        self.slots.fault, self.slots.is_full = None, False
        await self.open_gate()
        for task in self.waiters:
            task.cancel()
        await asyncio.gather(*self.waiters, return_exceptions=True)
        for task in self.waiters:
            if not task.cancelled() and task.exception() is None:
                self.leases.append(task.result())
        for lease in self.leases:
            await lease.release()
        await settle()
        assert not self.slots.held
        for one in self.pool:
            assert self.pool.load_of(one.id, MediaKind.IMAGE) == self.pool.load_of(one.id, MediaKind.VIDEO) == 0
        for need in NEEDS:
            assert self.pool.waiting(need.signature) == 0

    async def open_gate(self) -> None:
        if self.slots.gate is not None:
            self.slots.gate.set()
            self.slots.gate = None
        await settle()

    def run(self, step: "object") -> None:
        async def stepping() -> None:
            await step  # type: ignore[misc]
            await settle()
            self.pool.lift_rests()
            await settle()
            self.collect()
            self.check()

        self.loop.run_until_complete(stepping())

    def collect(self) -> None:
        for task in [task for task in self.waiters if task.done()]:
            self.waiters.remove(task)
            if not task.cancelled() and task.exception() is None:
                self.leases.append(task.result())

    @rule(account=ACCOUNTS, rests=RESTS)
    def put(self, account: Account, rests: list[tuple[RestReason, int | None, str | None]]) -> None:
        async def step() -> None:
            now = VirtualClock().now()
            resting = tuple(
                Rest(reason, now, None if seconds is None else now + timedelta(seconds=seconds), model)
                for reason, seconds, model in rests
            )
            self.pool.put(replace(account, rests=resting))

        self.run(step())

    @rule(account_id=st.integers(1, 3))
    def remove(self, account_id: int) -> None:
        async def step() -> None:
            self.pool.remove(account_id)

        self.run(step())

    @rule(need=OFTEN_PAINT, avoid=st.just(frozenset[int]()) | st.frozensets(st.integers(1, 3), max_size=2))
    def acquire(self, need: Need, avoid: frozenset[int]) -> None:
        async def step() -> None:
            task = asyncio.create_task(self.pool.acquire(need, self.policy, avoid))
            await settle()
            if task.done() and task.exception() is None:
                assert self.most_running == 0 or self.pool.running <= max(self.most_running, len(self.leases) + 1)
                self.within_limit(task.result(), need, avoid)
            elif task.done():
                assert isinstance(task.exception(), PoolError | OSError | LookupError)
            else:
                self.waiters.append(task)

        self.run(step())
        self.slots.fault = None
        self.policy = RandomChoice()

    def within_limit(self, lease: Lease, need: Need, avoid: frozenset[int]) -> None:
        account = self.pool.get(lease.account_id)
        assert account is not None
        assert account.id not in avoid
        limit = account.capacity.of(need.spec.kind)
        assert limit is None or self.pool.load_of(account.id, need.spec.kind) <= limit
        self.leases.append(lease)

    @rule(
        need=OFTEN_PAINT,
        avoid=st.just(frozenset[int]()) | st.frozensets(st.integers(1, 3), max_size=2),
        key_id=st.integers(1, 3),
        limit_s=st.none() | st.sampled_from([1.0, 60.0]),
        others=st.just([]) | st.lists(st.sampled_from(NEEDS), max_size=2),
    )
    def wait(self, need: Need, avoid: frozenset[int], key_id: int, limit_s: float | None, others: list[Need]) -> None:
        async def step() -> None:
            asked, *rest = (replace(one, key_id=key_id, limit_s=limit_s) for one in (need, *others))
            self.waiters.append(asyncio.create_task(self.pool.wait(asked, self.guarded(), avoid, others=rest)))

        self.run(step())

    @rule(count=st.integers(1, 4), key_id=st.integers(1, 3))
    def crowd(self, count: int, key_id: int) -> None:
        """More come than there are slots for."""

        async def step() -> None:
            asked = Need(PAINT, key_id=key_id)
            self.waiters += [asyncio.create_task(self.pool.wait(asked, self.guarded())) for _ in range(count)]

        self.run(step())

    def guarded(self) -> SelectionPolicy:
        policy = self.policy
        return GuardedPolicy("any", lambda: policy, VirtualClock().monotonic)

    @rule(most=st.integers(0, 4))
    def limit_all(self, most: int) -> None:
        """The operator changes how many may run in all; a look at the line, which comes by itself, heeds it."""

        async def step() -> None:
            self.most_running = most
            await asyncio.sleep(6)

        self.run(step())

    @rule()
    def reclaim(self) -> None:
        """Leases past their limit are given back, and no others."""

        async def step() -> None:
            now = VirtualClock().monotonic()
            overdue = [lease for lease in self.leases if lease.ends_at is not None and lease.ends_at <= now]
            taken = await self.pool.reclaim()
            # One behind another with a longer limit is found later.
            assert taken <= len(overdue)
            self.leases = [lease for lease in self.leases if lease not in overdue or lease in self.still_held()]

        self.run(step())

    def still_held(self) -> list[Lease]:
        return [lease for held in self.pool.held._of.values() for lease in held]

    @rule(count=st.integers(1, 3), turns=st.integers(0, 4), released=st.integers(0, 3))
    def cancel(self, count: int, turns: int, released: int) -> None:
        """Some go, perhaps at the very moment when it is their turn."""

        async def step() -> None:
            for lease in self.leases[:released]:
                await lease.release()
            del self.leases[:released]
            for _ in range(turns):
                await asyncio.sleep(0)
            for task in self.waiters[:count]:
                task.cancel()

        self.run(step())

    @rule(which=st.integers(0, 99), twice=st.booleans())
    def release(self, which: int, twice: bool) -> None:
        async def step() -> None:
            if self.leases:
                lease = self.leases.pop(which % len(self.leases))
                await lease.release()
                if twice:
                    await lease.release()

        self.run(step())

    @rule(account_id=st.integers(1, 3), kind=st.sampled_from(MediaKind))
    def take(self, account_id: int, kind: MediaKind) -> None:
        async def step() -> None:
            if self.pool.get(account_id) is not None:
                self.leases.append(await self.pool.take(account_id, kind))

        self.run(step())

    @rule(seconds=st.sampled_from([0.5, 1.0, 3.0, 40.0, 130.0]))
    def time_passes(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    @rule(policy=st.sampled_from([LeastBusy(), FillFirst(), FaultyPolicy()]))
    def choose_policy(self, policy: SelectionPolicy) -> None:
        self.policy = policy

    @rule(is_full=st.booleans(), fails=st.booleans())
    def slots_misbehave(self, is_full: bool, fails: bool) -> None:
        self.slots.is_full = is_full
        self.slots.fault = OSError("no connection") if fails else None

    @precondition(lambda self: self.slots.gate is None)
    @rule()
    def slots_hang(self) -> None:
        self.slots.gate = asyncio.Event()

    @precondition(lambda self: self.slots.gate is not None)
    @rule()
    def slots_answer_again(self) -> None:
        self.run(self.open_gate())

    # What must hold whenever nothing is under way.

    def check(self) -> None:
        now = VirtualClock().now()
        for signature, ready in self.pool.ready_sets._sets.items():
            self.agrees(ready, signature, {i: refusal(one, signature, now) for i, one in self.candidates(signature)})
        for (signature, _), (spec, ready) in self.pool.ready_sets._model_sets.items():
            scan = {i: refusal_for(one, spec, signature, now) for i, one in self.candidates(signature)}
            self.agrees(ready, signature, scan)
        if self.slots.gate is None:
            self.nothing_leaks()
        self.nobody_is_forgotten()
        assert not {i: one for i, one in self.pool.candidates.items() if min(one.images, one.videos) < 0}

    def candidates(self, signature: Signature) -> list[tuple[int, Candidate]]:
        return [(i, one) for i, one in self.pool.candidates.items() if one.account.upstream == signature.upstream]

    def agrees(self, ready: ReadyAccounts, signature: Signature, scan: dict[int, str | None]) -> None:
        assert {one.account.id for one in ready.everyone()} == {i for i, why in scan.items() if why is None}
        assert ready.refusals() == Counter(why for why in scan.values() if why is not None)

    def nothing_leaks(self) -> None:
        held = Counter((id(lease.candidate), lease.kind) for lease in self.leases)
        for one in self.pool.candidates.values():
            for kind in MediaKind:
                assert one.load(kind) == held[id(one), kind]
        assert self.slots.held == {lease.ticket for lease in self.leases if lease.ticket is not None}
        assert self.pool.running == len(self.leases)

    def nobody_is_forgotten(self) -> None:
        now = VirtualClock().now()
        if 0 < self.most_running <= self.pool.running:
            return
        for one in self.pool.candidates.values():
            assert self.pool._turns.line.first_for(one, now) is None

    @invariant()
    def counts_exclusions(self) -> None:
        if hasattr(self, "pool"):
            rests = Counter(rest.model for one in self.pool for rest in one.rests if rest.model is not None)
            purses = Counter(one.credits.bit_length() for one in self.pool if one.credits is not None)
            assert +self.pool.ready_sets._model_rests == rests
            assert +self.pool.ready_sets._purses == purses


TestPool = Pool.TestCase
TestPool.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)


async def test_accounts_that_could_serve_are_counted_whatever_their_priority() -> None:
    resting_one = account(3, rests=resting(RestReason.RATE_LIMITED, 20))
    pool = pool_of(account(1), account(2, priority=5), resting_one)

    assert pool.ready_for(Need(PAINT).signature) == 2

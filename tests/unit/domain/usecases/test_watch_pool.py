"""What operators are told of the pool, and what they are not."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from flow2api.domain.account import Account, CallKind, Capacity, Cure, RestReason, Tier
from flow2api.domain.generation import Fault, State
from flow2api.domain.lease import AccountPool
from flow2api.domain.notices import Notice, NoticeKind
from flow2api.domain.options import Options
from flow2api.domain.usecases.watch_pool import LOOK_EVERY_S, WatchPool
from flow2api.plugins.coordination_memory import MemorySlots
from flow2api.testing.fakes.virtual_time import VirtualClock, settle
from flow2api.testing.samples import whole_generation
from tests.unit.domain.usecases.stage import PAINT, Stage


class Scene:
    def __init__(self, *accounts: Account, **options: Any) -> None:
        self.clock = VirtualClock()
        self.pool = AccountPool(MemorySlots(), self.clock)
        self.told: list[Notice] = []
        given = Options(**options)
        self.watch = WatchPool(self.pool, self.clock, lambda: given, self.told.append)
        for account in accounts:
            self.pool.put(account)
        self.watch.begin()

    @property
    def kinds(self) -> list[tuple[NoticeKind, str]]:
        return [(notice.kind, notice.subject) for notice in self.told]


def account(number: int = 1, tier: Tier = Tier.PRO, **fields: Any) -> Account:
    now = VirtualClock().now()
    return Account(id=number, upstream="flow", name=f"a{number}", created_at=now, tier=tier, **fields)


async def test_what_was_so_at_the_start_is_known() -> None:
    ill = account().resting(RestReason.AUTH_EXPIRED, VirtualClock().now())
    scene = Scene(ill)
    scene.pool.put(replace(ill, remark="the same"))
    assert scene.told == []


async def test_what_changes_before_it_begins_is_known() -> None:
    ill = account(credits=1).resting(RestReason.AUTH_EXPIRED, VirtualClock().now())
    scene = Scene(account(credits=50), ill, low_credits=20)
    assert scene.told == []
    scene.pool.put(account(credits=50))
    assert scene.kinds == [
        (NoticeKind.ACCOUNT_RECOVERED, "account 1"),
        (NoticeKind.CREDITS_BACK, "account 1"),
    ]


async def test_account_that_needs_care_and_its_cure_are_told_once_each() -> None:
    scene = Scene(account())
    ill = account().resting(RestReason.AUTH_EXPIRED, scene.clock.now())
    scene.pool.put(ill)
    scene.pool.put(replace(ill, credits=3))
    scene.pool.put(ill.cured(Cure.NEW_CREDENTIAL))
    scene.pool.put(account())
    assert scene.kinds == [
        (NoticeKind.ACCOUNT_NEEDS_CARE, "account 1"),
        (NoticeKind.ACCOUNT_RECOVERED, "account 1"),
    ]


async def test_rest_that_ends_by_itself_is_not_told() -> None:
    scene = Scene(account())
    for reason in (RestReason.RATE_LIMITED, RestReason.REFUSED, RestReason.QUOTA, RestReason.ERROR_STREAK):
        until = scene.clock.now() + timedelta(hours=1)
        scene.pool.put(account().resting(reason, scene.clock.now(), until=until))
    scene.pool.put(account().resting(RestReason.MANUAL, scene.clock.now()))
    assert scene.told == []


async def test_low_credits_are_told_where_the_operator_wants_it() -> None:
    scene, silent = Scene(account(credits=50), low_credits=20), Scene(account(credits=50))
    for one in (scene, silent):
        for left in (21, 19, 5, None, 100):
            one.pool.put(account(credits=left))
    assert scene.kinds == [(NoticeKind.CREDITS_LOW, "account 1"), (NoticeKind.CREDITS_BACK, "account 1")]
    assert silent.told == []


async def test_plan_without_anybody_who_works_is_told_until_somebody_does() -> None:
    scene = Scene(account(1), account(2), account(3, Tier.ULTRA))
    running = asyncio.create_task(scene.watch.run())
    await asyncio.sleep(1)
    until = scene.clock.now() + timedelta(minutes=10)
    for number in (1, 2):
        scene.pool.put(account(number).resting(RestReason.RATE_LIMITED, scene.clock.now(), until=until))
    await asyncio.sleep(2 * LOOK_EVERY_S)
    assert scene.kinds == [(NoticeKind.TIER_EMPTY, "tier pro")]
    await asyncio.sleep(600)
    assert scene.kinds[1:] == [(NoticeKind.TIER_SERVED, "tier pro")]
    assert scene.told[1].facts == {"tier": "pro", "accounts": 2, "active": 2}
    running.cancel()


async def test_plan_that_lacks_one_kind_of_media_is_told_and_again_when_it_lacks_both() -> None:
    scene = Scene(account(1), account(2))
    await scene.watch.look()
    now = scene.clock.now()
    video = account().resting(RestReason.QUOTA, now, until=now + timedelta(hours=2), call=CallKind.VIDEO)
    both = video.resting(RestReason.ERROR_STREAK, now, until=now + timedelta(hours=1), call=CallKind.PICTURE)
    for rests in (video.rests, both.rests, video.rests, ()):
        for number in (1, 2):
            scene.pool.put(replace(account(number), rests=rests))
            await scene.watch.look()
            await scene.watch.look()
    assert [notice.sentence.partition(";")[0] for notice in scene.told] == [
        "None of 2 pro accounts can make videos now",
        "None of 2 pro accounts can work now",
        "None of 2 pro accounts can make videos now",
        "2 of 2 pro accounts can work again.",
    ]
    assert [(notice.kind, notice.facts.get("lacking")) for notice in scene.told] == [
        (NoticeKind.TIER_EMPTY, ["video"]),
        (NoticeKind.TIER_EMPTY, ["picture", "video"]),
        (NoticeKind.TIER_EMPTY, ["video"]),
        (NoticeKind.TIER_SERVED, None),
    ]
    assert len({notice.news for notice in scene.told[:2]}) == 2


async def test_kind_that_is_switched_off_for_all_is_not_lacking() -> None:
    scene = Scene(replace(account(1), capacity=Capacity(video=0)))
    await scene.watch.look()
    until = scene.clock.now() + timedelta(hours=1)
    scene.pool.put(scene.pool.get(1).resting(RestReason.QUOTA, scene.clock.now(), until=until, call=CallKind.VIDEO))  # type: ignore[union-attr]
    await scene.watch.look()
    assert scene.told == []


async def test_plan_that_the_operator_has_switched_off_is_no_trouble() -> None:
    scene = Scene(account(1))
    await scene.watch.look()
    scene.pool.put(account(1).resting(RestReason.MANUAL, scene.clock.now()))
    await scene.watch.look()
    assert scene.told == []


async def test_full_disk_is_told_once_until_a_result_is_kept_again() -> None:
    scene = Scene()
    full = replace(whole_generation(), state=State.FAILED, fault=Fault("storage_full", "No room."))
    other = replace(full, fault=Fault("upstream_error", "No."))
    done = replace(full, state=State.COMPLETED, fault=None)
    for ended in (full, full, other, done, done):
        scene.watch.ended(ended)
    told = [notice.kind.value for notice in scene.told if notice.kind.is_for_operators]
    assert told == ["disk.full", "disk.freed"]
    assert len(scene.told) == 7


async def test_every_accepted_generation_is_heard_of_when_it_ends(stage: Stage) -> None:
    heard: list[Any] = []
    stage.work.subscribe(heard.append)
    await stage.accounts(1)
    events = [event async for event in stage.events(PAINT)]
    await settle()
    (ended,) = heard
    assert ended.id == events[0].generation.id
    assert (ended.state, len(ended.results)) == (State.COMPLETED, 1)


async def test_end_is_told_only_when_somebody_wants_to_hear_of_it() -> None:
    told: list[Notice] = []
    wanted = {NoticeKind.GENERATION_FAILED}
    clock = VirtualClock()
    watch = WatchPool(AccountPool(MemorySlots(), clock), clock, Options, told.append, wanted.__contains__)
    watch.ended(whole_generation().changed(id="gen_1", state=State.COMPLETED))
    watch.ended(whole_generation().changed(id="gen_2", state=State.FAILED))
    assert [(notice.kind, notice.subject) for notice in told] == [(NoticeKind.GENERATION_FAILED, "gen_2")]


async def test_refused_generation_is_not_heard_of(stage: Stage) -> None:
    heard: list[Any] = []
    stage.work.subscribe(heard.append)
    try:
        await anext(stage.events(PAINT))
    except Exception:
        assert heard == []
    else:
        raise AssertionError("there is no account that could serve")


async def test_look_at_a_large_pool_lets_others_work_between() -> None:
    scene = Scene(*(account(number) for number in range(1, 5001)))
    turns, looking = 0, asyncio.create_task(scene.watch.look())
    while not looking.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 5

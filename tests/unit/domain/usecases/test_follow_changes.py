"""What the command line and other processes write is in memory within a second."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import pytest

from flow2api.domain.account import Account, RestReason
from flow2api.domain.errors import NoEligibleAccountError, StorageBusyError, UpstreamRateLimitedError
from flow2api.domain.generation import Finished
from flow2api.domain.ports.storage import Change
from flow2api.domain.usecases.follow_changes import FollowChanges
from flow2api.testing.planting import plant, plant_secrets
from tests.unit.domain.usecases.stage import PAINT, Stage, World, swap


class Heard:
    def __init__(self) -> None:
        self.what: list[str] = []

    async def keys(self) -> None:
        self.what.append("keys")

    async def options(self) -> None:
        self.what.append("options")

    async def proxies(self) -> None:
        self.what.append("proxies")

    async def webhooks(self) -> None:
        self.what.append("webhooks")


async def following(stage: Stage, heard: Heard | None = None, news: asyncio.Event | None = None) -> FollowChanges:
    heard = heard or Heard()
    follow = FollowChanges(
        stage.storage.changes,
        stage.storage.accounts,
        stage.pool,
        stage.credentials,
        stage.clock,
        reload_keys=heard.keys,
        reload_options=heard.options,
        reload_proxies=heard.proxies,
        reload_webhooks=heard.webhooks,
        with_unwritten=stage.tend.with_unwritten,
        news=news,
    )
    await follow.begin()
    return follow


async def test_new_account_serves_within_a_second(stage: Stage) -> None:
    running = asyncio.create_task((await following(stage)).run())
    other = Stage(stage.world)
    await other.account()
    await stage.clock.sleep(1.1)
    await stage.load()
    assert isinstance(await stage.end(PAINT), Finished)
    running.cancel()


async def test_disabled_and_removed_accounts_serve_no_more(stage: Stage) -> None:
    await stage.accounts(2)
    follow = await following(stage)
    await plant(stage.storage.accounts, stage.known(1).resting(RestReason.MANUAL, stage.clock.now()))
    await stage.storage.accounts.remove(2)
    await follow.catch_up()
    with pytest.raises(NoEligibleAccountError) as caught:
        await stage.all_events(PAINT)
    assert caught.value.reasons == {"manual": 1}
    assert len(stage.pool) == 1


async def test_new_session_token_is_used_and_an_edit_forgets_no_token() -> None:
    world = World()
    stage = Stage(world)
    await stage.accounts(1)
    follow = await following(stage)
    await plant(stage.storage.accounts, replace(stage.known(1), remark="edited"))
    await follow.catch_up()
    assert stage.known(1).remark == "edited"
    assert 1 in stage.credentials._held._bearers
    await plant_secrets(
        stage.storage.vault, replace(stage.known(1), access_expires_at=None), world.upstream.players[0].credentials
    )
    await follow.catch_up()
    assert 1 not in stage.credentials._held._bearers


async def test_keys_and_options_are_loaded_once_for_many_changes(stage: Stage) -> None:
    heard = Heard()
    follow = await following(stage, heard)
    for number in range(5):
        stage.tables.note("api_key", number)
        stage.tables.note("options", "policy")
        stage.tables.note("proxy", 1)
        stage.tables.note("webhook", 1)
    await follow.catch_up()
    await follow.catch_up()
    assert heard.what == ["keys", "options", "proxies", "webhooks"]


async def test_own_changes_are_not_read_again(stage: Stage) -> None:
    await stage.accounts(1)
    follow = await following(stage)

    async def since(number: int, limit: int = 1000) -> list[Change]:
        return [] if number else [Change(1, "account", "1", is_own=True), Change(2, "api_key", "1", is_own=True)]

    swap(stage.storage.changes, since=since)
    follow._seen = 0
    swap(stage.storage.accounts, get=None)
    await follow.catch_up()
    assert follow._seen == 2


async def test_what_this_process_writes_meanwhile_is_not_overwritten_by_an_older_reading(stage: Stage) -> None:
    await stage.accounts(1)
    follow = await following(stage)
    original = stage.storage.accounts.some
    await plant(stage.storage.accounts, replace(stage.known(1), remark="theirs"))
    readings = list[Sequence[int]]()

    async def interrupted(account_ids: Sequence[int]) -> Mapping[int, Account]:
        found = await original(account_ids)
        readings.append(account_ids)
        if len(readings) == 1:
            await stage.tend.change(1, lambda one: replace(one, name="ours"))
        return found

    swap(stage.storage.accounts, some=interrupted)
    await follow.catch_up()
    assert (stage.known(1).remark, stage.known(1).name) == ("theirs", "ours")
    assert len(readings) >= 2


async def test_what_could_not_be_written_stays_when_others_have_written_something_else(stage: Stage) -> None:
    await stage.accounts(1)
    follow = await following(stage)
    original = stage.storage.accounts.change

    async def refusing(account_id: int, change: object) -> None:
        raise StorageBusyError("locked")

    swap(stage.storage.accounts, change=refusing)
    await stage.tend.went_wrong(1, UpstreamRateLimitedError("too fast", retry_after_s=600), PAINT)
    swap(stage.storage.accounts, change=original)
    await original(1, lambda one: replace(one, remark="theirs"))
    await follow.catch_up()
    known = stage.known(1)
    assert (known.remark, [rest.reason for rest in known.rests]) == ("theirs", [RestReason.RATE_LIMITED])
    await stage.tend.change(1, lambda one: one)
    assert stage.tables.accounts[1] == known


async def test_change_whose_writing_fails_while_an_older_reading_comes_in_is_known_after_all(stage: Stage) -> None:
    await stage.accounts(1)
    follow = await following(stage)
    original = stage.storage.accounts.change
    await original(1, lambda one: replace(one, remark="theirs"))

    async def refusing(account_id: int, change: object) -> None:
        await follow.catch_up()
        raise StorageBusyError("locked")

    swap(stage.storage.accounts, change=refusing)
    await stage.tend.went_wrong(1, UpstreamRateLimitedError("too fast", retry_after_s=600), PAINT)
    known = stage.known(1)
    assert (known.remark, [rest.reason for rest in known.rests]) == ("theirs", [RestReason.RATE_LIMITED])


async def test_account_that_was_removed_while_its_change_could_not_be_written_stays_removed(stage: Stage) -> None:
    await stage.accounts(1)
    follow = await following(stage)

    async def refusing(account_id: int, change: object) -> None:
        await stage.storage.accounts.remove(1)
        await follow.catch_up()
        raise StorageBusyError("locked")

    swap(stage.storage.accounts, change=refusing)
    await stage.tend.went_wrong(1, UpstreamRateLimitedError("too fast"), PAINT)
    assert stage.pool.get(1) is None


async def test_what_this_process_writes_while_others_have_their_turn_is_not_overwritten(stage: Stage) -> None:
    await stage.accounts(30)
    follow = await following(stage)
    for number in range(1, 31):
        await plant(stage.storage.accounts, replace(stage.known(number), remark="theirs"))
    original = stage.storage.accounts.some
    changing = list[asyncio.Task[object]]()

    async def some(account_ids: Sequence[int]) -> Mapping[int, Account]:
        found = await original(account_ids)
        changing.append(asyncio.create_task(stage.tend.change(30, lambda one: replace(one, name="ours"))))
        swap(stage.storage.accounts, some=original)
        return found

    swap(stage.storage.accounts, some=some)
    await follow.catch_up()
    await asyncio.gather(*changing)
    assert (stage.known(30).remark, stage.known(30).name) == ("theirs", "ours")
    assert {stage.known(number).remark for number in range(1, 31)} == {"theirs"}


async def test_database_that_fails_for_a_moment_is_read_again(stage: Stage) -> None:
    await stage.accounts(1)
    follow = await following(stage)
    running = asyncio.create_task(follow.run())
    original = stage.storage.changes.since

    async def refusing(number: int, limit: int = 1000) -> list[Change]:
        raise StorageBusyError("locked")

    swap(stage.storage.changes, since=refusing)
    await plant(stage.storage.accounts, replace(stage.known(1), remark="edited"))
    await stage.clock.sleep(10)
    swap(stage.storage.changes, since=original)
    await stage.clock.sleep(2)
    assert stage.known(1).remark == "edited"
    running.cancel()


async def test_more_changes_than_fit_in_one_reading_are_all_taken_in_by_few_and_with_turns_for_others(
    stage: Stage,
) -> None:
    follow = await following(stage)
    other = Stage(stage.world)
    for _ in range(1500):
        await other.cold_account(other.upstream.players[0] if other.upstream.players else None)
    original = stage.storage.accounts.some
    readings, turns = list[int](), list[int]()

    async def some(account_ids: Sequence[int]) -> Mapping[int, Account]:
        readings.append(len(account_ids))
        return await original(account_ids)

    async def look() -> None:
        while True:
            turns.append(len(stage.pool))
            await asyncio.sleep(0)

    swap(stage.storage.accounts, some=some, get=None)
    looking = asyncio.create_task(look())
    await follow.catch_up()
    looking.cancel()
    assert len(stage.pool) == 1500
    assert readings == [1000, 500]
    assert max(after - before for before, after in pairwise([*turns, 1500])) <= 20

"""Accounts with API keys live as the others do: they are proved, looked at once a day, rested once when refused."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.account import Account, AccountStatus, Credentials, Cure, RestReason, Tier
from flow2api.domain.audit import Actor
from flow2api.domain.generation import Failed, Finished
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.change_account import AccountChange, ChangeAccount
from flow2api.domain.usecases.follow_changes import FollowChanges
from flow2api.domain.usecases.watch_pool import WatchPool
from flow2api.testing.factories import picture_spec, video_spec
from flow2api.testing.planting import plant, plant_secrets
from tests.unit.domain.usecases.stage import KINDS, Stage, World, swap

ADA = Actor(name="ada", door="command_line")
HOME, NEW_HOME = "https://media.example.org/v1", "https://new.example.org/v1"
HOUR = 3600.0
KEYED_PAINT, HOST_FILM = picture_spec("keyed-paint", upstream="keyed"), video_spec("host-film", upstream="hosts")


@pytest.fixture
async def kept(stage: Stage) -> AsyncIterator[Stage]:
    """A stage whose keeper is at work."""
    keeping = asyncio.create_task(stage.warm.run())
    yield stage
    assert not keeping.done()
    keeping.cancel()


async def nothing() -> None:
    """There is nothing else to be read again."""


async def followed(stage: Stage) -> FollowChanges:
    follow = FollowChanges(
        stage.storage.changes,
        stage.storage.accounts,
        stage.pool,
        stage.credentials,
        stage.clock,
        reload_keys=nothing,
        reload_options=nothing,
    )
    await follow.begin()
    return follow


def change_of(stage: Stage) -> ChangeAccount:
    return ChangeAccount(stage.storage.accounts, stage.storage.vault, stage.clock, KINDS)


async def test_keeper_proves_a_key_and_has_the_account_ready(kept: Stage) -> None:
    kept.world.keyed.add_key("k1")
    kept.world.hosts.add_key("k2", HOME)
    await kept.key_account("k1")
    await kept.key_account("k2", HOME)
    await kept.clock.sleep(5)

    for account in kept.pool:
        assert account.is_warm
        assert (account.tier, account.credits, account.email, account.workspace) == (Tier.FREE, None, None, "default")
        assert kept.tables.accounts[account.id] == account
    assert kept.tables.credentials[1].access_token == kept.tables.credentials[1].session_token == Secret("k1")
    assert kept.world.hosts.asked == [("k2", HOME)]
    assert isinstance(await kept.end(KEYED_PAINT), Finished)
    assert isinstance(await kept.end(HOST_FILM), Finished)


async def test_key_is_looked_at_once_a_day_whatever_keeps_sessions_alive(kept: Stage) -> None:
    kept.configure(session_keepalive_h=1.0)
    kept.world.keyed.add_key("k1")
    await kept.key_account("k1")
    await kept.clock.sleep(5)
    assert kept.world.keyed.count("exchange") == 1

    await kept.clock.sleep(22 * HOUR)
    assert kept.world.keyed.count("exchange") == 1
    await kept.clock.sleep(2 * HOUR)
    assert kept.world.keyed.count("exchange") == 2
    await kept.clock.sleep(5 * 24 * HOUR)
    assert 6 <= kept.world.keyed.count("exchange") <= 8


async def test_wrong_key_rests_the_account_and_is_never_tried_again(kept: Stage) -> None:
    told: list[str] = []
    watch = WatchPool(kept.pool, kept.clock, lambda: kept.options, lambda one: told.append(one.sentence), kinds=KINDS)
    watch.begin()
    await kept.key_account("wrong", name="studio")
    await kept.key_account("wrong too", HOME)
    await kept.clock.sleep(30 * 24 * HOUR)

    assert [one.status(kept.clock.now()) for one in kept.pool] == [AccountStatus.SUSPENDED] * 2
    assert [rest.reason for one in kept.pool for rest in one.rests] == [RestReason.AUTH_EXPIRED] * 2
    assert (kept.world.keyed.count("exchange"), kept.world.hosts.count("exchange")) == (1, 1)
    why = "its API key is refused. Give it a new one (The API key is not accepted.)."
    assert told == [f"Account 1 (studio) does not work: {why}", f"Account 2 (hosts) does not work: {why}"]
    with pytest.raises(tree.NoEligibleAccountError) as caught:
        await kept.all_events(KEYED_PAINT)
    assert caught.value.reasons == {"auth_expired": 1}
    with pytest.raises(tree.CredentialRevokedError, match=r"The account's API key was refused; give it a new one\."):
        await kept.credentials.renew(1)
    assert kept.world.keyed.count("exchange") == 1


async def test_wrong_key_is_left_alone_by_a_process_that_starts(stage: Stage) -> None:
    await stage.key_account("wrong")
    with pytest.raises(tree.CredentialRevokedError):
        await stage.warm.warm(1)
    other = Stage(stage.world)
    keeping = asyncio.create_task(other.warm.run())
    await other.load()
    await other.clock.sleep(2 * 24 * HOUR)
    assert stage.world.keyed.count("exchange") == 1
    keeping.cancel()


async def test_key_that_is_withdrawn_is_found_within_a_day(kept: Stage) -> None:
    player = kept.world.keyed.add_key("k1")
    await kept.key_account("k1")
    await kept.clock.sleep(5)
    player.is_revoked = True
    await kept.clock.sleep(24 * HOUR)

    assert kept.known(1).rest_of(RestReason.AUTH_EXPIRED) is not None
    assert kept.world.keyed.count("exchange") == 2


async def test_new_key_cures(kept: Stage) -> None:
    follow = await followed(kept)
    account = await kept.key_account("wrong")
    await kept.clock.sleep(60)
    kept.world.keyed.add_key("k1")

    await change_of(kept)(kept.tables.accounts[account.id], AccountChange(session_token=Secret("k1")), ADA)
    await follow.catch_up()
    await kept.clock.sleep(60)

    assert kept.known(1).rests == ()
    assert isinstance(await kept.end(KEYED_PAINT), Finished)
    assert kept.tables.audit[-1].details["after"] == {"api_key": "new"}


async def test_new_key_may_be_entitled_to_what_the_former_was_not(stage: Stage) -> None:
    account = await stage.key_account("k1", HOME)
    rested = account.resting(RestReason.NO_ACCESS, stage.clock.now(), model="host-film")
    await plant(stage.storage.accounts, rested)

    assert (await change_of(stage)(rested, AccountChange(session_token=Secret("k2")), ADA)).rests == ()
    moved = AccountChange(session_token=Secret("k3"), base_url=NEW_HOME)
    limited = rested.resting(RestReason.RATE_LIMITED, stage.clock.now())
    assert (await change_of(stage)(limited, moved, ADA)).rests == ()


async def test_service_that_fails_is_no_wrong_key(kept: Stage) -> None:
    kept.world.keyed.add_key("k1")
    kept.world.keyed.fail("exchange", tree.UpstreamTimeoutError("slow"), times=3)
    await kept.key_account("k1")
    await kept.clock.sleep(2 * HOUR)
    assert kept.known(1).is_warm
    assert kept.known(1).rests == ()


async def test_key_that_is_proved_and_yet_refused_rests_the_account_after_one_proof(stage: Stage) -> None:
    stage.world.keyed.add_key("k1")
    await stage.key_account("k1")
    await stage.warm.warm(1)
    stage.world.keyed.refused.add("k1")

    end = await stage.end(KEYED_PAINT)

    assert isinstance(end, Failed)
    rest = stage.known(1).rest_of(RestReason.AUTH_EXPIRED)
    assert rest is not None
    assert rest.why == "The service refuses the account's API key for what it is to do; give the account another key."
    assert stage.world.keyed.count("exchange") == 2


async def test_key_that_is_refused_by_the_call_after_a_proof_is_told_as_one(stage: Stage) -> None:
    stage.world.keyed.add_key("k1")
    await stage.key_account("k1")
    await stage.warm.warm(1)
    calls = 0

    async def refused(access: object) -> None:
        nonlocal calls
        calls += 1
        stage.world.keyed.players[0].session_tokens[0] = "k2"
        await plant_secrets(stage.storage.vault, stage.known(1), Credentials(Secret("k2")))
        raise tree.CredentialExpiredError("no")

    with pytest.raises(tree.CredentialRevokedError, match="give the account another key") as caught:
        await stage.credentials.call(stage.known(1), refused)
    assert caught.value.after_renewal
    assert calls == 2


async def test_key_that_is_refused_while_a_video_is_made_is_shown_no_more(stage: Stage) -> None:
    stage.world.hosts.add_key("k1", HOME)
    account = await stage.key_account("k1", HOME)
    await stage.warm.warm(account.id)
    stage.world.hosts.fail("poll", tree.CredentialRevokedError("withdrawn"), times=1000)

    making = asyncio.create_task(stage.end(HOST_FILM))
    await stage.clock.sleep(600)
    assert stage.known(account.id).rest_of(RestReason.AUTH_EXPIRED) is not None
    assert stage.world.hosts.count("poll") == 1

    stage.world.hosts.faults.clear()
    await stage.tend.change(account.id, lambda one: one.cured(Cure.NEW_CREDENTIAL))
    assert isinstance(await making, Finished)


async def test_service_that_refuses_every_key_is_not_taken_for_wrong_keys(stage: Stage) -> None:
    for number in range(6):
        stage.world.keyed.add_key(f"k{number}")
        account = await stage.key_account(f"k{number}")
        await stage.warm.warm(account.id)
    stage.world.keyed.refused = {f"k{number}" for number in range(6)}
    await asyncio.gather(*(stage.end(KEYED_PAINT) for _ in range(6)), return_exceptions=True)
    stage.world.keyed.refused.clear()
    await stage.clock.sleep(HOUR)
    assert isinstance(await stage.end(KEYED_PAINT), Finished)


class TestMovedHost:
    async def moved(self, stage: Stage) -> Account:
        """An account that another process has given another host and key, before this one has heard of it."""
        stage.world.hosts.add_key("k1", HOME)
        stage.world.hosts.add_key("k2", NEW_HOME)
        account = await stage.key_account("k1", HOME)
        await stage.warm.warm(account.id)
        stage.world.hosts.asked.clear()
        change = AccountChange(session_token=Secret("k2"), base_url=NEW_HOME)
        return await change_of(stage)(stage.tables.accounts[account.id], change, ADA)

    async def test_new_key_never_goes_to_the_former_host(self, stage: Stage) -> None:
        moved = await self.moved(stage)

        await stage.credentials.renew(moved.id, force=True)

        assert stage.world.hosts.asked == [("k2", NEW_HOME)]
        access = await stage.credentials.access(stage.known(moved.id))
        assert (access.access_token, access.base_url) == (Secret("k2"), NEW_HOME)

    async def test_same_key_at_another_host_is_proved_there(self, stage: Stage) -> None:
        player = stage.world.hosts.add_key("k1", HOME)
        account = await stage.key_account("k1", HOME)
        await stage.warm.warm(account.id)
        stage.world.hosts.homes[player.email] = NEW_HOME
        follow = await followed(stage)
        change = AccountChange(session_token=Secret("k1"), base_url=NEW_HOME)
        await change_of(stage)(stage.tables.accounts[account.id], change, ADA)
        await follow.catch_up()

        assert stage.known(account.id).access_expires_at is None
        assert isinstance(await stage.end(HOST_FILM), Finished)
        assert stage.world.hosts.asked == [("k1", HOME), ("k1", NEW_HOME)]

    @pytest.mark.parametrize("is_refused", [False, True])
    async def test_proof_of_the_former_host_is_moot(self, stage: Stage, is_refused: bool) -> None:
        former = stage.world.hosts.add_key("k1", HOME)
        stage.world.hosts.add_key("k1", NEW_HOME)
        account = await stage.key_account("k1", HOME)
        await stage.warm.warm(account.id)
        former.is_revoked = is_refused
        stage.world.hosts.asked.clear()
        gate = stage.world.hosts.hold("exchange")
        renewing = asyncio.create_task(stage.credentials.renew(account.id, force=True))
        await stage.clock.sleep(0.1)
        change = AccountChange(session_token=Secret("k1"), base_url=NEW_HOME)
        await change_of(stage)(stage.tables.accounts[account.id], change, ADA)
        gate.set()
        await renewing

        assert stage.world.hosts.asked == [("k1", HOME), ("k1", NEW_HOME)]
        assert stage.known(account.id).base_url == stage.tables.accounts[account.id].base_url == NEW_HOME
        assert stage.known(account.id).rests == ()

    async def test_account_that_is_gone_is_not_proved(self, stage: Stage) -> None:
        account = await stage.key_account("k1", HOME)
        original = stage.storage.vault.read

        async def removed(account_id: int) -> Credentials | None:
            kept = await original(account_id)
            await stage.storage.accounts.remove(account_id)
            return kept

        swap(stage.storage.vault, read=removed)
        with pytest.raises(tree.CredentialRevokedError, match="removed"):
            await stage.credentials.renew(account.id)
        assert stage.world.hosts.asked == []

    async def test_database_that_does_not_tell_moves_nobody(self, stage: Stage) -> None:
        stage.world.hosts.add_key("other", HOME)
        account = await stage.key_account("k1", HOME)
        original = stage.world.hosts.exchange

        async def refused(*args: Any) -> Any:
            swap(stage.storage.accounts, get=locked)
            return await original(*args)

        async def locked(account_id: int) -> Account | None:
            raise tree.StorageBusyError("locked")

        swap(stage.world.hosts, exchange=refused)
        with pytest.raises(tree.CredentialRevokedError):
            await stage.credentials.renew(account.id)
        assert stage.known(account.id).rest_of(RestReason.AUTH_EXPIRED) is not None


async def test_new_base_url_needs_the_key_again(stage: Stage) -> None:
    account, change = await stage.key_account("k1", HOME), change_of(stage)

    with pytest.raises(tree.UnsupportedInputError, match="needs the API key again") as caught:
        await change(account, AccountChange(base_url=NEW_HOME), ADA)
    assert caught.value.param == "api_key"
    assert await change(account, AccountChange(base_url=HOME), ADA) == account


async def test_account_that_has_no_base_url_gets_none(stage: Stage) -> None:
    account = await stage.key_account("k1")

    with pytest.raises(tree.UnsupportedInputError, match="has no base URL"):
        await change_of(stage)(account, AccountChange(session_token=Secret("k2"), base_url=HOME), ADA)


async def test_key_of_another_account_at_the_same_host_is_a_conflict(stage: Stage) -> None:
    await stage.key_account("k1")
    account = await stage.key_account("k2", HOME)
    await stage.key_account("k3", HOME)

    with pytest.raises(tree.ConflictError, match="The account 3 has this API key already"):
        await change_of(stage)(account, AccountChange(session_token=Secret("k3")), ADA)
    changed = await change_of(stage)(account, AccountChange(session_token=Secret("k1")), ADA)
    assert changed.place == ("hosts", HOME)


async def test_account_cannot_move_to_where_another_one_has_its_key(stage: Stage) -> None:
    await stage.key_account("k1", NEW_HOME)
    account = await stage.key_account("k1", HOME)

    with pytest.raises(tree.ConflictError, match="The account 1 has this API key already"):
        await change_of(stage)(account, AccountChange(session_token=Secret("k1"), base_url=NEW_HOME), ADA)


async def test_cured_by_hand_is_tried_once_more() -> None:
    stage = Stage(World())
    keeping = asyncio.create_task(stage.warm.run())
    await stage.key_account("wrong")
    await stage.clock.sleep(60)
    await stage.tend.change(1, lambda one: one.cured(Cure.NEW_CREDENTIAL))
    await stage.clock.sleep(24 * HOUR)
    assert stage.world.keyed.count("exchange") == 2
    assert stage.known(1).rest_of(RestReason.AUTH_EXPIRED) is not None
    keeping.cancel()


async def test_keys_age_is_what_the_service_says(stage: Stage) -> None:
    """A service may vouch for a key for less than a day; it is proved before that is over."""
    stage.world.keyed.access_life = timedelta(hours=6)
    stage.world.keyed.add_key("k1")
    account = await stage.key_account("k1")
    await stage.warm.warm(account.id)
    due = stage.warm._next_visit(stage.known(account.id))
    assert timedelta(hours=4) < due - stage.clock.now() < timedelta(hours=6)
    unknown = replace(stage.known(account.id), access_obtained_at=None)
    assert stage.warm._next_visit(unknown) < stage.clock.now() + timedelta(hours=6)


async def test_key_whose_account_moves_while_its_proof_is_stored_is_proved_at_its_new_host(stage: Stage) -> None:
    for home in (HOME, NEW_HOME):
        stage.world.hosts.add_key("k1", home)
    await stage.key_account("k1", HOME)
    original = stage.storage.vault.write

    async def moving(*args: Any, **named: Any) -> object:
        swap(stage.storage.vault, write=original)
        await change_of(stage)(
            stage.tables.accounts[1], AccountChange(base_url=NEW_HOME, session_token=Secret("k1")), ADA
        )
        return await original(*args, **named)

    swap(stage.storage.vault, write=moving)
    await stage.credentials.renew(1)

    assert stage.world.hosts.asked == [("k1", HOME), ("k1", NEW_HOME)]
    assert stage.tables.accounts[1].base_url == NEW_HOME
    assert stage.known(1) == stage.tables.accounts[1]
    assert stage.credentials.is_ready(1)

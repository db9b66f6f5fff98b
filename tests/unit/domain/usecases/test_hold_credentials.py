"""Tokens in memory, and the ones that a busy database did not take yet: none is lost, none takes the place of a newer one."""

import asyncio
from dataclasses import replace

from flow2api.domain import errors as tree
from flow2api.domain.account import Credentials
from flow2api.domain.secret import Secret
from flow2api.testing.planting import plant_secrets
from tests.unit.domain.usecases.stage import PAINT, Stage, World, swap


async def test_session_token_read_while_it_is_rotated_is_not_held(stage: Stage) -> None:
    await stage.accounts(1)
    original, gate = stage.storage.vault.write, asyncio.Event()

    async def slow(*args: object, **named: object) -> object:
        await gate.wait()
        return await original(*args, **named)  # type: ignore[arg-type]

    swap(stage.storage.vault, write=slow)
    renewing = asyncio.create_task(stage.credentials.renew(1, force=True))
    await stage.clock.sleep(1)
    early = await stage.credentials.access(stage.known(1), with_session=True)
    gate.set()
    await renewing
    late = await stage.credentials.access(stage.known(1), with_session=True)
    assert early.session_token != late.session_token == stage.tables.credentials[1].session_token


async def test_load_takes_what_is_fresh_into_memory() -> None:
    world = World()
    first = Stage(world)
    await first.accounts(3)
    second = Stage(world)
    await second.load()
    await asyncio.gather(*(second.made(PAINT) for _ in range(9)))
    assert world.upstream.count("exchange") == 0


async def test_few_session_tokens_are_held_in_memory(stage: Stage) -> None:
    swap(stage.storage.vault, read=lambda account_id: _credentials(account_id))
    for number in range(600):
        assert await stage.credentials._held.session(number) == Secret(str(number))
    assert len(stage.credentials._held._sessions) == 512
    assert 599 in stage.credentials._held._sessions


async def _credentials(account_id: int) -> Credentials:
    return Credentials(Secret(str(account_id)))


class TestBusyDatabase:
    async def test_rotated_token_is_used_from_memory_and_written_when_it_can_be(self, stage: Stage) -> None:
        await stage.accounts(1)
        stage.tables.fault = tree.StorageBusyError("locked")
        await stage.credentials.renew(1, force=True)
        player = stage.upstream.players[0]
        rotated = player.session_tokens[-1]
        player.session_tokens = [rotated]
        assert stage.tables.credentials[1].session_token.reveal() != rotated
        access = await stage.credentials.access(stage.known(1), with_session=True)
        assert access.session_token == Secret(rotated)
        await stage.credentials.renew(1, force=True)
        await stage.clock.sleep(100)
        stage.tables.fault = None
        await stage.clock.sleep(60)
        assert stage.tables.credentials[1].session_token.reveal() == player.session_tokens[-1]
        assert stage.tables.accounts[1].access_expires_at == stage.known(1).access_expires_at
        assert not stage.credentials._held._unwritten
        assert not stage.credentials._held._writers

    async def test_later_write_makes_the_delayed_one_needless(self, stage: Stage) -> None:
        await stage.accounts(1)
        stage.tables.fault = tree.StorageBusyError("locked")
        await stage.credentials.renew(1, force=True)
        stage.tables.fault = None
        await stage.credentials.renew(1, force=True)
        writes = stage.tables.writes
        await stage.clock.sleep(60)
        assert stage.tables.writes == writes
        assert not stage.credentials._held._writers

    async def test_session_token_that_an_operator_gives_meanwhile_is_not_overwritten(self, stage: Stage) -> None:
        await stage.accounts(1)
        stage.tables.fault = tree.StorageBusyError("locked")
        await stage.credentials.renew(1, force=True)
        stage.tables.fault = None
        new = Secret("new-".ljust(240, "n"))
        await plant_secrets(stage.storage.vault, stage.tables.accounts[1], Credentials(new))
        stage.credentials.forget(1)
        await stage.clock.sleep(60)
        assert stage.tables.credentials[1].session_token == new
        assert not stage.credentials._held._writers

    async def test_session_token_that_another_process_gives_meanwhile_is_not_overwritten(self, stage: Stage) -> None:
        await stage.accounts(1)
        stage.tables.fault = tree.StorageBusyError("locked")
        await stage.credentials.renew(1, force=True)
        stage.tables.fault = None
        new = Secret("new-".ljust(240, "n"))
        await plant_secrets(stage.storage.vault, stage.tables.accounts[1], Credentials(new))
        await stage.clock.sleep(60)
        assert stage.tables.credentials[1].session_token == new

    async def test_account_removed_meanwhile_is_not_written(self, stage: Stage) -> None:
        await stage.accounts(1)
        stage.tables.fault = tree.StorageBusyError("locked")
        await stage.credentials.renew(1, force=True)
        stage.tables.fault = None
        await stage.storage.accounts.remove(1)
        await stage.clock.sleep(60)
        assert 1 not in stage.tables.credentials

    async def test_database_that_does_not_even_tell_the_account_stops_nobody(self, stage: Stage) -> None:
        await stage.accounts(1)
        original = stage.storage.accounts.get

        async def refusing(account_id: int) -> None:
            raise tree.StorageBusyError("locked")

        swap(stage.storage.accounts, get=refusing)
        await stage.clock.sleep(24 * 3600)
        await stage.credentials.renew(1)
        stage.pool.remove(1)
        assert (await stage.credentials.access(stage.tables.accounts[1])).access_token is not None
        swap(stage.storage.accounts, get=original)

    async def test_session_token_that_cannot_be_compared_is_taken_as_unchanged(self, stage: Stage) -> None:
        await stage.accounts(1)
        original, reads = stage.storage.vault.read, list[int]()

        async def once(account_id: int) -> Credentials | None:
            reads.append(account_id)
            if len(reads) > 1:
                raise tree.StorageBusyError("locked")
            return await original(account_id)

        swap(stage.storage.vault, read=once)
        await stage.credentials.renew(1, force=True)
        swap(stage.storage.vault, read=original)
        assert stage.tables.credentials[1].session_token.reveal() == stage.upstream.players[0].session_tokens[-1]


async def test_renewal_during_a_delayed_write_is_written_too(stage: Stage) -> None:
    await stage.accounts(1)
    stage.tables.fault = tree.StorageBusyError("locked")
    await stage.credentials.renew(1, force=True)
    stage.tables.fault = None
    original, gate = stage.storage.vault.write, asyncio.Event()
    waiting = stage.credentials._held._unwritten[1]
    newest = replace(waiting, exchanged=replace(waiting.exchanged, name="newest"))

    async def slow(*args: object, **named: object) -> object:
        await gate.wait()
        return await original(*args, **named)  # type: ignore[arg-type]

    swap(stage.storage.vault, write=slow)
    await stage.clock.sleep(2)
    stage.credentials._held._unwritten[1] = newest
    gate.set()
    await stage.clock.sleep(0.1)
    assert [one.exchanged for one in stage.credentials._held._unwritten.values()] == [newest.exchanged]
    await stage.clock.sleep(60)
    assert not stage.credentials._held._unwritten
    assert stage.tables.credentials[1] == newest.exchanged.credentials


async def test_account_that_is_gone_from_memory_is_not_put_back_by_a_write_that_fails(stage: Stage) -> None:
    await stage.accounts(1)
    gate = stage.upstream.hold("exchange")
    renewing = asyncio.create_task(stage.credentials.renew(1, force=True))
    await stage.clock.sleep(1)
    stage.pool.remove(1)
    stage.tables.fault = tree.StorageBusyError("locked")

    async def refusing(account_id: int) -> None:
        raise tree.StorageBusyError("locked")

    swap(stage.storage.accounts, get=refusing)
    gate.set()
    await renewing
    assert stage.pool.get(1) is None
    stage.credentials._held._writers[1].cancel()


async def test_delayed_write_that_comes_too_late_gives_the_newer_session_a_chance(stage: Stage) -> None:
    await stage.accounts(1)
    stage.tables.fault = tree.StorageBusyError("locked")
    await stage.credentials.renew(1, force=True)
    stage.tables.fault = None
    player = stage.upstream.players[0]
    player.session_tokens.append("new-".ljust(240, "n"))
    await plant_secrets(stage.storage.vault, stage.tables.accounts[1], player.credentials)
    await stage.clock.sleep(60)
    assert not stage.credentials.is_ready(1)
    await stage.made(PAINT)

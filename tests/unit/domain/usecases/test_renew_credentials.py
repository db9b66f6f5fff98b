"""Access tokens: in memory when they are fresh, renewed once for all, given up only on a refusal."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.account import Credentials, RestReason
from flow2api.domain.generation import Failed, Finished
from flow2api.domain.ports.upstream import Access, Allowance, Exchanged
from flow2api.domain.secret import Secret
from flow2api.testing.fakes.players import FakeCall
from flow2api.testing.planting import plant_secrets
from tests.unit.domain.usecases.stage import PAINT, Stage, swap


async def test_fresh_token_needs_neither_database_nor_exchange(stage: Stage) -> None:
    (account,) = await stage.accounts(1)
    read = list[int]()

    async def noted(account_id: int) -> Credentials:
        read.append(account_id)
        return stage.tables.credentials[account_id]

    swap(stage.storage.vault, read=noted)
    access = await stage.credentials.access(account)
    assert (access.account_id, access.workspace, access.session_token) == (1, account.workspace, None)
    assert (read, stage.upstream.calls) == ([], [])


async def test_hundred_requests_on_an_expired_token_exchange_it_once(stage: Stage) -> None:
    await stage.accounts(1)
    await stage.clock.sleep(24 * 3600)
    ends = await asyncio.gather(*(stage.end(PAINT) for _ in range(100)))
    assert all(isinstance(end, Finished) for end in ends)
    assert stage.upstream.count("exchange") == 1


async def test_hundred_requests_on_a_refused_token_exchange_it_once(stage: Stage) -> None:
    await stage.accounts(1)
    stage.upstream.players[0].kill_access_tokens()
    ends = await asyncio.gather(*(stage.end(PAINT) for _ in range(100)))
    assert all(isinstance(end, Finished) for end in ends)
    assert stage.upstream.count("exchange") == 1
    assert stage.known(1).streak == 0


async def test_token_that_is_refused_even_after_a_renewal_rests_the_account(stage: Stage) -> None:
    await stage.accounts(2)
    stage.upstream.fail("produce", tree.CredentialExpiredError("401"), account_id=1, times=None)
    end = await stage.end(PAINT)
    assert isinstance(end, Finished)
    assert end.generation.account_id == 2
    assert (stage.upstream.count("produce", 1), stage.upstream.count("exchange")) == (2, 1)
    assert stage.known(1).rest_of(RestReason.AUTH_EXPIRED) is not None
    assert stage.tables.accounts[1].rest_of(RestReason.AUTH_EXPIRED) is not None


async def test_refused_session_is_called_once_and_then_left_alone(stage: Stage) -> None:
    await stage.accounts(1)
    stage.upstream.players[0].is_revoked = True
    stage.upstream.players[0].kill_access_tokens()
    ends = await asyncio.gather(*(stage.end(PAINT) for _ in range(20)))
    assert all(isinstance(end, Failed) for end in ends)
    for _ in range(5):
        with pytest.raises(tree.NoEligibleAccountError):
            await stage.all_events(PAINT)
        with pytest.raises(tree.CredentialRevokedError):
            await stage.credentials.renew(1, force=True)
    assert stage.upstream.count("exchange") == 1


async def test_rotated_session_token_is_kept_and_used(stage: Stage) -> None:
    await stage.accounts(1)
    before = stage.tables.credentials[1].session_token
    await stage.credentials.renew(1, force=True)
    rotated = stage.tables.credentials[1].session_token
    assert rotated != before
    stage.upstream.players[0].session_tokens = [rotated.reveal()]
    await stage.credentials.renew(1, force=True)
    access = await stage.credentials.access(stage.known(1), with_session=True)
    assert access.session_token == stage.tables.credentials[1].session_token


async def test_transient_failure_keeps_the_token_that_is_still_valid(stage: Stage) -> None:
    (account,) = await stage.accounts(1)
    stage.upstream.fail("exchange", tree.UpstreamUnavailableError("down", reached=False), times=None)
    with pytest.raises(tree.UpstreamUnavailableError):
        await stage.credentials.renew(1, force=True)
    assert (await stage.credentials.access(account)).access_token is not None
    assert stage.known(1).rests == ()


async def test_token_within_seconds_of_its_end_is_renewed_before_use(stage: Stage) -> None:
    (account,) = await stage.accounts(1)
    await stage.clock.sleep(24 * 3600 - 20)
    await stage.credentials.access(account)
    assert stage.upstream.count("exchange") == 1


def exchanging(stage: Stage, token: str, lives: timedelta) -> None:
    """Let every exchange bring this token."""

    async def exchange(credentials: Credentials, proxy: Secret | None) -> Exchanged:
        stage.upstream.calls.append(FakeCall("exchange", None))
        fresh = replace(credentials, access_token=Secret(token), expires_at=stage.clock.now() + lives, obtained_at=None)
        return Exchanged(fresh, None, None)

    swap(stage.upstream, exchange=exchange)


async def test_service_that_gives_a_token_which_is_nearly_over_is_taken_at_its_word(stage: Stage) -> None:
    account = await stage.account()
    exchanging(stage, "short", timedelta(seconds=10))
    await stage.clock.sleep(24 * 3600)
    stage.upstream.calls.clear()
    assert (await stage.credentials.access(account)).access_token == Secret("short")
    assert stage.upstream.count("exchange") == 1
    assert stage.known(1).access_obtained_at == stage.clock.now()


async def test_service_that_gives_dead_tokens_fails_without_blaming_the_session(stage: Stage) -> None:
    account = await stage.account()
    exchanging(stage, "dead", timedelta(seconds=-1))
    await stage.clock.sleep(24 * 3600)
    with pytest.raises(tree.UpstreamInvalidError):
        await stage.credentials.access(account)
    assert stage.known(1).rests == ()


async def test_service_that_keeps_giving_the_refused_token_needs_a_new_session(stage: Stage) -> None:
    account = await stage.account()
    exchanging(stage, "same", timedelta(hours=1))
    await stage.credentials.renew(1, force=True)

    async def refused(access: Access) -> None:
        raise tree.CredentialExpiredError("401")

    with pytest.raises(tree.CredentialRevokedError):
        await stage.credentials.call(account, refused)


async def test_joined_renewal_that_kept_a_refused_token_is_not_the_last_word(stage: Stage) -> None:
    (account,) = await stage.accounts(1)
    kept = stage.tables.credentials[1].access_token
    stage.upstream.players[0].kill_access_tokens()
    stage.credentials.forget(1)
    reading = asyncio.create_task(stage.credentials.access(account))
    refused = asyncio.create_task(stage.credentials.access(account, refused=kept))
    assert (await reading).access_token is not None
    assert (await refused).access_token not in (None, kept)
    assert stage.upstream.count("exchange") == 1


async def test_secrets_forgotten_while_somebody_waits_for_them_are_read_again(stage: Stage) -> None:
    (account,) = await stage.accounts(1)
    stage.credentials.forget(1)
    original = stage.storage.vault.read
    forgotten = list[int]()

    async def forgetting(account_id: int) -> Credentials | None:
        credentials = await original(account_id)
        if not forgotten:
            forgotten.append(account_id)
            asyncio.get_running_loop().call_soon(stage.credentials.forget, account_id)
        return credentials

    swap(stage.storage.vault, read=forgetting)
    assert (await stage.credentials.access(account)).access_token is not None


async def test_token_that_another_process_has_renewed_is_taken_from_the_database(stage: Stage) -> None:
    await stage.accounts(1)
    other = Stage(stage.world)
    await other.load()
    await other.clock.sleep(24 * 3600)
    await other.credentials.renew(1)
    await stage.credentials.renew(1)
    assert stage.upstream.count("exchange") == 1
    assert isinstance(await stage.end(PAINT), Finished)


@pytest.mark.parametrize("refused", [False, True])
async def test_session_token_replaced_during_an_exchange_wins(stage: Stage, refused: bool) -> None:
    await stage.accounts(1)
    player = stage.upstream.players[0]
    gate = stage.upstream.hold("exchange")
    renewing = asyncio.create_task(stage.credentials.renew(1, force=True))
    await stage.clock.sleep(1)
    new = Secret("new-".ljust(240, "n"))
    player.session_tokens = [new.reveal()] if refused else [*player.session_tokens, new.reveal()]
    player.rotates = False
    await plant_secrets(stage.storage.vault, replace(stage.known(1), access_expires_at=None), Credentials(new))
    gate.set()
    await renewing
    assert stage.tables.credentials[1].session_token == new
    assert stage.known(1).rests == ()
    assert stage.upstream.count("exchange") == 2


async def test_removed_account_has_no_access(stage: Stage) -> None:
    (account,) = await stage.accounts(1)
    await stage.storage.accounts.remove(1)
    stage.credentials.forget(1)
    with pytest.raises(tree.CredentialRevokedError):
        await stage.credentials.access(account)
    with pytest.raises(tree.CredentialRevokedError):
        await stage.credentials._held.session(1)


async def test_account_removed_during_an_exchange_is_not_brought_back(stage: Stage) -> None:
    await stage.accounts(1)
    gate = stage.upstream.hold("exchange")
    renewing = asyncio.create_task(stage.credentials.renew(1, force=True))
    await stage.clock.sleep(1)
    await stage.storage.accounts.remove(1)
    gate.set()
    with pytest.raises(tree.CredentialRevokedError):
        await renewing
    assert 1 not in stage.tables.accounts


async def test_whoever_leaves_does_not_end_the_exchange(stage: Stage) -> None:
    await stage.accounts(1)
    gate = stage.upstream.hold("exchange")
    tasks = [asyncio.create_task(stage.credentials.renew(1, force=True)) for _ in range(3)]
    await stage.clock.sleep(1)
    for task in tasks:
        task.cancel()
    gate.set()
    await stage.clock.sleep(1)
    assert stage.upstream.count("exchange") == 1
    assert stage.tables.credentials[1].session_token.reveal() == stage.upstream.players[0].session_tokens[-1]


async def test_plan_is_free_until_it_is_known(stage: Stage) -> None:
    account = await stage.cold_account()
    assert (await stage.credentials.access(account)).tier == 0

    async def allowance(access: Access) -> Allowance:
        return await stage.upstream.allowance(access)

    assert (await stage.credentials.call(account, allowance)).credits == 1000


async def test_service_that_gives_no_token_at_all_fails_for_now(stage: Stage) -> None:
    account = await stage.cold_account()

    async def empty(credentials: Credentials, proxy: Secret | None) -> Exchanged:
        return Exchanged(Credentials(credentials.session_token), None, None)

    swap(stage.upstream, exchange=empty)
    with pytest.raises(tree.UpstreamInvalidError):
        await stage.credentials.access(account)


async def test_renewal_that_is_cut_by_the_end_of_the_process_leaves_nothing(stage: Stage) -> None:
    await stage.accounts(1)
    stage.upstream.hold("exchange")
    waiting = asyncio.create_task(stage.credentials.renew(1, force=True))
    await stage.clock.sleep(1)
    stage.credentials._running[1].cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    assert not stage.credentials._running


async def test_session_token_that_is_replaced_all_the_time_ends_the_attempt(stage: Stage) -> None:
    await stage.accounts(1)
    original, reads = stage.storage.vault.read, list[int]()

    async def restless(account_id: int) -> Credentials | None:
        reads.append(account_id)
        kept = await original(account_id)
        return None if kept is None else replace(kept, session_token=Secret(f"{len(reads)}-".ljust(240, "x")))

    async def exchange(credentials: Credentials, proxy: Secret | None) -> Exchanged:
        return Exchanged(credentials, None, None)

    swap(stage.storage.vault, read=restless)
    swap(stage.upstream, exchange=exchange)
    await stage.credentials.renew(1, force=True)
    assert len(reads) == 4
    assert stage.known(1).rests == ()

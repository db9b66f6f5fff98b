import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest

from flow2api.domain.account import Account, Credentials, RestReason
from flow2api.domain.audit import Actor, AuditAction
from flow2api.domain.errors import (
    CredentialRevokedError,
    StorageFullError,
    UnsupportedInputError,
    UpstreamInvalidError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from flow2api.domain.ports.upstream import Exchanged
from flow2api.domain.secret import Secret
from flow2api.domain.usecases import push_session_token
from flow2api.domain.usecases.push_session_token import DEAD_FOR, PushSessionToken
from flow2api.testing.fakes.players import FakePlayer
from flow2api.testing.fakes.secrets import FakeCipher
from tests.unit.domain.usecases.stage import Stage, swap

EXTENSION = Actor(name="browser extension", door="admin_api")
DEAD = "dead-".ljust(240, "x")


@pytest.fixture
def push(stage: Stage) -> PushSessionToken:
    return PushSessionToken(
        stage.pool,
        {"flow": stage.upstream},
        stage.storage.accounts,
        stage.storage.vault,
        FakeCipher(),
        stage.credentials,
        stage.tend,
        stage.clock,
        lambda: stage.options,
    )


def new_session(player: FakePlayer) -> str:
    """What the browser has after somebody has signed in again."""
    player.session_tokens = [f"fresh-{len(player.session_tokens)}-".ljust(240, "x")]
    player.is_revoked = False
    return player.session_tokens[0]


async def test_new_session_cures_the_account_that_the_exchange_names(stage: Stage, push: PushSessionToken) -> None:
    player = stage.upstream.add_player()
    account = await stage.account(player)
    await stage.tend.change(account.id, lambda one: one.resting(RestReason.AUTH_EXPIRED, stage.clock.now()))
    token = new_session(player)

    pushed = await push(f"  {token}\n", EXTENSION)

    assert (pushed.account.id, pushed.is_new, pushed.was_enabled) == (account.id, False, False)
    assert stage.known(account.id).rests == ()
    kept = await stage.storage.vault.read(account.id)
    assert kept is not None
    assert kept.session_token.reveal() == player.session_tokens[-1], "the rotated one"
    access = await stage.credentials.access(stage.known(account.id), with_session=True)
    assert (access.access_token, access.session_token) == (kept.access_token, kept.session_token)


async def test_account_that_nobody_knows_is_added(stage: Stage, push: PushSessionToken) -> None:
    player = stage.upstream.add_player(email="New@Example.com")

    pushed = await push(player.session_tokens[0], EXTENSION)

    assert pushed.is_new
    assert (pushed.account.email, pushed.account.name) == ("new@example.com", "New")
    assert stage.tables.accounts[pushed.account.id] == pushed.account == stage.known(pushed.account.id)


async def test_the_same_dead_token_again_and_again_is_one_call(stage: Stage, push: PushSessionToken) -> None:
    for _ in range(5):
        with pytest.raises(CredentialRevokedError):
            await push(DEAD, EXTENSION)

    assert stage.upstream.count("exchange") == 1
    await stage.clock.sleep(DEAD_FOR.total_seconds() + 1)
    with pytest.raises(CredentialRevokedError):
        await push(DEAD, EXTENSION)
    assert stage.upstream.count("exchange") == 2, "it is asked for once a day at most"


async def test_dead_token_of_a_known_account_is_no_call_at_all(stage: Stage, push: PushSessionToken) -> None:
    player = stage.upstream.add_player(rotates=False)
    account = await stage.account(player)
    await stage.tend.change(account.id, lambda one: one.resting(RestReason.AUTH_EXPIRED, stage.clock.now()))
    calls = stage.upstream.count("exchange")

    with pytest.raises(CredentialRevokedError):
        await push(player.session_tokens[0], EXTENSION)

    assert stage.upstream.count("exchange") == calls
    assert stage.known(account.id).rest_of(RestReason.AUTH_EXPIRED) is not None


async def test_token_that_a_healthy_account_has_is_no_call(stage: Stage, push: PushSessionToken) -> None:
    player = stage.upstream.add_player(rotates=False)
    account = await stage.account(player)
    calls = stage.upstream.count("exchange")

    pushed = await push(player.session_tokens[0], EXTENSION)

    assert pushed.was_known
    assert pushed.account == account
    assert stage.upstream.count("exchange") == calls


async def test_many_pushes_of_one_token_are_one_exchange(stage: Stage, push: PushSessionToken) -> None:
    player = stage.upstream.add_player()
    gate = stage.upstream.hold("exchange")
    pushes = [asyncio.create_task(push(player.session_tokens[0], EXTENSION)) for _ in range(10)]
    await asyncio.sleep(1)
    gate.set()

    outcomes = await asyncio.gather(*pushes)

    assert len({one.account.id for one in outcomes}) == 1
    assert (stage.upstream.count("exchange"), len(stage.tables.accounts)) == (1, 1)


async def test_two_tokens_of_one_new_account_make_one_account(stage: Stage, push: PushSessionToken) -> None:
    player = stage.upstream.add_player(rotates=False)
    player.session_tokens.append("second-".ljust(240, "x"))

    first, second = await asyncio.gather(*(push(token, EXTENSION) for token in player.session_tokens))

    assert first.account.id == second.account.id
    assert sorted((first.is_new, second.is_new)) == [False, True]


async def test_pusher_who_leaves_stops_nothing(stage: Stage, push: PushSessionToken) -> None:
    player = stage.upstream.add_player()
    leaving = asyncio.create_task(push(player.session_tokens[0], EXTENSION))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.sleep(1)

    assert [account.email for account in stage.tables.accounts.values()] == [player.email.casefold()]


async def test_silent_service_is_given_up_after_a_minute(stage: Stage, push: PushSessionToken) -> None:
    player = stage.upstream.add_player()
    stage.upstream.hold("exchange")
    begun = stage.clock.monotonic()

    with pytest.raises(UpstreamTimeoutError):
        await push(player.session_tokens[0], EXTENSION)

    assert stage.clock.monotonic() - begun == pytest.approx(60)
    assert stage.tables.accounts == {}


async def test_transient_failure_is_told_and_a_later_push_works(stage: Stage, push: PushSessionToken) -> None:
    player = stage.upstream.add_player()
    stage.upstream.fail("exchange", UpstreamUnavailableError("no route", reached=False))

    with pytest.raises(UpstreamUnavailableError):
        await push(player.session_tokens[0], EXTENSION)

    assert (await push(player.session_tokens[0], EXTENSION)).is_new


async def test_exchange_without_an_address_changes_nothing(stage: Stage, push: PushSessionToken) -> None:
    async def anonymous(credentials: Credentials, proxy: Secret | None) -> Exchanged:
        return Exchanged(credentials, None, None)

    swap(stage.upstream, exchange=anonymous)

    with pytest.raises(UpstreamInvalidError, match="whose"):
        await push(DEAD, EXTENSION)
    assert stage.tables.accounts == {}


@pytest.mark.parametrize("text", ["", "short", "two words".ljust(300, "x"), "x" * 20_000])
async def test_what_cannot_be_a_token_is_refused_without_a_call(
    stage: Stage, push: PushSessionToken, text: str
) -> None:
    with pytest.raises(UnsupportedInputError) as refused:
        await push(text, EXTENSION)

    assert stage.upstream.calls == []
    assert text[:20] not in refused.value.message or not text


@pytest.mark.parametrize("switch", [False, True])
async def test_switched_off_account_is_on_again_only_if_the_option_says_so(
    stage: Stage, push: PushSessionToken, switch: bool
) -> None:
    stage.configure(auto_enable_on_update=switch)
    player = stage.upstream.add_player()
    account = await stage.account(player)
    await stage.tend.change(account.id, lambda one: one.resting(RestReason.MANUAL, stage.clock.now()))

    pushed = await push(new_session(player), EXTENSION)

    assert pushed.was_enabled is switch
    assert (stage.known(account.id).rest_of(RestReason.MANUAL) is None) is switch
    again = await push(player.session_tokens[-1], EXTENSION)
    assert (again.was_known, again.was_enabled) == (True, False)


async def test_other_rests_outlast_a_new_session(stage: Stage, push: PushSessionToken) -> None:
    player = stage.upstream.add_player()
    account = await stage.account(player)
    await stage.tend.change(account.id, lambda one: one.resting(RestReason.UNUSABLE, stage.clock.now()))

    await push(new_session(player), EXTENSION)

    assert [rest.reason for rest in stage.known(account.id).rests] == [RestReason.UNUSABLE]


async def test_exchanges_begin_at_the_pace_of_the_keeper(stage: Stage, push: PushSessionToken) -> None:
    stage.configure(renewals_per_s=2.0)
    players = [stage.upstream.add_player() for _ in range(6)]
    begun = stage.clock.monotonic()

    await asyncio.gather(*(push(player.session_tokens[0], EXTENSION) for player in players))

    assert stage.clock.monotonic() - begun == pytest.approx(3.0)


async def test_check_names_those_that_need_a_session_first(stage: Stage, push: PushSessionToken) -> None:
    fine, ended = await stage.accounts(2)
    stage.pool.put(replace(fine, email="fine@example.com"))
    stage.pool.put(replace(ended, email="ended@example.com").resting(RestReason.AUTH_EXPIRED, stage.clock.now()))
    stage.pool.put(replace(fine, id=99, upstream="other", email="other@example.com"))

    standings = [one async for one in push.check()]

    assert [(one.account.email, one.needs_session_token) for one in standings] == [
        ("ended@example.com", True),
        ("fine@example.com", False),
    ]


async def test_others_have_their_turn_while_many_accounts_are_checked(stage: Stage, push: PushSessionToken) -> None:
    (model,) = await stage.accounts(1)
    for number in range(100, 3100):
        stage.pool.put(replace(model, id=number, email=f"{number}@example.com"))
    found, turns = 0, list[int]()

    async def look() -> None:
        while True:
            turns.append(found)
            await asyncio.sleep(0)

    looking = asyncio.create_task(look())
    async for _ in push.check():
        found += 1
    looking.cancel()

    assert found >= 3000
    assert len(turns) >= 12
    assert max(after - before for before, after in pairwise(turns)) <= 500


async def test_what_a_push_changes_stands_in_the_audit_log(stage: Stage, push: PushSessionToken) -> None:
    stage.configure(auto_enable_on_update=True)
    player = stage.upstream.add_player(rotates=False)

    added = await push(player.session_tokens[0], EXTENSION)
    await push(new_session(player), EXTENSION)
    await stage.tend.change(added.account.id, lambda one: one.resting(RestReason.MANUAL, stage.clock.now()))
    await push(player.session_tokens[-1], EXTENSION)

    told = [(entry.action, entry.actor, entry.subject) for entry in stage.tables.audit]
    subject = str(added.account.id)
    assert told == [
        (AuditAction.ACCOUNT_ADDED, EXTENSION, subject),
        (AuditAction.ACCOUNT_CHANGED, EXTENSION, subject),
        (AuditAction.ACCOUNT_ENABLED, EXTENSION, subject),
    ]
    assert player.session_tokens[-1] not in str(stage.tables.audit)


async def test_push_whose_entry_cannot_be_written_changes_nothing(stage: Stage, push: PushSessionToken) -> None:
    stage.configure(auto_enable_on_update=True)
    player = stage.upstream.add_player(rotates=False)
    account = await stage.account(player)
    await stage.tend.change(account.id, lambda one: one.resting(RestReason.MANUAL, stage.clock.now()))
    stage.tables.audit_fault = StorageFullError("full")

    with pytest.raises(StorageFullError):
        await push(player.session_tokens[0], EXTENSION)
    with pytest.raises(StorageFullError):
        await push(stage.upstream.add_player(email="new@example.com").session_tokens[0], EXTENSION)

    assert stage.known(account.id).rest_of(RestReason.MANUAL) is not None
    assert len(stage.tables.accounts) == 1


async def test_dead_token_may_be_right_again_a_while_later_and_few_are_remembered(
    stage: Stage, push: PushSessionToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push_session_token, "_DEAD_HELD", 1)
    for token in (DEAD, DEAD.replace("dead", "gone")):
        with pytest.raises(CredentialRevokedError):
            await push(token, EXTENSION)
    calls = stage.upstream.count("exchange")
    with pytest.raises(CredentialRevokedError):
        await push(DEAD, EXTENSION)
    assert stage.upstream.count("exchange") == calls + 1


async def test_account_that_was_removed_meanwhile_is_added_anew_or_left(stage: Stage, push: PushSessionToken) -> None:
    stage.configure(auto_enable_on_update=True)
    player = stage.upstream.add_player(rotates=False)
    account = await stage.account(player)
    del stage.tables.accounts[account.id]
    del stage.tables.credentials[account.id]

    pushed = await push(new_session(player), EXTENSION)

    assert (pushed.is_new, pushed.account.email) == (True, account.email)


async def test_account_that_goes_while_its_session_is_stored_is_added_anew(
    stage: Stage, push: PushSessionToken
) -> None:
    player = stage.upstream.add_player(rotates=False)
    account = await stage.account(player)
    found = stage.storage.accounts.with_emails

    async def with_emails(emails: Sequence[str]) -> Sequence[Account]:
        known = await found(emails)
        await stage.storage.accounts.remove(account.id)
        stage.pool.remove(account.id)
        return known

    swap(stage.storage.accounts, with_emails=with_emails)
    pushed = await push(new_session(player), EXTENSION)
    assert (pushed.is_new, pushed.account.email) == (True, account.email)


async def test_account_that_goes_before_it_is_switched_on_is_left_alone(
    stage: Stage, push: PushSessionToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.configure(auto_enable_on_update=True)
    player = stage.upstream.add_player(rotates=False)
    account = await stage.account(player)
    await stage.tend.change(account.id, lambda one: one.resting(RestReason.MANUAL, stage.clock.now()))
    rested = stage.known(account.id)

    async def get(_: int) -> Account | None:
        return rested

    async def change(*_: object) -> None:
        return None

    monkeypatch.setattr(stage.storage.accounts, "get", get)
    monkeypatch.setattr(stage.storage.accounts, "change", change)
    assert not (await push(player.session_tokens[0], EXTENSION)).was_enabled


async def test_push_that_is_cut_off_does_not_stand_in_the_way_of_the_next(stage: Stage, push: PushSessionToken) -> None:
    player = stage.upstream.add_player()
    gate = stage.upstream.hold("exchange")
    pushing = asyncio.create_task(push(player.session_tokens[0], EXTENSION))
    await asyncio.sleep(1)
    (under_way,) = (task for task in asyncio.all_tasks() if task.get_name() == "push-session-token")
    under_way.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pushing

    gate.set()
    assert (await push(player.session_tokens[0], EXTENSION)).is_new

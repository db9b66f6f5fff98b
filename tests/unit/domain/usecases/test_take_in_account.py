"""One account is added while the operator waits: refused at once when it cannot be, at work at once when it can."""

from dataclasses import replace

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.account import AccountStatus, Capacity, Credentials, Tier
from flow2api.domain.audit import Actor, AuditAction
from flow2api.domain.ports.upstream import Exchanged
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.manage_accounts import NewAccount
from flow2api.domain.usecases.take_in_account import TakeInAccount
from flow2api.testing.planting import plant
from tests.unit.domain.usecases.stage import KINDS, Stage

ADA = Actor(name="ada", door="admin_api", operator_id=1)


@pytest.fixture
def take_in(stage: Stage) -> TakeInAccount:
    storage = stage.storage
    return TakeInAccount(
        stage.pool,
        {"flow": stage.upstream, "keyed": stage.world.keyed, "hosts": stage.world.hosts},
        storage.accounts,
        storage.vault,
        storage.audit_log,
        stage.clock,
        KINDS,
    )


async def test_account_is_stored_as_the_service_tells_of_it(stage: Stage, take_in: TakeInAccount) -> None:
    player = stage.upstream.add_player(tier=Tier.ULTRA, credits=77)
    new = NewAccount(session_token=player.credentials.session_token, remark="lent", capacity=Capacity(2, 0))

    added = await take_in(new, ADA, workspace="p-1", workspace_name="Mugs")

    assert stage.known(added.id) == stage.tables.accounts[added.id] == added
    assert (added.email, added.tier, added.credits) == ("player1@example.com", Tier.ULTRA, 77)
    assert (added.remark, added.capacity, added.workspace) == ("lent", Capacity(2, 0), "p-1")
    assert added.workspace_name == "Mugs"
    assert added.is_warm
    assert stage.tables.credentials[added.id].session_token.reveal() == player.session_tokens[-1]
    (entry,) = stage.tables.audit
    assert (entry.action, entry.subject) == (AuditAction.ACCOUNT_ADDED, str(added.id))


async def test_refused_session_token_stores_nothing(stage: Stage, take_in: TakeInAccount) -> None:
    with pytest.raises(tree.CredentialRevokedError):
        await take_in(NewAccount(session_token=Secret("y" * 240)), ADA)

    assert (stage.tables.accounts, stage.tables.audit) == ({}, [])


async def test_known_session_token_is_not_even_exchanged(stage: Stage, take_in: TakeInAccount) -> None:
    await stage.accounts(1)

    with pytest.raises(tree.ConflictError):
        await take_in(NewAccount(session_token=stage.tables.credentials[1].session_token), ADA)
    with pytest.raises(tree.ConflictError):
        await take_in.exchange("flow", stage.tables.credentials[1].session_token, ADA)
    assert stage.upstream.count("exchange") == 0


async def test_known_address_is_a_conflict(stage: Stage, take_in: TakeInAccount) -> None:
    player = stage.upstream.add_player()
    await stage.account(player)
    player.session_tokens.append("another-session-".ljust(240, "x"))

    with pytest.raises(tree.ConflictError, match=r"player1@example\.com"):
        await take_in(NewAccount(session_token=player.credentials.session_token), ADA)
    assert len(stage.tables.accounts) == 1


async def test_silence_about_credits_is_no_refusal(stage: Stage, take_in: TakeInAccount) -> None:
    player = stage.upstream.add_player()
    stage.upstream.fail("allowance", tree.UpstreamTimeoutError("late"))

    added = await take_in(NewAccount(session_token=player.credentials.session_token), ADA)

    assert (added.tier, added.credits) == (None, None)
    assert added.status(stage.clock.now()) is AccountStatus.ACTIVE


async def test_account_whose_entry_cannot_be_written_is_not_added(stage: Stage, take_in: TakeInAccount) -> None:
    player = stage.upstream.add_player()
    stage.tables.audit_fault = tree.StorageFullError("full")

    with pytest.raises(tree.StorageFullError):
        await take_in(NewAccount(session_token=player.credentials.session_token), ADA)

    assert (stage.tables.accounts, len(stage.pool)) == ({}, 0)


@pytest.mark.parametrize(
    "new",
    [
        NewAccount(session_token=Secret("short")),
        NewAccount(session_token=Secret("y" * 240), remark="x" * 1001),
        NewAccount(session_token=Secret("y" * 240), capacity=Capacity(-2, None)),
        NewAccount(session_token=Secret("y" * 240), upstream="elsewhere"),
    ],
    ids=["token", "remark", "limit", "upstream"],
)
async def test_what_cannot_be_is_refused_without_a_call(stage: Stage, take_in: TakeInAccount, new: NewAccount) -> None:
    with pytest.raises(tree.UnsupportedInputError):
        await take_in(new, ADA)
    assert stage.upstream.calls == []


async def test_project_that_would_lead_elsewhere_is_refused_without_a_call(
    stage: Stage, take_in: TakeInAccount
) -> None:
    new = NewAccount(session_token=Secret("y" * 240))
    with pytest.raises(tree.UnsupportedInputError):
        await take_in(new, ADA, workspace="x/../../elsewhere")
    with pytest.raises(tree.UnsupportedInputError, match="project's name"):
        await take_in(new, ADA, workspace="p-1", workspace_name="two\nlines")
    assert stage.upstream.calls == []


async def test_exchange_stores_nothing_but_that_it_was_asked_for(stage: Stage, take_in: TakeInAccount) -> None:
    player = stage.upstream.add_player()

    exchanged = await take_in.exchange("flow", player.credentials.session_token, ADA)

    assert exchanged.email == "player1@example.com"
    assert (stage.tables.accounts, len(stage.pool)) == ({}, 0)
    assert [entry.action for entry in stage.tables.audit] == [AuditAction.SESSION_EXCHANGED]


async def test_second_account_of_an_address_is_refused(stage: Stage, take_in: TakeInAccount) -> None:
    await stage.account()
    for email in ("new@example.com", "newer@example.com"):
        player = stage.upstream.add_player(email=email)
        await take_in(NewAccount(session_token=player.credentials.session_token), ADA)
    player = stage.upstream.add_player(email="new@example.com")
    with pytest.raises(tree.ConflictError, match=r"new@example\.com"):
        await take_in(NewAccount(session_token=player.credentials.session_token), ADA)
    assert len(stage.pool) == 3


async def test_address_of_an_account_at_another_service_is_free(stage: Stage, take_in: TakeInAccount) -> None:
    account = await stage.account()
    await plant(stage.storage.accounts, replace(account, upstream="elsewhere", email="new@example.com"))
    player = stage.upstream.add_player(email="new@example.com")
    taken_in = await take_in(NewAccount(session_token=player.credentials.session_token), ADA)
    assert (taken_in.upstream, taken_in.email) == ("flow", "new@example.com")


async def test_account_of_which_nobody_tells_an_address_has_no_namesakes(
    stage: Stage, take_in: TakeInAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = stage.upstream.exchange

    async def nameless(credentials: Credentials, proxy: Secret | None) -> Exchanged:
        return replace(await exchange(credentials, proxy), email=None)

    monkeypatch.setattr(stage.upstream, "exchange", nameless)
    for _ in range(2):
        player = stage.upstream.add_player()
        await take_in(NewAccount(session_token=player.credentials.session_token), ADA)
    assert [account.email for account in stage.pool] == [None, None]


async def test_key_is_proved_at_its_host_before_anything_is_stored(stage: Stage, take_in: TakeInAccount) -> None:
    hosts, home = stage.world.hosts, "https://media.example.org/v1"
    hosts.add_key("k1", home)

    with pytest.raises(tree.CredentialRevokedError):
        await take_in(NewAccount(session_token=Secret("k2"), upstream="hosts", base_url=home), ADA)
    assert stage.tables.accounts == {}
    added = await take_in(NewAccount(session_token=Secret("k1"), upstream="hosts", base_url=home, name="studio"), ADA)

    assert stage.tables.accounts[added.id] == added
    assert (added.name, added.base_url, added.tier, added.email) == ("studio", home, Tier.FREE, None)
    assert hosts.asked == [("k2", home), ("k1", home)]
    assert hosts.count("allowance") == 1


async def test_key_needs_a_base_url_where_accounts_have_one_and_nowhere_else(
    stage: Stage, take_in: TakeInAccount
) -> None:
    with pytest.raises(tree.UnsupportedInputError, match="hosts needs a base URL"):
        await take_in(NewAccount(session_token=Secret("k1"), upstream="hosts"), ADA)
    with pytest.raises(tree.UnsupportedInputError, match="keyed has no base URL"):
        await take_in(NewAccount(session_token=Secret("k1"), upstream="keyed", base_url="https://a.b"), ADA)
    await stage.key_account("k1")
    with pytest.raises(tree.ConflictError, match="The account 1 has this API key already"):
        await take_in(NewAccount(session_token=Secret("k1"), upstream="keyed"), ADA)
    assert stage.world.keyed.asked == stage.world.hosts.asked == []


async def test_account_uses_the_proxy_that_was_chosen(stage: Stage, take_in: TakeInAccount) -> None:
    player = stage.upstream.add_player()

    added = await take_in(NewAccount(session_token=player.credentials.session_token, proxy="direct"), ADA)

    assert added.proxy == "direct"

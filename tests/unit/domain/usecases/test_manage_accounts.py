from dataclasses import replace

import pytest

from flow2api.domain.account import Account, Capacity, Credentials, RestReason
from flow2api.domain.audit import Actor, AuditAction
from flow2api.domain.errors import AccountNotFoundError, ConflictError, UnsupportedInputError
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.manage_accounts import ManageAccounts, NewAccount, read_session_token
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.storage import FakeStorage
from flow2api.testing.planting import plant
from tests.unit.domain.usecases.stage import KINDS

TOKEN = Secret("eyJ" + "x" * 300)
OTHER = Secret("eyJ" + "y" * 300)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def storage(clock: FakeClock) -> FakeStorage:
    return FakeStorage(clock)


@pytest.fixture
def manage(storage: FakeStorage, clock: FakeClock) -> ManageAccounts:
    return ManageAccounts(storage.accounts, storage.vault, clock)


async def test_added_account_waits_to_be_warmed(manage: ManageAccounts, storage: FakeStorage, clock: FakeClock) -> None:
    added = await manage.add(NewAccount(session_token=TOKEN, email=" Me@Example.com ", tags=frozenset({"eu"})))

    assert storage.tables.accounts[added.id] == added
    assert (added.email, added.name, added.tags, added.created_at) == (
        "me@example.com",
        "Me@Example.com",
        frozenset({"eu"}),
        clock.now(),
    )
    assert not added.is_warm
    assert storage.tables.credentials[added.id] == Credentials(TOKEN)


async def test_account_may_be_added_switched_off(manage: ManageAccounts) -> None:
    added = await manage.add(NewAccount(session_token=TOKEN, is_enabled=False))

    assert added.rest_of(RestReason.MANUAL) is not None


async def test_same_session_token_is_added_once(manage: ManageAccounts, storage: FakeStorage) -> None:
    await manage.add(NewAccount(session_token=TOKEN))

    with pytest.raises(ConflictError, match="session token"):
        await manage.add(NewAccount(session_token=TOKEN))
    assert len(storage.tables.accounts) == 1


async def test_same_address_is_added_once_for_each_upstream(manage: ManageAccounts) -> None:
    await manage.add(NewAccount(session_token=TOKEN, email="me@example.com"))

    with pytest.raises(ConflictError, match="The account 1 has the address"):
        await manage.add(NewAccount(session_token=OTHER, email="ME@example.com"))
    await manage.add(NewAccount(session_token=OTHER, email="me@example.com", upstream="other"))


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"session_token": Secret("x" * 199)}, "session_token"),
        ({"session_token": Secret("x" * 20_000)}, "session_token"),
        ({"email": "nobody"}, "email"),
        ({"email": "a@b\x1b[2J"}, "email"),
        ({"email": "a" * 260 + "@b"}, "email"),
        ({"name": "x" * 129}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"remark": "x" * 1001}, "remark"),
        ({"tags": frozenset({"two words"})}, "tags"),
        ({"capacity": Capacity(image=-1)}, "image_concurrency"),
        ({"capacity": Capacity(video=-1)}, "video_concurrency"),
    ],
)
async def test_what_cannot_be_right_is_refused(
    manage: ManageAccounts, storage: FakeStorage, wrong: dict[str, object], param: str
) -> None:
    new = replace(NewAccount(session_token=TOKEN), **wrong)  # type: ignore[arg-type]

    with pytest.raises(UnsupportedInputError) as refused:
        await manage.add(new)

    assert refused.value.param == param
    assert storage.tables.accounts == {}


async def test_short_token_is_fine_where_no_service_makes_long_ones(manage: ManageAccounts) -> None:
    assert (await manage.add(NewAccount(session_token=Secret("AIza"), upstream="other"))).id == 1


async def test_account_is_found_by_id_address_or_name(manage: ManageAccounts) -> None:
    first = await manage.add(NewAccount(session_token=TOKEN, name="2", email="me@example.com"))
    second = await manage.add(NewAccount(session_token=OTHER, name="second"))

    assert await manage.find("1") == first
    assert await manage.find("ME@example.com") == first
    assert await manage.find("second") == second
    assert await manage.find("2") == second, "an id comes before a name"


async def test_name_that_leads_to_none_or_several_is_refused(manage: ManageAccounts) -> None:
    await manage.add(NewAccount(session_token=TOKEN, name="same"))
    await manage.add(NewAccount(session_token=OTHER, name="same"))

    with pytest.raises(ConflictError, match="More than one account is called 'same'"):
        await manage.find("same")
    with pytest.raises(ConflictError, match="There is no account '9'"):
        await manage.find("9")


async def test_enabling_lifts_what_an_operator_can_cure_and_nothing_else(
    manage: ManageAccounts, storage: FakeStorage, clock: FakeClock
) -> None:
    account = await manage.add(NewAccount(session_token=TOKEN, is_enabled=False))
    worn = account.resting(RestReason.UNUSABLE, clock.now()).resting(RestReason.AUTH_EXPIRED, clock.now())
    await plant(storage.accounts, worn)

    enabled = await manage.set_enabled(account, enabled=True)

    assert [rest.reason for rest in enabled.rests] == [RestReason.AUTH_EXPIRED]
    assert storage.tables.accounts[account.id] == enabled


async def test_switching_off_twice_keeps_the_first_time_and_writes_once(
    manage: ManageAccounts, storage: FakeStorage, clock: FakeClock
) -> None:
    account = await manage.add(NewAccount(session_token=TOKEN))
    off = await manage.set_enabled(account, enabled=False)
    writes = storage.tables.writes
    clock.advance(60)

    assert await manage.set_enabled(off, enabled=False) == off
    assert storage.tables.writes == writes


@pytest.mark.parametrize("enabled", [True, False])
async def test_switching_leaves_what_others_have_written_since_it_was_found(
    manage: ManageAccounts, storage: FakeStorage, clock: FakeClock, enabled: bool
) -> None:
    account = await manage.add(NewAccount(session_token=TOKEN, is_enabled=not enabled))
    warmed = replace(account, credits=7).resting(RestReason.AUTH_EXPIRED, clock.now())
    await plant(storage.accounts, warmed)

    switched = await manage.set_enabled(account, enabled=enabled)

    assert switched == storage.tables.accounts[account.id]
    assert (switched.credits, switched.rest_of(RestReason.AUTH_EXPIRED)) == (7, warmed.rest_of(RestReason.AUTH_EXPIRED))
    assert (switched.rest_of(RestReason.MANUAL) is None) is enabled


async def test_switching_an_account_that_is_gone_by_then_is_told(manage: ManageAccounts, storage: FakeStorage) -> None:
    account = await manage.add(NewAccount(session_token=TOKEN))
    await storage.accounts.remove(account.id)

    with pytest.raises(AccountNotFoundError):
        await manage.set_enabled(account, enabled=False)


async def test_removed_account_leaves_no_secret(manage: ManageAccounts, storage: FakeStorage) -> None:
    account: Account = await manage.add(NewAccount(session_token=TOKEN))
    assert await manage.secrets_of(account) == Credentials(TOKEN)

    await manage.remove(account)

    assert storage.tables.accounts == {}
    assert await manage.secrets_of(account) is None


def test_pasted_token_loses_what_stands_around_it() -> None:
    assert read_session_token(" eyJ.abc-_\r\n") == Secret("eyJ.abc-_")


@pytest.mark.parametrize("text", ["", " \n", "a b", "a\r\nX-Header: 1", 'a"b', "a;b", "a,b", "a\\b", "ä", "a\x7f"])
def test_text_that_no_cookie_can_hold_is_refused_without_being_told(text: str) -> None:
    with pytest.raises(UnsupportedInputError) as refused:
        read_session_token(text)

    assert "X-Header" not in refused.value.message


async def test_what_an_operator_does_stands_in_the_audit_log(manage: ManageAccounts, storage: FakeStorage) -> None:
    ada = Actor(name="ada", door="command_line")
    added = await manage.add(NewAccount(session_token=TOKEN, email="me@example.com"), ada)
    await manage.remove(added, ada)

    assert [(entry.action, entry.actor, entry.subject) for entry in storage.tables.audit] == [
        (AuditAction.ACCOUNT_ADDED, ada, str(added.id)),
        (AuditAction.ACCOUNT_REMOVED, ada, str(added.id)),
    ]


async def test_account_with_a_key_is_stored_with_its_host(storage: FakeStorage, clock: FakeClock) -> None:
    manage = ManageAccounts(storage.accounts, storage.vault, clock, KINDS)
    new = NewAccount(session_token=Secret("k1"), upstream="hosts", base_url="https://a.b", name="studio")

    added = await manage.add(new)

    assert (added.upstream, added.base_url, added.name) == ("hosts", "https://a.b", "studio")
    with pytest.raises(ConflictError, match="The account 1 has this API key already"):
        await manage.add(new)
    with pytest.raises(UnsupportedInputError, match="hosts needs a base URL"):
        await manage.add(NewAccount(session_token=Secret("k2"), upstream="hosts"))
    with pytest.raises(UnsupportedInputError, match=r"The API key has 20,?000 characters"):
        await manage.add(NewAccount(session_token=Secret("k" * 20_000), upstream="keyed"))

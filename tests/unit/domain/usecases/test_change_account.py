"""What the command line changes of an account is written with its audit entry, or refused as a whole."""

from dataclasses import replace
from datetime import timedelta

import pytest

from flow2api.domain.account import Account, Capacity, Credentials, RestReason
from flow2api.domain.audit import Actor, AuditAction
from flow2api.domain.errors import AccountNotFoundError, ConflictError, UnsupportedInputError
from flow2api.domain.media import MediaKind
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.change_account import AccountChange, ChangeAccount
from flow2api.domain.usecases.manage_accounts import ManageAccounts, NewAccount
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.storage import FakeStorage
from flow2api.testing.planting import plant, plant_secrets
from tests.unit.domain.usecases.stage import KINDS

ADA = Actor(name="ada", door="command_line")
TOKEN, OTHER, FRESH = (Secret("eyJ" + letter * 300) for letter in "xyz")


class Desk:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.storage = FakeStorage(self.clock)
        self.change = ChangeAccount(self.storage.accounts, self.storage.vault, self.clock)

    async def account(self, token: Secret = TOKEN, email: str | None = "me@example.com") -> Account:
        new = NewAccount(session_token=token, email=email, tags=frozenset({"eu", "old"}), remark="lent")
        return await ManageAccounts(self.storage.accounts, self.storage.vault, self.clock).add(new)

    async def kept(self, account: Account) -> Account | None:
        return await self.storage.accounts.get(account.id)


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_what_is_not_named_stays(desk: Desk) -> None:
    account = await desk.account()
    limits = {MediaKind.VIDEO: 3}
    changed = await desk.change(account, AccountChange(limits=limits, weight=7, priority=5, workspace="p-1"), ADA)

    assert await desk.kept(account) == changed
    assert (changed.name, changed.email, changed.remark, changed.tags) == (
        account.name,
        account.email,
        "lent",
        frozenset({"eu", "old"}),
    )
    assert changed.capacity == Capacity(account.capacity.image, 3)
    assert (changed.weight, changed.priority, changed.workspace) == (7, 5, "p-1")
    (entry,) = desk.storage.tables.audit
    assert (entry.action, entry.subject, entry.actor) == (AuditAction.ACCOUNT_CHANGED, str(account.id), ADA)
    assert entry.details["after"] == {"video_capacity": 3, "weight": 7, "priority": 5, "workspace": "p-1"}


async def test_words_for_people_and_an_empty_workspace_are_changes(desk: Desk) -> None:
    account = await desk.change(await desk.account(), AccountChange(workspace="p-1"), ADA)
    changed = await desk.change(
        account, AccountChange(name="one", email=" You@Example.com", remark="", workspace=""), ADA
    )

    assert (changed.name, changed.email, changed.remark, changed.workspace) == ("one", "you@example.com", "", None)


async def test_tags_come_and_go_after_all_of_them_were_replaced(desk: Desk) -> None:
    account = await desk.account()
    one = await desk.change(account, AccountChange(added_tags=frozenset({"new"}), removed_tags=frozenset({"old"})), ADA)
    both = await desk.change(one, AccountChange(tags=frozenset({"a"}), added_tags=frozenset({"b"})), ADA)

    assert (one.tags, both.tags) == (frozenset({"eu", "new"}), frozenset({"a", "b"}))


async def test_what_is_so_already_is_not_written(desk: Desk) -> None:
    account = await desk.account()
    writes = desk.storage.tables.writes

    assert await desk.change(account, AccountChange(remark="lent", session_token=TOKEN), ADA) == account
    assert (desk.storage.tables.writes, desk.storage.tables.audit) == (writes, [])


async def test_new_session_token_is_exchanged_anew_and_wakes_the_account(desk: Desk) -> None:
    now = desk.clock.now()
    account = (await desk.account()).resting(RestReason.AUTH_EXPIRED, now)
    changed = await desk.change(account, AccountChange(session_token=FRESH, remark="back"), ADA)

    assert (changed.rests, changed.access_expires_at, changed.remark) == ((), None, "back")
    assert desk.storage.tables.credentials[account.id].session_token == FRESH
    (entry,) = desk.storage.tables.audit
    assert entry.details["after"] == {"remark": "back", "session_token": "new"}
    assert FRESH.reveal() not in repr(desk.storage.tables.audit)


async def test_address_of_an_account_at_another_service_is_free(desk: Desk) -> None:
    theirs = await desk.account(OTHER, "you@example.com")
    await plant(desk.storage.accounts, replace(theirs, upstream="elsewhere"))
    changed = await desk.change(await desk.account(), AccountChange(email="you@example.com"), ADA)
    assert changed.email == "you@example.com"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (AccountChange(session_token=OTHER), ConflictError),
        (AccountChange(email="YOU@example.com"), ConflictError),
        (AccountChange(session_token=Secret("short")), UnsupportedInputError),
        (AccountChange(email="nobody"), UnsupportedInputError),
        (AccountChange(limits={MediaKind.IMAGE: -5}), UnsupportedInputError),
        (AccountChange(weight=10**9), UnsupportedInputError),
        (AccountChange(added_tags=frozenset({"a b\n"})), UnsupportedInputError),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_is_written(
    desk: Desk, change: AccountChange, error: type[Exception]
) -> None:
    account = await desk.account()
    await desk.account(OTHER, "you@example.com")
    desk.clock.advance(timedelta(minutes=1).total_seconds())

    with pytest.raises(error):
        await desk.change(account, change, ADA)

    assert (await desk.kept(account), desk.storage.tables.audit) == (account, [])


async def test_what_others_have_written_since_it_was_found_stays_and_is_not_told_as_a_change_of_this_operator(
    desk: Desk,
) -> None:
    account = await desk.account()
    await plant(desk.storage.accounts, replace(account, credits=7, remark="taken back"))

    changed = await desk.change(account, AccountChange(weight=3), ADA)

    assert (changed.credits, changed.remark, changed.weight) == (7, "taken back", 3)
    assert await desk.kept(account) == changed
    assert desk.storage.tables.audit[-1].details == {"before": {"weight": 1}, "after": {"weight": 3}}


@pytest.mark.parametrize("change", [AccountChange(weight=3), AccountChange(session_token=FRESH)])
async def test_account_that_is_gone_by_then_is_told(desk: Desk, change: AccountChange) -> None:
    account = await desk.account()
    await desk.storage.accounts.remove(account.id)

    with pytest.raises(AccountNotFoundError):
        await desk.change(account, change, ADA)


async def test_key_that_somebody_gave_meanwhile_stays_at_its_host(desk: Desk) -> None:
    new = NewAccount(session_token=Secret("k1"), upstream="hosts", base_url="https://a.b")
    seen = await ManageAccounts(desk.storage.accounts, desk.storage.vault, desk.clock, KINDS).add(new)
    moved = replace(seen, base_url="https://c.d")
    await plant_secrets(desk.storage.vault, moved, Credentials(Secret("k2")))

    change = ChangeAccount(desk.storage.accounts, desk.storage.vault, desk.clock, KINDS)

    with pytest.raises(UnsupportedInputError, match="needs the API key again"):
        await change(seen, AccountChange(base_url="https://a.b", remark="mine"), ADA)
    assert await desk.kept(seen) == moved

"""What operators change is written with its audit entry, and is at work at once."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.account import AccountStatus, Capacity, Credentials, Cure, RestReason
from flow2api.domain.audit import Actor, AuditAction
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.account_directory import AccountFilter
from flow2api.domain.ports.upstream import Access, Allowance
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.change_account import AccountChange
from flow2api.domain.usecases.operate_accounts import AccountEdit, OperateAccounts
from flow2api.testing.planting import plant, plant_secrets
from tests.unit.domain.usecases.stage import KINDS, PAINT, Stage, swap

ADA = Actor(name="ada", door="admin_api", operator_id=1)


@pytest.fixture
def operate(stage: Stage) -> OperateAccounts:
    storage = stage.storage
    return OperateAccounts(
        stage.pool,
        {"flow": stage.upstream, "keyed": stage.world.keyed, "hosts": stage.world.hosts},
        storage.accounts,
        storage.directory,
        storage.vault,
        storage.audit_log,
        stage.tend,
        stage.credentials,
        stage.clock,
        KINDS,
    )


def entries(stage: Stage) -> list[tuple[str, str | None]]:
    return [(entry.action, entry.subject) for entry in stage.tables.audit]


class TestEdit:
    async def test_changes_what_is_named_in_memory_and_in_storage(self, stage: Stage, operate: OperateAccounts) -> None:
        account = await stage.account(remark="old", capacity=Capacity(1, 2))

        await operate.edit(1, AccountEdit(remark="new", limits={MediaKind.IMAGE: None}), ADA)

        expected = replace(account, remark="new", capacity=Capacity(None, 2))
        assert stage.known(1) == stage.tables.accounts[1] == expected

    async def test_entry_says_what_was_and_what_is(self, stage: Stage, operate: OperateAccounts) -> None:
        await stage.account(remark="old")

        await operate.edit(1, AccountEdit(remark="new"), ADA)
        await operate.edit(1, AccountEdit(remark="new"), ADA)

        (entry,) = stage.tables.audit
        assert (entry.action, entry.subject, entry.actor) == (AuditAction.ACCOUNT_CHANGED, "1", ADA)
        assert entry.details == {"before": {"remark": "old"}, "after": {"remark": "new"}}

    async def test_names_the_project(self, stage: Stage, operate: OperateAccounts) -> None:
        await stage.account(workspace="p-1")

        await operate.edit(1, AccountEdit(workspace_name="Mugs"), ADA)

        assert (stage.known(1).workspace, stage.known(1).workspace_name) == ("p-1", "Mugs")
        assert stage.tables.audit[0].details["after"] == {"workspace_name": "Mugs"}

    async def test_change_whose_entry_cannot_be_written_is_not_made(
        self, stage: Stage, operate: OperateAccounts
    ) -> None:
        account = await stage.account()
        stage.tables.audit_fault = tree.StorageFullError("full")

        for change in (
            operate.edit(1, AccountEdit(remark="new"), ADA),
            operate.set_enabled(1, enabled=False, actor=ADA),
            operate.remove(1, ADA),
        ):
            with pytest.raises(tree.StorageFullError):
                await change

        assert stage.known(1) == stage.tables.accounts[1] == account

    async def test_keeps_what_the_keeper_writes_meanwhile(self, stage: Stage, operate: OperateAccounts) -> None:
        await stage.account()

        await asyncio.gather(
            operate.edit(1, AccountEdit(remark="new"), ADA), stage.credentials.renew(1, force=True), stage.end(PAINT)
        )

        assert stage.tables.accounts[1].remark == "new"
        assert stage.tables.accounts[1].access_expires_at == stage.tables.credentials[1].expires_at

    async def test_forgets_a_rate_limit_while_the_access_token_is_good(
        self, stage: Stage, operate: OperateAccounts
    ) -> None:
        account, now = await stage.account(), stage.clock.now()
        rested = account.rate_limited(now, retry_after_s=3600).rate_limited(now, retry_after_s=3600, model="veo")
        await stage.tend.change(1, lambda _: rested)

        await operate.edit(1, AccountEdit(), ADA)

        assert [(rest.reason, rest.model) for rest in stage.known(1).rests] == [(RestReason.RATE_LIMITED, "veo")]

    async def test_keeps_a_rate_limit_once_the_access_token_has_ended(
        self, stage: Stage, operate: OperateAccounts
    ) -> None:
        await stage.account()
        await stage.clock.sleep(25 * 3600)
        await stage.tend.change(1, lambda one: one.rate_limited(stage.clock.now(), retry_after_s=3600))

        await operate.edit(1, AccountEdit(remark="new"), ADA)

        assert stage.known(1).status(stage.clock.now()) is AccountStatus.COOLING_DOWN

    @pytest.mark.parametrize(
        "edit",
        [
            AccountEdit(remark="x" * 1001),
            AccountEdit(remark="a\0b"),
            AccountEdit(limits={MediaKind.VIDEO: -1}),
            AccountEdit(limits={MediaKind.IMAGE: 10**30}),
            AccountEdit(workspace="../../elsewhere?x=1#"),
            AccountEdit(workspace=".."),
            AccountEdit(workspace="x" * 129),
        ],
        ids=["remark", "zero", "limit", "huge limit", "way out", "upwards", "long project"],
    )
    async def test_refuses_what_cannot_be(self, stage: Stage, operate: OperateAccounts, edit: AccountEdit) -> None:
        account = await stage.account()

        with pytest.raises(tree.UnsupportedInputError):
            await operate.edit(1, edit, ADA)
        assert stage.known(1) == account


class TestNewSession:
    async def test_cures_the_account_and_is_exchanged_at_once(self, stage: Stage, operate: OperateAccounts) -> None:
        player = stage.upstream.add_player()
        await stage.account(player)
        await stage.tend.change(1, lambda one: one.resting(RestReason.AUTH_EXPIRED, stage.clock.now()))
        player.session_tokens.append("brand-new-".ljust(240, "x"))

        await operate.edit(1, AccountEdit(session_token=player.credentials.session_token), ADA)

        assert stage.known(1).status(stage.clock.now()) is AccountStatus.ACTIVE
        assert stage.tables.credentials[1].session_token.reveal() == player.session_tokens[-1]
        assert entries(stage) == [(AuditAction.ACCOUNT_CHANGED, "1")]
        assert "brand-new" not in repr(stage.tables.audit)

    async def test_refused_one_changes_nothing(self, stage: Stage, operate: OperateAccounts) -> None:
        account = await stage.account()
        kept = stage.tables.credentials[1]

        with pytest.raises(tree.CredentialRevokedError):
            await operate.edit(1, AccountEdit(remark="new", session_token=Secret("y" * 240)), ADA)

        assert (stage.known(1), stage.tables.credentials[1]) == (account, kept)

    async def test_one_of_another_person_is_refused(self, stage: Stage, operate: OperateAccounts) -> None:
        await stage.account()
        other = stage.upstream.add_player()

        with pytest.raises(tree.ConflictError):
            await operate.edit(1, AccountEdit(session_token=other.credentials.session_token), ADA)

    async def test_one_of_another_account_is_not_even_exchanged(self, stage: Stage, operate: OperateAccounts) -> None:
        await stage.accounts(2)

        with pytest.raises(tree.ConflictError):
            await operate.edit(1, AccountEdit(session_token=stage.tables.credentials[2].session_token), ADA)
        assert stage.upstream.count("exchange") == 0

    async def test_its_own_is_no_change(self, stage: Stage, operate: OperateAccounts) -> None:
        await stage.accounts(1)

        await operate.edit(1, AccountEdit(session_token=stage.tables.credentials[1].session_token), ADA)

        assert (stage.upstream.count("exchange"), entries(stage)) == (0, [])

    async def test_account_that_goes_during_the_exchange_is_not_written_again(
        self, stage: Stage, operate: OperateAccounts
    ) -> None:
        player = stage.upstream.add_player()
        await stage.account(player)
        player.session_tokens.append("brand-new-".ljust(240, "x"))
        gate = stage.upstream.hold("exchange")
        editing = asyncio.create_task(operate.edit(1, AccountEdit(session_token=player.credentials.session_token), ADA))
        await stage.clock.sleep(1)
        await stage.storage.accounts.remove(1)
        gate.set()

        with pytest.raises(tree.AccountNotFoundError):
            await editing
        assert (stage.tables.accounts, entries(stage)) == ({}, [])


class TestSwitch:
    async def test_off_and_on(self, stage: Stage, operate: OperateAccounts) -> None:
        await stage.account()

        off = await operate.set_enabled(1, enabled=False, actor=ADA)
        await operate.set_enabled(1, enabled=False, actor=ADA)
        on = await operate.set_enabled(1, enabled=True, actor=ADA)

        assert off.status(stage.clock.now()) is AccountStatus.DISABLED
        assert stage.known(1) == stage.tables.accounts[1] == on
        assert on.rests == ()
        assert entries(stage) == [(AuditAction.ACCOUNT_DISABLED, "1"), (AuditAction.ACCOUNT_ENABLED, "1")]

    async def test_on_starts_anew_as_to_faults_and_nothing_else(self, stage: Stage, operate: OperateAccounts) -> None:
        await stage.account()
        now = stage.clock.now()
        await stage.tend.change(1, lambda one: one.faulted(now, threshold=1).rate_limited(now, retry_after_s=60))

        on = await operate.set_enabled(1, enabled=True, actor=ADA)

        assert on.streak == 0
        assert [rest.reason for rest in on.rests] == [RestReason.RATE_LIMITED]

    async def test_on_does_not_cure_a_session_that_has_ended(self, stage: Stage, operate: OperateAccounts) -> None:
        await stage.account()
        await stage.tend.change(1, lambda one: one.resting(RestReason.AUTH_EXPIRED, stage.clock.now()))

        on = await operate.set_enabled(1, enabled=True, actor=ADA)

        assert on.status(stage.clock.now()) is AccountStatus.SUSPENDED
        assert on.cured(Cure.NEW_CREDENTIAL).rests == ()


class TestRemove:
    async def test_is_gone_everywhere_at_once(self, stage: Stage, operate: OperateAccounts) -> None:
        await stage.account()

        await operate.remove(1, ADA)

        assert stage.pool.get(1) is None
        assert (stage.tables.accounts, stage.tables.credentials) == ({}, {})
        assert entries(stage) == [(AuditAction.ACCOUNT_REMOVED, "1")]

    async def test_what_is_not_there_is_not_found(self, stage: Stage, operate: OperateAccounts) -> None:
        for asked in (
            operate.get(7),
            operate.edit(7, AccountEdit(), ADA),
            operate.set_enabled(7, enabled=True, actor=ADA),
            operate.remove(7, ADA),
            operate.refresh_credits(7, ADA),
            operate.renew(7, ADA),
        ):
            with pytest.raises(tree.AccountNotFoundError):
                await asked


class TestAsk:
    async def test_credits_are_told_anew_and_cure_a_quota(self, stage: Stage, operate: OperateAccounts) -> None:
        player = stage.upstream.add_player(credits=0)
        await stage.account(player)
        until = stage.clock.now() + timedelta(hours=9)
        await stage.tend.change(1, lambda one: one.resting(RestReason.QUOTA, stage.clock.now(), until=until))
        player.credits = 70

        assert (await operate.refresh_credits(1, ADA)).credits == 70
        assert stage.tables.accounts[1].rests == ()

    async def test_access_token_is_renewed_though_it_is_fresh(self, stage: Stage, operate: OperateAccounts) -> None:
        (account,) = await stage.accounts(1)
        await stage.clock.sleep(60)

        renewed = await operate.renew(1, ADA)

        assert stage.upstream.count("exchange") == 1
        assert renewed.access_expires_at is not None
        assert account.access_expires_at is not None
        assert renewed.access_expires_at > account.access_expires_at

    async def test_account_that_goes_while_the_service_is_asked_is_not_found(
        self, stage: Stage, operate: OperateAccounts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await stage.accounts(1)
        allowance = stage.upstream.allowance

        async def slow(access: Access) -> Allowance:
            told = await allowance(access)
            stage.pool.remove(1)
            return told

        monkeypatch.setattr(stage.upstream, "allowance", slow)
        with pytest.raises(tree.AccountNotFoundError):
            await operate.refresh_credits(1, ADA)


class TestLook:
    async def test_pages_counts_and_use(self, stage: Stage, operate: OperateAccounts) -> None:
        await stage.accounts(3)
        await stage.end(PAINT)
        await stage.until_done()
        await operate.set_enabled(3, enabled=False, actor=ADA)

        page = await operate.page(AccountFilter(status=AccountStatus.ACTIVE), after=1, limit=5)
        counts = await operate.count(AccountFilter())
        looked = await operate.look(AccountFilter(status=AccountStatus.ACTIVE), after=1, limit=5)
        assert list(looked.accounts) == list(page)
        use = await operate.use_of([stage.known(1), stage.known(2)])

        assert [account.id for account in page] == [2]
        assert (counts[AccountStatus.ACTIVE], counts[AccountStatus.DISABLED]) == (2, 1)
        assert sum(one.images for one in use.counts.values()) == 1
        assert set(use.last_used_at) == set(use.counts)

    async def test_secrets_come_out_only_after_their_entry(self, stage: Stage, operate: OperateAccounts) -> None:
        account = await stage.account()

        await operate.note_reveal(AccountFilter(text="player"), ADA)
        secrets = await operate.secrets_of([account, replace(account, id=9)])

        assert entries(stage) == [(AuditAction.SECRETS_REVEALED, None)]
        assert list(secrets) == [1]
        stage.tables.audit_fault = tree.StorageFullError("full")
        with pytest.raises(tree.StorageFullError):
            await operate.note_reveal(AccountFilter(), ADA)


class TestChange:
    async def test_everything_that_is_named_changes_in_memory_and_in_storage(
        self, stage: Stage, operate: OperateAccounts
    ) -> None:
        account = await stage.account(tags=frozenset({"a"}), capacity=Capacity(1, 2))
        change = AccountChange(
            name="main",
            email="New@Example.com",
            weight=7,
            priority=2,
            limits={MediaKind.IMAGE: None},
            added_tags=frozenset({"b"}),
            proxy="direct",
        )
        changed = await operate.change(1, change, ADA)

        assert stage.known(1) == stage.tables.accounts[1] == changed
        assert changed == replace(
            account,
            name="main",
            email="new@example.com",
            weight=7,
            priority=2,
            capacity=Capacity(None, 2),
            tags=frozenset({"a", "b"}),
            proxy="direct",
        )
        (entry,) = stage.tables.audit
        assert (entry.action, entry.details["before"]["tags"]) == (AuditAction.ACCOUNT_CHANGED, ["a"])
        assert (await operate.change(1, AccountChange(proxy="global"), ADA)).proxy is None

    async def test_address_of_another_account_is_refused(self, stage: Stage, operate: OperateAccounts) -> None:
        one, other = await stage.accounts(2)

        with pytest.raises(tree.ConflictError, match="account 2"):
            await operate.change(1, AccountChange(email=other.email), ADA)
        assert (await operate.change(1, AccountChange(email=one.email), ADA)).email == one.email

    async def test_new_session_token_is_exchanged_first(self, stage: Stage, operate: OperateAccounts) -> None:
        await stage.account()
        other = stage.upstream.add_player()

        with pytest.raises(tree.ConflictError, match="is that of"):
            await operate.change(1, AccountChange(session_token=other.credentials.session_token), ADA)

    async def test_each_of_a_list_or_of_a_tag_is_changed(self, stage: Stage, operate: OperateAccounts) -> None:
        await stage.accounts(3)
        marked = await operate.change_each([3, 1, 3], AccountChange(added_tags=frozenset({"eu"})), ADA)
        changed = await operate.change_each(AccountFilter(tag="eu"), AccountChange(weight=9), ADA)

        assert (marked, changed) == ([3, 1], [1, 3])
        assert [stage.known(number).weight for number in (1, 2, 3)] == [9, 1, 9]

    async def test_one_that_is_not_there_keeps_all_as_they_are(self, stage: Stage, operate: OperateAccounts) -> None:
        await stage.accounts(1)

        with pytest.raises(tree.AccountNotFoundError):
            await operate.change_each([1, 2], AccountChange(weight=9), ADA)
        with pytest.raises(tree.UnsupportedInputError):
            await operate.change_each([1], AccountChange(weight=0), ADA)
        assert (stage.known(1).weight, entries(stage)) == (1, [])


async def test_what_the_service_is_asked_for_is_put_down_before(stage: Stage, operate: OperateAccounts) -> None:
    await stage.account()
    stage.tables.audit_fault = tree.StorageFullError("full")
    stage.upstream.calls.clear()
    for asking in (operate.refresh_credits(1, ADA), operate.renew(1, ADA)):
        with pytest.raises(tree.StorageFullError):
            await asking
    assert stage.upstream.calls == []

    stage.tables.audit_fault = None
    await operate.refresh_credits(1, ADA)
    await operate.renew(1, ADA)

    told = [(entry.action, entry.subject, entry.actor) for entry in stage.tables.audit]
    assert told == [(AuditAction.CREDITS_ASKED, "1", ADA), (AuditAction.RENEWAL_ASKED, "1", ADA)]


async def test_new_key_is_proved_at_the_accounts_host(stage: Stage, operate: OperateAccounts) -> None:
    hosts, home = stage.world.hosts, "https://media.example.org/v1"
    hosts.add_key("k2", home)
    await stage.key_account("k1", home)
    await stage.key_account("k3", home)
    await stage.tend.change(1, lambda one: one.resting(RestReason.AUTH_EXPIRED, stage.clock.now()))

    with pytest.raises(tree.CredentialRevokedError):
        await operate.edit(1, AccountEdit(session_token=Secret("k9")), ADA)
    with pytest.raises(tree.ConflictError, match="The account 2 has this API key already"):
        await operate.edit(1, AccountEdit(session_token=Secret("k3")), ADA)
    await operate.edit(1, AccountEdit(session_token=Secret("k2")), ADA)

    assert stage.known(1).rests == ()
    assert hosts.asked == [("k9", home), ("k2", home)]
    assert stage.tables.audit[-1].details == {"after": {"api_key": "new"}}


async def test_account_moves_to_another_host_with_its_key_which_is_proved_there(
    stage: Stage, operate: OperateAccounts
) -> None:
    hosts, home, new_home = stage.world.hosts, "https://media.example.org/v1", "https://new.example.org/v1"
    player = hosts.add_key("k1", home)
    await stage.key_account("k1", home)
    await stage.warm.warm(1)
    hosts.asked.clear()

    with pytest.raises(tree.UnsupportedInputError, match="needs the API key again"):
        await operate.change(1, AccountChange(base_url=new_home), ADA)
    with pytest.raises(tree.CredentialRevokedError):
        await operate.change(1, AccountChange(base_url=new_home, session_token=Secret("k1")), ADA)
    assert stage.known(1).base_url == home
    hosts.homes[player.email] = new_home
    await operate.change(1, AccountChange(base_url=new_home, session_token=Secret("k1")), ADA)
    await operate.change(1, AccountChange(base_url=new_home), ADA)

    assert hosts.asked == [("k1", new_home), ("k1", new_home)]
    assert stage.known(1).base_url == stage.tables.accounts[1].base_url == new_home
    assert stage.tables.audit[-1].details == {"after": {"api_key": "new", "base_url": new_home}}
    access = await stage.credentials.access(stage.known(1))
    assert (access.access_token, access.base_url) == (Secret("k1"), new_home)


async def test_key_is_tried_when_the_operator_wants_it(stage: Stage, operate: OperateAccounts) -> None:
    stage.world.keyed.add_key("k1")
    await stage.key_account("k1")
    await stage.warm.warm(1)

    renewed = await operate.renew(1, ADA)

    assert renewed.is_warm
    assert stage.world.keyed.count("exchange") == 2


class TestChangeAsSeen:
    async def test_goes_through_while_all_is_as_it_was_seen(self, stage: Stage, operate: OperateAccounts) -> None:
        account = await stage.account()

        await operate.change(
            account.id, AccountChange(weight=5), ADA, seen={"weight": 1, "tags": [], "image_capacity": None}
        )

        assert stage.known(account.id).weight == 5

    async def test_is_refused_when_somebody_else_was_faster(self, stage: Stage, operate: OperateAccounts) -> None:
        account = await stage.account()
        await operate.change(account.id, AccountChange(weight=7), ADA)

        with pytest.raises(tree.ChangedMeanwhileError) as caught:
            await operate.change(
                account.id, AccountChange(weight=5, priority=2), ADA, seen={"weight": 1, "priority": 0}
            )

        assert caught.value.fields == ("weight",)
        assert (stage.known(account.id).weight, stage.known(account.id).priority) == (7, 0)


class TestEndCooldown:
    async def test_lifts_what_time_would_lift_and_starts_anew(self, stage: Stage, operate: OperateAccounts) -> None:
        account = await stage.account()
        now = stage.clock.now()
        worn = (
            account.rate_limited(now, retry_after_s=600)
            .faulted(now, threshold=1, why="broke")
            .resting(RestReason.REFUSED, now, until=now + timedelta(hours=1), model="a")
        )
        await plant(stage.storage.accounts, worn)
        stage.pool.put(worn)

        await operate.end_cooldown(account.id, ADA)

        assert (stage.known(account.id).rests, stage.known(account.id).streaks) == ((), ())
        assert stage.tables.audit[-1].action == AuditAction.ACCOUNT_CHANGED

    @pytest.mark.parametrize("reason", [RestReason.MANUAL, RestReason.AUTH_EXPIRED, RestReason.QUOTA])
    async def test_leaves_what_has_another_cure(
        self, stage: Stage, operate: OperateAccounts, reason: RestReason
    ) -> None:
        account = await stage.account()
        rested = account.resting(reason, stage.clock.now())
        await plant(stage.storage.accounts, rested)
        stage.pool.put(rested)

        await operate.end_cooldown(account.id, ADA)

        assert stage.known(account.id).rest_of(reason) is not None


class TestNewHost:
    HOME, NEW_HOME = "https://a.example/v1", "https://b.example/v1"

    @pytest.mark.parametrize("key", ["k1", "k2"])
    async def test_key_is_proved_at_the_host_where_it_is_to_be_used(
        self, stage: Stage, operate: OperateAccounts, key: str
    ) -> None:
        stage.world.hosts.add_key("k1", self.HOME)
        account = await stage.key_account("k1", self.HOME)
        await stage.warm.warm(account.id)
        stage.world.hosts.homes[stage.world.hosts.add_key(key, self.NEW_HOME).email] = self.NEW_HOME
        stage.world.hosts.asked.clear()

        await operate.change(account.id, AccountChange(session_token=Secret(key), base_url=self.NEW_HOME), ADA)

        assert stage.world.hosts.asked == [(key, self.NEW_HOME)]
        assert stage.known(account.id).base_url == self.NEW_HOME

    @pytest.mark.parametrize("asked", [AccountChange, AccountEdit])
    async def test_what_the_former_host_refused_stays_there(
        self, stage: Stage, operate: OperateAccounts, asked: type[AccountChange | AccountEdit]
    ) -> None:
        stage.world.hosts.add_key("k2", self.NEW_HOME)
        account = await stage.key_account("k1", self.HOME)
        rested = account.resting(RestReason.NO_ACCESS, stage.clock.now(), model="film").resting(
            RestReason.ERROR_STREAK, stage.clock.now()
        )
        await plant(stage.storage.accounts, rested.resting(RestReason.MANUAL, stage.clock.now()))

        wanted = asked(session_token=Secret("k2"), base_url=self.NEW_HOME)
        if isinstance(wanted, AccountEdit):
            await operate.edit(account.id, wanted, ADA)
        else:
            await operate.change(account.id, wanted, ADA)

        moved = stage.tables.accounts[account.id]
        assert (moved.base_url, [rest.reason for rest in moved.rests]) == (self.NEW_HOME, [RestReason.MANUAL])
        assert stage.world.hosts.asked == [("k2", self.NEW_HOME)]

    async def test_former_path_moves_no_account_without_its_key(self, stage: Stage, operate: OperateAccounts) -> None:
        account = await stage.key_account("k1", self.HOME)

        with pytest.raises(tree.UnsupportedInputError, match="needs the API key again"):
            await operate.edit(account.id, AccountEdit(base_url=self.NEW_HOME), ADA)
        await operate.edit(account.id, AccountEdit(base_url=self.HOME, remark="still here"), ADA)

        assert stage.tables.accounts[account.id].remark == "still here"

    async def test_key_that_the_new_host_refuses_moves_nothing(self, stage: Stage, operate: OperateAccounts) -> None:
        stage.world.hosts.add_key("k1", self.HOME)
        account = await stage.key_account("k1", self.HOME)

        with pytest.raises(tree.CredentialRevokedError):
            await operate.change(account.id, AccountChange(session_token=Secret("k2"), base_url=self.NEW_HOME), ADA)

        assert stage.known(account.id).base_url == self.HOME

    async def test_key_that_somebody_gives_meanwhile_stays_at_its_host(
        self, stage: Stage, operate: OperateAccounts
    ) -> None:
        account = await stage.key_account("k1", self.HOME)
        change = stage.storage.accounts.change

        async def after_another(*args: Any) -> Any:
            moved = replace(account, base_url=self.NEW_HOME)
            await plant_secrets(stage.storage.vault, moved, Credentials(Secret("k2")))
            return await change(*args)

        swap(stage.storage.accounts, change=after_another)

        with pytest.raises(tree.UnsupportedInputError, match="needs the API key again"):
            await operate.change(account.id, AccountChange(base_url=self.HOME, remark="mine"), ADA)
        stored = stage.tables.accounts[account.id]
        assert (stored.base_url, stored.remark) == (self.NEW_HOME, account.remark)

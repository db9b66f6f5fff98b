"""One thing is done to many accounts: each by itself, with a report of what came of it."""

from collections.abc import Callable
from typing import Any

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.account import RestReason, Streak
from flow2api.domain.audit import Actor, AuditAction
from flow2api.domain.media import MediaKind
from flow2api.domain.usecases import act_on_accounts
from flow2api.domain.usecases.act_on_accounts import ActOnAccounts, BulkAction, BulkRun
from flow2api.domain.usecases.change_account import AccountChange
from flow2api.domain.usecases.delete_accounts import RestoreAccounts
from flow2api.domain.usecases.operate_accounts import OperateAccounts
from flow2api.domain.usecases.refresh_account import RefreshAccount
from flow2api.testing.planting import plant
from tests.unit.domain.usecases.stage import Stage
from tests.unit.domain.usecases.test_probe_accounts import probing

ADA = Actor(name="ada", door="console")


Actings = Callable[[], ActOnAccounts]


@pytest.fixture
def acting(actings: Actings) -> ActOnAccounts:
    return actings()


@pytest.fixture
def actings(stage: Stage) -> Actings:
    """What acts on accounts, as each start of the server makes it anew."""
    storage, upstreams = stage.storage, {"flow": stage.upstream}
    operate = OperateAccounts(
        stage.pool,
        upstreams,
        storage.accounts,
        storage.directory,
        storage.vault,
        storage.audit_log,
        stage.tend,
        stage.credentials,
        stage.clock,
        trash=storage.trash,
    )
    refresh = RefreshAccount(stage.pool, stage.warm, upstreams, storage.audit_log, stage.clock)
    restore = RestoreAccounts(stage.pool, storage.accounts, storage.vault, storage.trash, stage.clock)
    return lambda: ActOnAccounts(stage.pool, operate, restore, refresh, probing(stage), stage.clock)


async def ended(acting: ActOnAccounts, *args: Any) -> BulkRun:
    run = acting.begin(*args)
    await acting.wait(run, 60)
    assert run.is_over
    return run


async def test_each_account_is_paused_and_enabled_once(stage: Stage, acting: ActOnAccounts) -> None:
    ids = [account.id for account in await stage.accounts(6)]

    paused = await ended(acting, [*ids, *ids], BulkAction.PAUSE, ADA)

    assert (paused.total, paused.done, paused.failed, paused.by) == (6, 6, 0, "ada")
    assert all(stage.known(one).rest_of(RestReason.MANUAL) for one in ids)
    assert [entry.action for entry in stage.tables.audit].count(AuditAction.ACCOUNT_DISABLED) == 6
    await ended(acting, ids, BulkAction.ENABLE, ADA)
    assert not any(stage.known(one).rests for one in ids)


async def test_change_is_made_to_each(stage: Stage, acting: ActOnAccounts) -> None:
    ids = [account.id for account in await stage.accounts(3)]
    change = AccountChange(limits={MediaKind.IMAGE: 2}, added_tags=frozenset({"eu"}))

    await ended(acting, ids, BulkAction.CHANGE, ADA, change)

    assert {(stage.known(one).capacity.image, *stage.known(one).tags) for one in ids} == {(2, "eu")}


async def test_change_that_cannot_be_begins_nothing(stage: Stage, acting: ActOnAccounts) -> None:
    account = await stage.account()

    with pytest.raises(tree.UnsupportedInputError):
        acting.begin([account.id], BulkAction.CHANGE, ADA, AccountChange(weight=0))
    assert stage.tables.audit == []


async def test_deleted_ones_are_gone(stage: Stage, acting: ActOnAccounts) -> None:
    ids = [account.id for account in await stage.accounts(2)]

    await ended(acting, ids, BulkAction.DELETE, ADA)

    assert len(stage.pool) == 0


async def test_those_that_fail_are_named_and_stop_no_other(stage: Stage, acting: ActOnAccounts) -> None:
    fine, paused = await stage.account(), await stage.account()
    stage.pool.put(paused.resting(RestReason.MANUAL, stage.clock.now()))

    run = await ended(acting, [paused.id, 99, fine.id], BulkAction.REFRESH, ADA)

    assert (run.done, run.failed) == (1, 2)
    assert [(one.name, one.code) for one in run.failures] == [(paused.name, "conflict"), ("99", "account_not_found")]
    assert acting.get(run.number) is run


async def test_test_that_fails_counts_as_failed_with_its_reason(stage: Stage, acting: ActOnAccounts) -> None:
    player = stage.upstream.add_player()
    fine, ended_session = await stage.account(), await stage.account(player)
    player.is_revoked = True

    run = await ended(acting, [fine.id, ended_session.id], BulkAction.TEST, ADA)

    assert (run.done, run.failed) == (1, 1)
    assert run.failures[0].code == "credential_revoked"


async def test_fault_of_ours_is_told_as_one(
    stage: Stage, acting: ActOnAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await stage.account()

    async def broken(*args: Any) -> None:
        raise ValueError("broken")

    monkeypatch.setattr(acting._accounts, "remove", broken)
    run = await ended(acting, [account.id], BulkAction.DELETE, ADA)

    assert run.failures[0].code == "internal_error"


async def test_only_the_first_failures_and_the_last_runs_are_kept(
    stage: Stage, acting: ActOnAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(act_on_accounts, "_FAILURES_KEPT", 1)
    monkeypatch.setattr(act_on_accounts, "_RUNS_KEPT", 1)

    first = await ended(acting, [98, 99], BulkAction.PAUSE, ADA)
    second = await ended(acting, [], BulkAction.PAUSE, ADA)

    assert (first.failed, len(first.failures)) == (2, 1)
    assert (acting.get(first.number), acting.get(second.number)) == (None, second)
    await acting.wait(second, 1)


async def test_there_are_only_so_many_runs_at_once_and_they_can_be_broken_off(
    stage: Stage, acting: ActOnAccounts
) -> None:
    account, gate = await stage.account(), stage.upstream.hold("exchange")
    runs = [acting.begin([account.id], BulkAction.REFRESH, ADA) for _ in range(3)]
    await acting.wait(runs[0], 0.01)

    with pytest.raises(tree.ConflictError, match="go on already"):
        acting.begin([account.id], BulkAction.PAUSE, ADA)
    assert not runs[0].is_over
    await acting.aclose()
    gate.set()
    assert all(run.is_over for run in runs)


async def undone(acting: ActOnAccounts, run: BulkRun) -> BulkRun:
    undoing = acting.undo(run.number, ADA)
    await acting.wait(undoing, 60)
    assert undoing.is_over
    return undoing


async def test_pause_is_taken_back_from_those_that_were_at_work(stage: Stage, acting: ActOnAccounts) -> None:
    working, off = await stage.account(), await stage.account()
    await ended(acting, [off.id], BulkAction.PAUSE, ADA)
    run = await ended(acting, [working.id, off.id], BulkAction.PAUSE, ADA)
    assert run.can_be_undone

    back = await undone(acting, run)

    assert (back.action, back.total, back.done, back.by) == (BulkAction.UNDO, 1, 1, "ada")
    assert stage.known(working.id).rests == ()
    assert stage.known(off.id).rest_of(RestReason.MANUAL) is not None
    assert not run.can_be_undone
    with pytest.raises(tree.ConflictError, match="no longer be undone"):
        acting.undo(run.number, ADA)
    with pytest.raises(tree.ConflictError, match="no longer be undone"):
        acting.undo(back.number, ADA)


async def test_pause_that_is_taken_back_leaves_the_faults_in_a_row_and_other_rests(
    stage: Stage, acting: ActOnAccounts
) -> None:
    failing, now = await stage.account(streaks=(Streak(None, 2),)), stage.clock.now()
    await stage.storage.accounts.change(failing.id, lambda one: one.resting(RestReason.ERROR_STREAK, now))

    await undone(acting, await ended(acting, [failing.id], BulkAction.PAUSE, ADA))

    kept = stage.known(failing.id)
    assert (kept.streaks, [rest.reason for rest in kept.rests]) == (failing.streaks, [RestReason.ERROR_STREAK])


async def test_what_another_server_has_paused_a_moment_before_stays_paused(stage: Stage, acting: ActOnAccounts) -> None:
    account = await stage.account()
    await plant(stage.storage.accounts, account.resting(RestReason.MANUAL, stage.clock.now()))

    run = await ended(acting, [account.id], BulkAction.PAUSE, ADA)

    assert not run.can_be_undone


async def test_button_of_before_a_restart_undoes_nothing_that_was_done_since(stage: Stage, actings: Actings) -> None:
    account = await stage.account()
    shown = await ended(actings(), [account.id], BulkAction.PAUSE, ADA)
    restarted = actings()
    await ended(restarted, [account.id], BulkAction.ENABLE, ADA)
    await ended(restarted, [account.id], BulkAction.PAUSE, ADA)

    with pytest.raises(tree.ConflictError, match="no longer be undone"):
        restarted.undo(shown.number, ADA)
    assert restarted.get(shown.number) is None


async def test_enabled_ones_are_paused_again(stage: Stage, acting: ActOnAccounts) -> None:
    working, off = await stage.account(), await stage.account()
    await ended(acting, [off.id], BulkAction.PAUSE, ADA)

    await undone(acting, await ended(acting, [working.id, off.id], BulkAction.ENABLE, ADA))

    assert stage.known(working.id).rests == ()
    assert stage.known(off.id).rest_of(RestReason.MANUAL) is not None


async def test_each_gets_back_what_it_had(stage: Stage, acting: ActOnAccounts) -> None:
    one, other, same = await stage.accounts(3)
    await ended(acting, [one.id], BulkAction.CHANGE, ADA, AccountChange(weight=7, added_tags=frozenset({"old"})))
    change = AccountChange(
        limits={MediaKind.IMAGE: 2},
        weight=50,
        priority=3,
        added_tags=frozenset({"eu"}),
        removed_tags=frozenset({"old"}),
    )
    await ended(acting, [same.id], BulkAction.CHANGE, ADA, change)
    before = [stage.known(account.id) for account in (one, other, same)]

    run = await ended(acting, [one.id, other.id, same.id], BulkAction.CHANGE, ADA, change)
    assert list(run.ways_back) == [one.id, other.id]
    back = await undone(acting, run)

    assert (back.done, back.failed) == (2, 0)
    assert [stage.known(account.id) for account in (one, other, same)] == before


async def test_what_others_have_set_since_stays(stage: Stage, acting: ActOnAccounts) -> None:
    theirs, ours = await stage.accounts(2)
    run = await ended(acting, [theirs.id, ours.id], BulkAction.CHANGE, ADA, AccountChange(weight=50))
    await ended(acting, [theirs.id], BulkAction.CHANGE, ADA, AccountChange(weight=60))

    back = await undone(acting, run)

    assert [(one.account_id, one.code) for one in back.failures] == [(theirs.id, "changed_meanwhile")]
    assert (stage.known(theirs.id).weight, stage.known(ours.id).weight) == (60, ours.weight)


async def test_deleted_ones_come_back(stage: Stage, acting: ActOnAccounts) -> None:
    ids = [account.id for account in await stage.accounts(2)]

    back = await undone(acting, await ended(acting, ids, BulkAction.DELETE, ADA))
    assert back.failures == []

    assert all(stage.known(one) for one in ids)


async def test_deleted_ones_that_are_not_kept_do_not(
    stage: Stage, acting: ActOnAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = stage.storage
    monkeypatch.setattr(
        acting, "_restore", RestoreAccounts(stage.pool, storage.accounts, storage.vault, None, stage.clock)
    )

    assert not (await ended(acting, [(await stage.account()).id], BulkAction.DELETE, ADA)).can_be_undone


async def test_what_makes_no_difference_or_is_no_change_cannot_be_undone(stage: Stage, acting: ActOnAccounts) -> None:
    account = await stage.account()
    runs = [
        await ended(acting, [account.id], BulkAction.ENABLE, ADA),
        await ended(acting, [account.id], BulkAction.CHANGE, ADA, AccountChange(weight=account.weight)),
        await ended(acting, [account.id], BulkAction.REFRESH, ADA),
        await ended(acting, [99], BulkAction.PAUSE, ADA),
    ]

    assert not any(run.can_be_undone for run in runs)
    with pytest.raises(tree.ConflictError, match="no longer be undone"):
        acting.undo(99, ADA)


async def test_only_the_last_runs_can_be_undone(
    stage: Stage, acting: ActOnAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(act_on_accounts, "_UNDOABLE", 1)
    one, other = await stage.accounts(2)

    first = await ended(acting, [one.id], BulkAction.PAUSE, ADA)
    assert first.can_be_undone
    gate = stage.upstream.hold("exchange")
    testing = acting.begin([other.id], BulkAction.REFRESH, ADA)
    last = await ended(acting, [other.id], BulkAction.CHANGE, ADA, AccountChange(priority=7))
    gate.set()
    await acting.wait(testing, 60)

    assert (first.can_be_undone, testing.can_be_undone, last.can_be_undone) == (False, False, True)
    await undone(acting, last)
    assert stage.known(other.id).priority == other.priority

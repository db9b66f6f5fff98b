"""The upstream is asked about one account, unless it should be left alone."""

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.account import RestReason
from flow2api.domain.audit import Actor, AuditAction
from flow2api.domain.usecases.refresh_account import RefreshAccount
from tests.unit.domain.usecases.stage import Stage

ADA = Actor(name="ada", door="admin_api")


def refreshing(stage: Stage, *upstreams: str) -> RefreshAccount:
    return RefreshAccount(stage.pool, stage.warm, upstreams, stage.storage.audit_log, stage.clock)


@pytest.fixture
def refresh(stage: Stage) -> RefreshAccount:
    return refreshing(stage, "flow")


async def test_account_is_as_the_upstream_told_of_it(stage: Stage, refresh: RefreshAccount) -> None:
    await stage.cold_account()

    assert (await refresh(1, ADA)).credits == 1000
    assert [(one.action, one.subject) for one in stage.tables.audit] == [(AuditAction.RENEWAL_ASKED, "1")]
    assert stage.upstream.count("allowance") == 1


@pytest.mark.parametrize("reason", [RestReason.MANUAL, RestReason.AUTH_EXPIRED, RestReason.UNUSABLE])
async def test_account_that_is_to_be_left_alone_is(stage: Stage, refresh: RefreshAccount, reason: RestReason) -> None:
    account = await stage.cold_account()
    stage.pool.put(account.resting(reason, stage.clock.now()))

    with pytest.raises(tree.ConflictError):
        await refresh(1)
    assert stage.upstream.count("exchange") == 0


async def test_nobody_is_asked_about_what_is_not_there_or_nobody_offers(stage: Stage) -> None:
    await stage.cold_account()

    with pytest.raises(tree.ConflictError, match="No plugin"):
        await refreshing(stage)(1)
    with pytest.raises(tree.AccountNotFoundError):
        await refreshing(stage, "flow")(2)


async def test_account_that_goes_meanwhile_is_not_there(stage: Stage, refresh: RefreshAccount) -> None:
    account = await stage.cold_account()
    warm = stage.warm.warm

    async def gone(account_id: int) -> None:
        await warm(account_id)
        stage.pool.remove(account.id)

    stage.warm.warm = gone  # type: ignore[method-assign]
    with pytest.raises(tree.AccountNotFoundError):
        await refresh(1)

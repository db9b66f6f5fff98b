"""An account is tested step by step: nothing of it costs credits, and what is learned is booked."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.account import Account, RestReason
from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.ports.proxies import Passage
from flow2api.domain.ports.upstream import Upstream
from flow2api.domain.probe import Probe, ProbePart, StepState
from flow2api.domain.proxy import Proxy
from flow2api.domain.secret import Secret
from flow2api.domain.usecases import probe_accounts
from flow2api.domain.usecases.check_proxies import Checked
from flow2api.domain.usecases.choose_proxy import Way
from flow2api.domain.usecases.probe_accounts import ProbeAccounts
from flow2api.testing.planting import plant
from tests.unit.domain.usecases.stage import Stage

ADA = Actor(name="ada", door="console")
PROXY = Proxy(id=1, name="eu-1", url=Secret("http://p"), address="p", created_at=datetime(2026, 7, 1, tzinfo=UTC))


def probing(
    stage: Stage,
    way: Way | None = None,
    passage: Passage | None = None,
    upstreams: Mapping[str, Upstream] | None = None,
) -> ProbeAccounts:
    async def check(proxy: Proxy) -> Checked:
        return Checked(proxy, passage, None if passage else "It answers nothing.")

    return ProbeAccounts(
        stage.pool,
        {"flow": stage.upstream} if upstreams is None else upstreams,
        stage.credentials,
        stage.warm,
        stage.tend,
        stage.storage.audit_log,
        stage.clock,
        lambda account_id: way or Way(),
        check,
    )


async def resting(stage: Stage, account: Account, reason: RestReason) -> None:
    rested = account.resting(reason, stage.clock.now())
    await plant(stage.storage.accounts, rested)
    stage.pool.put(rested)


def states(probe: Probe) -> list[StepState]:
    return [step.state for step in probe.steps]


FINE = [StepState.PASSED] * 4


async def test_every_step_of_a_good_account_passes_and_tells_what_it_found(stage: Stage) -> None:
    account = await stage.account()
    probes = probing(stage)

    probe = await probes(account.id, ADA)

    assert states(probe) == FINE
    assert (probe.is_over, probe.by, probe.passed) == (True, "ada", 4)
    found = {step.part: step.found for step in probe.steps}
    assert found[ProbePart.WAY] == {}
    assert found[ProbePart.ALLOWANCE] == {"tier": "pro", "credits": 1000}
    assert found[ProbePart.WORKSPACE] == {"workspace": stage.known(account.id).workspace}
    assert probes.last(account.id) == probe
    assert (stage.tables.audit[-1].action, stage.tables.audit[-1].subject) == (AuditAction.ACCOUNT_TESTED, "1")


async def test_new_account_gets_its_workspace(stage: Stage) -> None:
    account = await stage.cold_account()

    probe = await probing(stage)(account.id, ADA)

    assert states(probe) == FINE
    assert stage.known(account.id).is_warm


async def test_paused_account_is_tested_and_stays_paused(stage: Stage) -> None:
    account = await stage.cold_account()
    await resting(stage, account, RestReason.MANUAL)

    probe = await probing(stage)(account.id, ADA)

    assert states(probe) == FINE
    assert probe.steps[-1].found == {"workspace": ""}
    assert stage.known(account.id).rest_of(RestReason.MANUAL) is not None


async def test_what_follows_a_failed_step_is_not_tried(stage: Stage) -> None:
    player = stage.upstream.add_player()
    account = await stage.account(player)
    player.is_revoked = True

    probe = await probing(stage)(account.id, ADA)

    assert states(probe) == [StepState.PASSED, StepState.FAILED, StepState.SKIPPED, StepState.SKIPPED]
    assert probe.failure is not None
    assert probe.failure.code == "credential_revoked"
    assert stage.known(account.id).rest_of(RestReason.AUTH_EXPIRED) is not None


async def test_account_that_passes_can_be_used_again(stage: Stage) -> None:
    account = await stage.account()
    await resting(stage, account, RestReason.UNUSABLE)

    await probing(stage)(account.id, ADA)

    assert stage.known(account.id).rests == ()


async def test_refusal_that_sends_the_account_to_rest_is_booked(stage: Stage) -> None:
    account = await stage.account()
    stage.upstream.fail("allowance", tree.AccountUnusableError("closed"))
    probe = await probing(stage)(account.id, ADA)

    assert states(probe)[2] is StepState.FAILED
    assert stage.known(account.id).rest_of(RestReason.UNUSABLE) is not None


async def test_passing_trouble_is_told_and_booked_as_nothing(stage: Stage) -> None:
    account = await stage.account()
    stage.upstream.fail("allowance", tree.UpstreamTimeoutError("slow"))

    probe = await probing(stage)(account.id, ADA)

    assert probe.failure is not None
    assert (probe.failure.part, probe.failure.message) == (ProbePart.ALLOWANCE, "slow")
    assert stage.known(account.id).rests == ()


async def test_way_through_a_proxy_is_tried(stage: Stage) -> None:
    account = await stage.account()

    fine = await probing(stage, Way(PROXY), Passage(204, 84, "203.0.113.7"))(account.id, ADA)
    failed = await probing(stage, Way(PROXY))(account.id, ADA)

    assert fine.steps[0].found == {"proxy": "eu-1", "egress": "203.0.113.7"}
    assert (states(failed)[0], failed.steps[0].message) == (StepState.FAILED, "It answers nothing.")


async def test_fault_of_ours_ends_the_test_and_says_so(stage: Stage) -> None:
    account = await stage.account()
    stage.upstream.fail("allowance", ValueError("broken"))

    probe = await probing(stage)(account.id, ADA)

    assert probe.is_over
    assert probe.failure is not None
    assert probe.failure.code == "internal_error"


async def test_account_of_a_service_that_is_gone_says_so(stage: Stage) -> None:
    account = await stage.account()

    probe = await probing(stage, upstreams={})(account.id, ADA)

    assert probe.failure is not None
    assert "No plugin offers" in probe.failure.message


async def test_allowance_without_credits_tells_none(stage: Stage) -> None:
    stage.world.keyed.add_key("k1")
    account = await stage.key_account("k1")

    probe = await probing(stage, upstreams={"keyed": stage.world.keyed})(account.id, ADA)

    assert "credits" not in probe.steps[2].found


async def test_who_comes_later_joins_the_test_that_is_under_way(stage: Stage) -> None:
    account = await stage.account()
    probes, gate = probing(stage), stage.upstream.hold("allowance")
    first = await probes.begin(account.id, ADA)
    joined = asyncio.create_task(probes(account.id, Actor(name="bob", door="console")))
    await stage.clock.sleep(0.1)

    assert list(probes.testing()) == [account.id]
    assert not first.is_over
    gate.set()
    assert (await joined).by == "ada"
    await asyncio.sleep(0)
    assert list(probes.testing()) == []
    assert [entry.action for entry in stage.tables.audit].count(AuditAction.ACCOUNT_TESTED) == 1


async def test_two_who_begin_at_once_begin_one_test(stage: Stage) -> None:
    account = await stage.account()
    probes, note = probing(stage), stage.storage.audit_log.note

    async def slow(entry: AuditEntry) -> None:
        await asyncio.sleep(0)
        await note(entry)

    stage.storage.audit_log.note = slow  # type: ignore[method-assign]
    both = await asyncio.gather(probes(account.id, ADA), probes(account.id, ADA))

    assert both[0] == both[1]


async def test_account_that_is_not_there_is_not_tested(stage: Stage) -> None:
    with pytest.raises(tree.AccountNotFoundError):
        await probing(stage).begin(7, ADA)
    assert probing(stage).last(7) is None


async def test_account_that_goes_meanwhile_ends_its_test(stage: Stage) -> None:
    account = await stage.account()
    probes, gate = probing(stage), stage.upstream.hold("exchange")
    await probes.begin(account.id, ADA)
    await stage.clock.sleep(0.1)
    await stage.storage.accounts.remove(account.id)
    stage.pool.remove(account.id)
    gate.set()
    await stage.clock.sleep(1)

    probe = probes.last(account.id)
    assert probe is not None
    assert probe.is_over
    assert probe.failure is not None


async def test_only_so_many_are_remembered(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_accounts, "_KEPT", 1)
    first, second = await stage.account(), await stage.account()
    probes = probing(stage)

    await probes(first.id, ADA)
    await probes(second.id, ADA)

    assert probes.last(first.id) is None
    assert probes.last(second.id) is not None


async def test_closing_breaks_off_what_is_under_way(stage: Stage) -> None:
    account = await stage.account()
    probes, _ = probing(stage), stage.upstream.hold("allowance")
    await probes.begin(account.id, ADA)
    await stage.clock.sleep(0.1)

    await probes.aclose()

    assert list(probes.testing()) == []

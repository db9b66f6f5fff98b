"""Every way in which a session can be wrong, against the simulator."""

from typing import Any

import pytest

from flow2api.adapters.flow.caller import TimeLimits
from flow2api.domain.account import Credentials
from flow2api.domain.errors import (
    AccountUnusableError,
    CredentialExpiredError,
    CredentialRevokedError,
    UpstreamInvalidError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from flow2api.domain.secret import Secret
from flow2api.testing.simulator import SimulatorProcess
from tests.integration.flow.stage import FlowStage

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def credentials(stage: FlowStage, **knobs: Any) -> Credentials:
    return Credentials(Secret((await stage.control.add_account(**knobs)).session_token))


@pytest.mark.parametrize(
    "knobs",
    [{"refresh_needed": True}, {"revoked": "empty"}, {"revoked": "unauthorized"}, {"signed_out": True}],
    ids=["refresh needed", "revoked, empty", "revoked, 401", "signed out"],
)
async def test_session_that_only_a_new_sign_in_helps(later: FlowStage, knobs: dict[str, Any]) -> None:
    with pytest.raises(CredentialRevokedError):
        await later.flow.exchange(await credentials(later, **knobs), None)

    assert (await later.control.counters()).exchanges == 1


async def test_migrated_account_is_unusable(later: FlowStage) -> None:
    with pytest.raises(AccountUnusableError):
        await later.flow.exchange(await credentials(later, migrated=True), None)


async def test_stale_session_is_tried_once_more_with_its_new_token(stage: FlowStage) -> None:
    exchanged = await stage.flow.exchange(await credentials(stage, stale_then_rotate=True), None)

    sent = await stage.control.requests(call="exchange")
    assert len(sent) == 2
    assert sent[0].cookie != sent[1].cookie
    assert exchanged.credentials.is_fresh(stage.clock.now())


async def test_session_token_stays_when_it_is_not_rotated(stage: FlowStage) -> None:
    given = await credentials(stage, rotate=False)

    exchanged = await stage.flow.exchange(given, None)

    assert exchanged.credentials.session_token == given.session_token


async def test_ended_grant_shows_at_the_allowance(stage: FlowStage) -> None:
    _, access = await stage.sign_in(grant_expired=True)

    with pytest.raises(CredentialExpiredError):
        await stage.flow.allowance(access)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "error", "status": 500}, UpstreamUnavailableError),
        ({"kind": "error", "status": 503}, UpstreamUnavailableError),
        ({"kind": "error", "status": 400}, UpstreamRejectedError),
        ({"kind": "html", "status": 200}, UpstreamInvalidError),
        ({"kind": "malformed"}, UpstreamInvalidError),
        ({"kind": "empty_body"}, UpstreamInvalidError),
        ({"kind": "drop"}, UpstreamUnavailableError),
        ({"kind": "truncate"}, UpstreamUnavailableError),
    ],
    ids=str,
)
async def test_trouble_on_the_way_is_never_held_against_the_credentials(
    later: FlowStage, fault: dict[str, Any], error: type[Exception]
) -> None:
    given = await credentials(later)
    # A kept connection that breaks is tried again by libcurl; so the fault has to last.
    await later.control.add_fault(call="exchange", times=3, **fault)

    with pytest.raises(error):
        await later.flow.exchange(given, None)


async def test_time_out_of_an_exchange_is_no_refusal(simulators: dict[str, SimulatorProcess]) -> None:
    await simulators["2026-06"].control.reset()
    stage = FlowStage(simulators["2026-06"], "2026-06", limits=TimeLimits(short_s=0.5))
    given = await credentials(stage)
    await stage.control.add_fault("latency", call="exchange", latency_s=3.0)

    with pytest.raises(UpstreamTimeoutError):
        await stage.flow.exchange(given, None)

    await stage.flow.aclose()


async def test_failure_inside_a_success_is_seen(later: FlowStage) -> None:
    _, access = await later.sign_in()
    await later.control.add_fault("inner_status", call="create_project", status=500)

    with pytest.raises(UpstreamUnavailableError):
        await later.flow.open_workspace(access, "second")


async def test_token_with_a_line_break_never_leaves(later: FlowStage) -> None:
    with pytest.raises(CredentialRevokedError):
        await later.flow.exchange(Credentials(Secret("eyJ" + "x" * 300 + "\r\nX-Injected: 1")), None)

    assert (await later.control.counters()).exchanges == 0

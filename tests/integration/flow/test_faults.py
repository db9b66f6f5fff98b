"""Every misbehaviour of the service as an error of the tree, against the simulator."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from flow2api.adapters.flow.caller import TimeLimits
from flow2api.adapters.flow.client import FlowUpstream
from flow2api.domain.errors import (
    AccountUnusableError,
    ContentBlockedError,
    CredentialExpiredError,
    ModelAccessError,
    UpstreamDriftError,
    UpstreamInvalidError,
    UpstreamOverloadedError,
    UpstreamRateLimitedError,
    UpstreamRefusedError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from flow2api.domain.generation import Order
from flow2api.domain.ports.upstream import UploadedPicture
from flow2api.testing.simulator import SimulatorProcess
from tests.integration.flow.stage import PICTURE, SPECS, VIDEO, FlowStage, jpeg

pytestmark = pytest.mark.asyncio(loop_scope="package")

ORDER = Order(spec=PICTURE, prompt="a red mug")

REFUSALS: list[tuple[dict[str, Any], type[Exception], dict[str, Any]]] = [
    ({"status": 400, "reason": "PUBLIC_ERROR_SEXUAL"}, ContentBlockedError, {"reason": "PUBLIC_ERROR_SEXUAL"}),
    ({"status": 400, "message": 'Invalid JSON payload received. Unknown name "x"'}, UpstreamDriftError, {}),
    (
        {"status": 400, "reason": "PUBLIC_ERROR_SOMETHING_NEW"},
        UpstreamRejectedError,
        {"reason": "PUBLIC_ERROR_SOMETHING_NEW"},
    ),
    ({"status": 401}, CredentialExpiredError, {}),
    ({"status": 403}, ModelAccessError, {}),
    ({"status": 403, "reason": "PUBLIC_ERROR_MODEL_ACCESS_DENIED"}, ModelAccessError, {}),
    ({"status": 403, "reason": "PUBLIC_ERROR_UNUSUAL_ACTIVITY"}, UpstreamRefusedError, {}),
    ({"status": 403, "message": "reCAPTCHA evaluation failed"}, UpstreamRefusedError, {}),
    ({"status": 403, "reason": "PUBLIC_ERROR_USER_REGION_DISALLOWED"}, AccountUnusableError, {}),
    (
        {"status": 429, "reason": "PUBLIC_ERROR_USER_QUOTA_REACHED"},
        UpstreamRateLimitedError,
        {"exhausted": True, "per_model": False},
    ),
    (
        {"status": 429, "reason": "PUBLIC_ERROR_CONCURRENT_LIMIT_REACHED", "retry_after_s": 7},
        UpstreamRateLimitedError,
        {"exhausted": False, "per_kind": True, "retry_after_s": 7.0},
    ),
    (
        {"status": 429, "reason": "PUBLIC_ERROR_PER_MODEL_DAILY_QUOTA_REACHED", "retry_after_s": 90},
        UpstreamRateLimitedError,
        {"exhausted": True, "per_model": True, "retry_after_s": 90.0},
    ),
    (
        {"status": 429, "reason": "PUBLIC_ERROR_USER_REQUESTS_THROTTLED", "retry_after_s": 7},
        UpstreamRateLimitedError,
        {"exhausted": False, "per_kind": False, "retry_after_s": 7.0},
    ),
    ({"status": 429, "reason": "PUBLIC_ERROR_UNUSUAL_ACTIVITY_TOO_MUCH_TRAFFIC"}, UpstreamRefusedError, {}),
    ({"status": 503, "reason": "PUBLIC_ERROR_HIGH_TRAFFIC"}, UpstreamOverloadedError, {"reached": False}),
    ({"status": 500}, UpstreamUnavailableError, {"reached": False}),
    ({"status": 503}, UpstreamUnavailableError, {"reached": False}),
    ({"status": 502}, UpstreamUnavailableError, {"reached": True}),
    ({"status": 504}, UpstreamUnavailableError, {"reached": True}),
]

BREAKAGES: list[tuple[dict[str, Any], type[Exception], dict[str, Any]]] = [
    ({"kind": "html", "status": 500}, UpstreamUnavailableError, {"reached": True}),
    ({"kind": "html", "status": 200}, UpstreamInvalidError, {}),
    ({"kind": "malformed"}, UpstreamInvalidError, {}),
    ({"kind": "empty_body"}, UpstreamInvalidError, {}),
    ({"kind": "huge_body", "size_bytes": 20 * 1024 * 1024}, UpstreamInvalidError, {}),
    ({"kind": "drop"}, UpstreamUnavailableError, {"reached": True}),
    ({"kind": "truncate"}, UpstreamUnavailableError, {"reached": True}),
]


@pytest.mark.parametrize(("fault", "error", "facts"), REFUSALS, ids=str)
async def test_refusal_is_told_by_its_reason(
    later: FlowStage, fault: dict[str, Any], error: type[Exception], facts: dict[str, Any]
) -> None:
    _, access = await later.sign_in()
    await later.control.add_fault("error", call="generate_images", **fault)

    with pytest.raises(error) as refusal:
        await later.flow.produce(access, ORDER)

    assert type(refusal.value) is error
    assert {name: getattr(refusal.value, name) for name in facts} == facts


@pytest.mark.parametrize(("fault", "error", "facts"), BREAKAGES, ids=str)
@pytest.mark.parametrize("call", ["generate_images", "submit_text_video", "upload_image", "credits"])
async def test_broken_answer_is_told_by_how_it_broke(
    later: FlowStage, fault: dict[str, Any], error: type[Exception], facts: dict[str, Any], call: str
) -> None:
    _, access = await later.sign_in()
    await later.control.add_fault(call=call, times=3, **fault)
    work: dict[str, Callable[[], Awaitable[object]]] = {
        "generate_images": lambda: later.flow.produce(access, ORDER),
        "submit_text_video": lambda: later.flow.submit(access, Order(spec=VIDEO, prompt="a cat")),
        "upload_image": lambda: later.flow.upload(access, picture()),
        "credits": lambda: later.flow.allowance(access),
    }

    with pytest.raises(error) as failure:
        await work[call]()

    assert type(failure.value) is error
    assert {name: getattr(failure.value, name) for name in facts} == facts


async def test_slow_answer_is_a_time_out(simulators: dict[str, SimulatorProcess]) -> None:
    await simulators["2026-06"].control.reset()
    stage = FlowStage(simulators["2026-06"], "2026-06", limits=TimeLimits(picture_s=0.5))
    _, access = await stage.sign_in()
    await stage.control.add_fault("latency", call="generate_images", latency_s=3.0)

    with pytest.raises(UpstreamTimeoutError):
        await stage.flow.produce(access, ORDER)

    await stage.flow.aclose()


async def test_answer_that_drips_is_a_time_out(simulators: dict[str, SimulatorProcess]) -> None:
    await simulators["2026-06"].control.reset()
    stage = FlowStage(simulators["2026-06"], "2026-06", limits=TimeLimits(picture_s=0.5))
    _, access = await stage.sign_in()
    await stage.control.add_fault("drip", call="generate_images", chunk_bytes=1, interval_s=0.1)

    with pytest.raises(UpstreamTimeoutError):
        await stage.flow.produce(access, ORDER)

    await stage.flow.aclose()


async def test_nobody_listening_is_told_apart_from_a_lost_answer(later: FlowStage) -> None:
    _, access = await later.sign_in()
    gone = FlowUpstream(later.clock, labs_base_url="http://127.0.0.1:1/fx/api", api_base_url="http://127.0.0.1:1/v1")

    with pytest.raises(UpstreamUnavailableError) as failure:
        await gone.submit(access, Order(spec=VIDEO, prompt="a cat"))

    assert not failure.value.reached
    await gone.aclose()


async def test_model_of_a_higher_plan_is_told_apart(later: FlowStage) -> None:
    _, access = await later.sign_in(tier="PAYGATE_TIER_NOT_PAID")
    spec = next(spec for name, spec in SPECS.items() if name.endswith("_ultra_relaxed"))

    with pytest.raises((ModelAccessError, UpstreamRejectedError)):
        await later.flow.submit(access, Order(spec=spec, prompt="a cat"))


async def test_key_that_the_service_does_not_know_is_drift_and_logged_once(
    later: FlowStage, capsys: pytest.CaptureFixture[str]
) -> None:
    _, access = await later.sign_in()
    spec = replace(PICTURE, wire={**PICTURE.wire, "keys": {"2026-06": "NO_SUCH_MODEL"}})

    for _ in range(2):
        with pytest.raises(UpstreamDriftError):
            await later.flow.produce(access, Order(spec=spec, prompt="a secret plan"))

    logged = capsys.readouterr().out
    assert logged.count("upstream protocol drift") == 1
    assert "secret plan" not in logged


async def test_refused_account_is_reported_for_what_it_is(later: FlowStage) -> None:
    await later.control.configure(refuse_anti_abuse=True)
    _, access = await later.sign_in()

    with pytest.raises(UpstreamRefusedError):
        await later.flow.produce(access, ORDER)


def picture() -> UploadedPicture:
    return UploadedPicture(jpeg(), "image/jpeg", 32, 18)

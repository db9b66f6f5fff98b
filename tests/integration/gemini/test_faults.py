"""Every misbehaviour of the Gemini API as an error of the tree, against the simulator."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from flow2api.adapters.gemini.caller import TimeLimits
from flow2api.adapters.gemini.client import GeminiUpstream
from flow2api.domain.account import Credentials
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.errors import (
    AccountUnusableError,
    ContentBlockedError,
    CredentialRevokedError,
    ModelAccessError,
    UpstreamInvalidError,
    UpstreamOverloadedError,
    UpstreamRateLimitedError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from flow2api.domain.generation import Order
from flow2api.domain.ports.upstream import Access
from flow2api.domain.secret import Secret
from flow2api.libcurl.calls import MIB
from tests.integration.gemini.stage import OMNI, PICTURE, VIDEO, GeminiStage

pytestmark = pytest.mark.asyncio(loop_scope="package")

ORDER = Order(spec=PICTURE, prompt="a red mug")
PER_DAY = "GenerateRequestsPerDayPerProjectPerModel-PaidTier"

ASKED: dict[str, Callable[[GeminiUpstream, Access], Awaitable[object]]] = {
    "gemini_generate": lambda gemini, access: gemini.produce(access, ORDER),
    "gemini_submit": lambda gemini, access: gemini.submit(access, replace(ORDER, spec=VIDEO)),
    "gemini_interact": lambda gemini, access: gemini.submit(access, replace(ORDER, spec=OMNI)),
}
REFUSALS: list[tuple[dict[str, Any], type[Exception], dict[str, Any]]] = [
    ({"status": 400, "reason": "API_KEY_INVALID"}, CredentialRevokedError, {}),
    ({"status": 400, "message": "Request contains an invalid argument."}, UpstreamRejectedError, {}),
    ({"status": 401}, CredentialRevokedError, {}),
    ({"status": 403, "message": "Your API key was reported as leaked."}, CredentialRevokedError, {}),
    ({"status": 403, "reason": "BILLING_DISABLED"}, AccountUnusableError, {}),
    ({"status": 404}, ModelAccessError, {}),
    ({"status": 429, "retry_after_s": 37}, UpstreamRateLimitedError, {"retry_after_s": 37.0, "exhausted": False}),
    (
        {"status": 429, "quota_id": PER_DAY, "quota_model": "gemini-3.1-flash-image", "retry_after_s": 37},
        UpstreamRateLimitedError,
        {"exhausted": True, "per_model": True},
    ),
    ({"status": 429, "quota_id": PER_DAY, "quota_value": 0}, ModelAccessError, {}),
    ({"status": 429}, UpstreamRateLimitedError, {"exhausted": False, "per_model": False}),
    ({"status": 500}, UpstreamUnavailableError, {"reached": False}),
    ({"status": 503}, UpstreamOverloadedError, {"reached": False}),
    ({"status": 504}, UpstreamUnavailableError, {"reached": True}),
]


@pytest.mark.parametrize("call", ASKED)
@pytest.mark.parametrize(
    ("fault", "expected", "facts"), REFUSALS, ids=[f"{one[0]['status']}-{i}" for i, one in enumerate(REFUSALS)]
)
async def test_refusal_becomes_an_error_with_its_facts(
    stage: GeminiStage, call: str, fault: dict[str, Any], expected: type[Exception], facts: dict[str, Any]
) -> None:
    _, access = await stage.sign_in()
    await stage.control.add_fault("error", call=call, **fault)

    with pytest.raises(Exception) as raised:  # noqa: PT011 - the type is compared below, exactly
        await ASKED[call](stage.gemini, access)

    assert type(raised.value) is expected
    assert {name: getattr(raised.value, name) for name in facts} == facts


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("drop", UpstreamUnavailableError),
        ("truncate", UpstreamUnavailableError),
        ("malformed", UpstreamInvalidError),
        ("empty_body", UpstreamInvalidError),
        ("empty_media", UpstreamRejectedError),
    ],
)
async def test_broken_answer_becomes_an_error(stage: GeminiStage, kind: Any, expected: type[Exception]) -> None:
    _, access = await stage.sign_in()
    await stage.control.add_fault(kind, call="gemini_generate")

    with pytest.raises(expected):
        await stage.gemini.produce(access, ORDER)
    assert len(await stage.control.requests(call="gemini_generate")) == 1


async def test_answer_without_end_is_broken_off(stage: GeminiStage) -> None:
    _, access = await stage.sign_in()
    operation, _ = await stage.gemini.submit(access, replace(ORDER, spec=VIDEO))
    for call in ("gemini_submit", "gemini_operation"):
        await stage.control.add_fault("huge_body", call=call, size_bytes=20 * MIB)

    with pytest.raises(UpstreamInvalidError):
        await stage.gemini.submit(access, replace(ORDER, spec=VIDEO))
    with pytest.raises(UpstreamInvalidError):
        await stage.gemini.poll(access, [operation])


async def test_answer_that_drips_ends_in_a_time_out(stage: GeminiStage) -> None:
    hasty = GeminiStage(stage.simulator, limits=TimeLimits(picture_s=0.5))
    _, access = await hasty.sign_in()
    await hasty.control.add_fault("drip", call="gemini_generate", chunk_bytes=1, interval_s=0.1)

    with pytest.raises(UpstreamTimeoutError):
        await hasty.gemini.produce(access, ORDER)
    await hasty.gemini.aclose()


async def test_silence_ends_in_a_time_out(stage: GeminiStage) -> None:
    hasty = GeminiStage(stage.simulator, limits=TimeLimits(picture_s=0.5))
    _, access = await hasty.sign_in()
    await hasty.control.add_fault("latency", call="gemini_generate", latency_s=3.0)

    with pytest.raises(UpstreamTimeoutError):
        await hasty.gemini.produce(access, ORDER)
    await hasty.gemini.aclose()


async def test_account_without_a_claim_to_one_model_makes_others(stage: GeminiStage) -> None:
    _, access = await stage.sign_in(model_quota_per_day={"gemini-3.1-flash-image": 0})
    other = replace(PICTURE, wire={**PICTURE.wire, "model": "gemini-3-pro-image"})

    with pytest.raises(ModelAccessError):
        await stage.gemini.produce(access, ORDER)
    assert await stage.gemini.produce(access, replace(ORDER, spec=other))


async def test_day_s_quota_ends(stage: GeminiStage) -> None:
    _, access = await stage.sign_in(model_quota_per_day={"gemini-3.1-flash-image": 2})

    assert len(await stage.gemini.produce(access, replace(ORDER, count=3))) == 2
    with pytest.raises(UpstreamRateLimitedError) as refusal:
        await stage.gemini.produce(access, ORDER)
    assert refusal.value.exhausted
    assert (refusal.value.retry_after_s or 0) > 0


async def test_too_many_at_once_are_asked_to_wait(stage: GeminiStage) -> None:
    _, access = await stage.sign_in(max_parallel_jobs=1)
    await stage.control.configure(video_s=1000.0)  # the first one has to be under way when the second comes
    await stage.gemini.submit(access, Order(spec=VIDEO, prompt="a cat"))

    with pytest.raises(UpstreamRateLimitedError) as refusal:
        await stage.gemini.submit(access, Order(spec=VIDEO, prompt="a cat"))

    assert (refusal.value.retry_after_s, refusal.value.exhausted) == (7.0, False)


async def test_status_call_that_fails_hides_no_other_video(stage: GeminiStage) -> None:
    _, access = await stage.sign_in()
    videos = [(await stage.gemini.submit(access, Order(spec=VIDEO, prompt="a cat")))[0] for _ in range(6)]
    await stage.control.add_fault("error", call="gemini_operation", status=500, nth=2)
    await stage.control.add_fault("error", call="gemini_operation", status=404, nth=4)

    statuses = await stage.gemini.poll(access, videos)

    assert len(statuses) == 5
    assert [status.error for status in statuses.values() if status.error is not None]


async def test_limit_of_nothing_on_a_status_call_ends_no_video_that_is_paid_for(stage: GeminiStage) -> None:
    _, access = await stage.sign_in()
    operation, _ = await stage.gemini.submit(access, Order(spec=VIDEO, prompt="a cat"))
    await stage.control.add_fault("error", call="gemini_operation", status=429, quota_id=PER_DAY, quota_value=0)

    with pytest.raises(ModelAccessError):
        await stage.gemini.poll(access, [operation])
    assert (await stage.finished(access, operation)).product is not None


async def test_status_calls_that_all_fail_raise(stage: GeminiStage) -> None:
    _, access = await stage.sign_in()
    operation, _ = await stage.gemini.submit(access, Order(spec=OMNI, prompt="a cat"))
    await stage.control.add_fault("error", call="gemini_interaction", status=503)

    with pytest.raises(UpstreamOverloadedError):
        await stage.gemini.poll(access, [operation])


@pytest.mark.parametrize("spec", [VIDEO, OMNI], ids=["veo", "omni"])
async def test_video_may_fail_in_the_end(stage: GeminiStage, spec: ModelSpec) -> None:
    _, access = await stage.sign_in()
    await stage.control.add_fault("fail_job", call="gemini_*")

    operation, _ = await stage.gemini.submit(access, Order(spec=spec, prompt="a cat"))

    assert isinstance((await stage.finished(access, operation)).error, UpstreamRejectedError)


@pytest.mark.parametrize("spec", [VIDEO, OMNI], ids=["veo", "omni"])
@pytest.mark.parametrize("word", ["unsafe", "filtered", "latefail"])
async def test_video_that_is_blocked_is_the_caller_s_fault(stage: GeminiStage, spec: ModelSpec, word: str) -> None:
    _, access = await stage.sign_in()

    operation, _ = await stage.gemini.submit(access, Order(spec=spec, prompt=f"an {word} cat"))

    assert isinstance((await stage.finished(access, operation)).error, ContentBlockedError)


@pytest.mark.parametrize("knobs", [{"revoked": "empty"}, {"signed_out": True}])
async def test_dead_key_is_told_by_every_call(stage: GeminiStage, knobs: dict[str, Any]) -> None:
    account, access = await stage.sign_in()
    operation, _ = await stage.gemini.submit(access, Order(spec=VIDEO, prompt="a cat"))
    await stage.control.patch_account(account.id, **knobs)

    calls: list[Awaitable[object]] = [
        stage.gemini.exchange(Credentials(Secret(account.api_key)), None),
        stage.gemini.allowance(access),
        stage.gemini.produce(access, ORDER),
        stage.gemini.submit(access, Order(spec=OMNI, prompt="a cat")),
        stage.gemini.poll(access, [operation]),
    ]
    for call in calls:
        with pytest.raises(CredentialRevokedError):
            await call

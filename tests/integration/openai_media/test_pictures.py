"""Pictures from the played host: what goes over the wire, and what becomes of faults."""

import asyncio
import io
from typing import Any

import pytest
from PIL import Image

from flow2api.adapters.openai_media.caller import TimeLimits
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.errors import (
    AccountUnusableError,
    CredentialRevokedError,
    GatewayLoopError,
    ModelAccessError,
    UnsupportedInputError,
    UpstreamInvalidError,
    UpstreamNotFoundError,
    UpstreamOverloadedError,
    UpstreamRateLimitedError,
    UpstreamStateUnknownError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from flow2api.domain.failover import after_submit
from flow2api.domain.gateway_hops import HOPS
from flow2api.domain.generation import InputRole, Order
from flow2api.domain.media import sniff_content_type
from flow2api.domain.ports.upstream import Access, UploadedPicture
from flow2api.testing.contracts.backstage import SMALL_JPEG
from flow2api.testing.simulator import SimulatorProcess
from tests.integration.openai_media.stage import FREE, GPT, PICTURE, HostStage, all_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


def png() -> bytes:
    content = io.BytesIO()
    Image.new("RGBA", (16, 16)).save(content, "PNG")
    return content.getvalue()


async def last(stage: HostStage, call: str) -> Any:
    return (await stage.control.requests(call=call))[-1]


@pytest.mark.parametrize("spec", [PICTURE, GPT, FREE], ids=["by link", "inline", "inline when asked"])
async def test_picture_is_made_whichever_way_it_comes(stage: HostStage, spec: ModelSpec) -> None:
    _, access = await stage.sign_in()

    (product,) = await stage.host.produce(access, Order(spec=spec, prompt="a mug"))

    assert product.name == ""
    assert (product.url is None) != (product.data is None)
    assert sniff_content_type((await all_of(stage.host.fetch(access, product)))[:12]) == "image/jpeg"
    assert stage.fetcher.asked == []


async def test_request_says_what_its_model_says_and_no_more(stage: HostStage) -> None:
    _, access = await stage.sign_in()

    await stage.host.produce(access, Order(spec=GPT, prompt="a mug", count=2, seed=5))

    assert (await last(stage, "openai_generate")).body == {
        "model": "gpt-image-1.5", "prompt": "a mug", "n": 2, "size": "512x512", "quality": "medium",
    }  # fmt: skip


async def test_each_request_has_an_idempotency_key_of_its_own_and_tells_its_way(stage: HostStage) -> None:
    _, access = await stage.sign_in()
    order = Order(spec=PICTURE, prompt="a mug")
    way = HOPS.set(("first", "second"))
    try:
        await stage.host.produce(access, order)
    finally:
        HOPS.reset(way)
    await stage.host.produce(access, order)

    chained, plain = (await stage.control.requests(call="openai_generate"))[-2:]
    assert (chained.idempotency_key or "").startswith("flow2api-")
    assert chained.idempotency_key != plain.idempotency_key
    assert (chained.via, plain.via) == ("first, second", None)


async def test_mask_comes_along_with_an_edit(stage: HostStage) -> None:
    _, access = await stage.sign_in()
    handles = [await stage.host.upload(access, UploadedPicture(png(), "image/png", 16, 16)) for _ in range(2)]
    inputs = ((InputRole.REFERENCE, handles[0]), (InputRole.MASK, handles[1]))

    (product,) = await stage.host.produce(access, Order(spec=GPT, prompt="a hat", inputs=inputs))

    assert product.data
    assert [one["name"] for one in (await last(stage, "openai_edit")).body["_files"]] == ["image", "mask"]


async def test_mask_that_does_not_fit_is_the_callers_fault(stage: HostStage) -> None:
    _, access = await stage.sign_in()
    one = await stage.host.upload(access, UploadedPicture(png(), "image/png", 16, 16))
    other = await stage.host.upload(access, UploadedPicture(SMALL_JPEG, "image/jpeg", 8, 8))
    inputs = ((InputRole.REFERENCE, one), (InputRole.MASK, other))

    with pytest.raises(UnsupportedInputError) as caught:
        await stage.host.produce(access, Order(spec=GPT, prompt="a hat", inputs=inputs))
    assert caught.value.param == "mask"


@pytest.mark.parametrize("count", [1, 3])
async def test_pictures_come_along_with_an_edit(stage: HostStage, count: int) -> None:
    _, access = await stage.sign_in()
    pictures = [UploadedPicture(SMALL_JPEG + bytes([number]), "image/jpeg", 8, 8) for number in range(count)]
    handles = [await stage.host.upload(access, picture) for picture in pictures]

    (product,) = await stage.host.produce(
        access, Order(spec=GPT, prompt="at night", inputs=tuple((InputRole.REFERENCE, handle) for handle in handles))
    )

    sent = await last(stage, "openai_edit")
    assert [one["name"] for one in sent.body["_files"]] == ["image" if count == 1 else "image[]"] * count
    assert [one["size"] for one in sent.body["_files"]] == [len(SMALL_JPEG) + 1] * count
    assert (sent.body["model"], sent.body["n"], sent.body["quality"]) == ("gpt-image-1.5", "1", "medium")
    assert product.data


async def test_picture_that_was_forgotten_has_to_be_uploaded_again(simulator: SimulatorProcess) -> None:
    stage = HostStage(simulator, held_bytes=1)
    _, access = await stage.sign_in()
    handle = await stage.host.upload(access, UploadedPicture(SMALL_JPEG, "image/jpeg", 8, 8))
    await stage.host.upload(access, UploadedPicture(SMALL_JPEG + b"\0", "image/jpeg", 8, 8))

    with pytest.raises(UpstreamNotFoundError):
        await stage.host.produce(access, Order(spec=GPT, prompt="x", inputs=((InputRole.REFERENCE, handle),)))
    await stage.host.aclose()


@pytest.mark.parametrize(
    ("fault", "expected", "may_be_made"),
    [
        ({"kind": "error", "status": 401, "reason": "invalid_api_key"}, CredentialRevokedError, False),
        ({"kind": "error", "status": 403, "message": "Not for you."}, ModelAccessError, False),
        ({"kind": "error", "status": 400, "reason": "invalid_value", "param": "prompt"}, UnsupportedInputError, False),
        ({"kind": "error", "status": 429, "retry_after_s": 3, "message": "Slow."}, UpstreamRateLimitedError, False),
        ({"kind": "error", "status": 503, "message": "Busy."}, UpstreamOverloadedError, False),
        ({"kind": "error", "status": 500, "message": "Oh."}, UpstreamUnavailableError, False),
        ({"kind": "error", "status": 500, "should_retry": False}, UpstreamUnavailableError, True),
        ({"kind": "error", "status": 502, "reason": "upstream_state_unknown"}, UpstreamUnavailableError, True),
        ({"kind": "error", "status": 508, "reason": "gateway_loop"}, GatewayLoopError, False),
        ({"kind": "html", "status": 200}, UpstreamInvalidError, True),
        ({"kind": "html", "status": 502}, UpstreamUnavailableError, True),
        ({"kind": "malformed"}, UpstreamInvalidError, True),
        ({"kind": "empty_body"}, UpstreamInvalidError, True),
        ({"kind": "empty_media"}, UpstreamInvalidError, True),
        ({"kind": "truncate"}, UpstreamUnavailableError, True),
        ({"kind": "drop", "work_done": True}, UpstreamUnavailableError, True),
    ],
    ids=lambda value: "-".join(str(part) for part in value.values()) if isinstance(value, dict) else None,
)
async def test_fault_is_told_for_what_it_is_and_what_is_lost_is_never_sent_again(
    stage: HostStage, fault: dict[str, Any], expected: type[Exception], may_be_made: bool
) -> None:
    account, access = await stage.sign_in()
    await stage.control.add_fault(call="openai_generate", times=1, **fault)

    with pytest.raises(expected) as caught:
        await stage.host.produce(access, Order(spec=GPT, prompt="a mug"))

    assert type(caught.value) is expected
    is_unknown = isinstance(after_submit(caught.value, GPT), UpstreamStateUnknownError)  # type: ignore[arg-type]
    assert is_unknown is may_be_made
    assert len(await stage.control.requests(call="openai_generate", account=account.id)) == 1


async def test_answer_that_does_not_come_in_time_may_have_been_carried_out(simulator: SimulatorProcess) -> None:
    stage = HostStage(simulator, limits=TimeLimits(picture_s=0.5))
    _, access = await stage.sign_in()
    await stage.control.add_fault("latency", call="openai_generate", latency_s=1.5)

    with pytest.raises(UpstreamTimeoutError):
        await stage.host.produce(access, Order(spec=GPT, prompt="a mug"))
    await stage.control.clear_faults()
    await stage.host.aclose()


async def test_host_that_is_not_there_was_not_reached(stage: HostStage) -> None:
    access = Access(
        account_id=1, session_token=None, access_token=(await stage.sign_in())[1].access_token, tier=FREE.min_tier,
        base_url="http://127.0.0.1:9/v1",
    )  # fmt: skip

    with pytest.raises(UpstreamUnavailableError) as caught:
        await stage.host.produce(access, Order(spec=GPT, prompt="a mug"))
    assert not caught.value.reached


async def test_used_up_share_is_told_from_a_crowd(stage: HostStage) -> None:
    _, poor = await stage.sign_in(credits=0)
    _, crowded = await stage.sign_in(max_parallel_jobs=0)

    with pytest.raises(UpstreamRateLimitedError) as used_up:
        await stage.host.produce(poor, Order(spec=GPT, prompt="a mug"))
    with pytest.raises(UpstreamRateLimitedError) as hasty:
        await stage.host.produce(crowded, Order(spec=GPT, prompt="a mug"))

    assert used_up.value.exhausted
    assert (hasty.value.exhausted, hasty.value.retry_after_s) == (False, 7.0)


async def test_account_without_a_claim_to_a_model_keeps_the_others(stage: HostStage) -> None:
    _, access = await stage.sign_in(model_quota_per_day={"gpt-image-1.5": 0})

    with pytest.raises(ModelAccessError):
        await stage.host.produce(access, Order(spec=GPT, prompt="a mug"))
    assert await stage.host.produce(access, Order(spec=PICTURE, prompt="a mug"))


async def test_account_of_a_refused_region_is_unusable(stage: HostStage) -> None:
    _, access = await stage.sign_in(refused_reason="unsupported_country_region_territory")

    with pytest.raises(AccountUnusableError):
        await stage.host.produce(access, Order(spec=GPT, prompt="a mug"))


async def test_key_is_proved_for_a_day_and_costs_nothing(stage: HostStage) -> None:
    account = await stage.control.add_account()

    exchanged = await stage.host.exchange(stage.credentials(account.api_key), None)

    kept = exchanged.credentials
    assert kept.session_token == kept.access_token
    assert kept.expires_at is not None
    assert kept.obtained_at is not None
    assert (kept.expires_at - kept.obtained_at).total_seconds() == 86_400
    assert (exchanged.email, exchanged.name) == (None, "127.0.0.1")
    assert [one.call for one in await stage.control.requests(account=account.id)] == ["openai_models"]


async def test_base_url_without_an_api_behind_it_is_told(stage: HostStage) -> None:
    account = await stage.control.add_account()
    wrong = stage.credentials(account.api_key)

    for fault in ({"kind": "html", "status": 200}, {"kind": "html", "status": 404}, {"kind": "empty_body"}):
        await stage.control.add_fault(call="openai_models", times=1, **fault)
        with pytest.raises(Exception, match="base URL"):
            await stage.host.exchange(wrong, None)


async def test_many_pictures_are_made_side_by_side(stage: HostStage) -> None:
    _, access = await stage.sign_in(credits=100_000)

    made = await asyncio.gather(*(stage.host.produce(access, Order(spec=GPT, prompt=f"mug {n}")) for n in range(20)))

    assert len({products[0].data for products in made}) == 20

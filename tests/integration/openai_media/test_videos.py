"""Videos from the played host: begun once, asked for side by side, fetched with the key."""

from typing import Any

import pytest

from flow2api.domain.errors import (
    ContentBlockedError,
    UpstreamInvalidError,
    UpstreamNotFoundError,
    UpstreamRejectedError,
    UpstreamStateUnknownError,
    UpstreamUnavailableError,
)
from flow2api.domain.failover import after_submit
from flow2api.domain.generation import InputRole, Operation, Order, Product
from flow2api.domain.media import sniff_content_type
from flow2api.domain.ports.upstream import UploadedPicture
from flow2api.testing.contracts.backstage import SMALL_JPEG
from tests.integration.openai_media.stage import LONGER, VIDEO, HostStage, all_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

ORDER = Order(spec=VIDEO, prompt="waves")


async def test_video_is_begun_asked_for_and_fetched(stage: HostStage) -> None:
    account, access = await stage.sign_in()
    handle = await stage.host.upload(access, UploadedPicture(SMALL_JPEG, "image/jpeg", 8, 8))

    operation, left = await stage.host.submit(
        access, Order(spec=VIDEO, prompt="waves", inputs=((InputRole.START, handle),))
    )
    status = await stage.finished(access, operation)

    assert left is None
    assert status.product == Product(operation.name)
    assert sniff_content_type((await all_of(stage.host.fetch(access, status.product)))[:12]) == "video/mp4"
    (begun,) = await stage.control.requests(call="openai_submit", account=account.id)
    assert {name: value for name, value in begun.body.items() if name != "_files"} == {
        "model": "film-1", "prompt": "waves", "seconds": "4", "size": "1280x720",
    }  # fmt: skip
    assert [one["name"] for one in begun.body["_files"]] == ["input_reference"]
    assert (begun.idempotency_key or "").startswith("flow2api-")


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop", "work_done": True},
        {"kind": "malformed", "work_done": True},
        {"kind": "truncate"},
        {"kind": "html", "status": 504, "work_done": True},
    ],
    ids=lambda fault: fault["kind"],
)
async def test_lost_submit_is_unknown_and_goes_out_once(stage: HostStage, fault: dict[str, Any]) -> None:
    account, access = await stage.sign_in()
    await stage.host.allowance(access)  # a connection stands that could be used again
    await stage.control.add_fault(call="openai_submit", times=1, **fault)

    with pytest.raises((UpstreamUnavailableError, UpstreamInvalidError)) as caught:
        await stage.host.submit(access, ORDER)

    assert isinstance(after_submit(caught.value, VIDEO), UpstreamStateUnknownError)
    assert len(await stage.control.requests(call="openai_submit", account=account.id)) == 1
    assert len(await stage.control.jobs(account=account.id)) == 1


@pytest.mark.parametrize(
    ("reason", "expected"), [("moderation_blocked", ContentBlockedError), ("server_error", UpstreamRejectedError)]
)
async def test_video_that_fails_late_says_why(stage: HostStage, reason: str, expected: type[Exception]) -> None:
    _, access = await stage.sign_in()
    await stage.control.add_fault("fail_job", call="openai_submit", reason=reason)
    operation, _ = await stage.host.submit(access, ORDER)

    assert isinstance((await stage.finished(access, operation)).error, expected)


async def test_one_lost_video_does_not_hide_the_others(stage: HostStage) -> None:
    _, access = await stage.sign_in()
    operation, _ = await stage.host.submit(access, ORDER)

    statuses = await stage.host.poll(access, [operation, Operation("video_gone")])

    assert isinstance(statuses["video_gone"].error, UpstreamNotFoundError)
    assert statuses[operation.name].error is None


async def test_status_call_that_fails_hides_no_other_video(stage: HostStage) -> None:
    _, access = await stage.sign_in()
    videos = [(await stage.host.submit(access, ORDER))[0] for _ in range(6)]
    await stage.control.add_fault("error", call="openai_video", status=500, nth=2, times=1)

    statuses = await stage.host.poll(access, videos)

    assert len(statuses) == 5
    assert all(status.error is None for status in statuses.values())


async def test_garbage_in_place_of_a_status_ends_no_video(stage: HostStage) -> None:
    _, access = await stage.sign_in()
    operation, _ = await stage.host.submit(access, ORDER)
    await stage.control.add_fault("malformed", call="openai_video", times=1)

    with pytest.raises(UpstreamInvalidError):
        await stage.host.poll(access, [operation])
    assert (await stage.finished(access, operation)).product is not None


async def test_answer_without_end_is_broken_off(stage: HostStage) -> None:
    _, access = await stage.sign_in()
    operation, _ = await stage.host.submit(access, ORDER)
    for call in ("openai_submit", "openai_video"):
        await stage.control.add_fault("huge_body", call=call, size_bytes=20 * 1024 * 1024, times=1)

    with pytest.raises(UpstreamInvalidError):
        await stage.host.submit(access, ORDER)
    with pytest.raises(UpstreamInvalidError):
        await stage.host.poll(access, [operation])


async def test_media_that_lies_where_nobody_said_is_not_fetched(stage: HostStage) -> None:
    _, access = await stage.sign_in()
    operation, _ = await stage.host.submit(access, ORDER)
    product = (await stage.finished(access, operation)).product
    assert product is not None
    await stage.control.add_fault("redirect", call="openai_content", location="https://media.invalid/1.mp4", times=1)

    with pytest.raises(UpstreamInvalidError, match=r"media\.invalid"):
        await all_of(stage.host.fetch(access, product))


async def test_download_that_breaks_off_is_an_error(stage: HostStage) -> None:
    _, access = await stage.sign_in()
    operation, _ = await stage.host.submit(access, ORDER)
    product = (await stage.finished(access, operation)).product
    assert product is not None
    await stage.control.add_fault("truncate", call="openai_content", times=1)

    with pytest.raises(UpstreamUnavailableError):
        await all_of(stage.host.fetch(access, product))
    assert await all_of(stage.host.fetch(access, product))


async def test_video_of_another_account_is_not_told_of(stage: HostStage) -> None:
    _, access = await stage.sign_in()
    _, stranger = await stage.sign_in()
    operation, _ = await stage.host.submit(access, ORDER)

    assert isinstance((await stage.host.poll(stranger, [operation]))[operation.name].error, UpstreamNotFoundError)


async def test_video_goes_on_from_another_one(stage: HostStage) -> None:
    account, access = await stage.sign_in()
    operation, _ = await stage.host.submit(access, ORDER)
    first = (await stage.finished(access, operation)).product
    assert first is not None

    begun, _ = await stage.host.submit(access, Order(spec=LONGER, prompt="a gull", source=Product(first.name)))
    second = (await stage.finished(access, begun)).product

    assert second is not None
    assert sniff_content_type((await all_of(stage.host.fetch(access, second)))[:12]) == "video/mp4"
    (sent,) = await stage.control.requests(call="openai_extend", account=account.id)
    assert sent.body == {"prompt": "a gull", "seconds": "8", "video": {"id": first.name}}
    assert [job.name for job in await stage.control.jobs(account=account.id)] == [operation.name, begun.name]


async def test_video_that_the_host_does_not_know_cannot_be_gone_on_from(stage: HostStage) -> None:
    _, access = await stage.sign_in()

    with pytest.raises(UpstreamNotFoundError):
        await stage.host.submit(access, Order(spec=LONGER, prompt="a gull", source=Product("video_gone")))

"""Getting the bytes, against the simulator: every way, and every way in which one can be closed."""

from dataclasses import replace
from typing import Any

import pytest

from flow2api.domain.errors import (
    CredentialExpiredError,
    CredentialRevokedError,
    UpstreamInvalidError,
    UpstreamNotFoundError,
    UpstreamUnavailableError,
)
from flow2api.domain.generation import Order, Product
from flow2api.domain.ports.upstream import Access
from flow2api.domain.secret import Secret
from tests.integration.flow.stage import PICTURE, VIDEO, FlowStage, all_of

pytestmark = pytest.mark.asyncio(loop_scope="package")

DEAD = Secret("eyJ" + "x" * 300)


async def a_video(stage: FlowStage, access: Access) -> Product:
    return await stage.video(access, Order(spec=VIDEO, prompt="a cat"))


async def calls(stage: FlowStage) -> list[str]:
    return [each.call for each in await stage.control.requests() if each.call in WAYS]


WAYS = {"media_redirect", "download_video", "download_image", "get_media"}


async def test_video_without_an_address_comes_by_redirect(later: FlowStage) -> None:
    _, access = await later.sign_in()
    product = await a_video(later, access)

    assert await all_of(later.flow.fetch(access, product))

    assert product.url is None
    assert await calls(later) == ["media_redirect", "download_video"]


async def test_video_with_an_address_needs_no_session(seed: FlowStage) -> None:
    _, access = await seed.sign_in()
    product = await a_video(seed, access)

    assert await all_of(seed.flow.fetch(replace(access, session_token=DEAD, access_token=DEAD), product))

    assert await calls(seed) == ["download_video"]


async def test_tokens_go_to_the_bases_only(later: FlowStage) -> None:
    _, access = await later.sign_in()
    product = await a_video(later, access)
    await all_of(later.flow.fetch(access, product))

    redirect, download = [each for each in await later.control.requests() if each.call in WAYS]

    assert redirect.cookie is not None
    assert redirect.authorization is None
    assert (download.cookie, download.authorization) == (None, None)


async def test_redirect_that_is_not_there_yet_is_asked_again(later: FlowStage) -> None:
    await later.control.configure(redirect_not_found_first=3)
    _, access = await later.sign_in()
    product = await a_video(later, access)

    assert await all_of(later.flow.fetch(access, product))

    assert later.clock.slept == [0.5, 1.0, 2.0]


async def test_video_that_the_redirect_never_finds_comes_inside_an_answer(later: FlowStage) -> None:
    await later.control.configure(redirect_not_found_first=99)
    _, access = await later.sign_in()
    product = await a_video(later, access)

    data = await all_of(later.flow.fetch(access, product))

    assert data[4:8] == b"ftyp"
    assert (await calls(later))[-1] == "get_media"


async def test_dead_session_does_not_lose_a_paid_video(later: FlowStage) -> None:
    _, access = await later.sign_in()
    product = await a_video(later, access)

    assert await all_of(later.flow.fetch(replace(access, session_token=DEAD), product))

    assert await calls(later) == ["media_redirect", "get_media"]


async def test_sign_in_page_in_place_of_media_is_a_dead_session(later: FlowStage) -> None:
    _, access = await later.sign_in()
    product = await a_video(later, access)

    with pytest.raises(CredentialRevokedError):
        await all_of(later.flow.fetch(replace(access, session_token=DEAD), product, thumbnail=True))
    with pytest.raises(CredentialRevokedError):
        await all_of(later.flow.fetch(replace(access, session_token=DEAD, access_token=DEAD), product))


async def test_dead_access_token_is_told_when_only_the_answer_is_left(later: FlowStage) -> None:
    await later.control.configure(redirect_not_found_first=99)
    _, access = await later.sign_in()
    product = await a_video(later, access)

    with pytest.raises(CredentialExpiredError):
        await all_of(later.flow.fetch(replace(access, access_token=DEAD), product))


async def test_link_that_is_over_is_replaced_by_the_name(seed: FlowStage) -> None:
    _, access = await seed.sign_in()
    product = await a_video(seed, access)
    await seed.control.advance(7 * 3600)

    assert await all_of(seed.flow.fetch(access, product))

    assert await calls(seed) == ["download_video", "media_redirect", "download_video"]


async def test_foreign_host_is_refused_and_sees_nothing(later: FlowStage) -> None:
    _, access = await later.sign_in()
    product = await a_video(later, access)
    await later.control.add_fault("redirect", call="media_redirect", location="http://127.0.0.1:9/video/x")

    with pytest.raises(UpstreamInvalidError, match="foreign host"):
        await all_of(later.flow.fetch(access, product))
    with pytest.raises(UpstreamInvalidError, match="foreign host"):
        await all_of(later.flow.fetch(access, Product("x", "https://storage.googleapis.com@evil.example/x")))


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "html", "status": 200}, UpstreamInvalidError),
        ({"kind": "empty_body"}, UpstreamInvalidError),
        ({"kind": "drop"}, UpstreamUnavailableError),
        ({"kind": "truncate"}, UpstreamUnavailableError),
        ({"kind": "html", "status": 503}, UpstreamUnavailableError),
        ({"kind": "error", "status": 404}, UpstreamNotFoundError),
    ],
    ids=str,
)
async def test_broken_download_is_no_media(later: FlowStage, fault: dict[str, Any], error: type[Exception]) -> None:
    _, access = await later.sign_in()
    product = (await later.flow.produce(access, Order(spec=PICTURE, prompt="a red mug")))[0]
    await later.control.add_fault(call="download_image", times=None, **fault)
    await later.control.add_fault("error", call="get_media", status=404, times=None)

    with pytest.raises(error):
        await all_of(later.flow.fetch(access, product))


async def test_inline_media_that_breaks_off_is_no_media(later: FlowStage) -> None:
    await later.control.configure(redirect_not_found_first=99)
    _, access = await later.sign_in()
    product = await a_video(later, access)
    await later.control.add_fault("truncate", call="get_media", times=None)

    with pytest.raises(UpstreamUnavailableError):
        await all_of(later.flow.fetch(access, product))


async def test_media_without_bytes_inside_is_not_there(later: FlowStage) -> None:
    await later.control.configure(redirect_not_found_first=99)
    _, access = await later.sign_in()
    product = await a_video(later, access)
    await later.control.add_fault("no_url", call="get_media", times=None)

    with pytest.raises(UpstreamNotFoundError):
        await all_of(later.flow.fetch(access, product))

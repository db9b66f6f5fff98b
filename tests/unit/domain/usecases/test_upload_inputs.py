"""Inputs are handed over once, and what an account has made itself is only named."""

import asyncio
from dataclasses import replace

import pytest

from flow2api.domain.errors import MediaGoneError, UpstreamUnavailableError
from flow2api.domain.generation import Input, InputRole
from flow2api.domain.media import Media
from tests.unit.domain.usecases.stage import Stage

REFERENCE = InputRole.REFERENCE


def inputs_of(*media: Media) -> tuple[Input, ...]:
    return tuple(Input(one.id, REFERENCE) for one in media)


async def test_same_bytes_are_sent_once_to_each_account(stage: Stage) -> None:
    one, other = await stage.accounts(2)
    picture, twin = await stage.media("a"), await stage.media("a")
    first, again = [await stage.uploads.handles(one, inputs_of(picture)) for _ in range(2)]
    assert first == again
    assert [role for role, _ in first] == [REFERENCE]
    assert await stage.uploads.handles(other, inputs_of(picture)) == await stage.uploads.handles(other, inputs_of(twin))
    assert stage.upstream.count("upload") == 2


async def test_several_at_once_send_one_picture_once(stage: Stage) -> None:
    (account,) = await stage.accounts(1)
    picture = await stage.media()
    results = await asyncio.gather(*(stage.uploads.handles(account, inputs_of(picture)) for _ in range(10)))
    assert len(set(results)) == 1
    assert stage.upstream.count("upload") == 1
    assert not stage.uploads._locks


async def test_upload_that_fails_is_tried_by_who_waited(stage: Stage) -> None:
    (account,) = await stage.accounts(1)
    picture = await stage.media()
    stage.upstream.fail("upload", UpstreamUnavailableError("down", reached=False))
    results = await asyncio.gather(
        *(stage.uploads.handles(account, inputs_of(picture)) for _ in range(3)), return_exceptions=True
    )
    assert [isinstance(result, Exception) for result in results] == [True, False, False]
    assert stage.upstream.count("upload") == 2


async def test_handle_is_used_only_as_long_as_upstream_keeps_the_picture(stage: Stage) -> None:
    (account,) = await stage.accounts(1)
    picture = await stage.media()
    await stage.uploads.handles(account, inputs_of(picture))
    await stage.clock.sleep(stage.upstream.upload_lifetime_s)
    await stage.uploads.handles(account, inputs_of(picture))
    assert stage.upstream.count("upload") == 2


async def test_handle_is_of_no_use_in_another_workspace_or_once_forgotten(stage: Stage) -> None:
    one, other = await stage.accounts(2)
    picture = await stage.media()
    await stage.uploads.handles(one, inputs_of(picture))
    await stage.uploads.handles(other, inputs_of(picture))
    stage.uploads.forget(one.id)
    await stage.uploads.handles(one, inputs_of(picture))
    await stage.uploads.handles(other, inputs_of(picture))
    assert stage.upstream.count("upload", one.id) == 2
    assert stage.upstream.count("upload", other.id) == 1
    moved = replace(other, workspace="elsewhere")
    assert (moved.id, moved.workspace, picture.sha256) not in stage.uploads._handles


async def test_what_this_very_account_has_made_is_named_directly(stage: Stage) -> None:
    one, other = await stage.accounts(2)
    made = await stage.media(account_id=one.id, workspace=one.workspace, upstream_name="picture-1")
    assert await stage.uploads.handles(one, inputs_of(made)) == ((REFERENCE, "picture-1"),)
    assert stage.upstream.count("upload") == 0
    await stage.uploads.handles(other, inputs_of(made))
    assert stage.upstream.count("upload", other.id) == 1


async def test_inputs_keep_their_order_and_roles_and_sources_are_not_uploaded(stage: Stage) -> None:
    (account,) = await stage.accounts(1)
    first, second = await stage.media("a"), await stage.media("b")
    source = await stage.media("v", upstream_name="video-1", upstream_extra="{}")
    inputs = (
        Input(source.id, InputRole.SOURCE),
        Input(first.id, InputRole.START),
        Input(second.id, InputRole.END),
    )
    handles = await stage.uploads.handles(account, inputs)
    assert [role for role, _ in handles] == [InputRole.START, InputRole.END]
    product = await stage.uploads.source(inputs)
    assert product is not None
    assert (product.name, product.extra) == ("video-1", "{}")
    assert await stage.uploads.source(inputs[1:]) is None


async def test_input_that_is_not_kept_any_more_is_told(stage: Stage) -> None:
    (account,) = await stage.accounts(1)
    with pytest.raises(MediaGoneError):
        await stage.uploads.handles(account, (Input("media_gone", REFERENCE),))
    with pytest.raises(MediaGoneError):
        await stage.uploads.source((Input("media_gone", InputRole.SOURCE),))
    plain = await stage.media()
    with pytest.raises(MediaGoneError):
        await stage.uploads.source((Input(plain.id, InputRole.SOURCE),))


async def test_only_so_many_handles_are_held(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flow2api.domain.usecases.upload_inputs._HANDLES_HELD", 3)
    (account,) = await stage.accounts(1)
    for salt in "abcde":
        await stage.uploads.handles(account, inputs_of(await stage.media(salt)))
    assert len(stage.uploads._handles) == 3

import asyncio
import io
from typing import Any, Literal

import av
import pytest
from PIL import Image

from flow2api.simulator import rendering
from flow2api.simulator.control_schema import SimOptions
from flow2api.simulator.media import MediaItem
from flow2api.simulator.rendering import film_of
from tests.unit.simulator.player import Player


async def item_of(player: Player, **fields: str) -> MediaItem:
    return player.world.kept.items[await player.finished_video(**fields)]


async def test_small_media_looks_the_same_for_everything_of_a_shape(player: Player) -> None:
    cat, dog = await item_of(player, prompt="a cat"), await item_of(player, prompt="a dog")
    for render in (player.world.renderer.video, player.world.renderer.picture):
        first, second = await render(cat, player.world.options), await render(dog, player.world.options)
        assert first != second
        assert first.replace(cat.key.encode(), b"") == second.replace(dog.key.encode(), b"")


async def test_small_media_can_be_decoded(player: Player) -> None:
    item = await item_of(player)
    kinds: tuple[Literal["jpeg", "png"], ...] = ("jpeg", "png")
    for kind in kinds:
        options = SimOptions(media="small", picture_format=kind)
        with Image.open(io.BytesIO(await player.world.renderer.picture(item, options))) as picture:
            picture.load()
            assert picture.format == kind.upper()
    with av.open(io.BytesIO(await player.world.renderer.video(item, player.world.options)), "r") as container:
        assert sum(1 for _ in container.decode(video=0)) > 1


async def test_full_media_differs_and_is_kept(player: Player) -> None:
    options = SimOptions(media="full", video_scale=0.05)
    cat, dog = await item_of(player, prompt="a cat"), await item_of(player, prompt="a dog")
    renderer = player.world.renderer
    first = await renderer.video(cat, options)
    assert first != await renderer.video(dog, options)
    assert await renderer.video(cat, options) is first
    with av.open(io.BytesIO(first), "r") as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (64, 36)


async def test_many_who_wait_for_one_film_cause_one_rendering(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: list[object] = []

    def counted(plan: object) -> bytes:
        rendered.append(plan)
        return b"film"

    monkeypatch.setattr(rendering, "film", counted)
    item, options = await item_of(player), SimOptions(media="full")
    results = await asyncio.gather(*(player.world.renderer.video(item, options) for _ in range(5)))
    assert results == [b"film"] * 5
    assert len(rendered) == 1


async def test_keeps_no_more_than_its_limit(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "KEPT_BYTES", 10)
    monkeypatch.setattr(rendering, "film", lambda plan: b"123456")
    options, renderer = SimOptions(media="full"), player.world.renderer
    for prompt in ("a cat", "a dog", "a bird"):
        await renderer.video(await item_of(player, prompt=prompt), options)
    assert renderer.kept_bytes == 6
    assert len(renderer.kept) == 1


async def test_an_upscale_shows_what_its_video_shows(player: Player) -> None:
    player.account.knobs.tier = "PAYGATE_TIER_TWO"
    name = await player.finished_video()
    fields: dict[str, Any] = {"videoInput": {"mediaId": name}, "resolution": "VIDEO_RESOLUTION_4K", "textInput": None}
    upscaled = await player.finished_video(model="veo_3_1_upsampler_4k", path="GenerateVideoUpsampleVideo", **fields)
    item = player.world.kept.items[upscaled]
    assert (item.width, item.height) == (3840, 2160)
    assert film_of(item, 8, 100, 50).scenes == film_of(player.world.kept.items[name], 8, 100, 50).scenes

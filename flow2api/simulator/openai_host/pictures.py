"""``/images``: pictures from text, and from text with pictures."""

import base64
import random
from typing import Any, Literal

from flow2api.simulator.accounts import Account
from flow2api.simulator.answer import Response, json_response
from flow2api.simulator.call import Call
from flow2api.simulator.calls_pictures import picture_link, sniff
from flow2api.simulator.errors import CallError
from flow2api.simulator.ids import new_uuid
from flow2api.simulator.media import MediaItem
from flow2api.simulator.openai_host.access import generating_account, place, safe_prompt, take
from flow2api.simulator.openai_host.errors import HostError
from flow2api.simulator.openai_host.fields import Fields, read_fields
from flow2api.simulator.openai_host.models import PlayedModel, played_model
from flow2api.simulator.world import World

MOST_PICTURES = 10
QUALITIES = ("auto", "low", "medium", "high")
KNOWN = frozenset({"prompt", "model", "n", "size", "quality", "background", "output_format", "moderation", "user"})
IMAGE_FIELDS = frozenset({"image", "image[]"})


async def generate(world: World, call: Call) -> Response:
    """Pictures from text."""
    account = generating_account(call)
    return await _make(world, call, account, read_fields(call), ())


async def edit(world: World, call: Call) -> Response:
    """Pictures from text and pictures, which come along in a form."""
    account, fields = generating_account(call), read_fields(call)
    sent = [(name, data) for name, data in fields.files if name in IMAGE_FIELDS]
    if not sent:
        raise HostError(400, "missing_required_parameter", "Missing required parameter: 'image'.", param="image")
    if len(sent) > 1 and any(name == "image" for name, _ in sent):
        raise HostError(400, "invalid_value", "Several pictures are sent as 'image[]'.", param="image")
    sources = taken_in(world, account, [data for _, data in sent], "image")
    masks = taken_in(world, account, [data for name, data in fields.files if name == "mask"], "mask")
    for mask in masks:
        if (mask.width, mask.height) != (sources[0].width, sources[0].height) or mask.mime_type != "image/png":
            raise HostError(400, "invalid_value", "The mask must be a PNG of the size of the image.", param="mask")
    return await _make(world, call, account, fields, sources)


async def _make(world: World, call: Call, account: Account, fields: Fields, sources: tuple[MediaItem, ...]) -> Response:
    name = fields.text("model") or ""
    model = played_model(name, "image", call)
    fields.refuse_unknown(KNOWN | _more(model))
    prompt = safe_prompt(world, fields.text("prompt"))
    width, height = fields.size("1024x1024")
    count = fields.number("n", 1, 1, MOST_PICTURES)
    if (fields.text("quality") or "auto") not in QUALITIES:
        raise HostError(400, "invalid_value", f"'quality' must be one of {', '.join(QUALITIES)}.", param="quality")
    if len(sources) > model.most_inputs:
        raise HostError(400, "invalid_value", f"At most {model.most_inputs} pictures are taken.", param="image")
    with place(world, account):
        take(world, account, name, count, model.price * count)
        await world.clock.sleep(world.options.picture_s)
    seed = fields.number("seed", random.randint(1, 999_999), 0, 2**63)
    items = [
        world.kept.add(made(world, account, "picture", name, prompt, (width, height), sources, seed + place_of))
        for place_of in range(0 if call.fault("empty_media") else count)
    ]
    as_links = model.answers_links and fields.text("response_format") != "b64_json"
    data = [await _entry(world, call, item, as_links=as_links) for item in items]
    return json_response({"created": int(world.clock.now()), "data": data, "size": f"{width}x{height}"})


async def _entry(world: World, call: Call, item: MediaItem, *, as_links: bool) -> dict[str, Any]:
    if call.fault("no_url"):
        return {"revised_prompt": item.prompt}
    if as_links:
        return {"url": picture_link(world, item)}
    content = await world.renderer.picture(item, world.options)
    return {"b64_json": base64.b64encode(content).decode()}


def _more(model: PlayedModel) -> frozenset[str]:
    links = {"response_format"} if model.answers_links else set()
    return frozenset(links | ({"seed"} if model.takes_seed else set()))


def taken_in(world: World, account: Account, pictures: list[bytes], param: str) -> tuple[MediaItem, ...]:
    """Pictures that came along.

    Raises:
        HostError: 400, one of them is none.
    """
    items = []
    for data in pictures:
        try:
            mime, width, height = sniff(data)
        except CallError as error:
            raise HostError(400, "invalid_image_format", "The picture could not be read.", param=param) from error
        item = made(world, account, "upload", "", "", (width, height), (), 0)
        item.content, item.mime_type = data, mime
        items.append(item)
    return tuple(items)


def made(
    world: World,
    account: Account,
    kind: Literal["upload", "picture", "video"],
    model: str,
    prompt: str,
    size: tuple[int, int],
    sources: tuple[MediaItem, ...],
    seed: int,
) -> MediaItem:
    """A media of the account."""
    key = new_uuid()
    return MediaItem(
        key=key,
        name=key,
        account=account,
        project="",
        kind=kind,
        created_at=world.clock.now(),
        prompt=prompt,
        model=model,
        seed=seed,
        ratio=f"{size[0]}x{size[1]}",
        width=size[0],
        height=size[1],
        sources=sources,
    )

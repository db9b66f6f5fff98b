"""The small calls of the API base: credits, availability, stored media, deletion, cancel."""

import base64
from typing import Any

import msgspec

from flow2api.simulator.answer import Response, json_response
from flow2api.simulator.call import Call
from flow2api.simulator.catalog import TIERS
from flow2api.simulator.checks import bearer_account, owned_media, read_body
from flow2api.simulator.errors import CallError
from flow2api.simulator.request_bodies import CancelGeneration, DeleteAssets
from flow2api.simulator.wire_seed import RATIO
from flow2api.simulator.world import World

SERVICE_TIERS = dict(
    zip(TIERS, ("SERVICE_TIER_ENTRY", "SERVICE_TIER_INTERMEDIATE", "SERVICE_TIER_ADVANCED"), strict=True)
)
SKUS = dict(zip(TIERS, ("G1_FREEMIUM", "G1_TIER1", "G1_TIER2"), strict=True))
DELETE = msgspec.json.Decoder(DeleteAssets)
CANCEL = msgspec.json.Decoder(CancelGeneration)


async def credits_left(world: World, call: Call) -> Response:
    """Credits and tier; ``credits`` is absent when there are none."""
    account = bearer_account(world, call)
    account.refill(world.clock.today())
    account.settle(world.clock.now())
    tier = account.knobs.tier
    answer: dict[str, Any] = {"userPaygateTier": tier}
    if account.knobs.credits:
        answer["credits"] = account.knobs.credits
    if world.options.era != "seed":
        answer |= {"sku": SKUS[tier], "serviceTier": SERVICE_TIERS[tier]}
    return json_response(answer)


async def stored_media(world: World, call: Call) -> Response:
    """``GET /media/<name>``: a media with its bytes as base64 text."""
    account = bearer_account(world, call)
    (item,) = owned_media(world, account, [call.target], None)
    if item.kind != "video":
        content = item.content or await world.renderer.picture(item, world.options)
        return json_response({"name": item.name, "image": {"encodedImage": base64.b64encode(content).decode()}})
    video = {
        "seed": item.seed,
        "prompt": item.prompt,
        "model": item.model,
        "aspectRatio": RATIO["video"] + item.ratio,
    }
    if not call.fault("no_url"):
        content = await world.renderer.video(item, world.options)
        video["encodedVideo"] = base64.b64encode(content).decode()
    return json_response({"name": item.name, "video": video})


async def delete_assets(world: World, call: Call) -> Response:
    """Forgets media of the account."""
    account = bearer_account(world, call)
    for name in read_body(call, DELETE).names:
        world.kept.remove(name, account)
    return json_response({})


async def cancel_generation(world: World, call: Call) -> Response:
    """Always refused: what has started can't be cancelled."""
    bearer_account(world, call)
    read_body(call, CANCEL)
    raise CallError(400, "PUBLIC_ERROR_MEDIA_GENERATION_CANNOT_BE_CANCELED")


async def app_availability(world: World, call: Call) -> Response:
    """Whether the tool is open; it is."""
    bearer_account(world, call)
    return json_response({"availabilityState": "AVAILABLE"})


async def model_statuses(world: World, call: Call) -> Response:
    """The model keys of the era, all of them up."""
    bearer_account(world, call)
    keys = world.model_keys[world.options.era]
    return json_response({"modelStatus": [{"modelKey": name, "status": "MODEL_STATUS_AVAILABLE"} for name in keys]})


async def app_config(world: World, call: Call) -> Response:
    """Whether region and age of the account are supported."""
    reason = bearer_account(world, call).knobs.refused_reason or ""
    return json_response({"isRegionSupported": "REGION" not in reason, "isAgeSupported": "MINOR" not in reason})

"""Files that were made, by their id."""

from flow2api.simulator.answer import Response
from flow2api.simulator.call import Call
from flow2api.simulator.gemini.access import key_account
from flow2api.simulator.gemini.errors import GeminiError
from flow2api.simulator.world import World


async def download(world: World, call: Call) -> Response:
    """The bytes of a video; a fault of the kind ``redirect`` sends the caller to another place for them."""
    account = key_account(call)
    if fault := call.fault("redirect"):
        return Response(302, b"", headers=[(b"location", fault.location.encode("latin-1"))])
    item, now = world.kept.items.get(call.target), world.clock.now()
    if item is None or item.account is not account or item.kind != "video" or item.ready_at > now:
        raise GeminiError(404, f"File {call.target} not found.")
    if item.expires_at is not None and now > item.expires_at:
        raise GeminiError(404, f"File {call.target} not found.")
    return Response(200, await world.renderer.video(item, world.options), "video/mp4")


async def media(world: World, call: Call) -> Response:
    """The place that a redirect may lead to: it wants no key, and takes none."""
    item = world.kept.items.get(call.target)
    if item is None or item.kind != "video" or item.ready_at > world.clock.now():
        raise GeminiError(404, "Not found.")
    if call.api_key is not None:
        raise GeminiError(400, "A key has no business here.")
    return Response(200, await world.renderer.video(item, world.options), "video/mp4")

"""Media bytes behind signed links; no credentials needed, single ranges are served."""

import re

from flow2api.simulator.answer import Response
from flow2api.simulator.call import Call
from flow2api.simulator.world import World

RANGE = re.compile(r"bytes=(\d*)-(\d*)$")
XML = "application/xml; charset=UTF-8"


async def download_picture(world: World, call: Call) -> Response:
    """A generated picture, or the poster of a video."""
    if refusal := refused(world, call):
        return refusal
    item = world.kept.items[call.target]
    if item.content:
        return ranged(call, item.content, item.mime_type)
    if item.kind == "video":
        return ranged(call, await world.renderer.poster(item, world.options), "image/jpeg")
    content = await world.renderer.picture(item, world.options)
    return ranged(call, content, "image/png" if content.startswith(b"\x89PNG") else "image/jpeg")


async def download_video(world: World, call: Call) -> Response:
    """A video."""
    if refusal := refused(world, call):
        return refusal
    return ranged(call, await world.renderer.video(world.kept.items[call.target], world.options), "video/mp4")


def refused(world: World, call: Call) -> Response | None:
    """The refusal of a link that is forged, too old or leads nowhere."""
    if code := world.links.refusal(call.path, call.arguments(), world.clock.now()):
        return storage_error(403, code)
    item = world.kept.items.get(call.target)
    if item is None or (item.kind == "video" and item.ready_at > world.clock.now()):
        return storage_error(404, "NoSuchKey")
    return None


def storage_error(status: int, code: str) -> Response:
    """An error of the bucket, which speaks XML."""
    text = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>Access denied.</Message></Error>"
    return Response(status, text.encode(), XML)


def ranged(call: Call, content: bytes, content_type: str) -> Response:
    """The content, or the one range of it that was asked for."""
    headers = [(b"accept-ranges", b"bytes"), (b"cache-control", b"private, max-age=3600")]
    found = RANGE.match(call.range or "")
    if not found or found[1] == found[2] == "":
        return Response(200, content, content_type, headers)
    size = len(content)
    start = int(found[1]) if found[1] else max(0, size - int(found[2]))
    end = min(int(found[2]), size - 1) if found[1] and found[2] else size - 1
    if start > end:
        return Response(416, b"", content_type, [(b"content-range", f"bytes */{size}".encode())])
    headers.append((b"content-range", f"bytes {start}-{end}/{size}".encode()))
    return Response(206, content[start : end + 1], content_type, headers)

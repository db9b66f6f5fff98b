"""Reading a request's body: only JSON and forms, within limits that hold while it arrives."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from litestar import Request
from litestar.exceptions import HTTPException
from litestar.types import Receive

from flow2api.adapters.openai_api.body_room import FREE_BYTES, Place
from flow2api.adapters.openai_api.doors import Limits
from flow2api.adapters.openai_api.headers import header
from flow2api.adapters.openai_api.multipart import read_form
from flow2api.domain.abridging import abridged
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.request_log import ASKING

HttpRequest = Request[Any, Any, Any]

_JSON: Final = re.compile(r"application/(?:[\w.+-]+\+)?json")
_SURROGATES: Final = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
"""Escaped backslashes and whole pairs are passed over; what is caught is half of a pair."""
_LOOKED_THROUGH: Final = 256 * 1024
_BOUNDARY: Final = re.compile(r';\s*boundary=(?:"([^"\r\n]{1,200})"|([^\s";,]{1,200}))', re.IGNORECASE)
_CHARSET: Final = re.compile(r';\s*charset="?([\w-]+)"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Body:
    """What came in.

    Attributes:
        fields: The fields by name; files of a form are ``bytes``, everything else is what JSON knows.
        is_text: Values came as text (a form), so numbers and booleans are spelled out.
        digest: SHA-256 of the content, the same for a repeated request even when its form boundary differs.
    """

    fields: dict[str, object]
    is_text: bool
    digest: bytes


async def read_body(request: HttpRequest, limits: Limits, *, most_bytes: int, place: Place | None = None) -> Body:
    """The fields of a request.

    Args:
        most_bytes: Where a body becomes too large, announced or not.
        place: Where a large body finds its room; without one it needs none.

    Raises:
        UnsupportedInputError: It is not what its content type says.
        HTTPException: 408 too slow, 413 too large, 415 not JSON or a form, 503 no room for it.
    """
    content_type = header(request.scope, b"content-type") or ""
    if (header(request.scope, b"content-encoding") or "identity").lower() != "identity":
        raise _unsupported_type("Compressed request bodies are not taken; send the body as it is.")
    announced = header(request.scope, b"content-length") or "0"
    if announced.isdecimal() and int(announced[:20]) > most_bytes:
        raise too_large(most_bytes)
    if place is not None and announced.isdecimal():
        await _take_room(place, int(announced[:20]), limits)
    chunks = _arriving(request.receive, limits, most_bytes, place)
    media_type = content_type.partition(";")[0].strip().lower()
    if _JSON.fullmatch(media_type):
        charset = _CHARSET.search(content_type)
        if charset and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
            raise _unsupported_type("JSON is read as UTF-8 only.")
        return await _noted(await _read_json(chunks, limits))
    boundary = _BOUNDARY.search(content_type)
    if media_type == "multipart/form-data" and boundary:
        fields, digest = await read_form(chunks, boundary[1] or boundary[2], limits)
        return await _noted(Body(fields, is_text=True, digest=digest))
    raise _unsupported_type("Send the body as application/json or multipart/form-data.")


async def _noted(body: Body) -> Body:
    """The same body, after the request log has taken from it what it wants to know."""
    asking = ASKING.get()
    if asking is not None:
        model = body.fields.get("model")
        asking.model = model if isinstance(model, str) else ""
        if asking.keeps_body:
            asking.body = await asyncio.to_thread(abridged, body.fields, asking.prompts)
    return body


def too_large(most_bytes: int) -> HTTPException:
    """The body passed its limit."""
    return HTTPException(
        detail=f"The body is larger than the {most_bytes:,} bytes that are taken here; send less.",
        status_code=413,
        extra={"code": "body_too_large"},
    )


def _unsupported_type(sentence: str) -> HTTPException:
    return HTTPException(detail=sentence, status_code=415, extra={"code": "unsupported_media_type"})


async def _take_room(place: Place, size_bytes: int, limits: Limits) -> None:
    try:
        await place.take(size_bytes, within_s=limits.room_wait_s)
    except TimeoutError as cause:
        detail = "The server has too many large bodies in hand; try again in a moment."
        headers = {"retry-after": "5"}
        raise HTTPException(detail=detail, status_code=503, headers=headers, extra={"code": "server_busy"}) from cause


async def _arriving(receive: Receive, limits: Limits, most_bytes: int, place: Place | None) -> AsyncIterator[bytes]:
    """The chunks of the body; slow senders and large bodies are given up in the middle."""
    loop = asyncio.get_running_loop()
    began, size, more = loop.time(), 0, True
    while more:
        # Who sends slowly has time as long as nobody waits for the room that the body takes.
        by_rate = began + limits.read_timeout_s + (size / limits.read_bytes_per_s if not _is_wanted(place) else 0.0)
        try:
            async with asyncio.timeout_at(min(loop.time() + limits.read_timeout_s, by_rate)):
                message = await receive()
        except TimeoutError as cause:
            detail = "The body arrived too slowly and was given up; send it faster."
            raise HTTPException(detail=detail, status_code=408, extra={"code": "body_too_slow"}) from cause
        if message["type"] != "http.request":
            raise HTTPException(detail="The body ended before it was complete.", status_code=400)
        chunk, more = message["body"], message.get("more_body", False)
        size += len(chunk)
        if size > most_bytes:
            raise too_large(most_bytes)
        if place is not None and size > FREE_BYTES:
            await _take_room(place, most_bytes, limits)
        if chunk:
            yield chunk


def _is_wanted(place: Place | None) -> bool:
    return place is not None and place.is_wanted


async def _read_json(chunks: AsyncIterator[bytes], limits: Limits) -> Body:
    digest, received = hashlib.sha256(), bytearray()
    async for chunk in chunks:
        digest.update(chunk)
        received += chunk
    if _has_more_items(received, limits.json_items):
        raise _invalid_json("it has too many elements")
    if len(received) > FREE_BYTES:
        # Counting and decoding many megabytes take milliseconds each: others come in between.
        await asyncio.sleep(0)
    try:
        document = msgspec.json.decode(received)
    except (msgspec.DecodeError, UnicodeDecodeError) as cause:
        half = next((found[1] for found in _SURROGATES.finditer(received, 0, _LOOKED_THROUGH) if found[1]), None)
        why = str(cause) if half is None else f"{half.decode()} is half of a surrogate pair and stands for no character"
        raise _invalid_json(why) from cause
    if not isinstance(document, dict):
        raise _invalid_json("the body must be an object")
    if _is_deeper(document, limits.json_depth):
        raise _invalid_json(f"it is nested more than {limits.json_depth} deep")
    return Body(document, is_text=False, digest=digest.digest())


def _has_more_items(document: bytearray, most: int) -> bool:
    """Whether there are more commas and opening brackets than that. Base64 has none, so it is skipped at full speed."""
    if len(document) <= most:
        return False
    found = 0
    for mark in (b",", b"[", b"{"):
        at = document.find(mark)
        while at >= 0:
            found += 1
            if found > most:
                return True
            at = document.find(mark, at + 1)
    return False


def _invalid_json(why: str) -> UnsupportedInputError:
    return UnsupportedInputError(f"The body is not usable JSON: {why}.", code="invalid_json")


def _is_deeper(document: object, depth: int) -> bool:
    level: list[Any] = [document]
    for _ in range(depth):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True

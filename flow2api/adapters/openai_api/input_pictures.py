"""The pictures of a request, in every place and form in which clients put them."""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from flow2api.adapters.openai_api.doors import Doors
from flow2api.domain.api_key import Caller
from flow2api.domain.data_url import is_data_url
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.media import Media

PICTURE_FIELDS: Final = ("image", "images", "image_url", "image_urls", "input_reference", "input_references")
"""Fields that hold pictures, in the order in which they count."""

_BARE_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{120}")
_URL_KEYS: Final = ("image_url", "url", "b64_json", "data")


@dataclass(frozen=True, slots=True)
class PictureSource:
    """One picture that came along.

    Attributes:
        content: The bytes of a file, or text: a ``data:`` URL, an address, our own link or id, or bare base64.
        param: Where it stood in the request.
    """

    content: bytes | str
    param: str


def picture_sources(fields: Mapping[str, object], limit: int) -> list[PictureSource]:
    """The pictures of a request in their order.

    Raises:
        UnsupportedInputError: One has a form that we don't take (a file id, for instance), or there are too many.
    """
    found = [source for name in PICTURE_FIELDS if name in fields for source in sources_in(fields[name], name)]
    return within(found, limit)


def within(found: list[PictureSource], limit: int) -> list[PictureSource]:
    """The same pictures, when they are not too many."""
    if len(found) > limit:
        raise UnsupportedInputError(
            f"{len(found)} pictures came; at most {limit} are taken.", param=found[limit].param, code="too_many_images"
        )
    return found


def sources_in(value: object, param: str) -> Iterator[PictureSource]:
    """The pictures in one value: a file, a text, an object that holds either, or a list of them."""
    match value:
        case None | "":
            return
        case bytes() | str():
            yield PictureSource(value, param)
        case list():
            for index, entry in enumerate(value):
                yield from sources_in(entry, f"{param}[{index}]")
        case {"file_id": file_id} if file_id is not None:
            raise UnsupportedInputError(
                "There is no files API here; send the picture itself, a data URL or an https address.",
                param=f"{param}.file_id",
                code="image_file_not_found",
            )
        case dict():
            key = next((key for key in _URL_KEYS if value.get(key)), None)
            if key is None:
                raise _unusable(param)
            yield from sources_in(value[key], f"{param}.{key}")
        case _:
            raise _unusable(param)


async def take_in(doors: Doors, sources: Sequence[PictureSource], caller: Caller) -> list[Media]:
    """Keep the pictures, side by side, and return them in the same order.

    Raises:
        UnsupportedInputError: One of them cannot be used; the first one that is found decides.
    """
    if not sources:
        return []
    tasks = [asyncio.create_task(_take_in_one(doors, source, caller)) for source in sources]
    try:
        return await asyncio.gather(*tasks)
    finally:
        await _end(tasks)


async def _end(tasks: list[asyncio.Task[Media]]) -> None:
    """Cancel what still runs, and let go of all of it.

    A task holds its error, that one the frames that it came through, and those what was sent: megabytes, which would
    wait for the garbage collector if a frame held the tasks as well.
    """
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    tasks.clear()


async def _take_in_one(doors: Doors, source: PictureSource, caller: Caller) -> Media:
    content, param = source.content, source.param
    if isinstance(content, bytes):
        return await doors.ingest.from_bytes(content, caller, param=param)
    if "://" not in content[:16] and not is_data_url(content):
        own = await doors.ingest.own(content, caller) if len(content) < 2048 else None
        if own is not None:
            return own
        if _BARE_BASE64.match(content):
            return await doors.ingest.from_base64(content, caller, param=param)
    return await doors.ingest.from_url(content, caller, param=param)


def _unusable(param: str) -> UnsupportedInputError:
    return UnsupportedInputError(
        "A picture is sent as a file, a data URL, an https address, or an object with `image_url`.",
        param=param,
        code="invalid_image",
    )

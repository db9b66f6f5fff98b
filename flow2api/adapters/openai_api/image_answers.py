"""Pictures as answers: one JSON document with all of them, or a stream of events."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import msgspec
import structlog
from litestar.types import Receive, Scope, Send

from flow2api.adapters.openai_api.answers import Answer
from flow2api.adapters.openai_api.base64_bytes import base64_length, base64_of
from flow2api.adapters.openai_api.body import HttpRequest
from flow2api.adapters.openai_api.cors import HeaderList
from flow2api.adapters.openai_api.doors import Doors
from flow2api.adapters.openai_api.image_schemas import ImageEventEnd, ImagesEnd, ImagesUsage, quality_made
from flow2api.adapters.openai_api.links import media_url
from flow2api.adapters.openai_api.pictures_out import Format, Picture, open_picture
from flow2api.adapters.openai_api.runs import Outcome, Run
from flow2api.adapters.openai_api.sending import ClientStalledError, gathered, send_within
from flow2api.adapters.openai_api.sse import Frames, comment_frame
from flow2api.domain.api_key import Caller
from flow2api.domain.generation import Failed, Finished, Generation, Progressed, State
from flow2api.domain.media import Media

_log = structlog.get_logger(__name__)

Piece = bytes | Picture
"""Text of the document, or a picture whose base64 stands in its place."""


@dataclass(frozen=True, slots=True)
class Presentation:
    """How the pictures of one request are shown.

    Attributes:
        quality: The word for it, as it was asked for.
        event: The family of event names, ``image_generation`` or ``image_edit``.
    """

    doors: Doors
    request: HttpRequest
    caller: Caller
    prompt: str
    quality: object
    wanted: Format
    as_links: bool
    event: str

    @property
    def created(self) -> int:
        """Now, in Unix seconds."""
        return int(self.doors.clock.now().timestamp())

    async def document(self, outcome: Outcome) -> tuple[list[Piece], tuple[str, ...]]:
        """The pieces of the answer, and what the caller is to know."""
        made = [media for end in outcome.finished for media in end.media]
        pictures = [await open_picture(self.doors, media, self.wanted) for media in made]
        pieces: list[Piece] = [b'{"data":[']
        for index, picture in enumerate(pictures):
            pieces += [b"," if index else b"", *await self._entry(picture)]
        warnings = outcome.warnings
        end = ImagesEnd(
            created=self.created,
            background="opaque",
            output_format=pictures[0].format_name if pictures else "png",
            quality=self._quality_of(outcome.finished[0].generation),
            usage=ImagesUsage.of_prompt(self.prompt),
            size=pictures[0].size if pictures else None,
            warnings=warnings,
        )
        return [*pieces, b"],", msgspec.json.encode(end)[1:]], warnings

    async def _entry(self, picture: Picture) -> list[Piece]:
        if not self.as_links:
            return [b'{"b64_json":"', picture, b'"}']
        media = picture.media if not self.wanted.changes(picture.media) else await self._keep(picture)
        url = media_url(self.doors, self.request.scope, media.id, self.doors.options().link_lifetime_s)
        return [msgspec.json.encode({"url": url})]

    async def _keep(self, picture: Picture) -> Media:
        """A link must lead to the converted picture, so that is kept as well."""
        data = b"".join([chunk async for chunk in picture.read()])
        return await self.doors.ingest.from_bytes(data, self.caller, param="output_format")

    async def frames(self, run: Run) -> Frames:
        """An event for each picture as it is finished; then, if a part has failed, its error. A place in the waiting line is told as a comment."""
        first_error: Exception | None = None
        told: dict[str, str] = {}
        async with aclosing(run.rest) as rest:
            async for event in rest:
                match event:
                    case Finished(generation, media):
                        for one in media:
                            picture = await open_picture(self.doors, one, self.wanted)
                            async for piece in gathered(self._completed(generation, picture)):
                                yield piece
                    case Progressed(generation, note) if (
                        generation.state is State.QUEUED and told.get(generation.id) != note
                    ):
                        told[generation.id] = note
                        yield comment_frame(note)
                    case Failed(error=error):
                        first_error = first_error or error
                    case _:
                        pass
        if first_error is not None:
            raise first_error

    def _quality_of(self, generation: Generation) -> str:
        """The word for the quality that was made; a route may have led to another model than was asked for."""
        spec = self.doors.catalog.spec(generation.spec_name)
        if spec is None:
            return quality_made(self.quality, None)
        return quality_made(self.quality, spec.resolution, spec.quality)

    async def _completed(self, generation: Generation, picture: Picture) -> AsyncIterator[bytes]:
        name = f"{self.event}.completed"
        end = ImageEventEnd(
            created_at=self.created,
            size=picture.size or "auto",
            quality=self._quality_of(generation),
            background="opaque",
            output_format=picture.format_name,
            usage=ImagesUsage.of_prompt(self.prompt),
        )
        yield f'event: {name}\ndata: {{"type":"{name}","b64_json":"'.encode()
        async for encoded in base64_of(picture.read()):
            yield encoded
        yield b'",' + msgspec.json.encode(end)[1:] + b"\n\n"


class ImagesJson(Answer):
    """A JSON document with pictures in it, read and encoded while it is sent."""

    __slots__ = ("_headers", "_pieces", "_stall_s")

    def __init__(self, pieces: Sequence[Piece], headers: HeaderList, stall_s: float) -> None:
        self._pieces = pieces
        self._headers = headers
        self._stall_s = stall_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        length = sum(len(p) if isinstance(p, bytes) else base64_length(p.size_bytes) for p in self._pieces)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % length),
            (b"cache-control", b"no-store"),
            *self._headers,
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        try:
            await self._send_body(send)
        except ClientStalledError:
            _log.info("answer_given_up", path=scope["path"], stalled_s=self._stall_s)

    async def _send_body(self, send: Send) -> None:
        last = b""
        async for body in gathered(self._texts()):
            if last:
                await self._write(send, last, more=True)
            last = body
        await self._write(send, last, more=False)

    async def _write(self, send: Send, body: bytes, *, more: bool) -> None:
        await send_within(send, {"type": "http.response.body", "body": body, "more_body": more}, self._stall_s)

    async def _texts(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, bytes):
                yield piece
            else:
                async for encoded in base64_of(piece.read()):
                    yield encoded

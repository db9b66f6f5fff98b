"""The use cases behind the doors, in memory, for tests of inbound adapters."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from flow2api.adapters.openai_api import Doors
from flow2api.app.profiles import Profiles
from flow2api.domain.api_key import ApiKey, Caller
from flow2api.domain.catalog import ModelCatalog, ModelRoutes
from flow2api.domain.data_url import decode_base64, decode_data_url, is_data_url
from flow2api.domain.errors import (
    GenerationNotFoundError,
    InvalidApiKeyError,
    MediaNotFoundError,
    NotReadyError,
    UnsupportedInputError,
)
from flow2api.domain.generation import (
    Accepted,
    Failed,
    Fault,
    Finished,
    Generation,
    GenerationEvent,
    GenerationRequest,
    Phase,
    Progressed,
    State,
)
from flow2api.domain.key_rules import NO_RULES, KeyRules
from flow2api.domain.media import Media, MediaKind, MediaRole, sniff_content_type
from flow2api.domain.options import Options
from flow2api.domain.picture_size import picture_facts
from flow2api.domain.ports.storage import Page
from flow2api.domain.usecases.recall_requests import Idempotency
from flow2api.domain.usecases.serve_media import OpenMedia
from flow2api.domain.waiting_line import Turn
from flow2api.plugins.models_flow import register_models
from flow2api.plugins.response_profiles import register_response_profiles
from flow2api.testing.fakes.clock import START, FakeClock
from flow2api.testing.fakes.media import FakePictures, fake_picture, in_chunks

KEY = "f2a_" + "k" * 43
OTHER_KEY = "f2a_" + "o" * 43
GOOD_QUERY = "exp=1&sig=good"
FAKE_VIDEO = b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 8

_ENTRIES = tuple(register_models())
CATALOG = ModelCatalog(_ENTRIES)


PROFILES = {one.name: one for one in register_response_profiles()}


@dataclass
class FakeAuthorizeKey:
    """Knows two keys.

    Attributes:
        slow: Keys that memory does not know, so that they are looked up.
        asked: What was presented, in order.
        rules: What keys may do; those that are not named may do everything.
    """

    keys: dict[str, int] = field(default_factory=lambda: {KEY: 1, OTHER_KEY: 2})
    slow: set[str] = field(default_factory=set)
    asked: list[str | None] = field(default_factory=list)
    rules: dict[str, KeyRules] = field(default_factory=dict)

    def known(self, presented: str | None) -> ApiKey | None:
        self.asked.append(presented)
        return None if presented is None or presented in self.slow else self._key(presented)

    async def __call__(self, presented: str | None) -> ApiKey:
        key = None if presented is None else self._key(presented)
        if key is None:
            raise InvalidApiKeyError(presented=presented is not None)
        return key

    def _key(self, presented: str) -> ApiKey | None:
        number = self.keys.get(presented)
        if number is None:
            return None
        rules = self.rules.get(presented, NO_RULES)
        return ApiKey(id=number, name=f"key {number}", prefix=presented[:10], digest=b"", created_at=START, rules=rules)


@dataclass
class FakeServeMedia:
    """Media in memory; the only signature that opens them is :data:`GOOD_QUERY`."""

    contents: dict[str, tuple[Media, bytes]] = field(default_factory=dict)
    closed: int = 0

    def keep(self, data: bytes, **facts: Any) -> Media:
        """Take in bytes as a media of key 1, unless ``facts`` says else."""
        content_type = sniff_content_type(data[:64]) or "application/octet-stream"
        shape = picture_facts(data) if content_type.startswith("image/") else None
        media = Media(
            **{
                "id": f"media_{len(self.contents) + 1:026d}",
                "key_id": 1,
                "kind": MediaKind.IMAGE if content_type.startswith("image/") else MediaKind.VIDEO,
                "role": MediaRole.RESULT,
                "content_type": content_type,
                "size_bytes": len(data),
                "sha256": hashlib.sha256(data).hexdigest(),
                "created_at": START,
                "width": shape.width if shape else None,
                "height": shape.height if shape else None,
                "upstream_name": f"upstream-{len(self.contents) + 1}" if "role" not in facts else None,
                **facts,
            }
        )
        self.contents[media.id] = (media, data)
        return media

    async def of_link(self, media_id: str, query: str) -> OpenMedia:
        if query != GOOD_QUERY or media_id not in self.contents:
            raise MediaNotFoundError("The link is not valid or has expired.")
        return await self.open(self.contents[media_id][0])

    async def open(self, media: Media) -> OpenMedia:
        data = self.contents[media.id][1]

        async def read(start: int, stop: int | None) -> AsyncIterator[bytes]:
            try:
                async for chunk in in_chunks(data[start:stop], 100_000):
                    yield chunk
            finally:
                self.closed += 1

        return OpenMedia(media, len(data), read)

    def link(self, media_id: str, lifetime_s: int) -> str:
        return f"/media/{media_id}?{GOOD_QUERY}&for={lifetime_s}"


@dataclass
class FakeIngestPictures:
    """Takes in whatever looks like a picture.

    Attributes:
        addresses: What lies behind https addresses.
        fetched: Addresses that were fetched, in order.
    """

    media: FakeServeMedia
    addresses: dict[str, bytes] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)

    async def from_bytes(self, data: bytes, caller: Caller, *, param: str) -> Media:
        if sniff_content_type(data[:64]) is None:
            raise UnsupportedInputError("This is no picture.", param=param, code="invalid_image_format")
        return self.media.keep(data, key_id=caller.key_id, role=MediaRole.INPUT)

    async def from_base64(self, text: str, caller: Caller, *, param: str) -> Media:
        return await self.from_bytes(decode_base64(text, param), caller, param=param)

    async def from_url(self, url: str, caller: Caller, *, param: str) -> Media:
        if is_data_url(url):
            return await self.from_bytes(decode_data_url(url, param), caller, param=param)
        own = await self.own(url, caller)
        if own is not None:
            return own
        self.fetched.append(url)
        if url not in self.addresses:
            raise UnsupportedInputError("The address cannot be fetched.", param=param, code="invalid_image_url")
        return await self.from_bytes(self.addresses[url], caller, param=param)

    async def own(self, url: str, caller: Caller) -> Media | None:
        media_id = url.rpartition("/")[2].partition("?")[0]
        media = self.media.contents.get(media_id, (None, b""))[0]
        return media if media is not None and media.key_id == caller.key_id else None


@dataclass
class FakeGenerate:
    """Plays generations as it was told to.

    Attributes:
        refuses: Raised before anything is accepted.
        fails: How parts end that do not succeed, by their place.
        notes: Progress that each part tells; it waits while they begin with that word.
        gate: Nothing goes on beyond the acceptance until it is set.
        picture: The bytes of what is made.
        warnings: What the generation has to say in the end, beside what was known.
        replayed: The answer is one from before.
        asked: Every request with its caller and what tells it from others.
        open: How many event iterators are open.
    """

    media: FakeServeMedia
    clock: FakeClock
    refuses: Exception | None = None
    fails: Mapping[int, Exception] = field(default_factory=dict)
    notes: Sequence[str] = ()
    gate: asyncio.Event | None = None
    picture: bytes = field(default_factory=lambda: fake_picture("image/jpeg", 1376, 768))
    warnings: tuple[str, ...] = ()
    replayed: bool = False
    asked: list[tuple[GenerationRequest, Caller, Idempotency | None]] = field(default_factory=list)
    open: int = 0
    made: int = 0

    async def __call__(
        self, request: GenerationRequest, caller: Caller, *, idempotency: Idempotency | None = None
    ) -> AsyncGenerator[GenerationEvent, None]:
        self.asked.append((request, caller, idempotency))
        return self._events(request, caller)

    async def _events(self, request: GenerationRequest, caller: Caller) -> AsyncGenerator[GenerationEvent, None]:
        if self.refuses is not None:
            raise self.refuses
        self.open += 1
        try:
            parts = [self._part(request, caller) for _ in range(request.count)]
            for part in parts:
                yield Accepted(part, self.replayed)
            if self.gate is not None:
                await self.gate.wait()
            # The last part ends first: nobody may rely on the order.
            for index, part in reversed(list(enumerate(parts))):
                for number, note in enumerate(self.notes):
                    running = part.entering(Phase.SUBMITTING, self.clock.now())
                    yield Progressed(part if note.startswith("waiting") else running.progressed(10 * number), note)
                yield self._end(index, part)
        finally:
            self.open -= 1

    @property
    def request(self) -> GenerationRequest:
        """The last request."""
        return self.asked[-1][0]

    def _part(self, request: GenerationRequest, caller: Caller) -> Generation:
        self.made += 1
        video = request.spec.kind is MediaKind.VIDEO
        return Generation(
            id=f"{'video' if video else 'gen'}_{self.made:026d}",
            key_id=caller.key_id,
            kind=request.spec.kind,
            model=request.model,
            spec_name=request.spec.name,
            prompt=request.prompt,
            created_at=self.clock.now(),
            group_id=f"req_{len(self.asked)}",
            inputs=request.inputs,
            size=request.size,
            seconds=request.seconds,
            warnings=request.warnings,
            parent_id=request.parent_id,
        )

    def _end(self, index: int, part: Generation) -> GenerationEvent:
        now = self.clock.now()
        if (error := self.fails.get(index)) is not None:
            return Failed(part.failed(Fault("failed", str(error)), now), error)
        data = FAKE_VIDEO if part.kind is MediaKind.VIDEO else self.picture + str(index).encode()
        media = self.media.keep(data, key_id=part.key_id)
        done = replace(part, warnings=(*part.warnings, *self.warnings)).completed((media.id,), now, None)
        return Finished(done, (media,))


@dataclass
class FakeReadGenerations:
    """Generations that a test has planted."""

    media: FakeServeMedia
    rows: dict[str, Generation] = field(default_factory=dict)
    turns: dict[str, Turn] = field(default_factory=dict)

    def plant(self, generation_id: str = "video_1", **facts: Any) -> Generation:
        """A video of key 1, queued unless ``facts`` says else."""
        known: dict[str, Any] = {
            "key_id": 1,
            "kind": MediaKind.VIDEO,
            "model": "sora-2",
            "spec_name": "veo_3_1_t2v_fast_landscape",
            "prompt": "waves",
            "created_at": START,
            "size": "1280x720",
            "seconds": 8,
        }
        self.rows[generation_id] = Generation(id=generation_id, **(known | facts))
        return self.rows[generation_id]

    def plant_completed(self, generation_id: str = "video_1", **facts: Any) -> Generation:
        """A video with a result."""
        begun = self.plant(generation_id, **facts)
        media = self.media.keep(FAKE_VIDEO, model=begun.spec_name, generation_id=generation_id, prompt=begun.prompt)
        planted = begun.completed((media.id,), START, START + timedelta(days=7))
        self.rows[generation_id] = planted
        return planted

    def turn(self, generation_id: str) -> Turn | None:
        return self.turns.get(generation_id)

    async def get(self, generation_id: str, caller: Caller) -> Generation:
        found = self.rows.get(generation_id)
        if found is None or found.key_id != caller.key_id:
            raise GenerationNotFoundError(generation_id)
        return found

    async def page(
        self, caller: Caller, *, kind: MediaKind, after: str | None, limit: int, newest_first: bool
    ) -> Page[Generation]:
        mine = [row for row in self.rows.values() if row.key_id == caller.key_id and row.kind is kind]
        ordered = mine[::-1] if newest_first else mine
        ids = [row.id for row in ordered]
        start = ids.index(after) + 1 if after in ids else 0
        return Page(tuple(ordered[start : start + limit]), has_more=len(ordered) > start + limit)

    async def delete(self, generation_id: str, caller: Caller) -> None:
        await self.get(generation_id, caller)
        del self.rows[generation_id]

    async def content(self, generation_id: str, caller: Caller, variant: str) -> OpenMedia:
        found = await self.get(generation_id, caller)
        if found.state is not State.COMPLETED:
            raise NotReadyError("The video has no content yet.")
        if variant != "video":
            return await self.media.open(self.media.keep(fake_picture("image/webp", 160, 90)))
        return await self.media.open(self.media.contents[found.results[0]][0])


@dataclass
class FakeDoors:
    """All of them, made for each other.

    Attributes:
        options: May be replaced by a test at any time.
    """

    clock: FakeClock = field(default_factory=FakeClock)
    authorize: FakeAuthorizeKey = field(default_factory=FakeAuthorizeKey)
    media: FakeServeMedia = field(default_factory=FakeServeMedia)
    pictures: FakePictures = field(default_factory=FakePictures)
    options: Options = field(default_factory=Options)
    generate: FakeGenerate = field(init=False)
    ingest: FakeIngestPictures = field(init=False)
    generations: FakeReadGenerations = field(init=False)

    def __post_init__(self) -> None:
        self.generate = FakeGenerate(self.media, self.clock)
        self.ingest = FakeIngestPictures(self.media)
        self.generations = FakeReadGenerations(self.media)

    def doors(self, **overrides: Any) -> Doors:
        """What the adapter is given."""
        options: Callable[[], Options] = lambda: self.options  # noqa: E731 - read anew at each call
        given: dict[str, Any] = {
            "catalog": CATALOG,
            "routes": ModelRoutes(CATALOG, lambda: self.options.model_routes),
            "authorize": self.authorize,
            "generate": self.generate,
            "ingest": self.ingest,
            "generations": self.generations,
            "media": self.media,
            "options": options,
            "clock": self.clock,
            "pictures": self.pictures,
            "chat_text": Profiles(PROFILES, options).chat_text,
        }
        return Doors(**(given | overrides))

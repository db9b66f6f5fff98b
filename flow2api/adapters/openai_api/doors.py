"""What the OpenAI surface needs from the rest of the program, and the limits that it keeps."""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from flow2api.adapters.openai_api.body_room import BodyRoom
from flow2api.domain.api_key import ApiKey, Caller
from flow2api.domain.catalog import ModelCatalog, ModelRoutes
from flow2api.domain.generation import Generation, GenerationEvent, GenerationRequest
from flow2api.domain.media import Media, MediaKind
from flow2api.domain.options import Options
from flow2api.domain.ports.media import Pictures
from flow2api.domain.ports.responses import ShownResult
from flow2api.domain.ports.storage import Page
from flow2api.domain.ports.system import Clock
from flow2api.domain.request_log import Asking
from flow2api.domain.usecases.limit_requests import Allowance
from flow2api.domain.usecases.recall_requests import Idempotency
from flow2api.domain.usecases.serve_media import OpenMedia
from flow2api.domain.waiting_line import Turn


class Authorizes(Protocol):
    """Tells whose key was presented."""

    async def __call__(self, presented: str | None) -> ApiKey:
        """The key, looked up where memory does not know it."""
        ...

    def known(self, presented: str | None) -> ApiKey | None:
        """The key, if memory knows it."""
        ...


class Generates(Protocol):
    """Makes what was asked for and tells how it goes."""

    async def __call__(
        self, request: GenerationRequest, caller: Caller, *, idempotency: Idempotency | None = None
    ) -> AsyncGenerator[GenerationEvent, None]:
        """The life of the request, to be read or closed; closing it does not stop the work."""
        ...


class Ingests(Protocol):
    """Takes in the pictures of a request."""

    async def from_bytes(self, data: bytes, caller: Caller, *, param: str) -> Media:
        """Keep a picture that was sent along."""
        ...

    async def from_base64(self, text: str, caller: Caller, *, param: str) -> Media:
        """Keep a picture that was sent along as bare base64."""
        ...

    async def from_url(self, url: str, caller: Caller, *, param: str) -> Media:
        """Keep the picture of a ``data:`` URL or an https address, or find our own behind its link."""
        ...

    async def own(self, url: str, caller: Caller) -> Media | None:
        """Our own media behind a link or id, without any fetching."""
        ...


class ReadsGenerations(Protocol):
    """Shows a key its own generations."""

    def turn(self, generation_id: str) -> Turn | None:
        """Where one of them stands in the waiting line."""
        ...

    async def get(self, generation_id: str, caller: Caller) -> Generation:
        """One of them."""
        ...

    async def page(
        self, caller: Caller, *, kind: MediaKind, after: str | None, limit: int, newest_first: bool
    ) -> Page[Generation]:
        """Some of them."""
        ...

    async def delete(self, generation_id: str, caller: Caller) -> None:
        """End and forget one of them."""
        ...

    async def content(self, generation_id: str, caller: Caller, variant: str) -> OpenMedia:
        """The bytes that came of it."""
        ...


class ServesMedia(Protocol):
    """Gives out kept bytes."""

    async def of_link(self, media_id: str, query: str) -> OpenMedia:
        """What a signed link opens."""
        ...

    async def open(self, media: Media) -> OpenMedia:
        """What is known already."""
        ...

    def link(self, media_id: str, lifetime_s: int) -> str:
        """Path and query of a signed link."""
        ...


class NotesRequests(Protocol):
    """Writes down how requests went."""

    def asking(self, request_id: str) -> Asking:
        """What is to be learned of a request that begins now."""
        ...

    def refused(self, asking: Asking, *, status: int, key_id: int | None, door: str, duration_ms: int) -> None:
        """A request was answered with an error, and nothing may have been begun for it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one request may bring along.

    Attributes:
        json_bytes: Largest body on routes that take no pictures.
        picture_body_bytes: Largest body on routes that take pictures.
        parts: Parts of a form.
        files: Parts of a form that are files.
        picture_bytes: Largest single file.
        pictures: Input pictures of one request.
        json_depth: How deep JSON may be nested.
        json_items: Commas and opening brackets that JSON may hold; far above any real request, it bounds what decoding
            costs.
        read_timeout_s: How long the body may make no progress.
        read_bytes_per_s: What a body must arrive at, on average, once ``read_timeout_s`` has passed.
        room_wait_s: How long a large body may wait for its turn to be read.
        stall_s: How long a client may take nothing of an answer before it is given up.
        ping_s: How often a silent event stream says that it lives.
    """

    json_bytes: int = 1024 * 1024
    picture_body_bytes: int = 32 * 1024 * 1024
    parts: int = 64
    files: int = 17
    picture_bytes: int = 12 * 1024 * 1024
    pictures: int = 16
    json_depth: int = 32
    json_items: int = 250_000
    read_timeout_s: float = 30.0
    read_bytes_per_s: int = 8 * 1024
    room_wait_s: float = 60.0
    stall_s: float = 30.0
    ping_s: float = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """Everything that the handlers of this surface call.

    Attributes:
        options: Gives the options as they stand now.
        gateway_name: How this gateway is known to others that it is chained with.
        chat_text: What a chat message says that shows these results, for the response profile of a key.
        public_url: The address that clients reach us by; None to follow each request's own.
        trusted_proxies: Addresses or networks whose forwarding headers are believed.
        allowance: Tells what a key may still begin; None where it has no limit or nobody knows.
        notes: Where refused requests are written down; None to write down none.
        room: Where large bodies wait for their turn.
        image_model: What makes pictures when a request names no model.
        video_model: What makes videos when a request names no model.
    """

    catalog: ModelCatalog
    routes: ModelRoutes
    authorize: Authorizes
    generate: Generates
    ingest: Ingests
    generations: ReadsGenerations
    media: ServesMedia
    options: Callable[[], Options]
    clock: Clock
    pictures: Pictures
    chat_text: Callable[[str | None, Sequence[ShownResult]], str]
    allowance: Callable[[Caller], Allowance | None] = lambda _: None
    notes: NotesRequests | None = None
    public_url: str | None = None
    gateway_name: Callable[[], str] = lambda: "flow2api"
    trusted_proxies: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    room: BodyRoom = field(default_factory=BodyRoom)
    image_model: str = "gpt-image-1"
    video_model: str = "sora-2"

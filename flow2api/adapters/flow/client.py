"""Google Flow's labs protocol as an upstream."""

import random
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from flow2api import __version__
from flow2api.adapters.flow import payloads, responses, session
from flow2api.adapters.flow.caller import API_BASE_URL, LABS_BASE_URL, Caller, TimeLimits
from flow2api.adapters.flow.era_2026_06 import enlarged_picture
from flow2api.adapters.flow.eras import ERAS, LATEST, Era
from flow2api.adapters.flow.lineage import Clip, Lineage
from flow2api.adapters.flow.media import MediaSource
from flow2api.adapters.flow.model_wire import ModelWire, read_wire, video_task
from flow2api.adapters.flow.payloads import Stamp
from flow2api.adapters.flow.polling import Handle, Polling
from flow2api.domain.account import Credentials
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.errors import (
    ContentBlockedError,
    UnsupportedInputError,
    UpstreamInvalidError,
    UpstreamNotFoundError,
)
from flow2api.domain.generation import Operation, OperationStatus, Order, Product, Stage
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Access, Allowance, Exchanged, UploadedPicture
from flow2api.domain.secret import Secret
from flow2api.libcurl.call_log import LoggedTransport
from flow2api.libcurl.calls import Answer
from flow2api.libcurl.transport import CurlTransport

USUAL_CLIP_S = 8


class FlowUpstream:
    """Flow over HTTP, in one of its wire eras.

    Args:
        labs_base_url: What a session token opens; ends in ``/fx/api``.
        api_base_url: What an access token opens; ends in ``/v1``.
        era: ``seed`` or ``2026-06``.
        poll_batch_size: Most operations that one status call asks for.
        max_proxies: How many proxies keep their connections.
    """

    name = "flow"
    upload_lifetime_s = 3300.0

    def __init__(
        self,
        clock: Clock,
        *,
        labs_base_url: str = LABS_BASE_URL,
        api_base_url: str = API_BASE_URL,
        era: str = LATEST,
        limits: TimeLimits | None = None,
        poll_batch_size: int = 500,
        max_proxies: int = 64,
    ) -> None:
        self._clock = clock
        self._era: Era = ERAS[era]
        self._limits = limits or TimeLimits()
        self._transport = CurlTransport(user_agent=f"flow2api/{__version__}", max_pools=max_proxies)
        logged = LoggedTransport(self._transport)
        self._caller = Caller(
            logged, clock, labs_base_url=labs_base_url, api_base_url=api_base_url, limits=self._limits
        )
        self._polling = Polling(self._caller, clock, batch_size=poll_batch_size)
        self._media = MediaSource(self._caller, logged, clock, (labs_base_url, api_base_url))

    @property
    def opened_connections(self) -> int:
        """How many connections were opened so far, for figures."""
        return self._transport.opened_connections()

    def serves(self, spec: ModelSpec) -> bool:
        """Whether the model has a key in the era that is set."""
        wire = read_wire(spec)
        needs_later = wire.enlarge is not None or wire.mode == "extend"
        return self._era.NAME in wire.keys and (self._era.MAKES_ENLARGEMENTS or not needs_later)

    async def exchange(self, credentials: Credentials, proxy: Secret | None) -> Exchanged:
        """A fresh access token, and the session token that replaces the old one if the service rotated it."""

        async def ask(token: Secret) -> Answer:
            return await self._caller.ask_labs("/auth/session", token, proxy)

        return await session.exchange(ask, credentials, self._clock.now)

    async def allowance(self, access: Access) -> Allowance:
        """Plan and credits; also the proof that the access token lives."""
        return self._caller.read("credits", responses.allowance, await self._caller.get(access, "/credits"))

    async def open_workspace(self, access: Access, title: str) -> str:
        """Make a project."""
        path = "/trpc/project.createProject"
        body = payloads.trpc_body(projectTitle=title, toolName=payloads.TOOL)
        return self._caller.read(path, responses.project, await self._caller.post_labs(access, path, body))

    async def upload(self, access: Access, picture: UploadedPicture) -> str:
        """Hand over an input picture."""
        post = self._era.upload(picture, self._stamp(access))
        body = await self._caller.post(access, post, timeout_s=self._limits.upload_s)
        return self._caller.read(post.path, responses.uploaded, body)

    async def produce(self, access: Access, order: Order) -> Sequence[Product]:
        """Make pictures, or enlarge one."""
        wire = read_wire(order.spec)
        if order.stage is Stage.ENLARGE:
            return [await self._enlarge(access, order, wire)]
        stamp = self._stamp(access, order)
        post = self._era.pictures(order, wire, stamp)
        body = await self._caller.post(access, post, timeout_s=self._limits.picture_s)
        products = self._caller.read(post.path, lambda text: responses.pictures(text, stamp.session_id), body)
        if not products:
            raise ContentBlockedError
        return products

    async def submit(self, access: Access, order: Order) -> tuple[Operation, int | None]:
        """Begin a video, its enlargement or its extension. It is sent once, whatever becomes of the connection."""
        wire = read_wire(order.spec)
        task = video_task(order, wire)
        if task in ("enlarge", "extend") and not payloads.source_name(order):
            raise UpstreamNotFoundError("The video that this builds on is not known to the account.")
        if task == "enlarge" and len(Lineage.of(order.source).clips) > 1:
            raise UnsupportedInputError("The video was put together of several, which cannot be enlarged as one.")
        post = self._era.video(order, wire, self._stamp(access, order))
        body = await self._caller.post(access, post, timeout_s=self._limits.submit_s, never_repeat=True)
        begun = self._caller.read(post.path, self._era.submitted, body)
        if begun is None:
            raise ContentBlockedError
        handle = Handle(self._era.NAME, msgspec.Raw(begun.item), _clips(order, task, begun.name))
        return Operation(begun.name, handle.text()), begun.credits_left

    async def poll(self, access: Access, operations: Sequence[Operation]) -> Mapping[str, OperationStatus]:
        """How operations stand, by name."""
        return await self._polling.poll(access, operations)

    def fetch(self, access: Access, product: Product, *, thumbnail: bool = False) -> AsyncGenerator[bytes, None]:
        """The bytes of a product as they come."""
        return self._media.fetch(access, product, thumbnail=thumbnail)

    async def delete(self, access: Access, names: Sequence[str]) -> None:
        """Remove products from the account."""
        await self._caller.post_labs(access, "/trpc/media.deleteMedia", payloads.names_body(names))

    async def aclose(self) -> None:
        """End all connections."""
        await self._transport.aclose()

    async def _enlarge(self, access: Access, order: Order, wire: ModelWire) -> Product:
        if wire.enlarge is None or order.source is None:
            raise UpstreamNotFoundError("The picture that is to be enlarged is not known to the account.")
        post = enlarged_picture(order, wire.enlarge.target, self._stamp(access))
        limit_s = self._limits.enlarge_s
        async with self._caller.stream_media(access, post.path, post.body, timeout_s=limit_s) as (field, chunks):
            data = b"".join([chunk async for chunk in chunks])
            field.finish()
        if not data:
            raise UpstreamInvalidError("The service enlarged the picture and sent nothing.")
        return replace(order.source, url=None, data=data, width=None, height=None)

    def _stamp(self, access: Access, order: Order | None = None) -> Stamp:
        if access.workspace is None:
            raise UpstreamNotFoundError("The account has no project that the work could belong to.")
        largest = self._era.LARGEST_SEED
        seed = random.randint(1, largest) if order is None or order.seed is None else order.seed  # noqa: S311
        count = 1 if order is None else order.count
        return Stamp(
            workspace=access.workspace,
            tier=access.tier,
            session_id=f";{int(self._clock.now().timestamp() * 1000)}",
            batch_id=_name(),
            scene_id=_name(),
            seeds=tuple((seed + place - 1) % largest + 1 for place in range(count)),
        )


def _name() -> str:
    """A UUID for something of a call; it guards nothing, so it need not cost a call of the operating system."""
    return str(UUID(int=random.getrandbits(128), version=4))


def _clips(order: Order, task: str, name: str) -> tuple[Clip, ...]:
    """What the video that is being made will be joined of: itself, after what it extends."""
    before = Lineage.of(order.source).clips
    if task == "enlarge" and before:
        return (Clip(name, before[-1].seconds),)
    made = Clip(name, order.spec.seconds or USUAL_CLIP_S)
    if task != "extend":
        return (made,)
    before = before or (Clip(payloads.source_name(order), USUAL_CLIP_S),)
    return (*before, made)


if TYPE_CHECKING:
    from flow2api.domain.ports.upstream import DeletesProducts, Upstream
    from flow2api.libcurl.calls import Transport

    def _fits(flow: FlowUpstream, transport: CurlTransport) -> tuple[Upstream, DeletesProducts, Transport]:
        return flow, flow, transport

"""Google's Gemini API with an API key as an upstream."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from flow2api import __version__
from flow2api.adapters.gemini import omni, payloads, pictures, veo
from flow2api.adapters.gemini.caller import (
    API_VERSION,
    BASE_URL,
    JSON_LIMIT_BYTES,
    PICTURE_LIMIT_BYTES,
    Caller,
    TimeLimits,
)
from flow2api.adapters.gemini.files import FileSource
from flow2api.adapters.gemini.model_wire import ModelWire, read_wire
from flow2api.adapters.gemini.uploads import HeldPictures
from flow2api.domain.account import Credentials, Tier
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.errors import (
    Flow2ApiError,
    ModelAccessError,
    UpstreamDriftError,
    UpstreamInvalidError,
    UpstreamNotFoundError,
    UpstreamRejectedError,
)
from flow2api.domain.generation import Operation, OperationStatus, Order, Product
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Access, Allowance, Exchanged, UploadedPicture
from flow2api.domain.secret import Secret
from flow2api.libcurl.bodies import in_turn, read
from flow2api.libcurl.call_log import LoggedTransport
from flow2api.libcurl.transport import CurlTransport

T = TypeVar("T")

WORKSPACE = "default"
CHECKED_EVERY = timedelta(hours=24)
"""How long a key that was seen to be good counts as good."""

POLLS_AT_ONCE = 4
IMAGEN_AT_ONCE = 4
_NOT_OF_ONE_VIDEO = (UpstreamDriftError, ModelAccessError)
"""Refusals of a status call that say nothing of the video: it is made, and paid for."""


class GeminiUpstream:
    """The Gemini API over HTTP.

    An account is a key, and so the project behind it. There is neither plan nor workspace, and nothing tells what a project
    may still spend.

    Args:
        base_url: Without the version.
        api_version: ``v1`` or ``v1beta``.
        serves_imagen: Whether the base still serves Imagen; Google's own has ceased to.
        max_proxies: How many proxies keep their connections.
    """

    name = "gemini"
    upload_lifetime_s = 900.0

    def __init__(
        self,
        clock: Clock,
        *,
        base_url: str = BASE_URL,
        api_version: str = API_VERSION,
        serves_imagen: bool = False,
        limits: TimeLimits | None = None,
        max_proxies: int = 64,
    ) -> None:
        self._clock = clock
        self._serves_imagen = serves_imagen
        self._limits = limits or TimeLimits()
        self._transport = CurlTransport(user_agent=f"flow2api/{__version__}", max_pools=max_proxies)
        logged = LoggedTransport(self._transport)
        self._caller = Caller(logged, clock, base_url=base_url, version=api_version, limits=self._limits)
        self._files = FileSource(self._caller)
        # A little longer than is promised, so that what is just about to be used is still there.
        self._held = HeldPictures(clock, lifetime_s=self.upload_lifetime_s + 300.0)

    def serves(self, spec: ModelSpec) -> bool:
        """Whether the base that is set offers the call that makes this model's results."""
        return read_wire(spec).method != "predict" or self._serves_imagen

    async def exchange(self, credentials: Credentials, proxy: Secret | None) -> Exchanged:
        """The key itself, seen to be good by a call that costs nothing."""
        key = credentials.session_token
        await self._prove(key, proxy)
        now = self._clock.now()
        return Exchanged(Credentials(key, key, now + CHECKED_EVERY, obtained_at=now), None, None)

    async def allowance(self, access: Access) -> Allowance:
        """That the key is good; the rest is not told."""
        await self._prove(access.access_token, access.proxy)
        return Allowance(Tier.FREE, None)

    async def open_workspace(self, access: Access, title: str) -> str:
        """The one that there is."""
        return WORKSPACE

    async def upload(self, access: Access, picture: UploadedPicture) -> str:
        """Hold an input picture until it is used; nothing is sent."""
        return self._held.hold(access, picture)

    async def produce(self, access: Access, order: Order) -> Sequence[Product]:
        """Make pictures, several of them by calls side by side; those that came about count if others did not."""
        wire, inputs = read_wire(order.spec), self._inputs(access, order)
        if wire.method == "predict":
            return await self._predict(access, order, wire)
        seeds = [None if order.seed is None else order.seed + number for number in range(order.count)]
        outcomes = await _all(self._picture(access, order, wire, inputs, seed) for seed in seeds)
        made = [one for one in outcomes if isinstance(one, Product)]
        if not made:
            raise next(one for one in outcomes if isinstance(one, Flow2ApiError))
        return made

    async def submit(self, access: Access, order: Order) -> tuple[Operation, int | None]:
        """Begin a video. It is sent once, whatever becomes of the connection."""
        wire, inputs = read_wire(order.spec), self._inputs(access, order)
        if wire.method == "interactions":
            body = await _written(payloads.interaction, order, wire, inputs)
            return Operation(omni.begun(await self._submit(access, order, "/interactions", body))), None
        body = await _written(payloads.long_prediction, order, wire, inputs)
        told = await self._submit(access, order, f"/models/{wire.model}:predictLongRunning", body)
        return Operation(veo.begun(told)), None

    async def poll(self, access: Access, operations: Sequence[Operation]) -> Mapping[str, OperationStatus]:
        """How operations stand, by name; each is asked for by a call of its own, a few side by side."""
        statuses: dict[str, OperationStatus] = {}
        failure: Flow2ApiError | None = None
        for start in range(0, len(operations), POLLS_AT_ONCE):
            some = operations[start : start + POLLS_AT_ONCE]
            for operation, outcome in zip(some, await _all(self._look(access, one) for one in some), strict=True):
                if isinstance(outcome, UpstreamRejectedError) and not isinstance(outcome, _NOT_OF_ONE_VIDEO):
                    statuses[operation.name] = OperationStatus(error=outcome)
                elif isinstance(outcome, OperationStatus):
                    statuses[operation.name] = outcome
                else:
                    failure = failure or outcome
        if failure is not None and not statuses:
            raise failure
        return statuses

    async def fetch(self, access: Access, product: Product, *, thumbnail: bool = False) -> AsyncGenerator[bytes, None]:
        """The bytes of a product as they come; there are no thumbnails."""
        if thumbnail:
            raise UpstreamNotFoundError("The service makes no thumbnails.")
        if product.data is None and product.url is None and omni.NAME.fullmatch(product.name):
            product = await self._told_again(access, product.name)
        async with aclosing(self._files.fetch(access, product)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def aclose(self) -> None:
        """End all connections."""
        await self._transport.aclose()

    async def _prove(self, key: Secret | None, proxy: Secret | None) -> None:
        await self._caller.get(key, "/models?pageSize=1", proxy, timeout_s=self._limits.short_s)

    def _inputs(self, access: Access, order: Order) -> payloads.Pictures:
        return [(role, self._held.find(access, handle)) for role, handle in order.inputs]

    async def _picture(
        self, access: Access, order: Order, wire: ModelWire, inputs: payloads.Pictures, seed: int | None
    ) -> Product:
        body = await _written(payloads.content, order, wire, inputs, seed)
        told = await self._make(access, f"/models/{wire.model}:generateContent", body)
        return await read(pictures.generated_picture, told)

    async def _predict(self, access: Access, order: Order, wire: ModelWire) -> Sequence[Product]:
        if order.inputs:
            raise UpstreamRejectedError("Imagen takes no input pictures; ask for a Gemini model.")
        counts = [min(IMAGEN_AT_ONCE, order.count - start) for start in range(0, order.count, IMAGEN_AT_ONCE)]
        outcomes = await _all(self._predict_some(access, replace(order, count=count), wire) for count in counts)
        made = [product for one in outcomes if isinstance(one, list) for product in one]
        if not made:
            raise next(one for one in outcomes if isinstance(one, Flow2ApiError))
        return made

    async def _predict_some(self, access: Access, order: Order, wire: ModelWire) -> list[Product]:
        told = await self._make(access, f"/models/{wire.model}:predict", payloads.prediction(order, wire))
        return (await read(pictures.predicted_pictures, told))[: order.count]

    async def _make(self, access: Access, path: str, body: bytes) -> bytes:
        limit_s = self._limits.picture_s
        return await self._caller.post(
            access.access_token, path, body, access.proxy, timeout_s=limit_s, limit_bytes=PICTURE_LIMIT_BYTES
        )

    async def _submit(self, access: Access, order: Order, path: str, body: bytes) -> bytes:
        limit_s = self._limits.submit_s
        try:
            return await self._caller.post(
                access.access_token, path, body, access.proxy, timeout_s=limit_s, limit_bytes=JSON_LIMIT_BYTES
            )
        except ModelAccessError as error:
            # The account has made the video to build on with this very model: what is missing is the video.
            if order.source is None or (error.reason or "").casefold() != "not_found":
                raise
            raise UpstreamNotFoundError(
                "The service does not keep the video to build on any more.", reason=error.reason
            ) from error

    async def _told_again(self, access: Access, interaction: str) -> Product:
        """The video of an interaction, which brings it along each time that it is asked for."""
        product = (await self._look(access, Operation(interaction))).product
        if product is None:
            raise UpstreamNotFoundError("The interaction has no video (any more).")
        return product

    async def _look(self, access: Access, operation: Operation) -> OperationStatus:
        if veo.NAME.fullmatch(operation.name):
            path, reader, limit_bytes = f"/{operation.name}", veo.standing, JSON_LIMIT_BYTES
        elif omni.NAME.fullmatch(operation.name):
            # A video may come along, although its address was asked for.
            path, reader = f"/interactions/{operation.name}?stream=false", omni.standing
            limit_bytes = PICTURE_LIMIT_BYTES
        else:
            raise UpstreamInvalidError(f"The operation {operation.name[:64]!r} is none of this service.")
        told = await self._caller.get(
            access.access_token, path, access.proxy, timeout_s=self._limits.poll_s, limit_bytes=limit_bytes
        )
        return await read(reader, told)


async def _written(
    write: Callable[..., bytes], order: Order, wire: ModelWire, inputs: payloads.Pictures, *more: object
) -> bytes:
    """A body; one with large pictures in it is written by a thread."""
    return await in_turn(lambda: write(order, wire, inputs, *more), sum(len(picture.data) for _, picture in inputs))


async def _all(calls: Iterable[Awaitable[T]]) -> list[T | Flow2ApiError]:
    """What came of calls that are made side by side, in their order; an error of the tree ends none of the others."""

    async def outcome(call: Awaitable[T]) -> T | Flow2ApiError:
        try:
            return await call
        except Flow2ApiError as error:
            return error

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(outcome(call)) for call in calls]
    return [task.result() for task in tasks]


if TYPE_CHECKING:
    from flow2api.domain.ports.upstream import Upstream

    def _fits(gemini: GeminiUpstream) -> Upstream:
        return gemini

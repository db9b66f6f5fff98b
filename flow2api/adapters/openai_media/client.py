"""An OpenAI-compatible host as an upstream."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from flow2api import __version__
from flow2api.adapters.openai_media import answers
from flow2api.adapters.openai_media.caller import PICTURE_LIMIT_BYTES, PICTURES_LIMIT_BYTES, Caller, TimeLimits
from flow2api.adapters.openai_media.form import Body
from flow2api.adapters.openai_media.kept_pictures import KeptPictures
from flow2api.adapters.openai_media.media import FetchesPictures, MediaSource
from flow2api.adapters.openai_media.model_wire import ModelWire, read_wire
from flow2api.adapters.openai_media.payloads import (
    EDITS,
    EXTENSIONS,
    GENERATIONS,
    VIDEOS,
    Pictures,
    edit_body,
    extension_body,
    picture_body,
    remix_body,
    video_body,
)
from flow2api.domain.account import Credentials, Tier
from flow2api.domain.catalog import Entry, Mode, ModelSpec
from flow2api.domain.errors import (
    Flow2ApiError,
    ModelAccessError,
    UpstreamInvalidError,
    UpstreamNotFoundError,
    UpstreamRejectedError,
)
from flow2api.domain.generation import Operation, OperationStatus, Order, Product, Stage
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Access, Allowance, Exchanged, UploadedPicture
from flow2api.domain.secret import Secret
from flow2api.libcurl.bodies import in_turn, read
from flow2api.libcurl.call_log import LoggedTransport
from flow2api.libcurl.calls import MIB
from flow2api.libcurl.transport import CurlTransport

KEY_PROVED_FOR = timedelta(hours=24)
WORKSPACE = "default"
POLLED_AT_ONCE = 4


class OpenAiMediaUpstream:
    """OpenAI's API for pictures and videos, at the host of each account.

    Args:
        models: What the operator has named beside the models of plugins.
        guarded: Fetches pictures from hosts that nobody has named.
        media_hosts: Further hosts that media may come from.
        held_bytes: How much of input pictures is held.
        max_proxies: How many proxies keep their connections.
    """

    name = "openai"
    upload_lifetime_s = 3300.0

    def __init__(
        self,
        clock: Clock,
        guarded: FetchesPictures,
        *,
        models: Iterable[Entry] = (),
        limits: TimeLimits | None = None,
        media_hosts: Collection[str] = (),
        held_bytes: int = 128 * MIB,
        max_proxies: int = 64,
    ) -> None:
        self._clock = clock
        self._models = tuple(models)
        self._limits = limits or TimeLimits()
        self._transport = CurlTransport(user_agent=f"flow2api/{__version__}", max_pools=max_proxies)
        logged = LoggedTransport(self._transport)
        self._caller = Caller(logged, clock, self._limits)
        self._media = MediaSource(self._caller, logged, guarded, media_hosts)
        self._kept = KeptPictures(clock, lifetime_s=self.upload_lifetime_s, limit_bytes=held_bytes)

    def models(self) -> Sequence[Entry]:
        """What the settings name."""
        return self._models

    def serves(self, spec: ModelSpec) -> bool:
        """Whether it can be asked for at all; whether the host of an account has it shows when it is asked."""
        read_wire(spec)
        return spec.mode in (Mode.TEXT, Mode.EXTEND, Mode.EDIT)

    async def exchange(self, credentials: Credentials, proxy: Secret | None) -> Exchanged:
        """Prove the key by listing models, which costs nothing; it is its own access token for a day."""
        key = credentials.session_token
        access = Access(
            account_id=0,
            session_token=key,
            access_token=key,
            tier=Tier.FREE,
            proxy=proxy,
            base_url=credentials.base_url,
        )
        await self._prove(access)
        now = self._clock.now()
        proved = Credentials(key, key, now + KEY_PROVED_FOR, obtained_at=now, base_url=credentials.base_url)
        return Exchanged(proved, None, urlsplit(credentials.base_url or "").hostname)

    async def allowance(self, access: Access) -> Allowance:
        """Hosts of this API tell neither plan nor what is left."""
        await self._prove(access)
        return Allowance(Tier.FREE, None)

    async def open_workspace(self, access: Access, title: str) -> str:
        """There are none; every account works in the same."""
        return WORKSPACE

    async def upload(self, access: Access, picture: UploadedPicture) -> str:
        """Hold the picture until it goes out along with a request."""
        return self._kept.keep(access, picture)

    async def produce(self, access: Access, order: Order) -> Sequence[Product]:
        """Make pictures."""
        if order.stage is not Stage.MAKE:
            raise UpstreamRejectedError("Hosts of this API do not enlarge pictures that they have made.")
        wire, inputs = read_wire(order.spec), self._inputs(access, order)
        body = await self._caller.post(
            access,
            EDITS if inputs else GENERATIONS,
            await _written(edit_body, order, wire, inputs) if inputs else picture_body(order, wire),
            timeout_s=self._limits.picture_s,
            limit_bytes=min(order.count * PICTURE_LIMIT_BYTES, PICTURES_LIMIT_BYTES),
            spends=not order.spec.is_free,
        )
        return await read(lambda text: answers.pictures(text, order.count), body)

    async def submit(self, access: Access, order: Order) -> tuple[Operation, int | None]:
        """Begin a video. It is sent once, whatever becomes of the connection."""
        if order.stage is not Stage.MAKE:
            raise UpstreamRejectedError("Hosts of this API do not enlarge videos that they have made.")
        path, wire = VIDEOS, read_wire(order.spec)
        if order.source is not None and order.spec.mode is Mode.EDIT:
            path, content = f"{VIDEOS}/{quote(order.source.name, safe='')}/remix", remix_body(order, wire)
        elif order.source is not None:
            path, content = EXTENSIONS, extension_body(order, wire, order.source)
        else:
            content = await _written(video_body, order, wire, self._inputs(access, order))
        body = await self._caller.post(access, path, content, timeout_s=self._limits.submit_s, spends=True)
        begun = answers.video(body)
        error = begun.standing().error
        if error is not None:
            raise error
        return Operation(begun.id), None

    async def poll(self, access: Access, operations: Sequence[Operation]) -> Mapping[str, OperationStatus]:
        """How operations stand, a few at a time; of those whose call fails nothing is told, unless all of them do."""
        turns = asyncio.Semaphore(POLLED_AT_ONCE)

        async def ask(operation: Operation) -> OperationStatus | Flow2ApiError:
            async with turns:
                try:
                    return await self._standing(access, operation)
                except Flow2ApiError as error:
                    return error

        async with asyncio.TaskGroup() as group:
            tasks = {operation.name: group.create_task(ask(operation)) for operation in operations}
        outcomes = {name: task.result() for name, task in tasks.items()}
        statuses = {name: one for name, one in outcomes.items() if isinstance(one, OperationStatus)}
        failure = next((one for one in outcomes.values() if isinstance(one, Flow2ApiError)), None)
        if failure is not None and not statuses:
            raise failure
        return statuses

    def fetch(self, access: Access, product: Product, *, thumbnail: bool = False) -> AsyncGenerator[bytes, None]:
        """The bytes of a product as they come."""
        return self._media.fetch(access, product, thumbnail=thumbnail)

    async def aclose(self) -> None:
        """End all connections."""
        await self._transport.aclose()

    async def _prove(self, access: Access) -> None:
        try:
            answers.check_models(await self._caller.get(access, "/models"))
        except ModelAccessError:
            pass  # a key may be narrowed to making, and is known by its refusal
        except UpstreamNotFoundError as error:
            raise UpstreamInvalidError(
                "The host has no list of models; look whether the account's base URL is right."
            ) from error

    async def _standing(self, access: Access, operation: Operation) -> OperationStatus:
        try:
            body = await self._caller.get(access, f"{VIDEOS}/{quote(operation.name, safe='')}")
        except UpstreamNotFoundError as error:
            return OperationStatus(error=error)
        told = answers.video(body)
        if told.id != operation.name:
            raise UpstreamInvalidError("The host told of another video than was asked for.")
        return told.standing()

    def _inputs(self, access: Access, order: Order) -> Pictures:
        return [(role, self._kept.get(access, handle)) for role, handle in order.inputs]


async def _written(
    write: Callable[[Order, ModelWire, Pictures], Body], order: Order, wire: ModelWire, inputs: Pictures
) -> Body:
    """A form with pictures in it."""
    return await in_turn(lambda: write(order, wire, inputs), sum(len(picture.data) for _, picture in inputs))


if TYPE_CHECKING:
    from flow2api.domain.ports.upstream import OffersModels, Upstream

    def _fits(host: OpenAiMediaUpstream) -> tuple[Upstream, OffersModels]:
        return host, host

"""An upstream in memory that keeps every promise of the port, for tests of everything that needs one."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

from flow2api.domain.account import Credentials, fold_email
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.errors import (
    ContentBlockedError,
    CredentialExpiredError,
    CredentialRevokedError,
    UpstreamNotFoundError,
    UpstreamRateLimitedError,
)
from flow2api.domain.generation import Operation, OperationStatus, Order, Product, Stage
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Access, Allowance, Exchanged, UploadedPicture
from flow2api.domain.secret import Secret
from flow2api.testing.fakes.media import fake_picture

if TYPE_CHECKING:
    from flow2api.domain.ports.upstream import DeletesProducts, Upstream
from flow2api.testing.fakes.players import FakeCall, FakeJob, FakePlayer, Fault

MP4_HEAD = b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41"


@dataclass
class FakeUpstream:
    """Keeps accounts, pictures and jobs in memory.

    Attributes:
        video_s: How long a video takes, by the clock.
        told_seconds: The length that it tells of every video; None when it tells none.
        access_life: How long an access token lives.
        unserved: Names of models that it does not make.
        calls: Everything that came in, in order.
    """

    clock: Clock
    name: str = "flow"
    upload_lifetime_s: float = 3300.0
    video_s: float = 0.0
    told_seconds: int | None = None
    access_life: timedelta = timedelta(hours=24)
    unserved: set[str] = field(default_factory=set)
    calls: list[FakeCall] = field(default_factory=list)
    players: list[FakePlayer] = field(default_factory=list)
    jobs: dict[str, FakeJob] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    owners: dict[str, FakePlayer] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    is_closed: bool = False
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def add_player(self, **fields: object) -> FakePlayer:
        """A new account of the service; ``fields`` are those of `FakePlayer`."""
        number = next(self._numbers)
        player = FakePlayer(f"Player{number}@example.com", [f"session-{number}-".ljust(240, "x")])
        for name, value in fields.items():
            setattr(player, name, value)
        self.players.append(player)
        return player

    def fail(
        self,
        call: str,
        error: Exception,
        *,
        nth: int = 1,
        times: int | None = 1,
        account_id: int | None = None,
        after_work: bool = False,
    ) -> Fault:
        """Let calls of this name meet an error."""
        fault = Fault(call, error, nth, times, account_id, after_work)
        self.faults.append(fault)
        return fault

    def hold(self, call: str) -> asyncio.Event:
        """Let calls of this name wait until the event is set."""
        gate = self.gates[call] = asyncio.Event()
        return gate

    def count(self, call: str, account_id: int | None = None) -> int:
        """How many calls of this name came in."""
        counts = Counter(each.name for each in self.calls if account_id in (None, each.account_id))
        return counts[call]

    def serves(self, spec: ModelSpec) -> bool:
        return spec.name not in self.unserved

    async def exchange(self, credentials: Credentials, proxy: Secret | None) -> Exchanged:
        lost = await self._enter(FakeCall("exchange", None))
        token = credentials.session_token.reveal()
        player = next((each for each in self.players if token in each.session_tokens), None)
        if player is None or player.is_revoked:
            raise CredentialRevokedError("The session token is not accepted.")
        if player.rotates:
            player.session_tokens.append(f"rotated-{next(self._numbers)}-".ljust(240, "x"))
            token = player.session_tokens[-1]
        access_token = f"access-{next(self._numbers)}"
        expires_at = self.clock.now() + self.access_life
        player.access_tokens[access_token] = expires_at.timestamp()
        self._leave(lost)
        fresh = Credentials(Secret(token), Secret(access_token), expires_at, self.clock.now())
        return Exchanged(fresh, fold_email(player.email), player.email.partition("@")[0])

    async def allowance(self, access: Access) -> Allowance:
        lost = await self._enter(FakeCall("allowance", access.account_id))
        player = self._player(access)
        self._leave(lost)
        return Allowance(player.tier, player.credits)

    async def open_workspace(self, access: Access, title: str) -> str:
        lost = await self._enter(FakeCall("open_workspace", access.account_id))
        token = access.session_token
        player = next((each for each in self.players if token and token.reveal() in each.session_tokens), None)
        if player is None or player.is_revoked:
            raise CredentialRevokedError("The session token is not accepted.")
        workspace = f"workspace-{next(self._numbers)}"
        player.workspaces.add(workspace)
        self._leave(lost)
        return workspace

    async def upload(self, access: Access, picture: UploadedPicture) -> str:
        lost = await self._enter(FakeCall("upload", access.account_id))
        player = self._working(access)
        name = self._keep("upload", player, picture.data)
        self._leave(lost)
        return name

    async def produce(self, access: Access, order: Order) -> Sequence[Product]:
        lost = await self._enter(FakeCall("produce", access.account_id, order))
        player = self._working(access)
        self._check(player, order)
        width, height = order.spec.size.width, order.spec.size.height
        if order.stage is Stage.ENLARGE and order.source is not None:
            self._leave(lost)
            scale = 1 if order.spec.enlarges else 2
            return [replace(order.source, url=None, data=fake_picture("image/jpeg", scale * width, scale * height))]
        names = [f"picture-{next(self._numbers)}" for _ in range(order.count)]
        for name in names:
            self._keep_as(name, player, fake_picture("image/jpeg", width, height, salt=name))
        self._leave(lost)
        return [
            Product(name, f"https://media.example/{name}", width=width, height=height, extra="{}") for name in names
        ]

    async def submit(self, access: Access, order: Order) -> tuple[Operation, int | None]:
        lost = await self._enter(FakeCall("submit", access.account_id, order))
        player = self._working(access)
        self._check(player, order)
        price = order.spec.cost(player.tier)
        if price > player.credits:
            raise UpstreamRateLimitedError("The credits are used up.", exhausted=True)
        player.credits -= price
        operation = Operation(f"operation-{next(self._numbers)}", "{}")
        late = ContentBlockedError("late") if "latefail" in order.prompt else None
        ends_at = self.clock.monotonic() + self.video_s
        self.jobs[operation.name] = FakeJob(operation, order, player, price, ends_at, late)
        self._leave(lost)
        return operation, player.credits

    async def poll(self, access: Access, operations: Sequence[Operation]) -> Mapping[str, OperationStatus]:
        lost = await self._enter(FakeCall("poll", access.account_id, names=tuple(each.name for each in operations)))
        player = self._player(access)
        self._leave(lost)
        known = [job for each in operations if (job := self.jobs.get(each.name)) is not None and job.player is player]
        return {job.operation.name: self._stand(job) for job in known}

    async def fetch(self, access: Access, product: Product, *, thumbnail: bool = False) -> AsyncGenerator[bytes, None]:
        call = FakeCall("fetch", access.account_id, names=(product.name,), thumbnail=thumbnail)
        lost = await self._enter(call)
        if product.data is not None:
            yield product.data
            return
        player = self._player(access)
        if self.owners.get(product.name) is not player:
            raise UpstreamNotFoundError("There is no such media (yet).")
        data = fake_picture("image/jpeg", salt=product.name) if thumbnail else self.contents[product.name]
        middle = len(data) // 2
        yield data[:middle]
        self._leave(lost)
        yield data[middle:]

    async def delete(self, access: Access, names: Sequence[str]) -> None:
        lost = await self._enter(FakeCall("delete", access.account_id, names=tuple(names)))
        for name in names:
            self.contents.pop(name, None)
            self.owners.pop(name, None)
        self._leave(lost)

    async def aclose(self) -> None:
        self.is_closed = True

    async def _enter(self, call: FakeCall) -> Exception | None:
        """Records the call; raises the fault that it meets, or returns the one to be raised once the work is done."""
        self.calls.append(call)
        gate = self.gates.get(call.name)
        if gate is not None:
            await gate.wait()
        await asyncio.sleep(0)
        for fault in self.faults:
            if fault.hits(call):
                if fault.after_work:
                    return fault.error
                raise fault.error
        return None

    @staticmethod
    def _leave(lost: Exception | None) -> None:
        if lost is not None:
            raise lost

    def _player(self, access: Access) -> FakePlayer:
        token = access.access_token.reveal() if access.access_token is not None else ""
        for player in self.players:
            if player.access_tokens.get(token, 0.0) > self.clock.now().timestamp():
                return player
        raise CredentialExpiredError("The access token is not accepted.")

    def _working(self, access: Access) -> FakePlayer:
        player = self._player(access)
        if access.workspace not in player.workspaces:
            raise UpstreamNotFoundError("There is no such project.")
        return player

    def _check(self, player: FakePlayer, order: Order) -> None:
        if any(word in order.prompt for word in ("unsafe", "filtered")):
            raise ContentBlockedError("PUBLIC_ERROR_UNSAFE_GENERATION")
        sources = [name for _, name in order.inputs] + ([order.source.name] if order.source is not None else [])
        if any(self.owners.get(name) is not player for name in sources):
            raise UpstreamNotFoundError("There is no such media.")

    def _stand(self, job: FakeJob) -> OperationStatus:
        if self.clock.monotonic() < job.ends_at:
            return OperationStatus()
        if job.error is not None:
            if not job.is_refunded:
                job.is_refunded = True
                job.player.credits += job.price
            return OperationStatus(error=job.error)
        name = f"video-of-{job.operation.name}"
        self._keep_as(name, job.player, MP4_HEAD + name.encode())
        return OperationStatus(product=Product(name, extra="{}", seconds=self.told_seconds))

    def _keep(self, prefix: str, player: FakePlayer, data: bytes) -> str:
        name = f"{prefix}-{next(self._numbers)}"
        self._keep_as(name, player, data)
        return name

    def _keep_as(self, name: str, player: FakePlayer, data: bytes) -> None:
        self.contents[name], self.owners[name] = data, player


if TYPE_CHECKING:

    def _fits(fake: FakeUpstream) -> tuple[Upstream, DeletesProducts]:
        return fake, fake

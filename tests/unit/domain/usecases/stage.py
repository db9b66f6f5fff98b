"""Every use case over fakes, wired as the composition root does it, with accounts that are really signed in."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, TypeVar

from flow2api.domain.account import Account, Capacity, CredentialKind, Credentials, Tier
from flow2api.domain.api_key import Caller
from flow2api.domain.catalog import ModelCatalog, ModelSpec
from flow2api.domain.credential_kinds import CredentialKinds
from flow2api.domain.generation import (
    Finished,
    Generation,
    GenerationEvent,
    GenerationRequest,
    Input,
    Phase,
    State,
)
from flow2api.domain.key_lines import KeyLines
from flow2api.domain.lease import AccountPool
from flow2api.domain.media import Media, MediaKind, MediaRole
from flow2api.domain.options import Options
from flow2api.domain.ports.coordination import Limits
from flow2api.domain.ports.storage import Change
from flow2api.domain.secret import Secret
from flow2api.domain.selection import SelectionPolicy
from flow2api.domain.usecases.generate import Generate
from flow2api.domain.usecases.guard_upstreams import GuardUpstreams
from flow2api.domain.usecases.job import Audience, Job
from flow2api.domain.usecases.keep_products import KeepProducts
from flow2api.domain.usecases.lease_account import LeaseAccount
from flow2api.domain.usecases.limit_requests import LimitRequests
from flow2api.domain.usecases.make_picture import MakePicture
from flow2api.domain.usecases.make_video import MakeVideo
from flow2api.domain.usecases.recall_requests import Idempotency
from flow2api.domain.usecases.recover_generations import RecoverGenerations
from flow2api.domain.usecases.relay_events import RelayEvents
from flow2api.domain.usecases.renew_credentials import RenewCredentials
from flow2api.domain.usecases.run_generation import Makers, RunGeneration
from flow2api.domain.usecases.tend_accounts import TendAccounts
from flow2api.domain.usecases.upload_inputs import UploadInputs
from flow2api.domain.usecases.warm_accounts import WarmAccounts
from flow2api.domain.usecases.watch_operations import WatchOperations
from flow2api.domain.usecases.watch_room import WatchRoom
from flow2api.domain.usecases.work import Work
from flow2api.plugins.coordination_memory import MemoryLimits, MemorySlots
from flow2api.plugins.policies import FillFirst
from flow2api.testing.factories import enlarging_spec, picture_spec, video_spec
from flow2api.testing.fakes.generations import FakeGenerations
from flow2api.testing.fakes.key_upstream import FakeKeyUpstream
from flow2api.testing.fakes.media import FakeMediaStore, fake_picture, in_chunks
from flow2api.testing.fakes.players import FakePlayer
from flow2api.testing.fakes.storage import FakeChangeFeed, FakeStorage
from flow2api.testing.fakes.tables import Tables
from flow2api.testing.fakes.upstream import FakeUpstream
from flow2api.testing.fakes.virtual_time import VirtualClock

T = TypeVar("T")

PAINT = picture_spec()
PAID_PAINT = picture_spec("paid-paint", costs={Tier.FREE: 5})
LARGE_PAINT = picture_spec("large-paint", resolution="2k")
FILM = video_spec()
FREE_FILM = video_spec("free-film", costs={})
LARGE_FILM = video_spec("large-film", resolution="1080p")
LARGER_PAINT = enlarging_spec(MediaKind.IMAGE)
LARGER_FILM = enlarging_spec(MediaKind.VIDEO)
SPECS = (PAINT, PAID_PAINT, LARGE_PAINT, FILM, FREE_FILM, LARGE_FILM, LARGER_PAINT, LARGER_FILM)

CALLER = Caller(key_id=1)

KINDS = CredentialKinds(
    {
        "flow": CredentialKind.SESSION,
        "keyed": CredentialKind.API_KEY,
        "hosts": CredentialKind.API_KEY_AND_BASE_URL,
    }
)


class CountingIds:
    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def new(self, prefix: str) -> str:
        return f"{prefix}_{next(self._numbers):032d}"


class RecordedGenerations(FakeGenerations):
    """Keeps every version of every record that was written."""

    def __init__(self, tables: Tables) -> None:
        super().__init__(tables)
        self.written: list[Generation] = []

    async def add(self, generations: Sequence[Generation], claim: Any = None) -> None:
        await super().add(generations, claim)
        self.written += generations

    async def save(self, generation: Generation, media: Sequence[Media] = ()) -> bool:
        was_saved = await super().save(generation, media)
        if was_saved:
            self.written.append(generation)
        return was_saved


class ForeignChanges(FakeChangeFeed):
    """Takes every change for one of another process."""

    async def since(self, number: int, limit: int = 1000) -> Sequence[Change]:
        return [replace(change, is_own=False) for change in await super().since(number, limit)]


@dataclass
class World:
    """What outlives a process: the service, the database and the disk."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    upstream: FakeUpstream = field(init=False)
    keyed: FakeKeyUpstream = field(init=False)
    hosts: FakeKeyUpstream = field(init=False)
    tables: Tables = field(init=False)
    store: FakeMediaStore = field(default_factory=FakeMediaStore)
    ids: CountingIds = field(default_factory=CountingIds)
    processes: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.upstream = FakeUpstream(self.clock)
        self.keyed = FakeKeyUpstream(self.clock, name="keyed")
        self.hosts = FakeKeyUpstream(self.clock, name="hosts")
        self.tables = Tables(self.clock.now)
        self.store.now = self.clock.now


def storage_over(tables: Tables) -> FakeStorage:
    """One more connection to the same database."""
    storage = FakeStorage()
    storage.tables = tables
    for repository in vars(storage).values():
        if hasattr(repository, "_tables"):
            repository._tables = tables
    storage.generations = RecordedGenerations(tables)
    storage.changes = ForeignChanges(tables)
    return storage


class Stage:
    """One process: all use cases over a world.

    Args:
        limits: What counts requests of keys; memory without it.
        relay: What wakes this process, where others share the world.
        between: Stands between the process and what it calls; tests put things there that fail or die.
        seed: Of the keeper's chances; processes that play together have different ones.
        options: What differs from the defaults.
    """

    def __init__(
        self,
        world: World | None = None,
        *,
        policy: SelectionPolicy | None = None,
        between: Callable[[str, Any], Any] = lambda name, port: port,
        slots: Any = None,
        limits: Limits | None = None,
        relay: RelayEvents | None = None,
        seed: int = 1,
        **options: Any,
    ) -> None:
        self.world = world or World()
        self.clock, self.upstream, self.tables = self.world.clock, self.world.upstream, self.world.tables
        self.options = Options(**options)
        self.storage = storage_over(self.tables)
        self.generations_written: list[Generation] = self.storage.generations.written  # type: ignore[attr-defined]
        upstreams = {"flow": between("upstream", self.upstream), "keyed": self.world.keyed, "hosts": self.world.hosts}
        store = between("store", self.world.store)
        accounts, vault = between("accounts", self.storage.accounts), between("vault", self.storage.vault)
        generations, media = between("generations", self.storage.generations), between("media", self.storage.media)
        self.pool = AccountPool(slots or MemorySlots(), self.clock, Random(1), lambda: self.options.max_running)
        self.guard = GuardUpstreams(self.clock, self.pool.hosts.of)
        self.tend = TendAccounts(
            self.pool, accounts, self.clock, lambda: self.options, self.storage.health, self.guard.is_left_alone
        )
        self.credentials = RenewCredentials(
            self.pool, upstreams, vault, self.tend, self.clock, guard=self.guard, kinds=KINDS
        )
        self.warm = WarmAccounts(
            self.pool, upstreams, self.credentials, self.tend, self.clock, lambda: self.options, Random(seed), KINDS
        )
        self.watch = WatchOperations(
            self.pool, upstreams, self.credentials, self.tend, self.clock, lambda: self.options
        )
        self.uploads = UploadInputs(upstreams, self.credentials, media, store, self.clock)
        self.room = WatchRoom(self.world.store, self.clock, lambda: self.options)
        self.products = KeepProducts(
            upstreams, self.credentials, store, self.room, self.world.ids, self.clock, lambda: self.options
        )
        self.makers = Makers(
            MakePicture(upstreams, self.credentials, self.uploads, self.products, self.tend),
            MakeVideo(
                upstreams,
                self.credentials,
                self.uploads,
                self.watch,
                self.products,
                self.tend,
                self.clock,
                lambda: self.options,
            ),
        )
        self.policy = policy or FillFirst()
        self.lease = LeaseAccount(
            self.pool, lambda: self.policy, media, self.warm, lambda: self.options, self.guard.wait_s
        )
        self.run = RunGeneration(
            self.pool,
            self.lease,
            self.makers,
            self.credentials,
            self.uploads,
            self.tend,
            self.clock,
            lambda: self.options,
            guard=self.guard,
        )
        self.work = Work(f"process-{next(self.world.processes)}", self.run, self.storage.journal, self.clock)
        self.audience = Audience()
        self.lines = KeyLines()
        self.limit = LimitRequests(
            limits or MemoryLimits(self.clock.monotonic),
            lambda: self.options,
            lines=self.lines,
            statistics=self.storage.statistics,
            clock=self.clock,
            under_way=self.work.under_way,
        )
        self.work.subscribe_to_ends(self.limit.ended)
        self.generate = Generate(
            self.work,
            self.pool,
            generations,
            media,
            self.audience,
            self.world.ids,
            self.clock,
            lambda: self.options,
            room=self.room,
            lines=self.lines,
            places_left_alone=self.guard.places_left_alone,
            limit=self.limit,
            relay=relay,
        )
        self.recover = RecoverGenerations(
            self.work, ModelCatalog(SPECS), generations, self.audience, self.clock, tag_of=lambda key_id: None
        )

    def configure(self, **options: Any) -> None:
        self.options = replace(self.options, **options)

    # --- accounts -----------------------------------------------------------------------------------------------------

    async def cold_account(self, player: FakePlayer | None = None, **fields: Any) -> Account:
        """An account as an operator has just added it."""
        player = player or self.upstream.add_player(tier=fields.pop("tier", Tier.PRO))
        account = Account(
            id=0, upstream="flow", name="", created_at=self.clock.now(), **{"capacity": Capacity(), **fields}
        )
        (added,) = await self.storage.accounts.add([(account, player.credentials)])
        self.pool.put(added)
        return added

    async def key_account(self, key: str, base_url: str | None = None, **fields: Any) -> Account:
        """An account with a key, as an operator has just added it; with a base URL it is one of ``hosts``."""
        account = Account(
            id=0,
            upstream="keyed" if base_url is None else "hosts",
            created_at=self.clock.now(),
            base_url=base_url,
            **{"name": "", **fields},
        )
        (added,) = await self.storage.accounts.add([(account, Credentials(Secret(key)))])
        self.pool.put(added)
        return added

    async def account(self, player: FakePlayer | None = None, **fields: Any) -> Account:
        """An account that is warm."""
        account = await self.cold_account(player, **fields)
        await self.warm.warm(account.id)
        return self.known(account.id)

    async def accounts(self, count: int, **fields: Any) -> list[Account]:
        accounts = [await self.account(**fields) for _ in range(count)]
        self.upstream.calls.clear()
        return accounts

    def known(self, account_id: int) -> Account:
        account = self.pool.get(account_id)
        assert account is not None
        return account

    async def load(self) -> None:
        """What a process does when it starts."""
        async for batch in self.storage.accounts.load():
            for account in batch:
                self.pool.put(account)
        await self.credentials.load()

    # --- generations --------------------------------------------------------------------------------------------------

    async def media(self, salt: str = "", **fields: Any) -> Media:
        """A picture that the caller has sent."""
        stored = await self.world.store.put(in_chunks(fake_picture(salt=salt)))
        basis = {
            "id": self.world.ids.new("media"),
            "key_id": 1,
            "kind": PAINT.kind,
            "role": "input",
            "content_type": "image/png",
            "size_bytes": stored.size_bytes,
            "sha256": stored.sha256,
            "created_at": self.clock.now(),
            "width": 64,
            "height": 64,
        }
        media = Media(**{**basis, **fields})
        await self.storage.media.add([media])
        return media

    async def made_before(self, account: Account, kind: MediaKind) -> Media:
        """What this account has made, the upstream still has, and is to be built on."""
        name = f"{kind}-of-old-{account.id}"
        player = self.upstream.players[account.id - 1]
        self.upstream.owners[name], self.upstream.contents[name] = player, fake_picture()
        return await self.media(
            name,
            kind=kind,
            role=MediaRole.RESULT,
            account_id=account.id,
            workspace=account.workspace,
            upstream_name=name,
        )

    def job(self, spec: ModelSpec, **fields: Any) -> Job:
        """A job that nobody has begun."""
        generation = Generation(
            **{
                "id": self.world.ids.new("gen"),
                "key_id": 1,
                "kind": spec.kind,
                "model": spec.name,
                "spec_name": spec.name,
                "prompt": "a hill",
                "created_at": self.clock.now(),
                "owner": self.work.owner,
                **fields,
            }
        )
        return Job(generation, spec, generations=self.storage.generations, audience=self.audience, clock=self.clock)

    def stored(self, generation_id: str) -> Generation:
        return self.tables.generations[generation_id]

    async def events(
        self,
        spec: ModelSpec,
        *,
        prompt: str = "a hill",
        count: int = 1,
        inputs: tuple[Input, ...] = (),
        caller: Caller = CALLER,
        idempotency: Idempotency | None = None,
        **fields: Any,
    ) -> AsyncGenerator[GenerationEvent, None]:
        request = GenerationRequest(model=spec.name, spec=spec, prompt=prompt, count=count, inputs=inputs, **fields)
        async with aclosing(await self.generate(request, caller, idempotency=idempotency)) as events:
            async for event in events:
                yield event

    async def all_events(self, spec: ModelSpec, **wish: Any) -> list[GenerationEvent]:
        async with aclosing(self.events(spec, **wish)) as events:
            return [event async for event in events]

    async def end(self, spec: ModelSpec, **wish: Any) -> GenerationEvent:
        """The last event of a request for one."""
        return (await self.all_events(spec, **wish))[-1]

    async def made(self, spec: ModelSpec, **wish: Any) -> Finished:
        """The end of a request that goes well."""
        end = await self.end(spec, **wish)
        assert isinstance(end, Finished), end
        return end

    async def until_done(self) -> None:
        """Wait until nothing is worked on."""
        while len(self.work):
            await asyncio.sleep(0.5)

    def phases(self, generation_id: str | None = None) -> list[Phase | State]:
        """What was written of a generation, as its phases and states."""
        return [
            one.phase if one.phase is not None else one.state
            for one in self.generations_written
            if generation_id in (None, one.id)
        ]


def swap(target: object, **methods: Any) -> None:
    """Put something else in the place of methods of a fake."""
    for name, method in methods.items():
        setattr(target, name, method)


async def chunks_of(data: bytes) -> AsyncIterator[bytes]:
    yield data

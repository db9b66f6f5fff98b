"""The run: the real program over SQLite, and the real simulator, on one clock that jumps."""

import asyncio
import sqlite3
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from unittest.mock import patch

from flow2api.adapters.flow import client
from flow2api.app import proxying
from flow2api.app.backends import Vault, build_backends, build_storage, build_vault
from flow2api.app.composition import Services, compose
from flow2api.app.lifespan import running
from flow2api.domain.audit import Actor
from flow2api.domain.ports.storage import Storage
from flow2api.domain.secret import Secret
from flow2api.domain.usecases import check_proxies, follow_changes
from flow2api.domain.usecases.import_accounts import ImportAccounts
from flow2api.domain.usecases.manage_keys import ManageKeys
from flow2api.domain.usecases.manage_proxies import ManageProxies
from flow2api.extensions import Extensions, load_extensions
from flow2api.settings import Settings, load_settings
from flow2api.simulator.accounts import Account as Player
from flow2api.simulator.app import SimulatorApp
from flow2api.simulator.clock import SimClock
from flow2api.simulator.control_schema import SimOptions
from flow2api.simulator.routes import API, LABS
from flow2api.simulator.world import World
from flow2api.testing.fakes.clock import START
from flow2api.testing.fakes.media import FakeMediaStore
from tests.pool_week.ledger import Ledger, Witness
from tests.pool_week.load import KEYS, Callers, plan
from tests.pool_week.loop import WeekClock
from tests.pool_week.players import PROXIES, Cast, as_rows, row_of, sign_up
from tests.pool_week.troubles import Troubles, Truth
from tests.pool_week.wire import ORIGIN, DirectTransport

HOUR_S = 3600.0
FOLLOW_EVERY_S = 60.0
"""How often the change feed is read, and proxies are looked after; once a second would be most of the work of a week."""
_NAMED_AT_ONCE = 500
OPERATOR = Actor(name="ada", door="command_line")

PLAYED = SimOptions(
    picture_s=12.0, picture_upscale_s=20.0, video_s=90.0, video_upscale_s=60.0, media="small", record_limit=10_000_000
)
ENVIRONMENT = {
    "FLOW2API_FLOW__LABS_BASE_URL": ORIGIN + LABS,
    "FLOW2API_FLOW__API_BASE_URL": ORIGIN + API,
    "FLOW2API_LEASE_S": "900",
    "FLOW2API_OPTIONS__IMAGE_RETENTION_H": "0",
    "FLOW2API_OPTIONS__VIDEO_RETENTION_H": "0",
}


@dataclass(frozen=True, slots=True)
class Scenario:
    """How large the run is.

    Attributes:
        troubled_h: In which hours from the start the troubles come. What follows is longer than the longest rest.
    """

    hours: int
    troubled_h: float
    accounts: int
    requests: int
    seed: int = 7


WEEK = Scenario(hours=7 * 24, troubled_h=7 * 24 - 26, accounts=200, requests=5_000)
DAY = Scenario(hours=26, troubled_h=13, accounts=60, requests=1_200)


@dataclass(slots=True)
class Played:
    """A run that is over: everything that its proofs look at. The services are closed; their memory can be read."""

    scenario: Scenario
    services: Services
    world: World
    cast: Cast
    truth: Truth
    ledger: Ledger
    witness: Witness
    player_of: dict[int, Player]
    asked: int
    end: datetime
    left_by: Counter[tuple[str, str | None]]
    rows: list["Row"] = field(default_factory=list)
    events: list["Event"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Row:
    """The record of a generation, as the database has it."""

    id: str
    kind: str
    prompt: str
    state: str
    account_id: int | None
    operation: str | None
    fault_code: str | None
    ended_s: float


@dataclass(frozen=True, slots=True)
class Event:
    """One change of an account's health, as the database has it; times are seconds from the start."""

    account_id: int
    at_s: float
    kind: str
    reason: str | None
    call: str | None
    cause: str


async def play(scenario: Scenario, folder: Path) -> Played:
    """Play a scenario from beginning to end."""
    with _world() as world:
        cast = sign_up(world, scenario.accounts)
        transport = DirectTransport(SimulatorApp(world))
        async with _gateway(folder, transport) as gateway:
            played = await _through(scenario, world, cast, transport, gateway)
    _read_records(played, folder / "flow2api.db")
    return played


def folder_in_memory() -> "tempfile.TemporaryDirectory[str]":
    """A folder for the database, in memory where there is one: no disk is part of this."""
    shared = Path("/dev/shm")
    return tempfile.TemporaryDirectory(prefix="flow2api-week-", dir=shared if shared.is_dir() else None)


@dataclass(frozen=True, slots=True)
class _Gateway:
    services: Services
    operator: "_Operator"


async def _through(
    scenario: Scenario, world: World, cast: Cast, transport: DirectTransport, gateway: _Gateway
) -> Played:
    services, operator = gateway.services, gateway.operator
    keys = await operator.begin(cast)

    async def sign_in(player: Player) -> None:
        await operator.sign_in(player, cast)

    troubles = Troubles(world, cast, transport, scenario.troubled_h * HOUR_S, sign_in)
    async with running(services):
        player_of = {
            account.id: world.book.find(account.email)
            async for batch in services.storage.accounts.load()
            for account in batch
            if account.email is not None
        }
        witness = Witness(services, world, troubles, player_of)
        callers = Callers(services, keys, services.clock, witness.told)
        asked = plan(scenario.hours * HOUR_S, scenario.requests, Random(scenario.seed), START.hour)
        helpers = [asyncio.create_task(witness.watch()), asyncio.create_task(_happen(troubles))]
        await callers.ask_all(asked, _until)
        await _until(scenario.hours * HOUR_S)
        for helper in helpers:
            helper.cancel()
        outcomes = await asyncio.gather(*helpers, return_exceptions=True)
        faults = [one for one in outcomes if isinstance(one, Exception)]
        if faults:
            raise faults[0]
        witness.look()
        end = services.clock.now()
    return Played(
        scenario,
        services,
        world,
        cast,
        troubles.truth,
        witness.ledger,
        witness,
        player_of,
        len(asked),
        end,
        transport.seen,
    )


def _read_records(played: Played, database: Path) -> None:
    """What the closed database says, read by nothing of the program's own."""
    began_us = START.timestamp() * 1_000_000
    with closing(sqlite3.connect(database)) as connection:
        played.rows = [
            Row(number, kind, prompt, state, account_id, operation, code, ((ended_at or 0) - began_us) / 1_000_000)
            for number, kind, prompt, state, account_id, operation, code, ended_at in connection.execute(
                "SELECT id, kind, prompt, state, account_id, operation_name, fault_code, ended_at FROM generations"
            )
        ]
        played.events = [
            Event(account_id, (at - began_us) / 1_000_000, *facts)
            for account_id, at, *facts in connection.execute(
                "SELECT account_id, at, kind, reason, call, cause FROM health_events ORDER BY at"
            )
        ]


async def _happen(troubles: Troubles) -> None:
    for at_s, happening in troubles.timeline():
        await _until(at_s)
        going_on = happening()
        if going_on is not None:
            await going_on


async def _until(at_s: float) -> None:
    left_s = at_s - asyncio.get_running_loop().time()
    if left_s > 0:
        await asyncio.sleep(left_s)


class _Operator:
    """Works on the command line, that is, in a process of its own: over a connection of its own to the same database."""

    def __init__(self, storage: Storage, vault: Vault, clock: WeekClock) -> None:
        self._storage = storage
        self._vault = vault
        self._clock = clock

    async def begin(self, cast: Cast) -> dict[str, Secret]:
        """Import all accounts, give them their proxies, and make the keys; those called like a tag are bound to it."""
        report = await self._import(as_rows(cast))
        assert report.added == len(cast.kind_of), report.errors
        await self._give_proxies(cast)
        manage = ManageKeys(self._storage.api_keys, self._vault.cipher, self._clock)
        tags = {kind.tag for kind in cast.kind_of.values()}
        secrets = {}
        for name in KEYS:
            key, secrets[name] = await manage.create(name)
            if name in tags:
                await self._storage.api_keys.save(replace(key, tag=name))
        return secrets

    async def _give_proxies(self, cast: Cast) -> None:
        manage = ManageProxies(self._storage.proxies, self._storage.accounts, self._clock)
        way_of = {player.knobs.email: cast.kind_of[player.id].way for player in cast.all()}
        for way, proxies in PROXIES.items():
            for name, url in proxies.items():
                await manage.add(url, OPERATOR, name=name, pool=None if name == way else way)
            meant = [
                one async for batch in self._storage.accounts.load() for one in batch if way_of[one.email or ""] == way
            ]
            assert await manage.assign(meant, way, OPERATOR)

    async def sign_in(self, player: Player, cast: Cast) -> None:
        """Bring the session token of a new sign-in."""
        report = await self._import([row_of(player, cast.kind_of[player.id])])
        assert report.updated == 1, report.errors

    @property
    def _import(self) -> ImportAccounts:
        return ImportAccounts(self._storage.accounts, self._storage.vault, self._clock)


class _MediaInMemory(FakeMediaStore):
    """Names its contents many at a time, as a disk does."""

    async def addresses(self, *, not_put_since: datetime) -> AsyncIterator[Sequence[str]]:
        old = [address for address, put_at in self.put_at.items() if put_at <= not_put_since]
        for start in range(0, len(old), _NAMED_AT_ONCE):
            yield old[start : start + _NAMED_AT_ONCE]


@asynccontextmanager
async def _gateway(folder: Path, transport: DirectTransport) -> AsyncIterator[_Gateway]:
    """The composed program, whose Flow adapter calls the simulator; media stay in memory."""
    extensions, clock = load_extensions(), WeekClock(asyncio.get_running_loop())
    settings = load_settings({"FLOW2API_DATA_DIR": str(folder), **ENVIRONMENT}, sections=extensions.sections)
    vault = build_vault(settings)
    with patch.object(client, "CurlTransport", lambda **_: transport):
        backends = build_backends(settings, extensions, vault, clock)
    backends = replace(backends, store=_MediaInMemory(now=clock.now))
    with patch.object(proxying, "CurlProxyProbe", lambda: transport.probe):
        services = compose(settings, extensions, backends, vault, clock)
    async with _other_process(settings, extensions, vault, clock) as operator:
        with (
            patch.object(follow_changes, "LOOK_EVERY_S", FOLLOW_EVERY_S),
            patch.object(check_proxies, "LOOK_EVERY_S", FOLLOW_EVERY_S),
        ):
            yield _Gateway(services, operator)


@asynccontextmanager
async def _other_process(
    settings: Settings, extensions: Extensions, vault: Vault, clock: WeekClock
) -> AsyncIterator[_Operator]:
    storage = build_storage(settings, extensions, vault.cipher, clock)
    await storage.open()
    try:
        yield _Operator(storage, vault, clock)
    finally:
        await storage.aclose()


@contextmanager
def _world() -> Iterator[World]:
    """The simulator's state, on the clock of the loop."""
    loop = asyncio.get_running_loop()
    clock = SimClock(monotonic=loop.time, wall=lambda: (START + timedelta(seconds=loop.time())).timestamp())
    world = World(first_options=PLAYED, clock=clock)
    world.links.base_url = ORIGIN
    try:
        yield world
    finally:
        world.renderer.close()

"""Row 13: on the way of a picture the database is not read, and is written to twice, together with what else comes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flow2api.adapters.persistence import SqlStorage
from flow2api.adapters.system import SystemClock
from flow2api.app.backends import Backends, build_vault
from flow2api.app.composition import Services, compose
from flow2api.domain.account import Account, Capacity
from flow2api.domain.api_key import Caller
from flow2api.domain.catalog import ModelCatalog
from flow2api.domain.generation import Finished, GenerationRequest
from flow2api.extensions import load_extensions
from flow2api.plugins.coordination_memory import MemoryCoordination
from flow2api.settings import load_settings
from flow2api.testing.factories import picture_spec
from flow2api.testing.fakes.media import FakeMediaStore
from flow2api.testing.fakes.upstream import FakeUpstream
from tests.integration.persistence.databases import storage_at
from tests.unit.domain.usecases.stage import swap

PAINT = picture_spec()
CALLER = Caller(key_id=None)
AT_ONCE = 100

is_request: ContextVar[bool] = ContextVar("is_request", default=False)


@dataclass
class Counted:
    """What requests have asked the database for, and how many transactions there were in all."""

    reads: int = 0
    writes: int = 0
    transactions: int = 0


def count(storage: SqlStorage) -> Counted:
    """Count from now on; what runs behind the requests is not theirs."""
    counted, database = Counted(), storage._database

    def counting(name: str) -> Callable[..., Any]:
        original = getattr(database, name)

        async def call(step: Any) -> Any:
            if is_request.get():
                setattr(counted, f"{name}s", getattr(counted, f"{name}s") + 1)
            return await original(step)

        return call

    carry_out = database._writer._run_batch

    async def transaction(steps: Any) -> Any:
        counted.transactions += 1
        return await carry_out(steps)

    swap(database, read=counting("read"), write=counting("write"))
    swap(database._writer, _run_batch=transaction)
    return counted


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    """The whole program over a real database, and a service and a disk in memory, with one warm account."""
    extensions, clock = load_extensions(), SystemClock()
    settings = load_settings({"FLOW2API_DATA_DIR": str(tmp_path)}, sections=extensions.sections)
    storage, upstream = storage_at(tmp_path / "flow2api.db", clock), FakeUpstream(clock)
    backends = Backends(
        storage=storage,
        store=FakeMediaStore(),
        coordination=MemoryCoordination(),
        upstreams={"flow": upstream},
        catalog=ModelCatalog([PAINT]),
    )
    await storage.open()
    services = compose(settings, extensions, backends, build_vault(settings), clock)
    account = Account(id=0, upstream="flow", name="", created_at=clock.now(), capacity=Capacity())
    (added,) = await storage.accounts.add([(account, upstream.add_player().credentials)])
    services.pool.put(added)
    await services.tending.warm.warm(added.id)
    yield services
    await services.work.drain(5)
    await storage.aclose()


async def make_picture(services: Services) -> None:
    is_request.set(True)
    request = GenerationRequest(model=PAINT.name, spec=PAINT, prompt="a hill", count=1, inputs=())
    async with aclosing(await services.generate(request, CALLER)) as events:
        ends = [event async for event in events]
    assert isinstance(ends[-1], Finished)


def storage_of(services: Services) -> SqlStorage:
    assert isinstance(services.storage, SqlStorage)
    return services.storage


async def test_picture_reads_nothing_and_writes_twice(services: Services) -> None:
    counted = count(storage_of(services))
    await asyncio.create_task(make_picture(services))
    assert (counted.reads, counted.writes) == (0, 2)


async def test_pictures_at_once_share_transactions(services: Services) -> None:
    counted = count(storage_of(services))
    await asyncio.gather(*(make_picture(services) for _ in range(AT_ONCE)))
    assert (counted.reads, counted.writes) == (0, 2 * AT_ONCE)
    assert counted.transactions <= AT_ONCE / 4

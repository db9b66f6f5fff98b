"""Opens and closes the program: what it needs first, first; what others rest on, last."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from flow2api.adapters.console.checks.check_keys import end_left_keys
from flow2api.adapters.health import Readiness
from flow2api.adapters.scheduler import Background
from flow2api.app.composition import Services
from flow2api.app.first_operator import make_first_operator
from flow2api.app.loading import Growth, filling, load_accounts
from flow2api.domain.account import Tier
from flow2api.domain.errors import StorageFullError
from flow2api.domain.selection import Signature

log = structlog.get_logger(__name__)

_ANY_ADDRESS = "0" * 64


@asynccontextmanager
async def running(services: Services, readiness: Readiness | None = None) -> AsyncIterator[None]:
    """The program open and at work, as long as the block lasts; serving comes inside it.

    Raises:
        ConfigurationError: It cannot be opened as it is configured.
    """
    async with AsyncExitStack() as stack:
        await _open(services, stack)
        background = Background(
            {
                **services.upkeep.loops,
                **({} if services.relay is None else {"events": services.relay.run}),
                "warm": services.tending.warm.run,
                "deleted": services.operating.restore.run,
                "room": services.room.run,
                "forget": services.recording.forget.run,
                "credits": services.operating.note_credits.run,
                **services.telling.loops,
                "proxies": services.proxying.keep.run,
                "limits": services.limit.run,
                "counts": services.operating.keep_counted.run,
                "lag": services.overseeing.lag.run,
                "diagnosis": services.overseeing.diagnosis.run,
            }
        )
        background.start()
        stack.push_async_callback(background.stop)
        log.info("ready", accounts=len(services.pool), models=len(services.catalog.listed()))
        try:
            yield
        finally:
            if readiness is not None:
                readiness.is_draining = True
            await services.work.drain(services.settings.drain_s)


async def _open(services: Services, stack: AsyncExitStack) -> None:
    storage = services.storage
    stack.push_async_callback(services.workers.aclose)
    for upstream in services.upstreams.values():
        stack.push_async_callback(upstream.aclose)
    stack.push_async_callback(services.coordination.aclose)
    stack.push_async_callback(services.limit.settle)
    stack.push_async_callback(services.store.aclose)
    stack.push_async_callback(storage.aclose)
    await storage.open()
    await services.options.reload()
    services.options.check_selected()
    stack.callback(services.recording.debug_log.close)
    services.options.tell(services.recording.follow_options)
    await _open_store(services)
    await make_first_operator(
        services.entrance.operators, services.settings.operator_password_file, services.clock.now()
    )
    await services.upkeep.follow.begin()
    await end_left_keys(services.operating.keys, services.clock, is_alone=services.is_alone)
    await services.authorize.load()
    await services.proxying.choose.load()
    services.options.check_changes_by(services.proxying.choose.check_options)
    services.options.tell(services.proxying.choose.follow_options)
    services.pool.prepare(_signatures(services))
    with filling(services.pool):
        await load_accounts(storage.accounts, services.pool)
        await services.tending.credentials.load()
    Growth(services.pool)
    stack.push_async_callback(services.telling.stop)
    await services.telling.begin()
    stack.push_async_callback(storage.generations.release, services.work.owner)
    stack.push_async_callback(services.tending.watch.aclose)
    stack.push_async_callback(services.operating.imports.aclose)
    stack.push_async_callback(services.operating.probes.aclose)
    stack.push_async_callback(services.operating.act_on_accounts.aclose)


async def _open_store(services: Services) -> None:
    """The media folder is made and checked now, not with the first picture.

    Raises:
        StorageError: It takes nothing. One that is only full is no reason not to start: what is kept can be served.
    """
    await services.store.size(_ANY_ADDRESS)
    await services.room.look()
    fault = services.room.fault
    if fault is not None and not isinstance(fault, StorageFullError):
        raise fault


def _signatures(services: Services) -> set[Signature]:
    """Every signature that a request without a tag can have; made before the accounts come, so that no request waits."""
    specs = [services.catalog.spec(entry.id) for entry in services.catalog.listed()]
    return {Signature(spec.upstream, spec.kind, Tier(spec.min_tier)) for spec in specs if spec is not None}

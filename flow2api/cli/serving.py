"""What ``serve`` and ``demo`` run, with all that only a server needs."""

import asyncio
import os
from collections.abc import Awaitable, Callable

import click
import uvloop

from flow2api.adapters.health import Readiness
from flow2api.adapters.server import HttpServer
from flow2api.adapters.system.logs import configure_logs
from flow2api.adapters.system.process import building_up, calm_collector, raise_file_limit, share_arenas
from flow2api.adapters.system.watchdog import EventLoopWatchdog
from flow2api.app import Services, create_app, running
from flow2api.app.first_operator import read_own_code
from flow2api.cli.context import Installation, built, tell_left_out
from flow2api.cli.setup_url import setup_url
from flow2api.domain.secret import Secret


def run_server(here: Installation, on_ready: Callable[[Services, int], Awaitable[None]] | None = None) -> None:
    """Serve until a signal comes.

    Args:
        on_ready: Told the services and the port once requests are answered.
    """
    os.umask(0o077)
    raise_file_limit()
    share_arenas()
    calm_collector()
    configure_logs(here.settings.log_level, here.settings.log_format)
    tell_left_out(here.extensions)
    with building_up():
        services = built(here)
    uvloop.run(_serve(services, EventLoopWatchdog(here.extensions.modules), on_ready))


async def _serve(
    services: Services, watchdog: EventLoopWatchdog, on_ready: Callable[[Services, int], Awaitable[None]] | None
) -> None:
    readiness = Readiness(services.storage.ping, lambda: services.problem)

    async def drain() -> None:
        readiness.is_draining = True
        await services.work.drain(services.settings.drain_s)

    settings = services.settings
    with building_up():
        app = create_app(services, readiness)
    server = HttpServer(app, host=settings.host, port=settings.port, on_stop=drain, linger_s=settings.linger_s)
    watchdog.start()
    try:
        async with running(services, readiness):
            await _serve_and_announce(server, services, on_ready)
    finally:
        watchdog.stop()


async def _serve_and_announce(
    server: HttpServer, services: Services, on_ready: Callable[[Services, int], Awaitable[None]] | None
) -> None:
    announcing = asyncio.create_task(_announce(server, services, on_ready))
    # What cannot be made ready must not look as if it were: the server stops, and its error is told.
    announcing.add_done_callback(lambda task: server.stop() if _has_failed(task) else None)
    try:
        await server.serve()
    finally:
        announcing.cancel()
        await asyncio.wait([announcing])
    if _has_failed(announcing):
        announcing.result()


def _has_failed(task: asyncio.Task[None]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is not None


async def _announce(
    server: HttpServer, services: Services, on_ready: Callable[[Services, int], Awaitable[None]] | None
) -> None:
    await server.until_serving()
    calm_collector()
    if on_ready is None:
        host = services.settings.host
        click.echo(f"flow2api serves on http://{f'[{host}]' if ':' in host else host}:{server.port}", err=True)
    else:
        await on_ready(services, server.port)
    await offer_setup(services, server.port)


async def offer_setup(services: Services, port: int) -> None:
    """Tell a setup code whenever there is a new one, until there is an operator.

    Raises:
        ConfigurationError: The file that holds the code cannot be used.
    """
    offer, url = services.entrance.offer_setup, setup_url(services.settings, port)
    file = services.settings.setup_code_file
    if not await offer.is_open():
        return
    own = await asyncio.to_thread(read_own_code, file) if file else None

    def tell(code: Secret) -> None:
        # Not by the log, which may be kept where more people read than may set up the server.
        told = f"the code in {file}" if file else f"this code, good for 15 minutes: {code.reveal()}"
        click.echo(f"There is no operator yet. Set up the server at {url} with {told}", err=True)

    await offer.keep_open(own, tell)

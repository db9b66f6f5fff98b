"""Serves the simulator with uvicorn on the loopback, and ends when told or left alone."""

import asyncio
import contextlib
import gc
import ipaddress
import os
import resource
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from flow2api.simulator.app import ABORT, SimulatorApp
from flow2api.simulator.control_schema import AccountKnobs, ReadyFile
from flow2api.simulator.gemini.routes import BASE
from flow2api.simulator.openai_host import routes as openai_host
from flow2api.simulator.routes import API, LABS
from flow2api.simulator.world import World

PARENT_LOOK_S = 0.5


class SimulatorStartError(Exception):
    """The simulator can't start as it was asked to; the message says why."""


@dataclass(slots=True, frozen=True)
class ServerSettings:
    """Where and how to serve.

    Attributes:
        host: A loopback address.
        port: 0 takes a free one.
        ready_file: Written once it serves; None writes nothing.
        with_parent: End when the parent process has died.
    """

    host: str = "127.0.0.1"
    port: int = 8899
    ready_file: Path | None = None
    with_parent: bool = False


class PlayedProtocol(HttpToolsProtocol):
    """Uvicorn's protocol, which lets the application cut a connection."""

    def on_message_begin(self) -> None:
        """Adds the cut to the scope of each request."""
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: self.cut}  # type: ignore[dict-item]

    def cut(self, *, flush: bool = False) -> None:
        """Closes the connection, after what was written has left it or at once."""
        if flush:
            self.transport.close()
        else:
            self.transport.abort()


class SimulatorServer(uvicorn.Server):
    """A uvicorn server that tells when it serves and ends without raising the signal again."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Takes SIGTERM and SIGINT as wishes to end well."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.ask_to_exit)
        yield

    def ask_to_exit(self) -> None:
        """Lets the main loop end."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts to serve and says so."""
        await super().startup(sockets)
        self._on_ready()


def serve(world: World, settings: ServerSettings, accounts: list[AccountKnobs]) -> None:
    """Serves until SIGTERM, SIGINT or the parent's death.

    Raises:
        SimulatorStartError: The host is none of the loopback, or the port is taken.
    """
    listener = bind(settings.host, settings.port)
    host, port = listener.getsockname()[:2]
    base_url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    world.links.base_url = base_url
    for knobs in accounts:
        world.book.add(knobs, world.clock.now())
    ready = ReadyFile(
        base_url=base_url,
        openai_base_url=base_url + openai_host.BASE,
        labs_base_url=base_url + LABS,
        api_base_url=base_url + API,
        gemini_base_url=base_url + BASE,
        accounts=[account.view() for account in world.book.accounts.values()],
    )
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(world, settings, listener, ready))
    finally:
        world.renderer.close()
        listener.close()


async def _serve(world: World, settings: ServerSettings, listener: socket.socket, ready: ReadyFile) -> None:
    config = uvicorn.Config(
        SimulatorApp(world),
        http=PlayedProtocol,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=1,
        backlog=4096,
    )
    server = SimulatorServer(config, lambda: announce(settings.ready_file, ready))
    prepare_for_load()
    watch = asyncio.create_task(end_with_parent(server)) if settings.with_parent else None
    try:
        await server.serve([listener])
    finally:
        if watch is not None:
            watch.cancel()


def prepare_for_load() -> None:
    """Lets the process hold as many connections as it may, and collects garbage seldom: what is kept is no garbage."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # some systems call the limit endless and take no such number
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)


def bind(host: str, port: int) -> socket.socket:
    """A listening socket on the loopback.

    Raises:
        SimulatorStartError: The host is none of the loopback, or the port is taken.
    """
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        address = None
    if address is None or not address.is_loopback:
        raise SimulatorStartError(f"The simulator listens on the loopback only, and {host} is not: use 127.0.0.1.")
    listener = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((str(address), port))
    except OSError as error:
        listener.close()
        raise SimulatorStartError(
            f"Port {port} can't be used ({error.strerror}): choose another with --port."
        ) from error
    return listener


def announce(ready_file: Path | None, ready: ReadyFile) -> None:
    """Writes the ready file, which appears with its whole content or not at all."""
    if ready_file is None:
        return
    part = ready_file.with_name(f".{ready_file.name}.{os.getpid()}")
    part.write_bytes(msgspec.json.encode(ready))
    part.replace(ready_file)


async def end_with_parent(server: Any) -> None:
    """Ends the server once the process that started it is gone."""
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110
        await asyncio.sleep(PARENT_LOOK_S)  # nothing tells a child of it in a portable way
    server.ask_to_exit()

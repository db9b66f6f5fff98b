"""uvicorn inside our own event loop, with signals that are ours."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import structlog
import uvicorn

from flow2api.adapters.server.protocol import BoundedHttpProtocol
from flow2api.domain.errors import ConfigurationError

log = structlog.get_logger(__name__)

_LAST_ANSWERS_S = 5
_KEEP_ALIVE_S = 75
_BACKLOG = 2048


class _QuietServer(uvicorn.Server):
    """uvicorn's server without its signal handlers, which tells when it serves."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.serves = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.serves.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpServer:
    """Listens, serves, and stops in order.

    On SIGTERM or SIGINT the application is told first and drained while listeners still answer; then connections are
    closed. A second signal ends at once. The application's lifespan is the caller's: it begins before and ends after.

    Args:
        on_stop: Told at the first signal, before anything is closed; returns when work is drained.
        linger_s: How long listeners go on after SIGTERM at least, so that balancers see it; SIGINT does not linger.
    """

    def __init__(
        self,
        app: Any,
        *,
        host: str,
        port: int,
        on_stop: Callable[[], Awaitable[None]],
        linger_s: float = 0.0,
    ) -> None:
        self._socket = _listen(host, port)
        self._on_stop = on_stop
        self._linger_s = linger_s
        self._stopping: asyncio.Task[None] | None = None
        logging.getLogger("uvicorn.error").addFilter(_is_news)
        config = uvicorn.Config(
            app,
            http=BoundedHttpProtocol,
            ws="none",
            loop="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=_LAST_ANSWERS_S,
        )
        self._server = _QuietServer(config)

    @property
    def port(self) -> int:
        """The port that is listened on; connections are queued from the start."""
        return int(self._socket.getsockname()[1])

    async def until_serving(self) -> None:
        """Return once the application has started and requests are answered."""
        await self._server.serves.wait()

    async def serve(self) -> None:
        """Serve until a signal comes and everything is in order."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signalled, number)
        try:
            await self._server.serve(sockets=[self._socket])
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
            if self._stopping is not None:
                self._stopping.cancel()
                await asyncio.wait([self._stopping])
            self._socket.close()

    def stop(self) -> None:
        """Begin to stop, as SIGINT does."""
        self._signalled(signal.SIGINT)

    def _signalled(self, number: int) -> None:
        if self._stopping is not None:
            log.warning("stopping at once")
            self._server.force_exit = True
            self._server.should_exit = True
            return
        log.info("stopping", signal=signal.Signals(number).name)
        linger_s = self._linger_s if number == signal.SIGTERM else 0.0
        self._stopping = asyncio.create_task(self._stop(linger_s), name="stop")

    async def _stop(self, linger_s: float) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(asyncio.sleep(linger_s))
                group.create_task(_awaited(self._on_stop))
        finally:
            self._server.should_exit = True


def _is_news(record: logging.LogRecord) -> bool:
    """Not that an answer has no end: whoever gives a client up has said so, and it is no error of ours."""
    return record.msg != "ASGI callable returned without completing response."


async def _awaited(call: Callable[[], Awaitable[None]]) -> None:
    await call()


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket; connections wait in its queue until somebody serves."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"The server cannot listen on {host} port {port}: {error.strerror}. Choose another --host or --port."
        ) from error
    return listener

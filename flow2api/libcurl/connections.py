"""Connections that are kept and used again, over one of libcurl's multi handles.

The high-level session of curl_cffi is not used, for three things that it lacks: a slow reader must hold the sender back
(its queue grows without end), the connections must stay (libcurl's cache shrinks to four times the number of calls that
run at the moment unless it is told a size, and curl_cffi's own setter hands it an address instead of the number), and one
account's cookies must never reach the next call (we enable no cookie engine at all).
"""

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncGenerator
from typing import Any

from curl_cffi import AsyncCurl, Curl, CurlECode, CurlError, CurlInfo, CurlMOpt, ffi, lib
from curl_cffi.curl import CURL_WRITEFUNC_PAUSE, CURLPAUSE_CONT

from flow2api.domain.errors import UpstreamInvalidError
from flow2api.libcurl.calls import Answer, Call, HeadLines
from flow2api.libcurl.handles import Handle, Manner, manner_of

KEPT_CONNECTIONS = 512
IDLE_HANDLES = 64
RESOLVING_THREADS = 2
_HIGH_WATER = 512 * 1024
_LOW_WATER = 128 * 1024
_INFLATION_FLOOR = 1024 * 1024
_MAX_INFLATION = 100


class NoAnswerError(Exception):
    """libcurl gave up on a call.

    Attributes:
        code: Its number for the cause.
        was_sent: Whether a connection stood and sending had begun.
        was_opened: Whether the first connection stood, which is the proxy's where there is one.
    """

    def __init__(self, code: int, message: str, *, was_sent: bool, was_opened: bool) -> None:
        super().__init__(message)
        self.code = code
        self.was_sent = was_sent
        self.was_opened = was_opened


class ConnectionPool:
    """The connections that leave through one proxy, or directly. It belongs to the event loop that first uses it.

    Args:
        proxy: URL of the proxy, or an empty string for none. The environment's proxies are never used.
        user_agent: How we present ourselves.
    """

    def __init__(self, proxy: str, user_agent: str) -> None:
        self._proxy = proxy
        self._user_agent = user_agent
        self._multi = AsyncCurl()
        self._limit(CurlMOpt.MAXCONNECTS, KEPT_CONNECTIONS)
        self._limit(CurlMOpt.RESOLVE_THREADS_MAX, RESOLVING_THREADS)
        self._idle: dict[Manner, list[Handle]] = {}
        self._running: set[Handle] = set()
        self._is_closed = False
        self.opened_connections = 0

    @property
    def is_idle(self) -> bool:
        """Whether no call runs."""
        return not self._running

    async def collect(self, call: Call) -> Answer:
        """Carry out a call and read its whole answer.

        Raises:
            NoAnswerError: No whole answer came.
            UpstreamInvalidError: It is larger than the call allows.
        """
        handle = self._take(call)
        body, head, is_done = _Body(handle.curl, call), HeadLines(), False
        try:
            handle.aim(call, head, body.write)
            await self._perform(handle.curl)
            is_done = True
        finally:
            self._give_back(handle, is_done=is_done)
        return Answer(head.status, head.lines, b"".join(body.chunks))

    async def stream(self, call: Call) -> AsyncGenerator[Answer | bytes, None]:
        """Carry out a call; the first item is the answer without its body, then come the chunks of that.

        The sender is held back while the chunks are not taken. Close the generator to end the call early.

        Raises:
            NoAnswerError: The answer broke off.
            UpstreamInvalidError: It is larger than the call allows.
        """
        handle = self._take(call)
        flow = _Flow(handle.curl, call)
        is_done = False
        try:
            handle.aim(call, flow.head, flow.write)
            done = self._begin(handle.curl)
            done.add_done_callback(flow.wake)
            try:
                await flow.wait_for_head(done)
                yield Answer(flow.head.status, flow.head.lines, b"")
                while (chunk := await flow.next(done)) is not None:
                    yield chunk
                is_done = True
            except CurlError as error:
                raise _no_answer(handle.curl, error) from error
            finally:
                self._leave(handle.curl, done)
        finally:
            self._give_back(handle, is_done=is_done)

    async def aclose(self) -> None:
        """End all calls with a `NoAnswerError`, and all connections."""
        self._is_closed = True
        for handle in self._running:
            self._multi.set_exception(
                handle.curl, CurlError("The connections are being closed.", CurlECode.ABORTED_BY_CALLBACK)
            )
        for handle in itertools.chain.from_iterable(self._idle.values()):
            handle.close()
        self._idle.clear()
        await self._multi.close()  # type: ignore[no-untyped-call]

    async def _perform(self, curl: Curl) -> None:
        done = self._begin(curl)
        try:
            await done
        except CurlError as error:
            raise _no_answer(curl, error) from error
        finally:
            self._leave(curl, done)

    def _begin(self, curl: Curl) -> "asyncio.Future[None]":
        try:
            done: asyncio.Future[None] = self._multi.add_handle(curl)
        except CurlError as error:
            raise _no_answer(curl, error) from error
        return done

    def _leave(self, curl: Curl, done: "asyncio.Future[None]") -> None:
        """Have done with a call, whether it has come to its end or not."""
        if curl in self._multi._curl2future:
            self._multi.remove_handle(curl)
        elif not done.cancelled():
            done.exception()  # seen, whether it was waited for or not
        self.opened_connections += _info(curl, CurlInfo.NUM_CONNECTS)

    def _limit(self, option: CurlMOpt, number: int) -> None:
        lib.curl_multi_setopt(self._multi._curlm, option, ffi.cast("void *", number))

    def _take(self, call: Call) -> Handle:
        manner = manner_of(call)
        idle = self._idle.get(manner)
        handle = idle.pop() if idle else Handle(manner, self._proxy, self._user_agent)
        self._running.add(handle)
        return handle

    def _give_back(self, handle: Handle, *, is_done: bool) -> None:
        self._running.discard(handle)
        handle.let_go()
        idle = self._idle.setdefault(handle.manner, [])
        # A handle keeps the error that it met in the middle, and would tell of it again.
        if is_done and len(idle) < IDLE_HANDLES and not self._is_closed:
            idle.append(handle)
        else:
            handle.close()


class _Body:
    """Takes in a whole answer, up to its limit."""

    __slots__ = ("_curl", "_limit", "chunks", "size")

    def __init__(self, curl: Curl, call: Call) -> None:
        self._curl = curl
        self._limit = call.limit_bytes
        self.chunks: list[bytes] = []
        self.size = 0

    def write(self, chunk: bytes) -> int:
        self.size += len(chunk)
        if self.size > self._limit:
            raise too_large(self._limit)
        if self.size > _INFLATION_FLOOR and self.size > _MAX_INFLATION * _info(self._curl, CurlInfo.SIZE_DOWNLOAD_T):
            raise UpstreamInvalidError("The service answered with a body that inflates beyond reason; it was not read.")
        self.chunks.append(chunk)
        return len(chunk)


class _Flow:
    """Hands chunks from libcurl to a reader and holds libcurl back when the reader is slow."""

    def __init__(self, curl: Curl, call: Call) -> None:
        self._curl = curl
        self._limit = call.limit_bytes
        self._chunks: deque[bytes] = deque()
        self._waiting = 0
        self._size = 0
        self._is_paused = False
        self._awake = asyncio.Event()
        self.head = HeadLines()

    def write(self, chunk: bytes) -> int:
        if self._waiting >= _HIGH_WATER:
            self._is_paused = True
            return CURL_WRITEFUNC_PAUSE  # libcurl brings the same chunk again
        self._size += len(chunk)
        if self._size > self._limit:
            raise too_large(self._limit)
        self._chunks.append(chunk)
        self._waiting += len(chunk)
        self._awake.set()
        return len(chunk)

    def wake(self, _done: "asyncio.Future[None]") -> None:
        self._awake.set()

    async def wait_for_head(self, done: "asyncio.Future[None]") -> None:
        """Until the first chunk or the end is there; then the head is complete."""
        await self._awake.wait()
        if done.done() and not self._chunks:
            done.result()

    async def next(self, done: "asyncio.Future[None]") -> bytes | None:
        """The next chunk; None at the end."""
        while not self._chunks:
            if done.done():
                done.result()
                return None
            self._awake.clear()
            await self._awake.wait()
        chunk = self._chunks.popleft()
        self._waiting -= len(chunk)
        if self._is_paused and self._waiting < _LOW_WATER and not done.done():
            self._is_paused = False
            self._curl.pause(CURLPAUSE_CONT)
        return chunk


def too_large(limit_bytes: int) -> UpstreamInvalidError:
    """The refusal of an answer over its limit."""
    return UpstreamInvalidError(f"The service answered with more than {limit_bytes} bytes; the rest was not read.")


def _no_answer(curl: Curl, error: CurlError) -> NoAnswerError:
    # A failure while connecting leaves a time of its own there; but what has a local port stood, tunnel and TLS included.
    was_sent = _info(curl, CurlInfo.PRETRANSFER_TIME) > 0 and _info(curl, CurlInfo.LOCAL_PORT) > 0
    was_opened = was_sent or _info(curl, CurlInfo.NUM_CONNECTS) > 0
    return NoAnswerError(int(error.code), str(error), was_sent=was_sent, was_opened=was_opened)


def _info(curl: Curl, what: CurlInfo) -> Any:
    return curl.getinfo(what)

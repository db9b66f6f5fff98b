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
from typing import Any, NamedTuple

from curl_cffi import AsyncCurl, Curl, CurlECode, CurlError, CurlHttpVersion, CurlInfo, CurlMOpt, CurlOpt, ffi, lib
from curl_cffi.curl import CURL_WRITEFUNC_PAUSE, CURLPAUSE_CONT

from flow2api.adapters.flow.calls import Answer, Call, HeadLines
from flow2api.domain.errors import UpstreamInvalidError

KEPT_CONNECTIONS = 512
IDLE_HANDLES = 64
RESOLVING_THREADS = 2
_HIGH_WATER = 512 * 1024
_LOW_WATER = 128 * 1024
_SLOWEST_BYTES_PER_S = 256
_INFLATION_FLOOR = 1024 * 1024
_MAX_INFLATION = 100


class NoAnswerError(Exception):
    """libcurl gave up on a call.

    Attributes:
        code: Its number for the cause.
        was_sent: Whether a connection stood and sending had begun.
    """

    def __init__(self, code: int, message: str, *, was_sent: bool) -> None:
        super().__init__(message)
        self.code = code
        self.was_sent = was_sent


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
        self._idle: dict[_Manner, list[Curl]] = {}
        self._running: dict[Curl, _Manner] = {}
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
        curl = self._take(_manner(call))
        body, head = _Body(curl, call), HeadLines()
        try:
            self._set_up(curl, call, head)
            curl.setopt(CurlOpt.WRITEDATA, body)
            await self._perform(curl)
            return Answer(_status(curl), head.lines, b"".join(body.chunks))
        finally:
            self._give_back(curl)

    async def stream(self, call: Call) -> AsyncGenerator[Answer | bytes, None]:
        """Carry out a call; the first item is the answer without its body, then come the chunks of that.

        The sender is held back while the chunks are not taken. Close the generator to end the call early.

        Raises:
            NoAnswerError: The answer broke off.
            UpstreamInvalidError: It is larger than the call allows.
        """
        curl = self._take(_manner(call))
        flow = _Flow(curl, call)
        try:
            self._set_up(curl, call, flow.head)
            curl.setopt(CurlOpt.WRITEFUNCTION, flow.write)
            done = self._begin(curl)
            done.add_done_callback(flow.wake)
            try:
                await flow.wait_for_head(done)
                yield Answer(_status(curl), flow.head.lines, b"")
                while (chunk := await flow.next(done)) is not None:
                    yield chunk
            except CurlError as error:
                raise _no_answer(curl, error) from error
            finally:
                self._leave(curl, done)
        finally:
            self._give_back(curl)

    async def aclose(self) -> None:
        """End all calls with a `NoAnswerError`, and all connections."""
        self._is_closed = True
        for curl in self._running:
            self._multi.set_exception(
                curl, CurlError("The connections are being closed.", CurlECode.ABORTED_BY_CALLBACK)
            )
        for curl in itertools.chain.from_iterable(self._idle.values()):
            curl.close()
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

    def _take(self, manner: "_Manner") -> Curl:
        idle = self._idle.get(manner)
        curl = idle.pop() if idle else self._new_handle(manner)
        self._running[curl] = manner
        return curl

    def _give_back(self, curl: Curl) -> None:
        idle = self._idle.setdefault(self._running.pop(curl), [])
        curl.clean_handles_and_buffers()
        if len(idle) < IDLE_HANDLES and not self._is_closed:
            idle.append(curl)
        else:
            curl.close()

    def _new_handle(self, manner: "_Manner") -> Curl:
        """A handle with everything that is the same for all calls of this manner: each option costs microseconds."""
        curl = Curl()
        _drop_websocket_buffer(curl)
        curl.setopt(CurlOpt.USERAGENT, self._user_agent)
        curl.setopt(CurlOpt.PROXY, self._proxy)
        curl.setopt(CurlOpt.SUPPRESS_CONNECT_HEADERS, 1)
        curl.setopt(CurlOpt.FOLLOWLOCATION, 0)
        curl.setopt(CurlOpt.SSL_VERIFYPEER, 1)
        curl.setopt(CurlOpt.SSL_VERIFYHOST, 2)
        curl.setopt(CurlOpt.PROTOCOLS_STR, "http,https")
        curl.setopt(CurlOpt.NOSIGNAL, 1)
        curl.setopt(CurlOpt.TCP_KEEPALIVE, 1)
        curl.setopt(CurlOpt.LOW_SPEED_LIMIT, _SLOWEST_BYTES_PER_S)
        if self._proxy:
            # Two accounts may share a proxy's address and differ in the user name only.
            curl.setopt(CurlOpt.PROXY_CREDENTIAL_NO_REUSE, 1)
        # Over TLS the protocol is negotiated. In the clear libcurl would offer an upgrade that makes strict servers drop
        # the body; and only on HTTP/1.1 does a paused reader stop the sender at once.
        curl.setopt(CurlOpt.HTTP_VERSION, CurlHttpVersion.V1_1 if manner.is_plain else CurlHttpVersion.V2TLS)
        curl.setopt(CurlOpt.ACCEPT_ENCODING, ffi.NULL if manner.is_streamed else "gzip")
        curl.setopt(CurlOpt.CONNECTTIMEOUT_MS, manner.connect_timeout_ms)
        curl.setopt(CurlOpt.TIMEOUT_MS, manner.timeout_ms)
        curl.setopt(CurlOpt.LOW_SPEED_TIME, manner.idle_timeout_s)
        # libcurl silently repeats a call, POST or not, whose kept connection broke before the first byte of the answer.
        curl.setopt(CurlOpt.FRESH_CONNECT, int(manner.never_repeat))
        return curl

    @staticmethod
    def _set_up(curl: Curl, call: Call, head: HeadLines) -> None:
        """What differs from call to call; a handle keeps the rest."""
        curl.setopt(CurlOpt.URL, call.url)
        curl.setopt(CurlOpt.HTTPHEADER, call.headers)
        if call.body is None:
            curl.setopt(CurlOpt.HTTPGET, 1)
        else:
            curl.setopt(CurlOpt.POST, 1)
            curl.setopt(CurlOpt.POSTFIELDS, call.body)
            curl.setopt(CurlOpt.POSTFIELDSIZE, len(call.body))
        curl.setopt(CurlOpt.HEADERDATA, head)


class _Manner(NamedTuple):
    """What many calls have in common: handles are kept apart by it, so that these options are set once."""

    is_plain: bool
    is_streamed: bool
    never_repeat: bool
    connect_timeout_ms: int
    timeout_ms: int
    idle_timeout_s: int


def _manner(call: Call) -> _Manner:
    return _Manner(
        call.is_streamed or call.url.startswith("http:"),
        call.is_streamed,
        call.never_repeat,
        int(call.connect_timeout_s * 1000),
        int(call.timeout_s * 1000),
        int(call.idle_timeout_s),
    )


class _Body:
    """Takes in a whole answer, up to its limit."""

    __slots__ = ("_curl", "_limit", "chunks", "size")

    def __init__(self, curl: Curl, call: Call) -> None:
        self._curl = curl
        self._limit = call.limit_bytes
        self.chunks: list[bytes] = []
        self.size = 0

    def write(self, chunk: bytes) -> None:
        self.size += len(chunk)
        if self.size > self._limit:
            raise too_large(self._limit)
        if self.size > _INFLATION_FLOOR and self.size > _MAX_INFLATION * _info(self._curl, CurlInfo.SIZE_DOWNLOAD_T):
            raise UpstreamInvalidError("The service answered with a body that inflates beyond reason; it was not read.")
        self.chunks.append(chunk)


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


def _drop_websocket_buffer(curl: Curl) -> None:
    """Give back the 128 KiB that every handle of curl_cffi sets aside for a protocol that we do not speak."""
    buffer = getattr(curl, "_ws_recv_buffer", None)
    if buffer is not None:
        curl._ws_recv_buffer = None
        ffi.release(buffer)


def too_large(limit_bytes: int) -> UpstreamInvalidError:
    """The refusal of an answer over its limit."""
    return UpstreamInvalidError(f"The service answered with more than {limit_bytes} bytes; the rest was not read.")


def _no_answer(curl: Curl, error: CurlError) -> NoAnswerError:
    was_sent = _info(curl, CurlInfo.PRETRANSFER_TIME) > 0
    return NoAnswerError(int(error.code), str(error), was_sent=was_sent)


def _info(curl: Curl, what: CurlInfo) -> Any:
    return curl.getinfo(what)


def _status(curl: Curl) -> int:
    return int(_info(curl, CurlInfo.RESPONSE_CODE))

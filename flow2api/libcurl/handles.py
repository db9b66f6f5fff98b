"""libcurl's handles, each of which carries one call at a time and is used again for calls of the same manner."""

from collections.abc import Callable
from typing import NamedTuple

from curl_cffi import Curl, CurlError, CurlHttpVersion, CurlOpt, ffi, lib

from flow2api.libcurl.calls import Call, HeadLines

_SLOWEST_BYTES_PER_S = 256

Write = Callable[[bytes], int]
"""Takes in a piece of an answer's body: how much it took, or libcurl's word for a pause."""


class Manner(NamedTuple):
    """What many calls have in common.

    Every option that is set costs microseconds, and far more while other threads wait for the interpreter, for libcurl is
    called without its lock. So handles are kept apart by manner, and these options are set once.
    """

    is_plain: bool
    is_streamed: bool
    is_post: bool
    has_headers: bool
    never_repeat: bool
    connect_timeout_ms: int
    timeout_ms: int
    idle_timeout_s: int


def manner_of(call: Call) -> Manner:
    """The manner of a call."""
    return Manner(
        is_plain=call.is_streamed or call.url.startswith("http:"),
        is_streamed=call.is_streamed,
        is_post=call.body is not None,
        has_headers=bool(call.headers),
        never_repeat=call.never_repeat,
        connect_timeout_ms=int(call.connect_timeout_s * 1000),
        timeout_ms=int(call.timeout_s * 1000),
        idle_timeout_s=int(call.idle_timeout_s),
    )


class Handle:
    """One easy handle of libcurl.

    Attributes:
        curl: As curl_cffi wraps it.
    """

    __slots__ = ("_body", "_head", "_write", "curl", "manner")

    def __init__(self, manner: Manner, proxy: str, user_agent: str) -> None:
        self.curl = Curl()
        self.manner = manner
        self._body: bytes | None = None
        self._head: HeadLines | None = None
        self._write: Write | None = None
        _drop_websocket_buffer(self.curl)
        self._set_what_never_changes(proxy, user_agent)
        self._set_manner(manner)
        self.curl.setopt(CurlOpt.HEADERFUNCTION, self._take_head)
        self.curl.setopt(CurlOpt.WRITEFUNCTION, self._take_body)

    def aim(self, call: Call, head: HeadLines, write: Write) -> None:
        """Make ready for a call; what comes of it is handed to these two."""
        self._head, self._write = head, write
        self._set(CurlOpt.URL, call.url.encode())
        if call.headers:
            lines = ffi.NULL
            for line in call.headers:
                lines = lib.curl_slist_append(lines, line)
            self.curl._headers = lines
            self._set(CurlOpt.HTTPHEADER, lines)
        if call.body is not None:
            self._body = call.body  # libcurl makes no copy of it
            self._set(CurlOpt.POSTFIELDS, call.body)
            self._set(CurlOpt.POSTFIELDSIZE, ffi.new("long*", len(call.body)))

    def let_go(self) -> None:
        """Forget the call; to be used again only if it came to its end."""
        self._head = self._write = self._body = None
        if self.manner.has_headers:
            lib.curl_slist_free_all(self.curl._headers)
            self.curl._headers = ffi.NULL

    def close(self) -> None:
        """Give it back to libcurl."""
        self.curl.close()

    def _take_head(self, line: bytes) -> int:
        if self._head is not None:
            self._head.write(line)
        return len(line)

    def _take_body(self, chunk: bytes) -> int:
        return len(chunk) if self._write is None else self._write(chunk)

    def _set(self, option: CurlOpt, value: object) -> None:
        """As `Curl.setopt`, which looks up for each call what kind of value the option takes."""
        code = lib._curl_easy_setopt(self.curl._curl, option, value)
        if code:
            raise CurlError(f"libcurl does not take the option {option.name}.", code)

    def _set_what_never_changes(self, proxy: str, user_agent: str) -> None:
        curl = self.curl
        curl.setopt(CurlOpt.USERAGENT, user_agent)
        curl.setopt(CurlOpt.PROXY, proxy)
        curl.setopt(CurlOpt.NOPROXY, "")  # else the environment's `no_proxy` would lead past the proxy
        curl.setopt(CurlOpt.SUPPRESS_CONNECT_HEADERS, 1)
        curl.setopt(CurlOpt.FOLLOWLOCATION, 0)
        curl.setopt(CurlOpt.SSL_VERIFYPEER, 1)
        curl.setopt(CurlOpt.SSL_VERIFYHOST, 2)
        curl.setopt(CurlOpt.PROTOCOLS_STR, "http,https")
        curl.setopt(CurlOpt.NOSIGNAL, 1)
        curl.setopt(CurlOpt.TCP_KEEPALIVE, 1)
        curl.setopt(CurlOpt.LOW_SPEED_LIMIT, _SLOWEST_BYTES_PER_S)
        if proxy:
            # Two accounts may share a proxy's address and differ in the user name only.
            curl.setopt(CurlOpt.PROXY_CREDENTIAL_NO_REUSE, 1)

    def _set_manner(self, manner: Manner) -> None:
        curl = self.curl
        curl.setopt(CurlOpt.POST if manner.is_post else CurlOpt.HTTPGET, 1)
        # Over TLS the protocol is negotiated. In the clear libcurl would offer an upgrade that makes strict servers drop
        # the body; and only on HTTP/1.1 does a paused reader stop the sender at once.
        curl.setopt(CurlOpt.HTTP_VERSION, CurlHttpVersion.V1_1 if manner.is_plain else CurlHttpVersion.V2TLS)
        curl.setopt(CurlOpt.ACCEPT_ENCODING, ffi.NULL if manner.is_streamed else "gzip")
        curl.setopt(CurlOpt.CONNECTTIMEOUT_MS, manner.connect_timeout_ms)
        curl.setopt(CurlOpt.TIMEOUT_MS, manner.timeout_ms)
        curl.setopt(CurlOpt.LOW_SPEED_TIME, manner.idle_timeout_s)
        # libcurl silently repeats a call, POST or not, whose kept connection broke before the first byte of the answer.
        curl.setopt(CurlOpt.FRESH_CONNECT, int(manner.never_repeat))
        # Such a call leaves its connection behind; kept, they would be as many as there are videos in the making.
        curl.setopt(CurlOpt.FORBID_REUSE, int(manner.never_repeat))


def _drop_websocket_buffer(curl: Curl) -> None:
    """Give back the 128 KiB that every handle of curl_cffi sets aside for a protocol that we do not speak."""
    buffer = getattr(curl, "_ws_recv_buffer", None)
    if buffer is not None:
        curl._ws_recv_buffer = None
        ffi.release(buffer)

"""A receiver of messages on the loopback, in a thread of its own, that keeps what it is sent."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WITHIN_S = 60.0


@dataclass(frozen=True)
class Received:
    """One message.

    Attributes:
        headers: Names in lower case.
        at: Monotonic time at which it was there whole.
    """

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float


@dataclass
class Receiver:
    """What it is sent, and what it answers.

    Attributes:
        replies: By path, statuses to answer with, one after the other as messages come; 204 without one.
        extra: By path, headers to answer with.
        delay_s: By path, how long it waits before it answers.
    """

    port: int = 0
    received: list[Received] = field(default_factory=list)
    replies: dict[str, list[int]] = field(default_factory=dict)
    extra: dict[str, dict[str, str]] = field(default_factory=dict)
    delay_s: dict[str, float] = field(default_factory=dict)
    closing: threading.Event = field(default_factory=threading.Event)
    turn: threading.Lock = field(default_factory=threading.Lock)

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def of(self, path: str) -> list[Received]:
        return [one for one in self.received if one.path == path]

    def wait_for(self, count: int, path: str) -> list[Received]:
        """The messages for this path, when there are so many."""
        self.wait_until(lambda: len(self.of(path)) >= count)
        return self.of(path)

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WITHIN_S
        while not is_so():
            if time.monotonic() > deadline:
                raise AssertionError(f"only {[one.path for one in self.received]} came")
            time.sleep(0.02)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver for as long as the block runs."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            with receiver.turn:
                receiver.received.append(Received(self.path, headers, body, time.monotonic()))
                replies = receiver.replies.get(self.path)
                status = replies.pop(0) if replies else 204
            receiver.closing.wait(receiver.delay_s.get(self.path, 0))
            try:
                self.send_response(status)
                for name, value in receiver.extra.get(self.path, {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()
            except ConnectionError:
                pass

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()

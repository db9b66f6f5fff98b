"""What a client may send around its requests, told by what comes back over a connection of memory."""

import asyncio
import json
import re
import socket
from collections.abc import Callable
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from flow2api.adapters.server import joined_writes
from flow2api.adapters.server import protocol as bounds
from flow2api.adapters.server.protocol import HEADER_BYTES, BoundedHttpProtocol

HOST = b"host: gw.example\r\n"
CHUNKED = b"POST /x HTTP/1.1\r\n" + HOST + b"transfer-encoding: chunked\r\n\r\n"


class Wire(asyncio.Transport):
    """The client's end: what it was sent, and whether it was let go of."""

    def __init__(self) -> None:
        super().__init__()
        self.received = bytearray()
        self.is_cut = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.received += data

    def writelines(self, pieces: Any) -> None:
        self.received += b"".join(pieces)

    def close(self) -> None:
        self.is_cut = True

    def is_closing(self) -> bool:
        return self.is_cut

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    @property
    def statuses(self) -> list[int]:
        return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", self.received)]


class Requests:
    """An application that remembers what it was asked, and answers with the length of the body."""

    def __init__(self, *, reads_body: bool = True) -> None:
        self.seen: list[tuple[dict[bytes, bytes], bytes]] = []
        self._reads_body = reads_body

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", self._reads_body
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.seen.append((dict(scope["headers"]), body))
        told = str(len(body)).encode()
        headers = [(b"content-length", b"%d" % len(told))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": told})


Connect = Callable[..., tuple[BoundedHttpProtocol, Wire]]


@pytest.fixture
async def connect() -> Connect:
    def connected(app: Any) -> tuple[BoundedHttpProtocol, Wire]:
        config = uvicorn.Config(app, http=BoundedHttpProtocol, ws="none", lifespan="off", log_config=None)
        config.load()
        connection = BoundedHttpProtocol(config=config, server_state=ServerState(), app_state={})
        wire = Wire()
        connection.connection_made(wire)
        return connection, wire

    return connected


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


class TestHost:
    @pytest.mark.parametrize("host", [b"gw.example", b"127.0.0.1:8000", b"[::1]:8000", b"a_b-c.d:1"])
    async def test_one_sound_host_is_served(self, connect: Connect, host: bytes) -> None:
        connection, wire = connect(Requests())
        connection.data_received(b"GET / HTTP/1.1\r\nhost: " + host + b"\r\n\r\n")
        await settled()
        assert wire.statuses == [200]

    @pytest.mark.parametrize(
        "lines",
        [
            b"",
            b"host: \r\n",
            b"host: a\r\nhost: b\r\n",
            b"host: a/b?\r\n",
            b"host: a@b\r\n",
            b'host: "><script>\r\n',
            b"host: a:99999\r\n",
            b"host: a:999999999\r\n",
            b"host: [::1\r\n",
            b"host: \xff\r\n",
        ],
    )
    async def test_none_or_several_or_a_broken_one_is_refused(self, connect: Connect, lines: bytes) -> None:
        app = Requests()
        connection, wire = connect(app)
        connection.data_received(b"GET / HTTP/1.1\r\n" + lines + b"\r\n")
        await settled()
        assert wire.statuses == [400]
        assert json.loads(wire.received.split(b"\r\n\r\n")[1].decode())["error"]["code"] == "invalid_host"
        assert wire.is_cut
        assert not app.seen

    async def test_http_1_0_needs_none(self, connect: Connect) -> None:
        connection, wire = connect(Requests())
        connection.data_received(b"GET / HTTP/1.0\r\n\r\n")
        await settled()
        assert wire.statuses == [200]


class TestTrailers:
    async def test_they_become_no_headers(self, connect: Connect) -> None:
        app = Requests()
        connection, wire = connect(app)
        connection.data_received(CHUNKED + b"3\r\nabc\r\n0\r\nauthorization: Bearer smuggled\r\n\r\n")
        await settled()
        assert wire.statuses == [200]
        [(headers, body)] = app.seen
        assert body == b"abc"
        assert b"authorization" not in headers

    @pytest.mark.parametrize("reads_body", [True, False])
    async def test_many_of_them_end_the_connection(self, connect: Connect, reads_body: bool) -> None:
        connection, wire = connect(Requests(reads_body=reads_body))
        connection.data_received(CHUNKED + b"0\r\n")
        await settled()
        for number in range(HEADER_BYTES):
            if wire.is_cut:
                break
            connection.data_received(b"x-trailer-%d: y\r\n" % number)
        assert wire.is_cut
        assert number * 14 < 2 * HEADER_BYTES

    async def test_a_long_one_ends_the_connection(self, connect: Connect) -> None:
        connection, wire = connect(Requests())
        connection.data_received(CHUNKED + b"0\r\nx: ")
        connection.data_received(b"y" * (HEADER_BYTES + 1))
        assert wire.is_cut
        assert wire.statuses == [400]

    async def test_extensions_of_chunks_are_bounded_too(self, connect: Connect) -> None:
        connection, wire = connect(Requests())
        connection.data_received(CHUNKED + b"3;x=")
        connection.data_received(b"y" * (HEADER_BYTES + 1))
        assert wire.is_cut


async def test_a_body_in_tiny_chunks_is_taken(connect: Connect) -> None:
    app = Requests()
    connection, wire = connect(app)
    connection.data_received(CHUNKED)
    for _ in range(200):
        connection.data_received(b"1\r\nx\r\n" * 100)
    connection.data_received(b"0\r\n\r\n")
    await settled()
    assert wire.statuses == [200]
    assert app.seen[0][1] == b"x" * 20_000


class TestSilence:
    @pytest.fixture(autouse=True)
    def soon(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bounds, "HEADERS_WITHIN_S", 0.02)

    @pytest.mark.parametrize("sent", [b"", b"GET / HT", b"\r\n"])
    async def test_a_client_that_asks_nothing_is_let_go_of(self, connect: Connect, sent: bytes) -> None:
        connection, wire = connect(Requests())
        if sent:
            connection.data_received(sent)
        await asyncio.sleep(0.06)
        assert wire.is_cut

    async def test_a_client_that_stops_within_its_second_request_is_let_go_of(self, connect: Connect) -> None:
        connection, wire = connect(Requests())
        connection.data_received(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        await settled()
        assert wire.statuses == [200]
        connection.data_received(b"GET / HTTP/1.1\r\n" + HOST)
        await asyncio.sleep(0.06)
        assert wire.is_cut

    async def test_a_client_that_goes_on_with_a_refused_body_is_let_go_of(self, connect: Connect) -> None:
        connection, wire = connect(Requests(reads_body=False))
        connection.data_received(b"POST / HTTP/1.1\r\n" + HOST + b"content-length: 1000\r\n\r\nab")
        await settled()
        assert wire.statuses == [200]
        connection.data_received(b"c")
        await asyncio.sleep(0.06)
        assert wire.is_cut

    async def test_empty_lines_do_not_keep_a_connection(self, connect: Connect) -> None:
        connection, wire = connect(Requests())
        connection.data_received(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        await settled()
        connection.data_received(b"\r\n")
        await asyncio.sleep(0.06)
        assert wire.is_cut

    async def test_a_request_that_is_worked_on_has_time(self, connect: Connect) -> None:
        release = asyncio.Event()

        async def slow(scope: Any, receive: Any, send: Any) -> None:
            await release.wait()
            await Requests()(scope, receive, send)

        connection, wire = connect(slow)
        connection.data_received(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        connection.data_received(b"\r\n")
        await asyncio.sleep(0.06)
        assert not wire.is_cut
        release.set()
        await settled()
        assert wire.statuses == [200]


class TestOffersOfAnotherProtocol:
    OFFER = b"connection: keep-alive, Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAEAAEAAAA\r\n"

    async def test_the_request_is_served_with_its_body(self, connect: Connect) -> None:
        app = Requests()
        connection, wire = connect(app)
        head = b"POST /x HTTP/1.1\r\n" + HOST + self.OFFER + b"content-length: 5\r\n\r\n"
        connection.data_received(head + b"ab")
        connection.data_received(b"cde")
        connection.data_received(b"GET /y HTTP/1.1\r\n" + HOST + b"\r\n")
        await settled()
        assert wire.statuses == [200, 200]
        assert [body for _, body in app.seen] == [b"abcde", b""]
        assert b"upgrade" not in app.seen[0][0]
        assert not wire.is_cut

    async def test_many_in_one_piece_are_all_served(self, connect: Connect) -> None:
        app = Requests()
        connection, wire = connect(app)
        one = b"POST /x HTTP/1.1\r\n" + HOST + self.OFFER + b"content-length: 1\r\n\r\nx"
        connection.data_received(one * 50)
        for _ in range(100):
            await settled()
        assert wire.statuses == [200] * 50

    async def test_a_tunnel_is_refused(self, connect: Connect) -> None:
        connection, wire = connect(Requests())
        connection.data_received(b"CONNECT inner:443 HTTP/1.1\r\nhost: inner:443\r\n\r\n")
        await settled()
        assert wire.statuses == [400]
        assert wire.is_cut


@pytest.mark.parametrize(
    "hostile",
    [
        b"GET / HTTP/1.1\nhost: x\n\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost : x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
async def test_what_could_be_read_in_two_ways_is_refused(connect: Connect, hostile: bytes) -> None:
    app = Requests()
    connection, wire = connect(app)
    connection.data_received(hostile)
    await settled()
    assert wire.statuses == [400]
    assert wire.is_cut
    assert not app.seen


async def test_headers_over_their_limit_are_refused(connect: Connect) -> None:
    for pieces in ([b"x: " + b"y" * HEADER_BYTES], [b"x: " + b"y" * 1000] * 20):
        app = Requests()
        connection, wire = connect(app)
        connection.data_received(b"GET / HTTP/1.1\r\n" + HOST)
        for piece in pieces:
            connection.data_received(piece + b"\r\n")
        connection.data_received(b"\r\n")
        await settled()
        assert wire.statuses == [431]
        assert wire.is_cut
        assert not app.seen


async def test_a_client_that_takes_nothing_of_a_given_up_answer_is_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joined_writes, "TAKEN_WITHIN_S", 0.05)
    lost = asyncio.Event()

    class Watched(BoundedHttpProtocol):
        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            lost.set()

    async def giving_up(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"99999999")]})
        await send({"type": "http.response.body", "body": bytes(16 * 1024 * 1024), "more_body": True})

    config = uvicorn.Config(giving_up, http=Watched, ws="none", lifespan="off", log_config=None)
    config.load()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Watched(config=config, server_state=ServerState(), app_state={}), "127.0.0.1"
    )
    with socket.create_connection(server.sockets[0].getsockname()) as client:
        client.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        async with asyncio.timeout(20):
            await lost.wait()
    server.close()

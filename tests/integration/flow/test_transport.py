"""What the connections do, against a server whose every byte a test decides."""

import asyncio
import gzip
import random
import resource
import ssl
import zlib
from collections.abc import AsyncIterator
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from flow2api.domain.errors import UpstreamInvalidError, UpstreamTimeoutError, UpstreamUnavailableError
from flow2api.domain.secret import Secret
from flow2api.libcurl.calls import MIB, Call
from flow2api.libcurl.connections import ConnectionPool
from flow2api.libcurl.transport import CurlTransport
from tests.integration.flow.wire_server import Heard, WireServer, answer_ok

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest_asyncio.fixture(loop_scope="package")
async def transport() -> AsyncIterator[CurlTransport]:
    transport = CurlTransport(user_agent="flow2api/test")
    yield transport
    await transport.aclose()


@pytest_asyncio.fixture(loop_scope="package")
async def server() -> AsyncIterator[WireServer]:
    async with WireServer() as server:
        yield server


def get(url: str, **fields: object) -> Call:
    return Call(**{"url": url, "headers": [], "timeout_s": 30.0} | fields)  # type: ignore[arg-type]


def post(url: str, **fields: object) -> Call:
    return get(url, body=b'{"a":1}', **fields)


async def read_stream(transport: CurlTransport, call: Call) -> None:
    async with transport.stream(call, None) as (_, chunks):
        async for _chunk in chunks:
            pass


async def test_connections_are_used_again_whatever_the_load(transport: CurlTransport, server: WireServer) -> None:
    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(random.random() * 0.004)
        await answer_ok(heard, writer)

    server.answer = answer

    async def worker() -> None:
        for _ in range(40):
            await asyncio.sleep(random.random() * 0.004)
            await transport.request(post(server.url), None)

    await asyncio.gather(*(worker() for _ in range(16)))

    assert len(server.heard) == 16 * 40
    assert server.connections <= 16
    assert transport.opened_connections() == server.connections


async def test_connections_survive_a_lull(transport: CurlTransport, server: WireServer) -> None:
    together = asyncio.Barrier(20)

    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        if "/together" in heard.start:
            await together.wait()
        await answer_ok(heard, writer)

    server.answer = answer
    await asyncio.gather(*(transport.request(get(f"{server.url}/together"), None) for _ in range(20)))
    for _ in range(40):
        await transport.request(get(server.url), None)
    before = server.connections

    await asyncio.gather(*(transport.request(get(f"{server.url}/together"), None) for _ in range(20)))

    assert server.connections == before


async def test_spending_call_is_never_repeated_by_itself(transport: CurlTransport, server: WireServer) -> None:
    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        if "/spend" in heard.start:
            writer.close()
        else:
            await answer_ok(heard, writer)

    server.answer = answer
    await transport.request(get(server.url), None)

    with pytest.raises(UpstreamUnavailableError) as broken:
        await transport.request(post(f"{server.url}/spend", never_repeat=True), None)

    assert broken.value.reached
    assert sum("/spend" in heard.start for heard in server.heard) == 1


async def test_free_call_on_a_broken_kept_connection_is_repeated(transport: CurlTransport, server: WireServer) -> None:
    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        if "/free" in heard.start and heard.connection == 1:
            writer.close()
        else:
            await answer_ok(heard, writer)

    server.answer = answer
    await transport.request(get(server.url), None)

    result = await transport.request(post(f"{server.url}/free"), None)

    assert result.status == 200
    assert sum("/free" in heard.start for heard in server.heard) == 2


async def test_presents_itself_honestly_and_sends_bodies_whole(transport: CurlTransport, server: WireServer) -> None:
    body = b"x" * (3 * MIB)

    await transport.request(get(server.url, body=body, headers=[b"Expect:"]), None)

    heard = server.heard[0]
    assert heard.header("user-agent") == "flow2api/test"
    assert heard.header("expect") is None
    assert heard.header("upgrade") is None
    assert heard.body == body


async def test_handle_forgets_the_call_before(transport: CurlTransport, server: WireServer) -> None:
    await transport.request(post(server.url, headers=[b"Authorization: Bearer one"]), None)
    await transport.request(get(server.url), None)

    assert server.heard[1].start.startswith("GET / ")
    assert server.heard[1].header("authorization") is None
    assert server.heard[1].body == b""


async def test_cookies_are_not_kept(transport: CurlTransport, server: WireServer) -> None:
    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nSet-Cookie: session=one; Path=/\r\nContent-Length: 0\r\n\r\n")

    server.answer = answer
    first = await transport.request(get(server.url), None)
    await transport.request(get(server.url), None)

    assert first.value("set-cookie") == "session=one; Path=/"
    assert server.heard[1].header("cookie") is None


async def test_redirect_is_an_answer(transport: CurlTransport, server: WireServer) -> None:
    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 307 Away\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")

    server.answer = answer

    result = await transport.request(get(server.url, headers=[b"Cookie: a=b"]), None)

    assert (result.status, result.value("location")) == (307, "/elsewhere")
    assert len(server.heard) == 1


async def test_proxies_of_the_environment_are_not_used(
    transport: CurlTransport, server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    assert (await transport.request(get(server.url), None)).status == 200


async def test_call_goes_through_its_proxy_and_connections_are_not_shared(transport: CurlTransport) -> None:
    async with WireServer() as proxy:
        one, two = (Secret(f"http://{name}:pw@127.0.0.1:{proxy.port}") for name in ("one", "two"))
        for secret in (one, two, one, two):
            await transport.request(get("http://upstream.invalid/x"), secret)

        assert {heard.start for heard in proxy.heard} == {"GET http://upstream.invalid/x HTTP/1.1"}
        assert proxy.connections == 2
        by_connection = {heard.connection: heard.header("proxy-authorization") for heard in proxy.heard}
        assert len(set(by_connection.values())) == 2


async def test_tunnel_that_the_proxy_refuses_was_not_reached(transport: CurlTransport) -> None:
    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")

    async with WireServer(answer) as proxy:
        with pytest.raises(UpstreamUnavailableError) as failure:
            await transport.request(post("https://upstream.invalid/x"), Secret(f"http://127.0.0.1:{proxy.port}"))

    assert not failure.value.reached


async def test_connections_are_closed_apart_from_the_request_that_needed_their_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request = ContextVar("request", default="nobody's")
    request.set("req_1")
    seen, close = list[str](), ConnectionPool.aclose

    async def closing(pool: ConnectionPool) -> None:
        seen.append(request.get())
        await close(pool)

    monkeypatch.setattr(ConnectionPool, "aclose", closing)
    transport = CurlTransport(user_agent="flow2api/test", max_pools=1)
    async with WireServer() as proxy:
        for name in ("one", "two"):
            await transport.request(
                get("http://upstream.invalid/x"), Secret(f"http://{name}:pw@127.0.0.1:{proxy.port}")
            )
        await asyncio.sleep(0)
        assert seen == ["nobody's"]
    await transport.aclose()


async def test_proxies_that_were_not_used_for_long_lose_their_connections() -> None:
    transport = CurlTransport(user_agent="flow2api/test", max_pools=2)
    async with WireServer() as proxy:
        secrets = [Secret(f"http://{name}:pw@127.0.0.1:{proxy.port}") for name in ("one", "two", "three")]
        for secret in [*secrets, secrets[2], secrets[0]]:
            await transport.request(get("http://upstream.invalid/x"), secret)

        assert proxy.connections == 4
    await transport.aclose()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", UpstreamUnavailableError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n", UpstreamUnavailableError),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain", UpstreamInvalidError),
        (b"\x16\x03\x01 not HTTP at all \r\n\r\n", UpstreamInvalidError),
        (b"", UpstreamUnavailableError),
    ],
    ids=["cut", "bad chunk", "bad gzip", "no HTTP", "nothing"],
)
async def test_broken_answer_may_have_been_carried_out(
    transport: CurlTransport, answer: bytes, error: type[Exception]
) -> None:
    async def say(heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with WireServer(say) as server:
        with pytest.raises((UpstreamUnavailableError, UpstreamInvalidError)) as failure:
            await transport.request(post(server.url, never_repeat=True), None)

    assert type(failure.value) is error
    assert getattr(failure.value, "reached", True)


async def test_silence_is_a_time_out_and_the_connection_is_closed(transport: CurlTransport, server: WireServer) -> None:
    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        if "/silence" in heard.start:
            await asyncio.sleep(60)
        await answer_ok(heard, writer)

    server.answer = answer
    await transport.request(get(server.url), None)  # what stands already cannot be late

    with pytest.raises(UpstreamTimeoutError):
        await transport.request(post(f"{server.url}/silence", timeout_s=0.1), None)


async def test_cancelled_call_closes_its_connection_and_spoils_no_other(
    transport: CurlTransport, server: WireServer
) -> None:
    arrived = asyncio.Event()

    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        if "/wait" in heard.start:
            arrived.set()
            for _ in range(3000):
                await asyncio.sleep(0.01)
                writer.write(b" ")
                await writer.drain()
        await answer_ok(heard, writer)

    server.answer = answer
    call = asyncio.ensure_future(transport.request(post(f"{server.url}/wait"), None))
    await arrived.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    results = await asyncio.gather(*(transport.request(get(server.url), None) for _ in range(5)))

    assert [result.status for result in results] == [200] * 5
    async with asyncio.timeout(30):
        while server.closed == 0:
            await asyncio.sleep(0.01)


async def test_calls_that_are_given_up_leak_nothing(transport: CurlTransport, server: WireServer) -> None:
    dice = random.Random(7)

    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(dice.random() * 0.01)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + bytes(300_000))

    server.answer = answer

    async def give_up_sometimes(number: int) -> None:
        call = get(server.url, is_streamed=number % 2 == 0)
        with suppress(TimeoutError):
            async with asyncio.timeout(dice.random() * 0.02):
                await (read_stream(transport, call) if call.is_streamed else transport.request(call, None))

    for _ in range(10):
        await asyncio.gather(*(give_up_sometimes(number) for number in range(30)))
    (pool,) = transport._pools.values()

    assert pool.is_idle
    assert pool._multi._curl2future == {}
    assert (await transport.request(get(server.url), None)).status == 200


async def test_closing_ends_calls_that_run(server: WireServer) -> None:
    transport = CurlTransport(user_agent="flow2api/test")
    arrived = asyncio.Event()

    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await asyncio.sleep(60)

    server.answer = answer
    call = asyncio.ensure_future(transport.request(post(server.url), None))
    await arrived.wait()

    await transport.aclose()

    with pytest.raises(UpstreamUnavailableError):
        await call


async def test_compressed_answer_is_read(transport: CurlTransport, server: WireServer) -> None:
    packed = gzip.compress(b'{"a": 1}')

    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed)

    server.answer = answer

    assert (await transport.request(get(server.url), None)).body == b'{"a": 1}'


async def test_answer_that_inflates_beyond_reason_is_not_read(transport: CurlTransport, server: WireServer) -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(MIB)) for _ in range(64)) + packer.flush()

    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb)

    server.answer = answer
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    with pytest.raises(UpstreamInvalidError):
        await transport.request(get(server.url), None)

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024


@pytest.mark.parametrize("streamed", [False, True])
async def test_endless_answer_ends_at_its_limit(transport: CurlTransport, server: WireServer, streamed: bool) -> None:
    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
            await writer.drain()

    server.answer = answer
    call = get(server.url, limit_bytes=2 * MIB, is_streamed=streamed)

    with pytest.raises(UpstreamInvalidError, match="2097152 bytes"):
        await (read_stream(transport, call) if streamed else transport.request(call, None))


async def test_slow_reader_holds_the_sender_back(transport: CurlTransport, server: WireServer) -> None:
    size = 64 * MIB
    piece = bytes(range(256)) * 256
    sent = 0

    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size // len(piece)):
            writer.write(piece)
            await writer.drain()
            sent += len(piece)

    server.answer = answer
    received = 0

    async with transport.stream(get(server.url, is_streamed=True, timeout_s=30.0, limit_bytes=size), None) as (
        head,
        chunks,
    ):
        assert head.content_type == "video/mp4"
        received += len(await anext(chunks))
        await asyncio.sleep(0.3)
        held_back = sent
        async for chunk in chunks:
            received += len(chunk)

    assert held_back < 16 * MIB
    assert received == size


async def test_stream_that_is_left_early_closes_its_connection(transport: CurlTransport, server: WireServer) -> None:
    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        while True:
            writer.write(bytes(65536))
            await writer.drain()

    server.answer = answer

    async with transport.stream(get(server.url, is_streamed=True), None) as (_, chunks):
        await anext(chunks)

    async with asyncio.timeout(30):
        while server.closed == 0:
            await asyncio.sleep(0.01)


async def test_stream_that_stands_still_is_a_time_out(transport: CurlTransport, server: WireServer) -> None:
    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx")
        await writer.drain()
        await asyncio.sleep(60)

    server.answer = answer
    call = get(server.url, is_streamed=True, idle_timeout_s=1.0, timeout_s=30.0)

    with pytest.raises(UpstreamTimeoutError):
        await read_stream(transport, call)


async def test_untrusted_certificate_is_refused_before_anything_is_said(
    transport: CurlTransport, tmp_path: Path
) -> None:
    async with WireServer(tls=self_signed(tmp_path)) as server:
        with pytest.raises(UpstreamUnavailableError, match="certificate") as failure:
            await transport.request(post(server.url, headers=[b"Authorization: Bearer x"]), None)

        assert not failure.value.reached
        assert server.heard == []


async def test_trusted_certificate_is_taken_and_its_connection_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = self_signed(tmp_path)
    monkeypatch.setattr("curl_cffi.curl.DEFAULT_CACERT", str(tmp_path / "server.pem"))
    transport = CurlTransport(user_agent="flow2api/test")
    async with WireServer(tls=tls) as server:
        answers = [await transport.request(post(server.url), None) for _ in range(3)]

        assert [answer.status for answer in answers] == [200, 200, 200]
        assert server.connections == 1
        await transport.aclose()


def self_signed(folder: Path) -> ssl.SSLContext:
    """A server's side of TLS that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    encoded = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(encoded + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context

"""What the connections do behind real proxies, over TLS and in the clear."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from flow2api.adapters.probe import CurlProxyProbe
from flow2api.domain.errors import ProxyUnavailableError, UpstreamTimeoutError, UpstreamUnavailableError
from flow2api.domain.secret import Secret
from flow2api.libcurl.transport import CurlTransport
from tests.integration.flow.test_transport import get, post, self_signed
from tests.integration.flow.wire_server import Heard, WireServer
from tests.proxy_servers import HttpProxy, LoopbackProxy, SocksProxy

pytestmark = pytest.mark.asyncio(loop_scope="package")

USER = ("eve@example", "p:w/d")
KINDS = [HttpProxy, SocksProxy]


@pytest_asyncio.fixture(loop_scope="package")
async def transport() -> AsyncIterator[CurlTransport]:
    transport = CurlTransport(user_agent="flow2api/test")
    yield transport
    await transport.aclose()


@pytest.fixture
def trusting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The certificate of the servers of a test, which handles trust beside nobody."""
    self_signed(tmp_path)
    monkeypatch.setattr("curl_cffi.curl.DEFAULT_CACERT", str(tmp_path / "server.pem"))
    return tmp_path


@asynccontextmanager
async def secured(folder: Path) -> AsyncIterator[WireServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    async with WireServer(tls=context) as server:
        yield server


@contextmanager
def black_hole() -> Iterator[int]:
    """A port that takes connections and never lets them stand: its queue is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
        for one in waiting:
            one.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_call_over_tls_goes_through_the_proxy_with_its_credentials(
    transport: CurlTransport, trusting: Path, kind: type[LoopbackProxy]
) -> None:
    async with secured(trusting) as server, kind(credentials=USER) as proxy:
        url = Secret(proxy.url("eve%40example", "p%3Aw%2Fd"))
        for _ in range(3):
            assert (await transport.request(post(server.url), url)).status == 200

        assert set(proxy.given) == {USER}
        assert proxy.targets == [("127.0.0.1", server.port)], "the connection is kept"
        assert [heard.header("proxy-authorization") for heard in server.heard] == [None] * 3


async def test_proxy_may_itself_be_behind_tls(transport: CurlTransport, trusting: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusting / "server.pem")
    async with secured(trusting) as server, HttpProxy(tls=context, scheme="https", credentials=("u", "p")) as proxy:
        assert (await transport.request(get(server.url), Secret(proxy.url()))).status == 200

        assert set(proxy.given) == {("u", "p")}


async def test_proxy_with_an_untrusted_certificate_gets_no_credentials(
    transport: CurlTransport, tmp_path: Path
) -> None:
    async with HttpProxy(tls=self_signed(tmp_path), scheme="https", credentials=("u", "p")) as proxy:
        with pytest.raises(ProxyUnavailableError, match="TLS"):
            await transport.request(get("https://upstream.invalid/"), Secret(proxy.url()))

        assert proxy.given == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("target", ["http", "https"])
@pytest.mark.parametrize("password", ["wrong", None])
async def test_wrong_or_missing_password_is_told_for_certain(
    transport: CurlTransport, kind: type[LoopbackProxy], target: str, password: str | None
) -> None:
    async with kind(credentials=("u", "right")) as proxy:
        url = proxy.url("u", password) if password else f"{proxy.scheme}://127.0.0.1:{proxy.port}"
        with pytest.raises(ProxyUnavailableError, match="credentials") as failure:
            await transport.request(post(f"{target}://127.0.0.1:1/x"), Secret(url))
        with pytest.raises(ProxyUnavailableError, match="credentials"):
            async with transport.stream(get(f"{target}://127.0.0.1:1/x", is_streamed=True), Secret(url)):
                raise AssertionError("it came through")

    assert (failure.value.is_certain, failure.value.reached) == (True, False)
    assert failure.value.proxy == Secret(url)
    assert "right" not in str(failure.value)
    assert proxy.targets == []


@pytest.mark.parametrize("scheme", ["http", "https", "socks5", "socks5h"])
@pytest.mark.parametrize("target", ["http", "https"])
async def test_closed_port_of_a_proxy_is_certain_and_nothing_goes_direct(
    transport: CurlTransport, scheme: str, target: str
) -> None:
    async with WireServer() as server:
        with pytest.raises(ProxyUnavailableError, match="cannot be reached") as failure:
            await transport.request(post(f"{target}://127.0.0.1:{server.port}/"), Secret(f"{scheme}://127.0.0.1:1"))

        assert server.connections == 0
    assert failure.value.is_certain


async def test_proxy_whose_name_is_unknown_is_told(transport: CurlTransport) -> None:
    with pytest.raises(ProxyUnavailableError, match="name of the proxy") as failure:
        await transport.request(post("https://upstream.invalid/"), Secret("socks5h://u:p@no-such.invalid:1"))

    assert failure.value.is_certain


@pytest.mark.parametrize("kind", KINDS)
async def test_way_that_the_proxy_does_not_open_is_in_doubt(
    transport: CurlTransport, kind: type[LoopbackProxy]
) -> None:
    async with kind(refuses=True) as proxy:
        with pytest.raises(ProxyUnavailableError, match="no way") as failure:
            await transport.request(post("https://127.0.0.1:1/"), Secret(proxy.url()))

    assert (failure.value.is_certain, failure.value.reached) == (False, False)


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
async def test_proxy_that_swallows_connections_is_down_for_certain_and_a_silent_one_in_doubt(
    transport: CurlTransport, scheme: str
) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    call = post("https://127.0.0.1:1/", connect_timeout_s=0.2)
    with black_hole() as port, pytest.raises(ProxyUnavailableError) as swallowed:
        await transport.request(call, Secret(f"{scheme}://127.0.0.1:{port}"))
    call = replace(call, connect_timeout_s=0.8)  # long enough for a connection to a proxy that takes it
    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        with pytest.raises(ProxyUnavailableError) as doubtful:
            await transport.request(call, Secret(f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
        await transport.aclose()

    assert (swallowed.value.is_certain, doubtful.value.is_certain) == (True, False)


@pytest.mark.parametrize("kind", KINDS)
async def test_call_that_was_sent_when_the_proxy_died_may_have_arrived(
    transport: CurlTransport, trusting: Path, kind: type[LoopbackProxy]
) -> None:
    async with secured(trusting) as server, kind() as proxy:

        async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
            await proxy.kill()

        await transport.request(post(server.url), Secret(proxy.url()))
        server.answer = answer
        with pytest.raises(UpstreamUnavailableError) as failure:
            await transport.request(post(server.url, never_repeat=True), Secret(proxy.url()))

        assert not isinstance(failure.value, ProxyUnavailableError)
        assert failure.value.reached
        with pytest.raises(ProxyUnavailableError):
            await transport.request(post(server.url), Secret(proxy.url()))


async def test_late_answer_through_a_proxy_is_a_time_out_and_not_the_proxys_fault(
    transport: CurlTransport, trusting: Path
) -> None:
    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        if "/slow" in heard.start:
            await asyncio.sleep(60)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with secured(trusting) as server, SocksProxy() as proxy:
        server.answer = answer
        url = Secret(proxy.url())
        for is_kept in (False, True):
            with pytest.raises(UpstreamTimeoutError):  # which is none when the connection itself is late
                await transport.request(post(f"{server.url}/slow", timeout_s=0.3 if is_kept else 1.0), url)
            if not is_kept:
                await transport.request(post(server.url), url)


async def test_service_that_cannot_be_connected_to_in_time_was_not_reached(transport: CurlTransport) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    failures = []
    with black_hole() as port:
        with pytest.raises(UpstreamUnavailableError) as failure:
            await transport.request(post(f"https://127.0.0.1:{port}/", connect_timeout_s=0.2, never_repeat=True), None)
        failures.append(failure.value.reached)
    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(UpstreamUnavailableError) as failure:
            await transport.request(post(f"https://127.0.0.1:{port}/", connect_timeout_s=0.2, never_repeat=True), None)
        failures.append(failure.value.reached)
        await transport.aclose()

    assert failures == [False, False]


async def test_empty_proxy_is_none(transport: CurlTransport) -> None:
    async with WireServer() as server:
        await transport.request(get(server.url), Secret(""))
        await transport.request(get(server.url), None)

        assert server.connections == 1


@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
@pytest.mark.parametrize("scheme", ["http", "socks5h"])
async def test_environment_cannot_lead_past_a_proxy(
    transport: CurlTransport, monkeypatch: pytest.MonkeyPatch, name: str, scheme: str
) -> None:
    for variable in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv(name, "*")
    async with WireServer() as server:
        proxy = Secret(f"{scheme}://127.0.0.1:1")
        with pytest.raises(ProxyUnavailableError):
            await transport.request(get(server.url), proxy)
        with pytest.raises(ProxyUnavailableError):
            await CurlProxyProbe()(proxy, server.url, timeout_s=20.0)

        assert server.connections == 0


async def test_probe_reads_no_files(tmp_path: Path) -> None:
    (tmp_path / "address").write_text("192.0.2.1")
    async with HttpProxy() as proxy:
        with pytest.raises(ProxyUnavailableError):
            await CurlProxyProbe()(Secret(proxy.url()), f"file://{tmp_path}/address", timeout_s=20.0)

"""One plain request to an address of ours: what comes back, and nothing of ours in it."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from flow2api.adapters.probe import look_outside
from flow2api.adapters.probe.outside import _certificate_days
from flow2api.domain.errors import UpstreamUnavailableError
from tests.e2e.processes import free_port

ANSWER = b"HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\nx-request-id: req_1\r\ncontent-length: 0\r\n\r\n"


async def serve(seen: list[bytes], context: ssl.SSLContext | None = None) -> asyncio.Server:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            seen.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(ANSWER)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    return await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)


def port_of(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])


async def test_answer_is_told_and_nothing_is_followed_or_given_away() -> None:
    seen = list[bytes]()
    async with await serve(seen) as server:
        view = await look_outside(f"http://127.0.0.1:{port_of(server)}/seen/x", timeout_s=30)

    assert (view.status, view.request_id, view.certificate_days) == (302, "req_1", None)
    assert view.latency_ms >= 1
    assert len(seen) == 1
    assert not any(name in seen[0].lower() for name in (b"cookie", b"authorization"))


async def test_nobody_there_is_told() -> None:
    with pytest.raises(UpstreamUnavailableError, match="Nobody answers there: "):
        await look_outside(f"http://127.0.0.1:{free_port()}/", timeout_s=30)


async def test_certificate_that_nobody_vouches_for_is_refused_and_its_end_is_known(tmp_path: Path) -> None:
    context = self_signed(tmp_path, days=30)
    async with await serve([], context) as server:
        url = f"https://127.0.0.1:{port_of(server)}/"
        with pytest.raises(UpstreamUnavailableError, match="certificate"):
            await look_outside(url, timeout_s=30)
        assert await _certificate_days(url) in (29, 30)


async def test_end_of_a_certificate_that_cannot_be_asked_for_is_unknown() -> None:
    async with await serve([]) as server:
        assert await _certificate_days(f"https://127.0.0.1:{port_of(server)}/") is None  # it speaks no TLS
    assert await _certificate_days(f"https://127.0.0.1:{free_port()}/") is None


def self_signed(folder: Path, days: int) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context

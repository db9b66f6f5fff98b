"""A TLS server on the loopback under names of its own, with a CA of its own, that records what it is asked."""

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Reply = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Authority:
    """A certificate authority that nobody else trusts.

    Attributes:
        bundle: Its own certificate, to trust it.
    """

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    folder: Path

    @property
    def bundle(self) -> Path:
        return self.folder / "ca.pem"

    @classmethod
    def made_in(cls, folder: Path) -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test authority")])
        certificate = (
            _certificate(name, name, key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return cls(key, certificate, folder)

    def context_for(self, *hosts: str) -> ssl.SSLContext:
        """What a server needs to prove that it is these hosts."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, hosts[0])])
        names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
        certificate = (
            _certificate(subject, self.certificate.subject, key.public_key())
            .add_extension(names, critical=False)
            .sign(self.key, hashes.SHA256())
        )
        file = self.folder / f"{hosts[0]}.pem"
        file.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


@dataclass
class Server:
    """What it answers, and what it was asked.

    Attributes:
        replies: By path; another path is answered with 404.
        requests: The head of each request.
        names: The host that each TLS handshake asked for.
        connections: How many there were, with or without a handshake.
    """

    port: int
    replies: dict[str, Reply] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    connections: int = 0
    open_now: int = 0
    most_open: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open_now += 1
        self.most_open = max(self.most_open, self.open_now)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.requests.append(head)
            await self.replies.get(head.split(" ")[1], text("nothing here", status="404 Not Found"))(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open_now -= 1
            writer.close()


def body(data: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> Reply:
    """An answer with these bytes.

    Args:
        length: What it says of its length, if that is not the truth.
    """

    async def reply(writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(data) if length is None else length}", *headers]
        writer.write("\r\n".join([*lines, "", ""]).encode() + data)
        await writer.drain()

    return reply


def text(words: str, *headers: str, status: str = "200 OK") -> Reply:
    return body(words.encode(), "Content-Type: text/html", *headers, status=status)


def redirect(location: str, *headers: str, status: str = "302 Found") -> Reply:
    return text("moved", f"Location: {location}", *headers, status=status)


@asynccontextmanager
async def serving(context: ssl.SSLContext, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Server]:
    """A server on this address of the loopback for as long as the block runs."""
    running = Server(port)
    context.sni_callback = lambda _socket, name, _context: running.names.append(name)
    server = await asyncio.start_server(_counted(running), host, port, ssl=context)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()


def _counted(running: Server) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.connections += 1
        await running.serve(reader, writer)

    return serve

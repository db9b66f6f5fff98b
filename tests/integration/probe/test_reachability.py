import asyncio

import pytest

from flow2api.adapters.probe import answers_at
from flow2api.domain.errors import UpstreamUnavailableError
from tests.e2e.processes import free_port


@pytest.fixture
def seen() -> list[bytes]:
    return []


async def serve(seen: list[bytes], answer: bytes) -> asyncio.Server:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()
        writer.close()

    return await asyncio.start_server(handle, "127.0.0.1", 0)


def address_of(server: asyncio.Server) -> str:
    return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n",
    ],
)
async def test_any_answer_counts_and_nothing_is_followed(seen: list[bytes], answer: bytes) -> None:
    async with await serve(seen, answer) as server:
        status = await answers_at(f"{address_of(server)}/fx/api?secret=1")

    assert status == int(answer.split()[1])
    assert len(seen) == 1
    assert seen[0].startswith(b"GET / HTTP/1.1\r\n")
    assert not any(name in seen[0].lower() for name in (b"cookie", b"authorization", b"secret"))


async def test_nobody_there_is_told_with_the_reason() -> None:
    address = f"http://127.0.0.1:{free_port()}"

    with pytest.raises(UpstreamUnavailableError) as failed:
        await answers_at(address)

    assert failed.value.message.startswith(f"Nobody answers at {address}: ")
    assert "curl.se" not in failed.value.message


async def test_waiting_has_an_end() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        with pytest.raises(UpstreamUnavailableError):
            await answers_at(address_of(server), timeout_s=0.2)

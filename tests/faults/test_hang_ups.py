"""Clients that go away at any moment leave nothing behind: no descriptor, no slot, no unfinished record."""

import json
import random
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from tests.security.wire import Wire

SEED = 20261123
HANG_UPS = 120
REQUESTS = [
    ("/v1/images/generations", {"prompt": "a mug"}),
    ("/v1/images/generations", {"prompt": "a mug", "stream": True, "n": 3}),
    ("/v1/videos", {"prompt": "waves", "seconds": "4"}),
    (
        "/v1/chat/completions",
        {"model": "gemini-3.0-pro-image", "stream": True, "messages": [{"role": "user", "content": "a mug"}]},
    ),
    (
        "/v1/chat/completions",
        {"model": "veo_3_1_t2v_fast_landscape", "stream": True, "messages": [{"role": "user", "content": "waves"}]},
    ),
]


def hang_up(wire: Wire, chance: random.Random) -> None:
    """Send some or all of a request, perhaps read a little, and go, orderly or not."""
    path, body = chance.choice(REQUESTS)
    payload = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {wire.key}\r\ncontent-type: application/json\r\n"
    request = f"{head}content-length: {len(payload)}\r\n\r\n".encode() + payload
    stop = chance.choice([len(request), len(request), chance.randrange(1, len(request))])
    with suppress(OSError), wire.connect() as sent:
        sent.sendall(request[:stop])
        time.sleep(chance.choice([0.0, 0.005, 0.02, 0.1, 0.3]))
        if chance.random() < 0.4:
            sent.settimeout(0.1)
            with suppress(TimeoutError):
                sent.recv(chance.choice([1, 100, 5000]))
        if chance.random() < 0.5:
            sent.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def eventually(holds: Callable[[], bool], within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def client_sockets(wire: Wire) -> int:
    """Connections of clients that the server still holds."""
    ours = f":{wire.port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    established_or_half_closed = ("01", "08")
    return sum(row[1].endswith(ours) and row[3] in established_or_half_closed for row in rows)


def all_ended(wire: Wire) -> bool:
    listed = wire.ask("GET", "/v1/videos?limit=100").json["data"]
    return all(video["status"] in ("completed", "failed") for video in listed)


def test_nothing_is_left_of_clients_that_went_away(wire: Wire) -> None:
    chances = [random.Random(SEED + number) for number in range(HANG_UPS)]
    with ThreadPoolExecutor(16) as clients:
        list(clients.map(lambda chance: hang_up(wire, chance), chances))

    assert eventually(lambda: client_sockets(wire) == 0, 30)
    assert eventually(lambda: all_ended(wire), 40)
    assert Counter(video["status"] for video in wire.ask("GET", "/v1/videos?limit=100").json["data"])["failed"] == 0
    with ThreadPoolExecutor(12) as clients:
        statuses = clients.map(lambda _: wire.ask("POST", REQUESTS[0][0], REQUESTS[0][1]).status, range(24))
        assert Counter(statuses) == {200: 24}

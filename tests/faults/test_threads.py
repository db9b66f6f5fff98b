"""The server has few threads, whatever it has to do (row 11 of docs/explanation/performance.md)."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.security.wire import Wire

THREADS = 20
REQUESTS, CALLERS = 120, 40


def threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def test_load_makes_no_more_threads(wire: Wire) -> None:
    seen: list[int] = []

    def make(number: int) -> int:
        path = "/v1/images/generations" if number % 2 else "/v1/videos"
        status = wire.ask("POST", path, {"prompt": f"hill {number}"}).status
        seen.append(threads(wire.pid))
        return status

    with ThreadPoolExecutor(CALLERS) as callers:
        assert set(callers.map(make, range(REQUESTS))) == {200}
    assert 1 < max(seen) <= THREADS

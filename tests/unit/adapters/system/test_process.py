import gc
import os
import platform
import resource
import subprocess
import sys

import pytest

from flow2api.adapters.system.process import (
    MOST_ARENAS,
    MOST_FILES,
    building_up,
    raise_file_limit,
    reachable_file_limit,
    share_arenas,
)

ENDLESS = resource.RLIM_INFINITY
COUNT_ARENAS = """
import threading
from pathlib import Path
from flow2api.adapters.system.process import share_arenas

share_arenas()
full, held = threading.Barrier(9), []

def take() -> None:
    held.append(bytes(50_000))
    full.wait()
    full.wait()

threads = [threading.Thread(target=take) for _ in range(8)]
for thread in threads:
    thread.start()
full.wait()
maps = [line.split() for line in Path("/proc/self/maps").read_text().splitlines()]
starts = [int(fields[0].partition("-")[0], 16) for fields in maps if len(fields) == 5 and fields[1] == "rw-p"]
print(sum(start % (64 * 1024 * 1024) == 0 for start in starts))
full.wait()
"""
IS_GNU = platform.libc_ver()[0] == "glibc"


@pytest.mark.parametrize(
    ("held", "most", "raised"),
    [
        (1024, 4096, 4096),
        (1024, 1_048_576, MOST_FILES),
        (1024, ENDLESS, MOST_FILES),
        (MOST_FILES, 1_048_576, None),
        (524_288, 1_048_576, None),
        (4096, 4096, None),
        (ENDLESS, ENDLESS, None),
    ],
)
def test_limit_of_open_files_is_raised_within_reason_and_never_lowered(
    monkeypatch: pytest.MonkeyPatch, held: int, most: int, raised: int | None
) -> None:
    limits = []
    monkeypatch.setattr("resource.getrlimit", lambda kind: (held, most))
    monkeypatch.setattr("resource.setrlimit", lambda kind, given: limits.append(given))

    raise_file_limit()

    assert limits == ([] if raised is None else [(raised, most)])
    assert raised is None or reachable_file_limit() == raised


def test_limit_that_the_system_does_not_let_us_raise_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(kind: int, given: tuple[int, int]) -> None:
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr("resource.getrlimit", lambda kind: (256, ENDLESS))
    monkeypatch.setattr("resource.setrlimit", refuse)

    raise_file_limit()


def test_collector_rests_while_things_are_built_up_and_goes_on_afterwards_as_it_was() -> None:
    with building_up():
        assert not gc.isenabled()
        with building_up():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()

    with pytest.raises(ZeroDivisionError), building_up():
        raise ZeroDivisionError
    assert gc.isenabled()


@pytest.mark.skipif(not IS_GNU, reason="other C libraries know no such stores")
@pytest.mark.parametrize(("asked", "fewest", "most"), [({}, 1, MOST_ARENAS - 1), ({"MALLOC_ARENA_MAX": "6"}, 3, 5)])
def test_threads_share_the_stores_of_memory_unless_the_environment_says_otherwise(
    asked: dict[str, str], fewest: int, most: int
) -> None:
    unasked = {name: value for name, value in os.environ.items() if name not in ("MALLOC_ARENA_MAX", "GLIBC_TUNABLES")}
    ran = subprocess.run(
        [sys.executable, "-c", COUNT_ARENAS], env={**unasked, **asked}, capture_output=True, text=True, check=True
    )
    assert fewest <= int(ran.stdout) <= most, "the first store is the process's own and not among these"


def test_c_library_without_such_stores_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())
    assert share_arenas() is False

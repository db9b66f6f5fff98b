"""The suite itself: what hangs is one failure, who dies takes its children along, and what belongs together stays so."""

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tests.distribution import LONGEST_FIRST, unit_of

ROOT = Path(__file__).parents[2]
BAD_TESTS = {
    "test_hanging.py": """
        import asyncio

        async def test_waits_for_ever():
            await asyncio.Event().wait()

        def test_after_it():
            pass
    """,
    "test_dying.py": """
        import os

        def test_ends_its_process():
            os._exit(1)

        def test_after_it():
            pass
    """,
}
PARENT = """
    import sys, time
    from pathlib import Path
    from tests.e2e.processes import Process

    child = Process([sys.executable, "-c", "import time; time.sleep(60)"], Path(sys.argv[1]) / "log")
    child.start()
    print(child.child.pid, flush=True)
    time.sleep(60)
"""


@pytest.mark.slow
def test_test_that_hangs_or_ends_its_process_is_one_failure_and_the_others_run(tmp_path: Path) -> None:
    pytest.importorskip("xdist")
    for name, text in BAD_TESTS.items():
        (tmp_path / name).write_text(textwrap.dedent(text))
    plugins = ("xdist.plugin", "pytest_asyncio.plugin", "pytest_timeout", "tests.time_limits", "tests.distribution")
    command = [sys.executable, "-m", "pytest", "-n", "2", "-q", "-p", "no:cacheprovider", "-o", "timeout=1"]
    command += ["-c", str(ROOT / "pyproject.toml"), str(tmp_path)]
    # What else is installed for tests has no part in it, and each of the processes would load it.
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": ",".join(plugins)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100, check=False)

    assert done.returncode == 1, done.stdout
    assert "2 failed, 2 passed" in done.stdout
    assert "crashed while running" in done.stdout
    assert "Failed: Timeout" in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of it")
def test_server_ends_with_the_process_that_started_it_even_when_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(PARENT), str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        os.kill(child, 0)
        parent.kill()
    deadline = time.monotonic() + 30
    while is_alive(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


@pytest.mark.parametrize(
    ("nodeid", "unit"),
    [
        ("tests/unit/domain/test_lease.py::TestPool::runTest", "tests/unit/domain/test_lease.py"),
        ("tests/e2e/test_chat.py::test_a[2026-06]", "tests/e2e, 2026-06"),
        ("tests/e2e/test_chat.py::test_b[seed-https]", "tests/e2e, seed"),
        ("tests/e2e/test_pool.py::test_c[html]", "tests/e2e/test_pool.py"),
        ("tests/security/test_wire.py::test_d", "tests/security"),
    ],
)
def test_what_shares_a_server_stays_together(nodeid: str, unit: str) -> None:
    assert unit_of(nodeid) == unit


def test_every_folder_of_tests_has_its_turn() -> None:
    folders = {file.relative_to(ROOT / "tests").parts[0] for file in (ROOT / "tests").rglob("test_*.py")}

    assert folders - set(LONGEST_FIRST) == {"browser"}, "a folder without one comes last, when the others are done"

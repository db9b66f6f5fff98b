"""What forks servers does so for every test of a worker: what befalls one of them harms no other."""

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.e2e.nursery import Child, Nursery

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="servers are forked on Linux alone")


@pytest.fixture
def nursery() -> Nursery:
    return Nursery.of_this_process()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "child.log"


def test_end_is_told_to_everybody_who_asks(nursery: Nursery, log: Path) -> None:
    child = nursery.start(["--version"], os.environ, log)
    assert child.wait(30) == 0
    assert Child(nursery, child.pid).wait(30) == 0
    assert log.read_text().startswith("flow2api")


def test_caller_who_was_interrupted_shifts_no_answer(
    nursery: Nursery, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(text: str) -> None:
        raise TimeoutError

    monkeypatch.setattr("tests.e2e.nursery.json.loads", interrupted)
    with pytest.raises(TimeoutError):
        nursery.start(["--version"], os.environ, log)
    monkeypatch.undo()

    assert nursery.start(["--nothing"], os.environ, log).wait(30) == 2


def test_keys_that_end_the_tests_leave_it_to_them_to_end_servers(nursery: Nursery) -> None:
    assert os.getpgid(nursery.pid) == nursery.pid != os.getpgid(0)


def test_nothing_runs_in_it_that_a_child_would_lack(nursery: Nursery, log: Path) -> None:
    nursery.start(["--version"], os.environ, log).wait(30)
    assert [thread.name for thread in Path(f"/proc/{nursery.pid}/task").iterdir()] == [str(nursery.pid)]


def test_its_end_is_told_to_whoever_asks(log: Path) -> None:
    nursery = Nursery()
    os.kill(nursery.pid, signal.SIGKILL)

    with pytest.raises(AssertionError, match="has ended: -9"):
        nursery.start(["--version"], os.environ, log)
    nursery.close()

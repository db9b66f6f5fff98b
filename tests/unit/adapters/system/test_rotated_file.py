"""A file that stays within its bounds and is read by its owner only."""

import multiprocessing
import stat
from pathlib import Path

import pytest

from flow2api.adapters.system.rotated_file import RotatedFile

LINE = b"0123456789abcde\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "debug.log"


def names(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir() if file.suffix != ".lock")


def test_is_turned_over_when_it_is_full(path: Path) -> None:
    file = RotatedFile(path, most_bytes=50, files=3)
    for number in range(20):
        file.write(b"%015d\n" % number)
    file.close()

    assert names(path) == ["debug.log", "debug.log.1", "debug.log.2"]
    kept = b"".join(path.with_name(name).read_bytes() for name in ("debug.log.2", "debug.log.1", "debug.log"))
    assert kept.split() == [b"%015d" % number for number in range(12, 20)]
    assert all(path.with_name(name).stat().st_size <= 50 for name in names(path))


def test_only_its_owner_reads_it(path: Path) -> None:
    file = RotatedFile(path, most_bytes=20, files=2)
    for _ in range(4):
        file.write(LINE)
    file.close()

    assert {stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()} == {0o600}


def test_one_file_alone_begins_anew(path: Path) -> None:
    file = RotatedFile(path, most_bytes=20, files=1)
    for _ in range(3):
        file.write(LINE)
    file.close()

    assert names(path) == ["debug.log"]
    assert path.read_bytes() == LINE


def test_lines_go_on_in_the_new_file_when_another_has_turned_it_over(path: Path) -> None:
    one, other = RotatedFile(path, most_bytes=40, files=3), RotatedFile(path, most_bytes=40, files=3)
    one.write(LINE)
    other.write(LINE)
    other.write(LINE)
    one.write(LINE)

    assert path.read_bytes() == LINE * 2
    assert path.with_name("debug.log.1").read_bytes() == LINE * 2


def test_file_that_was_taken_away_is_made_again(path: Path) -> None:
    file = RotatedFile(path, most_bytes=1000, files=2)
    file.write(LINE)
    path.unlink()
    file.write(LINE)

    assert path.read_bytes() == LINE


def _write(path: Path, name: str) -> None:
    file = RotatedFile(path, most_bytes=4000, files=50)
    for number in range(200):
        file.write(f"{name} {number:04d} {'x' * 50}\n".encode())


def test_processes_lose_and_tear_no_line(path: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_write, args=(path, name)) for name in ("a", "b", "c")]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)

    lines = [line for name in names(path) for line in path.with_name(name).read_text().splitlines()]
    assert {len(line) for line in lines} == {57}
    assert sorted(line[:6] for line in lines) == sorted(
        f"{name} {number:04d}" for name in "abc" for number in range(200)
    )

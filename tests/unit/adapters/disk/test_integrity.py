"""A file is hashed once, and again as soon as it is not the very same file any more."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from flow2api.adapters.disk import integrity
from flow2api.adapters.disk.integrity import VerifiedFiles

CONTENT = b"a hill" * 1000
ADDRESS = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Descriptors whose content was read through."""
    seen: list[int] = []
    original = integrity._digest

    def noted(descriptor: int) -> str:
        seen.append(descriptor)
        return original(descriptor)

    monkeypatch.setattr(integrity, "_digest", noted)
    return seen


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "file").write_bytes(CONTENT)
    opened = os.open(tmp_path / "file", os.O_RDWR)
    yield opened
    os.close(opened)


def test_right_file_is_read_through_once(descriptor: int, hashed: list[int]) -> None:
    files = VerifiedFiles()
    assert all(files.holds(ADDRESS, descriptor, os.fstat(descriptor)) for _ in range(3))
    assert len(hashed) == 1


def test_file_that_was_changed_is_read_again_and_found_out(descriptor: int, hashed: list[int]) -> None:
    files = VerifiedFiles()
    assert files.holds(ADDRESS, descriptor, os.fstat(descriptor))
    os.pwrite(descriptor, b"b", 0)
    os.utime(descriptor, ns=(0, 1))
    assert not files.holds(ADDRESS, descriptor, os.fstat(descriptor))
    assert not files.knows(ADDRESS, os.fstat(descriptor))
    assert len(hashed) == 2


def test_right_content_under_another_address_is_wrong(descriptor: int, hashed: list[int]) -> None:
    files = VerifiedFiles()
    assert not files.holds("0" * 64, descriptor, os.fstat(descriptor))
    assert not files.knows("0" * 64, os.fstat(descriptor))


def test_oldest_is_forgotten_when_there_are_too_many(descriptor: int) -> None:
    files, found = VerifiedFiles(at_most=2), os.fstat(descriptor)
    for address in ("a", "b", "a", "c"):
        files.add(address, found)
    assert [files.knows(address, found) for address in ("a", "b", "c")] == [True, False, True]

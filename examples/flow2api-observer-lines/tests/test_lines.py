"""Notices become lines of a file."""

import json
from pathlib import Path

import pytest
from flow2api_lines import LinesObserver, Silent, build, register_observers

from flow2api.domain import notices
from flow2api.domain.errors import ConfigurationError
from flow2api.domain.notices import NoticeKind
from flow2api.domain.ports.observers import ChoosesKinds, Observer
from flow2api.testing.contracts import ObserverContract
from flow2api.testing.fakes.clock import START


class TestLinesObserver(ObserverContract):
    @pytest.fixture
    def observer(self, tmp_path: Path) -> Observer:
        return build({"file": str(tmp_path / "notices.jsonl")})


def lines_of(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def test_each_notice_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "made" / "notices.jsonl"
    observer = LinesObserver(file)
    observer.notify(notices.disk_full(START))
    observer.notify(notices.proxy_dead("eu", START, 3))

    full, dead = lines_of(file)
    assert (full["kind"], full["at"]) == ("disk.full", START.isoformat())
    assert dead["kind"] == "proxy.dead"
    assert "eu" in str(dead["subject"])
    assert all(line["sentence"] for line in (full, dead))


def test_goes_on_when_the_file_was_moved_away(tmp_path: Path) -> None:
    file = tmp_path / "notices.jsonl"
    observer = LinesObserver(file)
    observer.notify(notices.disk_full(START))
    file.rename(tmp_path / "old.jsonl")
    observer.notify(notices.disk_full(START))

    assert len(lines_of(file)) == len(lines_of(tmp_path / "old.jsonl")) == 1


def test_hears_the_kinds_that_its_section_names(tmp_path: Path) -> None:
    some = build({"file": str(tmp_path / "x"), "only": "proxy.dead, disk.full"})
    every = build({"file": str(tmp_path / "x")})

    assert isinstance(some, ChoosesKinds)
    assert set(some.kinds) == {NoticeKind.PROXY_DEAD, NoticeKind.DISK_FULL}
    assert isinstance(every, ChoosesKinds)
    assert set(every.kinds) == set(NoticeKind)


def test_hears_nothing_without_a_file() -> None:
    observer = build({})

    assert isinstance(observer, Silent)
    assert list(observer.kinds) == []


@pytest.mark.parametrize("section", [{"file": "x", "only": "no.such"}, {"fyle": "x"}])
def test_wrong_section_is_refused_with_what_there_is(section: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match=r"only"):
        build(section)


def test_is_registered_by_its_name() -> None:
    (factory,) = register_observers()

    assert (factory.name, factory.build) == ("lines", build)

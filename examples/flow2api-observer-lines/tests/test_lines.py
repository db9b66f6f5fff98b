"""Notices become lines of a file."""

import json
from pathlib import Path

import flow2api_lines
import pytest
from flow2api_lines import LinesObserver, Silent, build, register_observers

from flow2api.domain import notices
from flow2api.domain.notices import NoticeKind
from flow2api.domain.ports.observers import ChoosesKinds, Observer
from flow2api.extensions import load_extensions
from flow2api.hookspecs import Section
from flow2api.testing.contracts import ObserverContract
from flow2api.testing.fakes.clock import START


def read(section: dict[str, object]) -> Section:
    """The section as the server reads it."""
    found, sections = load_extensions(extra={"observer_lines": flow2api_lines}).checked({"lines": section})
    assert found.left_out == ()
    return sections["lines"]


class TestLinesObserver(ObserverContract):
    @pytest.fixture
    def observer(self, tmp_path: Path) -> Observer:
        return build(read({"file": str(tmp_path / "notices.jsonl")}))


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
    some = build(read({"file": str(tmp_path / "x"), "only": "proxy.dead, disk.full"}))
    every = build(read({"file": str(tmp_path / "x")}))

    assert isinstance(some, ChoosesKinds)
    assert set(some.kinds) == {NoticeKind.PROXY_DEAD, NoticeKind.DISK_FULL}
    assert isinstance(every, ChoosesKinds)
    assert set(every.kinds) == set(NoticeKind)


def test_hears_nothing_without_a_file() -> None:
    observer = build(read({}))

    assert isinstance(observer, Silent)
    assert list(observer.kinds) == []


@pytest.mark.parametrize(
    ("section", "told"), [({"file": "x", "only": "no.such"}, "'no.such' is not a valid"), ({"fyle": "x"}, "file, only")]
)
def test_wrong_section_leaves_the_plugin_out_with_what_there_is(section: dict[str, object], told: str) -> None:
    found, _ = load_extensions(extra={"observer_lines": flow2api_lines}).checked({"lines": section})

    assert told in str(found.left_out[0].error)
    assert "lines" not in found.observers


def test_is_registered_by_its_name() -> None:
    (factory,) = register_observers()

    assert (factory.name, factory.build) == ("lines", build)

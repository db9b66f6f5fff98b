"""Commands for the places where operators are written to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.hook_receiver import Receiver, receiving
from tests.unit.cli.conftest import Stage


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def url(receiver: Receiver) -> str:
    return f"json://canary-user:canary-pass@127.0.0.1:{receiver.port}/canary-place"


def test_target_is_kept_written_to_and_removed_and_its_address_never_shown(
    run: CommandLine, stage: Stage, receiver: Receiver, url: str
) -> None:
    added = run("notify", "add", "phone", "--url-file", "-", stdin=url + "\n")
    tested = run("notify", "test", "phone")
    listed = run("notify", "list", "--json")
    removed = run("notify", "remove", "phone", "--json")

    assert [ran.code for ran in (added, tested, listed, removed)] == [0, 0, 0, 0]
    assert len(receiver.of("/canary-place")) == 1
    assert stage.tables.told.targets == {}
    (target,) = listed.json["targets"]
    assert (target["name"], target["service"], target["error"], target["failed_at"]) == ("phone", "JSON", "", None)
    assert target["sent_at"] is not None
    assert removed.json["name"] == "phone"
    assert [entry.action for entry in stage.tables.audit] == ["notify_target.added", "notify_target.removed"]
    assert "canary" not in "".join(ran.out + ran.err for ran in (added, tested, listed, removed))
    assert "canary" not in repr(stage.tables.audit)


def test_message_that_does_not_get_there_is_an_exit_code(run: CommandLine, tmp_path: Path) -> None:
    with receiving() as gone:
        file = tmp_path / "url"
        file.write_text(f"json://127.0.0.1:{gone.port}/canary-place")
    run("notify", "add", "phone", "--url-file", file)
    ran = run("notify", "test")
    listed = run("notify", "list")

    assert ran.code == 1
    assert "failed" in ran.out
    assert "canary" not in ran.out + ran.err + listed.out


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        (["add", "phone", "--url-file", "-"], "nonsense://canary", "names no place"),
        (["add", "phone", "--url-file", "-"], "", "names no place"),
        (["add", "12", "--url-file", "-"], "json://127.0.0.1/", "is no number"),
        (["add", "phone"], "", "--url-file"),
        (["remove", "phone"], "", "There is no notify target 'phone'"),
        (["test", "phone"], "", "There is no notify target 'phone'"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    run: CommandLine, stage: Stage, arguments: list[str], stdin: str, says: str
) -> None:
    ran = run("notify", *arguments, stdin=stdin)

    assert ran.code == 1
    assert says in ran.err
    assert sum(line.startswith("flow2api: ") for line in ran.err.splitlines()) == 1
    assert "canary" not in ran.err
    assert stage.tables.told.targets == {}


def test_nobody_to_write_to_is_said(run: CommandLine) -> None:
    assert "flow2api notify add" in run("notify", "list").err
    assert run("notify", "test", "--json").json == {"results": []}

"""``flow2api logs`` over a storage in memory."""

import csv
import io
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from flow2api.domain.errors import ConflictError
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.storage import LogEntry
from flow2api.domain.usecases.read_request_log import ReadRequestLog
from tests.command_line import CommandLine
from tests.unit.cli.conftest import NOON, Stage

pytestmark = pytest.mark.usefixtures("noon")

MADE = LogEntry(
    NOON - timedelta(minutes=5), "req_1", 1, "images", "paint", 7, "gen_1", "completed", None, 1500, MediaKind.IMAGE,
    status=200, attempts=1, waited_ms=200, results=1, body='{"n": 1}',
)  # fmt: skip
LOST = replace(
    MADE, at=NOON - timedelta(hours=30), request_id="req_2", generation_id="gen_2", state="failed", status=502,
    code="upstream_error", message="=It broke.", model="film", account_id=9,
)  # fmt: skip


@pytest.fixture
def noted(stage: Stage) -> Stage:
    for entry in (LOST, MADE):
        stage.storage.journal.note(entry)
    return stage


def test_newest_line_stands_first(run: CommandLine, noted: Stage) -> None:
    ran = run("logs")

    rows = [line.split() for line in ran.out.splitlines()]
    assert rows[0][:4] == ["NUMBER", "TIME", "STATE", "STATUS"]
    assert [row[0] for row in rows[1:]] == ["2", "1"]
    assert rows[2][3:6] == ["failed", "502", "upstream_error"]
    assert "1.5 s" in ran.out


def test_times_are_of_the_operators_zone(run: CommandLine, noted: Stage) -> None:
    noted.tables.options["time_zone"] = "Asia/Kathmandu"

    ran = run("logs", "--limit", "1")

    assert f"{MADE.at + timedelta(hours=5, minutes=45):%Y-%m-%d %H:%M:%S}" in ran.out


def test_json_holds_everything_but_bodies(run: CommandLine, noted: Stage) -> None:
    shown = run("logs", "--json", "--limit", "1").json

    assert shown["has_more"]
    assert shown["lines"][0]["generation_id"] == "gen_1"
    assert "body" not in shown["lines"][0]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (["--state", "failed"], ["req_2"]),
        (["--since", "1h"], ["req_1"]),
        (["--until", "1d"], ["req_2"]),
        (["--since", "2d", "--until", "24h"], ["req_2"]),
        (["--since", "2001-01-01", "--until", "2001-01-02T12:00"], []),
        (["--model", "paint"], ["req_1"]),
        (["--account", "9"], ["req_2"]),
        (["--code", "upstream_error", "--key", "1"], ["req_2"]),
        (["--key", "laptop"], ["req_1", "req_2"]),
        (["--id", "gen_2"], ["req_2"]),
        (["--id", "2"], ["req_2"]),
    ],
)
def test_filters_are_met(run: CommandLine, noted: Stage, filters: list[str], found: list[str]) -> None:
    run("keys", "create", "--name", "laptop")

    shown = run("logs", "--json", *filters).json

    assert [line["request_id"] for line in shown["lines"]] == found


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--key", "nobody"], 1, "flow2api keys list"),
        (["--account", "nobody"], 1, "flow2api accounts list"),
        (["--since", "soon"], 2, "is no moment"),
        (["--state", "broken"], 2, "broken"),
        (["--follow", "--number", "3"], 2, "only one"),
        (["--number", "77"], 1, "no line 77"),
        (["--since", "1h", "--until", "2h"], 1, "ends before it begins"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(
    run: CommandLine, noted: Stage, arguments: list[str], code: int, said: str
) -> None:
    ran = run("logs", *arguments)

    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err


def test_one_line_is_shown_whole(run: CommandLine, noted: Stage) -> None:
    assert run("logs", "--number", "2", "--json").json["body"] == '{"n": 1}'
    assert "generation id  gen_1" in run("logs", "--number", "2").out


def test_nothing_is_said_to_be_nothing(run: CommandLine) -> None:
    ran = run("logs")

    assert (ran.code, ran.out) == (0, "")
    assert "no such line" in ran.err


def test_file_is_whole_and_harmless(run: CommandLine, noted: Stage) -> None:
    rows = list(csv.DictReader(io.StringIO(run("logs", "--export", "csv").out)))
    lines = [json.loads(line) for line in run("logs", "--export", "jsonl", "--state", "failed").out.splitlines()]

    assert [row["message"] for row in rows] == ["", "'=It broke."]
    assert [line["message"] for line in lines] == ["=It broke."]


@pytest.mark.parametrize("as_json", [False, True])
def test_new_lines_are_shown_as_they_come(
    run: CommandLine, noted: Stage, monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    looks = 0

    async def meanwhile(seconds: float) -> None:
        nonlocal looks
        looks += 1
        if looks > 2:
            raise ConflictError("That was enough.")
        noted.storage.journal.note(replace(LOST, request_id=f"req_new_{looks}", generation_id=None))

    build = ReadRequestLog.__init__

    def slept(self: ReadRequestLog, *arguments: object) -> None:
        build(self, *arguments)  # type: ignore[arg-type]
        self._clock = type("Clock", (), {"sleep": staticmethod(meanwhile)})()

    monkeypatch.setattr(ReadRequestLog, "__init__", slept)
    ran = run("logs", "--follow", *(["--json"] if as_json else []))

    assert ran.err.endswith("That was enough.\n")
    shown = ran.out.splitlines()
    assert len(shown) == 2
    assert "req_new_1" in shown[0]
    if as_json:
        assert json.loads(shown[1])["request_id"] == "req_new_2"
    else:
        assert "=It broke." in shown[0]

"""``flow2api stats`` over a storage in memory."""

from dataclasses import replace
from datetime import timedelta

import pytest

from flow2api.domain.media import MediaKind
from flow2api.domain.ports.storage import LogEntry
from tests.command_line import CommandLine
from tests.unit.cli.conftest import NOON, Stage

pytestmark = pytest.mark.usefixtures("noon")

MADE = LogEntry(NOON, "req", 1, "images", "paint", 7, "gen", "completed", None, 1500, MediaKind.IMAGE, results=1)


@pytest.fixture
def counted(stage: Stage) -> Stage:
    stage.tables.options["time_zone"] = "UTC"
    for entry in (
        MADE,
        replace(MADE, results=3),
        replace(MADE, state="failed", code="upstream_error", results=0),
        replace(MADE, at=NOON - timedelta(days=2), kind=MediaKind.VIDEO, model="film", account_id=9, key_id=None),
    ):
        stage.storage.journal.note(entry)
    return stage


def test_today_and_everything_are_shown(run: CommandLine, counted: Stage) -> None:
    ran = run("stats")

    today, ever = [line.split() for line in ran.out.splitlines()[1:]]
    assert today[:5] == [f"{NOON:%Y-%m-%d}", "4", "0", "2", "1"]
    assert "66.7" in today
    assert ever[:6] == ["in", "all", "4", "1", "3", "1"]


def test_json_has_rates_and_times(run: CommandLine, counted: Stage) -> None:
    shown = run("stats", "--json").json

    assert shown["time_zone"] == "UTC"
    assert shown["day"] == f"{NOON:%Y-%m-%d}"
    assert shown["today"] | {"success_rate": round(shown["today"]["success_rate"], 3)} == {
        "images": 4, "videos": 0, "succeeded": 2, "errors": 1, "cancelled": 0, "refused": 0,
        "success_rate": 0.667, "mean_s": 1.5, "p50_s": 1.5, "p95_s": 1.95,
    }  # fmt: skip
    assert shown["total"]["videos"] == 1


def test_figures_are_told_apart(run: CommandLine, counted: Stage) -> None:
    run("keys", "create", "--name", "laptop")

    by_model = run("stats", "--by", "model", "--json").json["parts"]
    by_key = run("stats", "--by", "key", "--json").json["parts"]
    as_table = run("stats", "--by", "account").out.splitlines()

    assert [(part["name"], part["today"]["images"], part["total"]["videos"]) for part in by_model] == [
        ("paint", 4, 0),
        ("film", 0, 1),
    ]
    assert [(part["id"], part["name"]) for part in by_key] == [(1, "laptop"), (None, None)]
    assert [line.split()[:2] for line in as_table[1:]] == [["7", "(gone)"], ["9", "(gone)"]]


def test_day_can_be_another_one(run: CommandLine, counted: Stage) -> None:
    day = f"{NOON - timedelta(days=2):%Y-%m-%d}"

    assert run("stats", "--day", day, "--json").json["today"]["videos"] == 1


def test_days_are_shown_one_by_one(run: CommandLine, counted: Stage) -> None:
    days = run("stats", "--days", "3", "--json").json["days"]

    assert [(day["counts"]["images"], day["counts"]["videos"]) for day in days] == [(0, 1), (0, 0), (4, 0)]
    assert len(run("stats", "--days", "3").out.splitlines()) == 4


def test_what_does_not_fit_together_is_refused(run: CommandLine, counted: Stage) -> None:
    ran = run("stats", "--days", "3", "--by", "key")

    assert ran.code == 2
    assert "--days alone" in ran.err


def test_time_zone_that_is_none_is_refused_with_the_nearest(run: CommandLine) -> None:
    ran = run("stats", FLOW2API_OPTIONS__TIME_ZONE="Europe/Berln")

    assert ran.code == 78
    assert "Europe/Berlin" in ran.err

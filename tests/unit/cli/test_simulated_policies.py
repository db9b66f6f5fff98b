from datetime import UTC, datetime, timedelta

from flow2api.testing.factories import AccountFactory, GenerationFactory
from tests.command_line import CommandLine
from tests.unit.cli.conftest import Stage

DAY = datetime(2026, 11, 20, 12, tzinfo=UTC)


def plant(stage: Stage, count: int = 6) -> None:
    for number in range(count):
        began = DAY + timedelta(seconds=number)
        stage.tables.generations[f"video_{number}"] = GenerationFactory.build(
            id=f"video_{number}",
            spec_name="veo_3_1_t2v_fast_landscape",
            created_at=began,
            started_at=began,
            ended_at=began + timedelta(minutes=2),
        )
    for number in (1, 2):
        stage.tables.accounts[number] = AccountFactory.build(id=number)


def test_day_is_replayed_under_every_policy(run: CommandLine, stage: Stage) -> None:
    plant(stage)
    told = run("policies", "simulate", "--day", "2026-11-20", "--json").json
    assert (told["day"], told["requests"]) == ("2026-11-20", 6)
    by_name = {one["policy"]: one for one in told["policies"]}
    assert {"random", "sticky", "fill_first"} <= by_name.keys()
    assert (by_name["round_robin"]["most"], by_name["round_robin"]["least"]) == (3, 3)
    assert (by_name["fill_first"]["used"], by_name["fill_first"]["served"]) == (1, 6)


def test_chosen_policies_stand_side_by_side(run: CommandLine, stage: Stage) -> None:
    plant(stage)
    lines = run(
        "policies", "simulate", "--day", "2026-11-20", "--policy", "random", "--policy", "sticky"
    ).out.splitlines()
    assert lines[0] == "6 requests of 2026-11-20 (UTC), 2 accounts."
    assert [line.split()[0] for line in lines[2:]] == ["random", "sticky"]


def test_empty_day_is_told(run: CommandLine, stage: Stage) -> None:
    shown = run("policies", "simulate", "--day", "2025-01-01")
    assert (
        shown.err.splitlines()[-1] == "No generation was asked for on 2025-01-01 (UTC); choose another day with --day."
    )
    assert run("policies", "simulate", "--day", "2025-01-01", "--json").json["policies"] == []


def test_nonsense_is_refused(run: CommandLine, stage: Stage) -> None:
    day, policy = run("policies", "simulate", "--day", "tomorrow"), run("policies", "simulate", "--policy", "best")
    assert (day.code, policy.code) == (2, 2)
    assert "is no day" in day.err
    assert "There is no selection policy 'best'" in policy.err

import pytest

from flow2api.domain.choice import Choice
from flow2api.domain.generation import State
from flow2api.domain.usecases import find_prompts
from flow2api.testing.factories import GenerationFactory
from tests.command_line import CommandLine
from tests.unit.cli.conftest import Stage

CHOICE = Choice("least_busy", 3, {"busy": 2}, "the less busy of two", 4, 1500)


def test_generation_tells_how_its_account_was_chosen(run: CommandLine, stage: Stage) -> None:
    stage.tables.generations["gen_1"] = GenerationFactory.build(id="gen_1", choice=CHOICE, prompt="a secret hill")
    shown = run("generations", "show", "gen_1").out
    assert "least_busy" in shown
    assert "2 busy" in shown
    assert "position 4, 1500 ms" in shown
    assert "a secret hill" not in shown
    document = run("generations", "show", "gen_1", "--json").json
    assert document["choice"] == {
        "policy": "least_busy", "ready": 3, "refused": {"busy": 2}, "why": "the less busy of two", "position": 4,
        "waited_ms": 1500,
    }  # fmt: skip


def test_generation_that_has_no_account_yet(run: CommandLine, stage: Stage) -> None:
    stage.tables.generations["gen_1"] = GenerationFactory.build(id="gen_1", choice=None)
    assert run("generations", "show", "gen_1", "--json").json["choice"] is None
    assert "choice" in run("generations", "show", "gen_1").out


def test_unknown_generation_is_told(run: CommandLine, stage: Stage) -> None:
    shown = run("generations", "show", "gen_9")
    assert shown.code == 1
    assert "There is no generation 'gen_9'" in shown.err


def test_generations_are_listed_newest_first_page_by_page(run: CommandLine, stage: Stage) -> None:
    for number in range(3):
        stage.tables.generations[f"gen_{number}"] = GenerationFactory.build(
            id=f"gen_{number}", key_id=1, account_id=number, state=State.COMPLETED
        )
    first = run("generations", "list", "--limit", "2", "--json").json
    last = run("generations", "list", "--after", first["next"], "--json").json

    assert [one["id"] for one in first["generations"] + last["generations"]] == ["gen_2", "gen_1", "gen_0"]
    assert last["next"] is None
    lines = run("generations", "list", "--account", "1", "--key", "1", "--state", "completed").out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["gen_1"]
    assert run("generations", "list", "--model", "other").err.endswith("There is no such generation.\n")


def test_generations_are_listed_by_words_of_their_prompts(run: CommandLine, stage: Stage) -> None:
    for number, prompt in enumerate(["A red Hill", "a hill", "red hills at night", "blue"]):
        stage.tables.generations[f"gen_{number}"] = GenerationFactory.build(id=f"gen_{number}", prompt=prompt)

    def ids(*more: str) -> list[str]:
        return [one["id"] for one in run("generations", "list", "--json", *more).json["generations"]]

    assert ids("--words", "hill RED") == ["gen_2", "gen_0"]
    assert ids("--words", "hill RED", "--after", "gen_2") == ["gen_0"]
    assert ids("--words", " ") == ["gen_3", "gen_2", "gen_1", "gen_0"]
    assert run("generations", "list", "--words", "hill", "--limit", "1", "--json").json["next"] == "gen_2"
    assert "There is no such generation." in run("generations", "list", "--words", "green").err
    assert "at most 200 characters" in run("generations", "list", "--words", "x" * 201).err


def test_look_that_came_to_its_end_says_how_to_go_on(
    run: CommandLine, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find_prompts, "LOOKED_AT", 2)
    monkeypatch.setattr(find_prompts, "READ", 2)
    for number in range(3):
        stage.tables.generations[f"gen_{number}"] = GenerationFactory.build(id=f"gen_{number}", prompt="a hill")

    shown = run("generations", "list", "--words", "green")

    assert shown.err.splitlines()[-1] == "Older ones were not looked at; go on with --after gen_1."

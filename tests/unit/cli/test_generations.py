from flow2api.domain.choice import Choice
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
